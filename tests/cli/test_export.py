"""`tbtrace export`: every format read back by others."""

from __future__ import annotations

import importlib.util
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from archive_shapes import walkers
from pyarrow.fs import LocalFileSystem

import tbtrace
from tbtrace.archive.spelling import spell, unspell
from tbtrace.archive.store import Store
from tbtrace.episode import Episode, Media, Trace


@pytest.fixture(scope="module")
def stored(plant_run: Path) -> list[Episode]:
    return list(tbtrace.open_archive(plant_run).episodes())


def export(call: Any, run: Path, out: Path, *options: object) -> Path:
    done = call("export", run, "--format", out.suffix[1:], "--out", out, *options)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{out}: ")
    assert [path.name for path in out.parent.iterdir()] == [out.name]
    return out


def test_csv_has_a_row_a_point_and_value(
    spawn: Any, plant_run: Path, tmp_path: Path, stored: list[Episode]
) -> None:
    rows = pd.read_csv(export(spawn, plant_run, tmp_path / "e.csv"))
    for episode in (stored[0], stored[-1]):
        its = rows[rows.uid == episode.uid]
        assert set(its.iteration) == {episode.iteration}
        for group, traces in episode.traces.items():
            for name, trace in traces.items():
                said = its[(its.kind == "trace") & (its.group == group) & (its.name == name)]
                np.testing.assert_array_equal(said.step, trace.steps)
                axes = ["x", "y", "z"][: trace.points.shape[1]]
                np.testing.assert_allclose(said[axes], trace.points)
                if group == "articles":
                    np.testing.assert_allclose(said["channel:heat"], trace.channels["heat"])
                    assert tuple(said["label:state"]) == trace.labels["state"]
        running = its[its.kind == "running"]
        np.testing.assert_array_equal(running.value, episode.running["queue"].values)
        assert its[its.kind == "final"].value.tolist() == [episode.final["shipped"]]
    assert rows.uid.nunique() == len(stored)


def test_json_is_the_recipes_list(
    call: Any, plant_run: Path, tmp_path: Path, stored: list[Episode]
) -> None:
    told = json.loads(export(call, plant_run, tmp_path / "e.json").read_text())
    assert [one["uid"] for one in told] == [episode.uid for episode in stored]
    assert told[0]["run"] == "."
    assert told[0]["running"]["queue"] == stored[0].running["queue"].values.tolist()
    shown = call("export", plant_run, "--format", "json", "--out", "-", "--split", "train").stdout
    assert {one["split"] for one in json.loads(shown)} == {"train"}


def test_parquet_is_the_archives_table_with_runs(
    call: Any, plant_run: Path, tmp_path: Path, stored: list[Episode]
) -> None:
    rows = pd.read_parquet(export(call, plant_run.parent, tmp_path / "e.parquet"))
    own = tbtrace.open_archive(plant_run).to_pandas()
    assert set(rows.pop("run")) == {"PPO_plant_00000"}
    assert rows.columns.tolist() == own.columns.tolist()
    assert rows.uid.tolist() == own.uid.tolist()
    np.testing.assert_array_equal(np.concatenate(rows.step), np.concatenate(own.step))


def test_npz_needs_no_pickle(
    call: Any, plant_run: Path, tmp_path: Path, stored: list[Episode]
) -> None:
    out = export(call, plant_run, tmp_path / "e.npz", "--iteration", "last")
    with np.load(out, allow_pickle=False) as arrays:
        index = [json.loads(str(text)) for text in arrays["episodes"]]
        whole = {episode.uid: episode for episode in stored}
        assert [one["uid"] for one in index] == [e.uid for e in stored if e.iteration == 4]
        for one in index:
            episode, prefix = whole[one["uid"]], one["prefix"]
            trace = episode.traces["articles"]["a1"]
            place = f"{prefix}traces/articles/a1"
            np.testing.assert_array_equal(arrays[f"{place}/points"], trace.points)
            np.testing.assert_array_equal(arrays[f"{place}/steps"], trace.steps)
            assert tuple(arrays[f"{place}/labels/state"]) == trace.labels["state"]
            np.testing.assert_array_equal(
                arrays[f"{prefix}media/camera/2"], episode.media["camera"].values[2]
            )
            assert float(arrays[f"{prefix}final/shipped"]) == episode.final["shipped"]


def test_rerun_is_asked_for_where_it_is_missing(call: Any, plant_run: Path, tmp_path: Path) -> None:
    done = call("export", plant_run, "--format", "rrd", "--out", tmp_path / "e.rrd")
    if importlib.util.find_spec("rerun") is None:
        assert done.returncode == 2
        assert done.stderr.endswith("needs Rerun: pip install 'tbtrace[rerun]'\n")
    else:
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "e.rrd").read_bytes()[:3] == b"RRF"


def test_nothing_that_fits_leaves_no_file(call: Any, plant_run: Path, tmp_path: Path) -> None:
    out = tmp_path / "e.csv"
    done = call("export", plant_run, "--format", "csv", "--entity", "nobody", "--out", out)
    assert (done.returncode, done.stderr) == (1, "tbtrace: no recorded episode fits\n")
    assert not out.exists()


