"""The finder: what a scan finds, where it does not go, and when it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from board_runs import write

from tbtrace import shelf
from tbtrace.archive import store
from tbtrace.board import pointer
from tbtrace.board import scan as module
from tbtrace.board.finder import Finder
from tbtrace.board.found import Found
from tbtrace.board.logdirs import Root, logdirs
from tbtrace.board.scan import Bounds, Walk, scan

POINTER = shelf.POINTER


def look(folder: Path, **bounds: Any) -> Found:
    return scan(logdirs(str(folder)).roots, Bounds(**bounds))


def empty(folder: Path, *names: str) -> None:
    (folder / "traces").mkdir(parents=True)
    for name in names or ("train-000001.parquet",):
        (folder / "traces" / name).touch()


def staged(folder: Path, **more: Any) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    told = {"staging": str(folder), "storage": "/home/u/ray_results/exp/trial", **more}
    (folder / POINTER).write_text(json.dumps(told))


def test_names_are_those_of_the_writers() -> None:
    assert (module.FOLDER, pointer.POINTER) == (store.FOLDER, shelf.POINTER)


def test_runs_are_named_as_tensorboard_names_them(tmp_path: Path) -> None:
    empty(tmp_path)
    empty(tmp_path / "exp/b")
    empty(tmp_path / "exp/a")
    assert list(look(tmp_path).runs) == [".", "exp/a", "exp/b"]
    spec = logdirs("", f"one:{tmp_path}/exp,{tmp_path}/exp/a")
    assert list(scan(spec.roots).runs) == [".", "one/a", "one/b"]


def test_two_runs_of_one_name_are_told(tmp_path: Path) -> None:
    empty(tmp_path / "a/x")
    empty(tmp_path / "b/x")
    found = scan(logdirs(None, f"{tmp_path}/a,{tmp_path}/b").roots)
    assert list(found.runs) == ["x"]
    assert found.runs["x"].root == str(tmp_path / "a")
    assert "two folders are called 'x'" in found.left_out[0]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("/a:b", [Root("", "/a:b")]),
        ("n:/a", [Root("n", "/a")]),
        ("n:/a:b", [Root("n", "/a:b")]),
        ("/a,,m:/b", [Root("", "/a"), Root("m", "/b")]),
        ("gs://b/x,n:s3://b", []),
        ("~", [Root("", os.path.expanduser("~"))]),
        ("n:a b", [Root("n", f"{os.getcwd()}/a b")]),
        ("n:/a,m:/a", [Root("m", "/a")]),
    ],
)
def test_a_spec_is_read_as_tensorboard_reads_it(spec: str, expected: list[Root]) -> None:
    assert list(logdirs("", spec).roots) == expected


def test_files_of_an_archive_are_in_order(tmp_path: Path) -> None:
    names = ["train-000010.parquet", "evaluation-000002.parquet", "train-000002.parquet"]
    others = ["train-1.parquet", "train-000003.npz", "train-000004.parquet.unfinished", "x"]
    huge = f"train-{'9' * 40}.parquet"
    empty(tmp_path, *names, *others, huge, "scene-0123456789abcdef.npz", "scene-.npz")
    (tmp_path / "traces/train-000005.parquet").mkdir()
    os.mkfifo(tmp_path / "traces/train-000006.parquet")
    (archive,) = look(tmp_path).runs.values()
    assert [file[:2] for file in archive.files] == [(2, 0), (2, 1), (10, 0)]
    assert list(archive.scenes) == ["0123456789abcdef"]
    assert archive.file("evaluation", 2) == archive.files[1]
    assert archive.file("evaluation", 10) is None


def test_the_version_changes_with_the_files(tmp_path: Path) -> None:
    (file,) = write(tmp_path / "run")
    versions = [look(tmp_path).runs["run"].version]
    assert look(tmp_path).runs["run"].version == versions[0]
    for change in (lambda: os.utime(file, (1, 1)), lambda: write(tmp_path / "run", [2])):
        change()
        versions.append(look(tmp_path).runs["run"].version)
    file.unlink()
    versions.append(look(tmp_path).runs["run"].version)
    assert len(set(versions)) == 4


def test_a_folder_that_tune_stages_in(tmp_path: Path) -> None:
    staged(tmp_path / "trial_0")
    staged(tmp_path / "both")
    empty(tmp_path / "both")
    staged(tmp_path / "moved", staging="/elsewhere")
    assert look(tmp_path).staging == {"trial_0": "/home/u/ray_results/exp/trial"}


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        "[" * 100_000,
        '{"staging": 1, "storage": "x"}',
        '{"staging": null}',
        '{"staging": "\\u0000", "storage": "x"}',
        '{"staging": "HERE", "storage": ["x"]}',
        '{"staging": "HERE", "storage": {}}',
    ],
    ids=lambda text: text[:20],
)
def test_a_hostile_pointer_is_data(tmp_path: Path, content: str) -> None:
    (tmp_path / POINTER).write_text(content.replace("HERE", str(tmp_path)))
    assert look(tmp_path) == Found()


def test_a_pointer_is_read_to_a_bound_and_is_no_pipe(tmp_path: Path) -> None:
    staged(tmp_path / "long", storage="s" * 10_000)
    staged(tmp_path / "longer", storage="s" * 1_000_000)
    (tmp_path / "pipe").mkdir()
    os.mkfifo(tmp_path / "pipe" / POINTER)
    assert look(tmp_path).staging == {"long": "s" * 4096}


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A run beside the folder `logdir`, which holds one as well."""
    empty(tmp_path / "logdir/all/run")
    empty(tmp_path / "outside")
    return tmp_path / "outside"


