"""`tbtrace render`: what is drawn again, and where it goes."""

from __future__ import annotations

import sys
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from archive_shapes import walkers
from PIL import Image
from pyarrow.fs import LocalFileSystem
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

from tbtrace import Reporting, RunReporter
from tbtrace.archive.store import Store
from tbtrace.archive.stored import Stored
from tbtrace.cli import console
from tbtrace.cli.console import CallError
from tbtrace.cli.picks import selector
from tbtrace.episode import Scene
from tbtrace.select import EpisodeSummary


def pictures(folder: Path) -> dict[tuple[str, int], bytes]:
    """The pictures of a run's event files, by tag and step."""
    found = {}
    for path in folder.glob("events.out.tfevents.*"):
        for event in EventFileLoader(str(path)).Load():
            for value in event.summary.value:
                if value.metadata.plugin_data.plugin_name == "images":
                    found[value.tag, event.step] = value.tensor.string_val[2]
    return found


def pixels(data: bytes | Path) -> np.ndarray:
    with Image.open(data if isinstance(data, Path) else BytesIO(data)) as picture:
        return np.array(picture.convert("RGB")).astype(int)


def test_a_view_is_drawn_again_as_in_the_run(spawn: Any, plant_run: Path, tmp_path: Path) -> None:
    done = spawn("render", plant_run, "--view", "paths", "--out", tmp_path / "again")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{tmp_path / 'again'}: 24 pictures\n"
    drawn = pictures(plant_run)
    assert len(drawn) == 24
    for (tag, step), file in drawn.items():
        again = (
            tmp_path / "again" / f"{tag.removeprefix('traces/').replace('/', '-')}-{step:06d}.png"
        )
        # The archive's points are float32: a pixel here and there may differ.
        assert (np.abs(pixels(again) - pixels(file)).max(axis=2) > 60).mean() < 1e-3, again


@pytest.mark.parametrize(
    ("view", "size"),
    [
        ("paths", (640, 480)),
        ("Heatmap", (640, 480)),
        ("time-space", (640, 480)),
        ("timeline", None),
        ("series", (640, 480)),
    ],
)
def test_every_view_by_name(
    call: Any, plant_run: Path, tmp_path: Path, view: str, size: tuple[int, int] | None
) -> None:
    out = tmp_path / "one.png"
    done = call("render", plant_run, "--view", view, "--pick", "best", "--out", out)
    assert done.returncode == 0, done.stderr
    assert "/evaluation/best of iteration 4, run ." in done.stdout
    with Image.open(out) as picture:
        assert picture.format == "PNG"
        assert size in (None, picture.size)
    assert len(np.unique(pixels(out).reshape(-1, 3), axis=0)) > 10


@pytest.mark.parametrize("view", ["animation", "frames"])
def test_moving_pictures_also_as_gif(call: Any, plant_run: Path, tmp_path: Path, view: str) -> None:
    for name in ("a.png", "a.gif"):
        done = call("render", plant_run, "--view", view, "--out", tmp_path / name)
        assert done.returncode == 0, done.stderr
    with Image.open(tmp_path / "a.png") as png, Image.open(tmp_path / "a.gif") as gif:
        assert gif.format == "GIF"
        assert png.n_frames == gif.n_frames > 3
        assert abs(gif.info["duration"] - png.info["duration"]) < 10
        for frame in (1, png.n_frames - 1):
            png.seek(frame)
            gif.seek(frame)
            away = np.abs(
                np.array(png.convert("RGB")).astype(int) - np.array(gif.convert("RGB")).astype(int)
            )
            assert away.mean() < 2


def test_options_and_picks_change_the_picture(call: Any, plant_run: Path, tmp_path: Path) -> None:
    def drawn(*options: object) -> np.ndarray:
        out = tmp_path / "one.png"
        done = call("render", plant_run, "--view", "paths", *options, "--out", out)
        assert done.returncode == 0, done.stderr
        return pixels(out)

    plain = drawn()
    assert drawn("--option", "size=320x240", "--option", "group=articles").shape == (240, 320, 3)
    assert (drawn("--pick", "worst") != plain).any()
    assert (drawn("--iteration", 1) != plain).any()
    assert (drawn("--split", "train") != plain).any()