STEPS = np.arange(2, dtype=np.int32)
ODD = "\ud800\x1b[31m"


def archived(folder: Path, *episodes: Episode) -> Path:
    Store(LocalFileSystem(), str(folder / "run")).write(1, episodes)
    return folder / "run"


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """A run whose names are no UTF-8, and steer terminals."""
    trace = Trace(STEPS, np.ones((2, 2)), {ODD: np.zeros(2)}, {ODD: (ODD, None)})
    return archived(
        tmp_path, Episode(ODD, 1, 0.0, traces={ODD: {ODD: trace}}, final={"a\0b": 1.0, "a\0c": 2.0})
    )


def test_names_that_are_no_utf8_are_spelled(call: Any, odd: Path, tmp_path: Path) -> None:
    for name in ("csv", "json", "parquet", "npz"):
        done = call("export", odd, "--format", name, "--out", tmp_path / f"e.{name}")
        assert done.returncode == 0, done.stderr
    rows = pd.read_csv(tmp_path / "e.csv")
    assert unspell(rows["name"][0]) == unspell(rows[f"label:{spell(ODD)}"][0]) == ODD
    with np.load(tmp_path / "e.npz") as arrays:
        finals = [float(arrays[name]) for name in arrays.files if "/final/" in name]
        assert finals == [1.0, 2.0]
        assert all(name.startswith(f"./train-000001/{spell(ODD)}/") for name in arrays.files[:-1])


def test_names_do_not_steer_the_terminal(call: Any, odd: Path) -> None:
    assert "1 \\ud800\\x1b[31m\n" in call("ls", odd).stdout


def test_media_that_json_does_not_know_are_named(call: Any, tmp_path: Path) -> None:
    values = (np.ones(2, "c16"), np.ones(2), np.zeros(1, "M8[s]"))
    media = {"m": Media(np.arange(3, dtype=np.int32), values)}
    done = call("export", archived(tmp_path, Episode("a", 1, 0.0, media=media)), "--format", "json",
                "--out", "-")  # fmt: skip
    assert done.returncode == 0
    assert done.stderr == "tbtrace: media 'm': JSON knows no such arrays; left out\n"
    assert json.loads(done.stdout)[0]["media"] == {"m": {"steps": [1], "values": [[1.0, 1.0]]}}


def test_what_would_have_one_name_in_a_npz_has_two(call: Any, tmp_path: Path) -> None:
    traces = {
        group: {entity: Trace(STEPS, np.full((2, 2), value))}
        for value, (group, entity) in enumerate([("g", "a/b"), ("g/a", "b")])
    }
    run = archived(tmp_path, *[Episode("a", 1, i, traces=traces) for i in (math.nan, 1.0)])
    call("export", run, "--format", "npz", "--out", tmp_path / "e.npz")
    with np.load(tmp_path / "e.npz") as arrays:
        assert len(arrays.files) == len(set(arrays.files)) == 9
        index = [json.loads(text, parse_constant=pytest.fail) for text in arrays["episodes"]]
        assert [one["return"] for one in index] == ["nan", 1.0]
        for one in index:
            for value, end in enumerate(("", "~2")):
                place = f"{one['prefix']}traces/g/a/b/points{end}"
                assert (arrays[place] == value).all()


def damage(run: Path, iteration: int) -> str:
    """Damages the rows of an iteration, not its footer; returns the file's name."""
    path = run / f"traces/train-{iteration:06d}.parquet"
    content = bytearray(path.read_bytes())
    content[len(content) // 4] ^= 1
    path.write_bytes(content)
    return path.name


@pytest.mark.parametrize("form", ["csv", "json", "parquet", "npz"])
def test_what_cannot_be_read_costs_itself_alone(call: Any, tmp_path: Path, form: str) -> None:
    store = Store(LocalFileSystem(), str(tmp_path / "run"))
    for number in (1, 2):
        store.write(number, [walkers(str(number), iteration=number)])
    name = damage(tmp_path / "run", 1)
    out = tmp_path / f"e.{form}"
    given = ["export", tmp_path / "run", "--format", form, "--out", out]
    done = call(*given)
    assert done.returncode == 1
    assert done.stdout.startswith(f"{out}: 1 episode, ")
    first, second = done.stderr.splitlines()
    assert name in first
    assert second == "tbtrace: 1 episode could not be read, and left out"
    if form == "json":
        assert [one["uid"] for one in json.loads(out.read_text())] == ["2"]
    if form == "csv":
        assert set(pd.read_csv(out)["iteration"]) == {2}
    out.unlink()
    assert call(*given, "--iteration", "1").returncode == 1
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_csv_reads_no_media(call: Any, plant_run: Path, tmp_path: Path) -> None:
    traces = tmp_path / "run/traces"
    traces.mkdir(parents=True)
    for file in (plant_run / "traces").glob("*.parquet"):
        (traces / file.name).write_bytes(file.read_bytes())
    done = call("export", tmp_path / "run", "--format", "csv", "--out", "-")
    assert (done.returncode, done.stderr) == (0, "")