def test_links_to_runs_are_followed_inside(tmp_path: Path) -> None:
    empty(tmp_path / "all/a")
    empty(tmp_path / "all/b/inner")
    (tmp_path / "best").mkdir()
    (tmp_path / "best/a").symlink_to(tmp_path / "all/a")
    (tmp_path / "best/b").symlink_to("../all/b")
    (tmp_path / "again").symlink_to("best")
    (tmp_path / "c").mkdir()
    (tmp_path / "c/traces").symlink_to("../all/a/traces")
    found = look(tmp_path)
    names = ["a", "b/inner"]
    expected = [f"{folder}/{name}" for folder in ("again", "all", "best") for name in names]
    assert list(found.runs) == sorted([*expected, "c"])
    assert found.runs["best/a"].files == found.runs["all/a"].files
    assert found.left_out == ()


def test_links_that_lead_back_are_not_followed(tmp_path: Path) -> None:
    empty(tmp_path / "all/run")
    (tmp_path / "all/run/top").symlink_to(tmp_path)
    (tmp_path / "all/run/up").symlink_to("..")
    (tmp_path / "other").mkdir()
    (tmp_path / "other/all").symlink_to("../all")
    (tmp_path / "all/other").symlink_to("../other")
    (tmp_path / "self").symlink_to(tmp_path / "self")
    (tmp_path / "dead").symlink_to(tmp_path / "none")
    found = look(tmp_path)
    assert list(found.runs) == ["all/run", "other/all/run"]
    assert found.left_out == ()


def test_a_maze_of_links_hides_no_run(tmp_path: Path) -> None:
    for name in "abcdefgh":
        (tmp_path / name).mkdir()
        for other in "abcdefgh":
            (tmp_path / name / other).symlink_to(tmp_path / other)
    empty(tmp_path / "x/y/z/run")
    found = look(tmp_path, entries=1000)
    assert "x/y/z/run" in found.runs
    assert "after 1,000 files" in found.left_out[0]


def test_links_that_lead_out_are_named(tmp_path: Path, outside: Path) -> None:
    logdir = tmp_path / "logdir"
    (logdir / "out").symlink_to(outside)
    (logdir / "all/checkpoint_000001").symlink_to(outside)
    (logdir / "all/file").symlink_to(outside / "traces/train-000001.parquet")
    (logdir / "far").mkdir()
    (logdir / "far/traces").symlink_to(outside / "traces")
    found = look(logdir)
    assert list(found.runs) == ["all/run"]
    (said,) = found.left_out
    assert "leaves out 'far', 'out': name" in said
    for number in range(20):
        (logdir / f"more{number}").symlink_to(outside)
    assert "'more10', 'more11' and 17 more: name" in look(logdir).left_out[0]
    spec = logdirs("", f"in:{logdir},out:{outside}")
    named = scan(spec.roots)
    assert list(named.runs) == ["in/all/run", "out/."]
    assert named.left_out == ()


def test_files_that_are_links(tmp_path: Path, outside: Path) -> None:
    logdir = tmp_path / "logdir"
    traces = logdir / "all/run/traces"
    (logdir / "kept").touch()
    (traces / "train-000003.parquet").symlink_to(logdir / "kept")
    assert look(logdir).left_out == ()
    (traces / "train-000002.parquet").symlink_to(outside / "traces/train-000001.parquet")
    (traces / "scene-0123456789abcdef.npz").symlink_to("/etc/passwd")
    found = look(logdir)
    run = found.runs["all/run"]
    assert [file.iteration for file in run.files] == [1, 3]
    assert run.files[1].path == str(logdir / "kept")
    assert not run.scenes
    assert "leaves out 'all/run': name" in found.left_out[0]