def test_who_picks_for_a_heat_map_sees_that_episode_alone(
    call: Any, plant_run: Path, tmp_path: Path
) -> None:
    drawn = []
    for options in (["--pick", "best"], ["--pick", "best", "--option", "together=yes"]):
        out = tmp_path / "heat.png"
        call("render", plant_run, "--view", "heatmap", *options, "--out", out)
        drawn.append(pixels(out))
    assert (drawn[0] != drawn[1]).any()


def test_tensorboard_gets_a_run_beside_the_old_one(
    call: Any, plant_run: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    (run / "traces").mkdir(parents=True)
    for file in (plant_run / "traces").iterdir():
        (run / "traces" / file.name).write_bytes(file.read_bytes())
    given = ["render", run, "--view", "timeline", "--pick", "best", "--split", "train"]
    done = call(*given, "--iteration", "2:3", "--out", "tensorboard")
    assert done.stdout == f"{run / 'tbtrace-render-timeline'}: 2 pictures\n"
    drawn = pictures(run / "tbtrace-render-timeline")
    assert set(drawn) == {("traces/timeline/train/best", step) for step in (2, 3)}
    assert pixels(drawn["traces/timeline/train/best", 2]).any()


def test_a_view_of_the_users_own(call: Any, plant_run: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "import numpy as np\n"
        "def red(episode):\n"
        "    return np.full((5, 7, 3), (255, 0, 0), np.uint8)\n"
        "def broken(episode):\n"
        "    raise RuntimeError('no ink')\n"
    )
    given = ["render", plant_run, "--view", "figure", "--out", "mine.png"]
    done = call(*given, "--option", "function=mine.py:red", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert pixels(tmp_path / "mine.png").tolist() == [[[255, 0, 0]] * 7] * 5
    failed = call(*given, "--option", "function=mine.py:broken", cwd=tmp_path)
    assert failed.returncode == 1
    assert "no ink" in failed.stderr
    assert "Traceback" not in failed.stderr


def test_a_view_class_of_the_users_own(call: Any, plant_run: Path, tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text(  # no module of Python's is replaced
        "from __future__ import annotations\n"
        "from dataclasses import dataclass\n"
        "from tbtrace import views\n"
        "@dataclass(frozen=True)\n"
        "class Mine(views.Paths):\n"
        "    margin: int | None = None\n"
        "ready = Mine()\n"
    )
    given = ["render", plant_run, "--out", "mine.png", "--pick", "best"]
    for name in ("Mine", "ready"):
        view = ["--view", f"json.py:{name}"]
        done = call(*given, *view, "--option", "margin=3", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        done = call(*given, *view, "--option", "size=9x9", cwd=tmp_path)
        assert done.returncode == 2
        assert f"--view json.py:{name}: size=(9, 9): give" in done.stderr


def test_the_last_scene_of_an_iteration_lasts_whoever_gave_it(call: Any, tmp_path: Path) -> None:
    scene = Scene(extent=(0.0, 500.0, 0.0, 500.0))
    pictures = []
    for name, its in (("first", (scene, None)), ("both", (scene, scene)), ("none", (None, None))):
        store = Store(LocalFileSystem(), str(tmp_path / name))
        store.write(1, [walkers(uid, scene=one) for uid, one in zip("ab", its, strict=True)])
        store.write(2, [walkers("c", iteration=2)])
        out = tmp_path / f"{name}.png"
        done = call("render", tmp_path / name, "--view", "paths", "--pick", "best", "--out", out)
        assert done.returncode == 0, done.stderr
        pictures.append(pixels(out))
    assert (pictures[0] == pictures[1]).all()
    assert (pictures[0] != pictures[2]).any()


def test_the_newest_iteration_is_drawn_without_the_others(
    call: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene(extent=(0.0, 500.0, 0.0, 500.0), units="m")
    reporter = RunReporter(tmp_path / "run", Reporting(views=[]))
    for number, given in ((1, None), (2, scene), (3, None)):
        one = walkers(str(number), seed=number, steps=600 // number, iteration=number, scene=given)
        reporter.report(number, {}, [one])
    reporter.close()
    loaded = []
    load = Stored.load
    monkeypatch.setattr(Stored, "load", lambda one: loaded.append(one.iteration) or load(one))

    def drawn(iteration: str) -> np.ndarray:
        out = tmp_path / f"{iteration}-{len(loaded)}.png"
        given = ["render", tmp_path / "run", "--view", "paths", "--pick", "best"]
        done = call(*given, "--iteration", iteration, "--out", out)
        assert done.returncode == 0, done.stderr
        return pixels(out)

    quick = drawn("3")
    assert loaded == [2, 3]  # of the second iteration the scene
    second = drawn("2")
    assert loaded[2:] == [1, 2]
    (tmp_path / "run/traces/context.json").write_bytes(b"{}")
    assert (drawn("3") == quick).all()
    assert loaded[4:] == [1, 2, 3]
    assert (second != quick).any()


def test_what_cannot_be_read_costs_its_own_pictures_alone(call: Any, tmp_path: Path) -> None:
    store = Store(LocalFileSystem(), str(tmp_path / "run"))
    for number in (1, 2, 3):
        store.write(number, [walkers(str(number), seed=number, iteration=number)])
    path = tmp_path / "run/traces/train-000001.parquet"
    content = bytearray(path.read_bytes())
    content[len(content) // 4] ^= 1
    path.write_bytes(content)
    given = ["render", tmp_path / "run", "--view", "paths", "--pick", "best", "--out"]
    done = call(*given, tmp_path / "two.png", "--iteration", "2")
    assert done.returncode == 0
    assert done.stderr.count(path.name) == 1
    done = call(*given, tmp_path / "all/")
    assert done.returncode == 1
    assert done.stderr.endswith("1 picture could not be drawn\n")
    assert len([*(tmp_path / "all").rglob("*.png")]) == 2


def test_the_name_of_a_run_steers_no_terminal(call: Any, tmp_path: Path) -> None:
    Store(LocalFileSystem(), str(tmp_path / "runs" / "a")).write(1, [walkers()])
    (tmp_path / "runs" / "a").rename(tmp_path / "runs" / "a\x1b[31m")
    out = tmp_path / "one.png"
    done = call("render", tmp_path / "runs", "--view", "paths", "--pick", "best", "--out", out)
    assert done.returncode == 0
    assert done.stdout.endswith("run a\\x1b[31m\n")


def test_a_bar_says_any_name(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stderr", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    assert list(console.progress([1, 2], "paths of a[/b]\x1b[31m", 2)) == [1, 2]
    assert "a[/b]\\x1b[31m" in sys.stderr.getvalue()  # type: ignore[attr-defined]


def test_nothing_to_draw_is_a_failure(call: Any, plant_run: Path, tmp_path: Path) -> None:
    given = ["render", plant_run, "--view", "paths", "--option", "group=nobody"]
    done = call(*given, "--out", tmp_path / "a.png")
    assert done.returncode == 1
    assert done.stderr.endswith("there is nothing to draw in the episodes that fit\n")


def test_a_place_behind_a_pick_is_that_one_alone() -> None:
    told = [
        EpisodeSummary(uid, 9, float(value))
        for uid, value in zip("abcd", (3, 1, 4, 2), strict=True)
    ]
    assert list(selector("best")(told)) == [2]
    assert list(selector("best-3")(told)) == [3]
    assert list(selector("best:3")(told)) == [2, 0, 3]
    assert list(selector("best-9")(told)) == []
    assert [selector(f"best-{place}:name=top").name for place in (1, 2)] == ["top", "top-2"]
    for wrong in ("best-0", "every-2", "best:by", "best:n=x", "best:size=3", "Best", "median-2"):
        with pytest.raises(CallError, match="--pick"):
            selector(wrong)