def test_a_logdir_that_is_a_link_may_come_later_and_go_elsewhere(tmp_path: Path) -> None:
    link = tmp_path / "latest"
    roots = logdirs(str(link)).roots
    for name in ("one", "two"):
        (file,) = write(tmp_path / name / "run")
        link.unlink(missing_ok=True)
        link.symlink_to(tmp_path / name)
        run = scan(roots).runs["run"]
        assert (run.files[0].path, run.root) == (str(file), str(tmp_path / name))


def test_a_relative_logdir_outlives_a_change_of_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty(tmp_path / "my runs/tr\u00e9s/run")
    monkeypatch.chdir(tmp_path)
    roots = logdirs("my runs").roots
    monkeypatch.chdir("/")
    assert list(scan(roots).runs) == ["tr\u00e9s/run"]


def test_bounds_are_told(tmp_path: Path) -> None:
    empty(tmp_path / "a/b/c")
    for number in range(20):
        (tmp_path / f"d{number}").mkdir()
    assert list(look(tmp_path, depth=3).runs) == ["a/b/c"]
    found = look(tmp_path, depth=2)
    assert not found.runs
    assert "more than 2 below" in found.left_out[0]
    assert "after 10 files" in look(tmp_path, entries=10).left_out[0]
    long = tmp_path / ("n" * 250) / ("n" * 250) / ("n" * 250)
    long.mkdir(parents=True)
    assert "after 25 files" in look(tmp_path, entries=25).left_out[0]


def test_a_walk_goes_on_where_it_was(tmp_path: Path) -> None:
    for number in range(5):
        empty(tmp_path / f"run{number}")
    walk = Walk(logdirs(str(tmp_path)).roots, Bounds(seconds=0))
    counts = []
    while not walk.go_on():
        counts.append(len(walk.found().runs))
    assert counts == [0, 1, 2, 3, 4]
    assert walk.found() == look(tmp_path)


def test_checkpoints_are_passed_over(tmp_path: Path) -> None:
    empty(tmp_path / "checkpoint_000001/x")
    empty(tmp_path / "checkpoint_best")
    assert list(look(tmp_path).runs) == ["checkpoint_best"]


def test_what_cannot_be_read_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty(tmp_path / "a")
    empty(tmp_path / "b")
    real = os.scandir

    def scandir(path: str) -> Any:
        if path.endswith("/a"):
            raise PermissionError(path)
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert list(look(tmp_path).runs) == ["b"]
    assert look(tmp_path / "none") == Found()


def test_a_name_that_is_no_utf8(tmp_path: Path) -> None:
    empty(tmp_path / os.fsdecode(b"r\xff"))
    assert list(look(tmp_path).runs) == ["r\ufffd"]


def wait_for(condition: Any) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def test_the_thread_sees_what_appears(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[bool] = []
    finder = Finder(logdirs(str(tmp_path / "later")), None, 0.01, lambda: told.append(True))
    wait_for(lambda: finder.complete)
    assert not finder.active
    empty(tmp_path / "later/run")
    wait_for(lambda: finder.active and told)
    staged(tmp_path / "later/trial")
    wait_for(lambda: finder.found.staging)
    assert told == [True]
    finder.stop()


def test_what_is_known_stays_while_a_walk_is_under_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        empty(tmp_path / f"run{number}")
    shown: list[int] = []
    real = Finder._show

    def show(finder: Finder, found: Found, ended: bool) -> None:
        real(finder, found, ended)
        shown.append(len(found.runs) if finder.complete else -1)

    monkeypatch.setattr(Finder, "_show", show)
    finder = Finder(logdirs(str(tmp_path)), Bounds(seconds=0), 0.001)
    wait_for(lambda: shown.count(4) > 7)
    (tmp_path / "run0/traces/train-000001.parquet").unlink()
    wait_for(lambda: shown[-1] == 3)
    finder.stop()
    assert shown[:8] == [-1, -1, -1, -1, 4, 4, 4, 4]


def test_the_thread_survives_what_nobody_thought_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    empty(tmp_path)
    failing = iter([RuntimeError("odd"), RuntimeError("odd")])
    real = Walk.go_on

    def go_on(walk: Walk) -> bool:
        for error in failing:
            raise error
        return real(walk)

    monkeypatch.setattr(Walk, "go_on", go_on)
    finder = Finder(logdirs(str(tmp_path)), None, 0.01)
    wait_for(lambda: finder.active)
    finder.stop()
    assert caplog.text.count("could not be scanned") == 1


def test_the_interpreter_ends_without_delay(tmp_path: Path) -> None:
    code = (
        "import sys, time\n"
        "from tbtrace.board.finder import Finder\n"
        "from tbtrace.board.logdirs import logdirs\n"
        "Finder(logdirs(sys.argv[1]), None, 1000.0)\n"
        "print(time.time(), flush=True)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert time.time() - float(done.stdout) < 60  # the finder rests for 1000 s
    assert done.stderr == ""
