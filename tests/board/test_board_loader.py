"""The loader: TensorBoard's flags, and TensorBoard's start when something of ours is broken."""

from __future__ import annotations

import argparse
import shutil
import urllib.error
from importlib.metadata import entry_points
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from board_runs import walkers, write
from tensorboard.plugins import base_plugin
from tensorboard_server import serve

import tbtrace
from tbtrace.board.loader import TracesLoader
from tbtrace.errors import Problems
from tbtrace.events import summary
from tbtrace.events.log import EventLog

PACKAGE = Path(tbtrace.__file__).parent
PICTURES = 30
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b550000000a49444154789c6360"
    "000000020001e221bc330000000049454e44ae426082"
)


def fixed(**flags: Any) -> argparse.Namespace:
    found = argparse.Namespace(**flags)
    TracesLoader().fix_flags(found)
    return found


def test_tensorboard_finds_it() -> None:
    (found,) = entry_points(group="tensorboard_plugins", name="tbtrace")
    assert found.load() is TracesLoader


def test_flags_are_raised_and_that_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    flags = fixed(samples_per_plugin={"scalars": 3}, reload_multifile=None)
    assert flags.samples_per_plugin == {"scalars": 3, "images": 500}
    assert flags.reload_multifile is True
    said = capsys.readouterr().err
    assert said == (
        "tbtrace: TensorBoard runs with --samples_per_plugin images=500 and --reload_multifile true"
        " (TBTRACE_KEEP_FLAGS=1 leaves its flags alone)\n"
    )


@pytest.mark.parametrize(
    "flags",
    [
        {},
        {"samples_per_plugin": {"images": 5}, "reload_multifile": False},
        {"samples_per_plugin": {"images": 0}, "reload_multifile": True},
        {"samples_per_plugin": None},
        {"samples_per_plugin": "", "other": 1},
        {"samples_per_plugin": {}, "reload_multifile": None, "inspect": True},
        {"samples_per_plugin": {}, "reload_multifile": None, "version_tb": True},
    ],
    ids=str,
)
def test_what_the_user_says_and_what_is_not_there_stays(
    flags: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    before = repr(argparse.Namespace(**flags))
    assert repr(fixed(**flags)) == before
    assert capsys.readouterr().err == ""


def test_flags_are_left_alone_on_request(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TBTRACE_KEEP_FLAGS", "1")
    assert fixed(samples_per_plugin={}, reload_multifile=None).samples_per_plugin == {}
    assert capsys.readouterr().err == ""


def test_a_plugin_that_cannot_be_made_is_one_line(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*args: Any, **options: Any) -> None:
        raise OSError("no\nthreads")

    monkeypatch.setattr("tbtrace.board.plugin.Finder", fail)
    context = base_plugin.TBContext(flags=SimpleNamespace(logdir="x"))
    assert TracesLoader().load(context) is None
    (record,) = caplog.records
    assert record.getMessage() == "tbtrace: there is no Traces tab (OSError: no threads)"
    assert record.exc_info is None


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    log = EventLog(tmp_path / "run", Problems())
    log.restart(1)
    for step in range(1, PICTURES + 1):
        log.add(summary.image(step, "p", [PNG], 1, 1))
    log.close()
    return tmp_path


@pytest.mark.parametrize("fast", [True, False], ids=["fast", "slow"])
@pytest.mark.parametrize(("samples", "kept"), [("", PICTURES), ("images=5", 5)])
def test_pictures_are_all_served_unless_the_user_says(
    pictures: Path, fast: bool, samples: str, kept: int
) -> None:
    with serve(pictures, fast, samples) as board:
        board.wait_for(lambda: len(board.images("run", "p")) >= kept)
        assert len(board.images("run", "p")) == kept


def test_tensorboard_starts_without_pyarrow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "path").mkdir()
    (tmp_path / "path/pyarrow.py").write_text(
        "raise ModuleNotFoundError(\"No module named 'pyarrow'\", name='pyarrow')"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "path"))
    write(tmp_path / "logdir/run", [1], walkers())
    with serve(tmp_path / "logdir", fast=True) as board:
        board.wait_for(lambda: board.json("plugins_listing")["tbtrace"]["enabled"])
        assert board.json("plugin/tbtrace/runs")["runs"][0]["run"] == "run"
        with pytest.raises(urllib.error.HTTPError) as caught:
            board.json("plugin/tbtrace/episodes", run="run")
        assert caught.value.code == 503
        assert b"pyarrow is missing" in caught.value.read()


@pytest.mark.parametrize("fast", [True, False], ids=["fast", "slow"])
def test_tensorboard_starts_with_a_broken_tbtrace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fast: bool
) -> None:
    kept = {"__init__.py", "board/__init__.py", "board/loader.py"}
    for module in PACKAGE.rglob("*.py"):
        name = module.relative_to(PACKAGE)
        broken = tmp_path / "path/tbtrace" / name
        broken.parent.mkdir(parents=True, exist_ok=True)
        if str(name) in kept:
            shutil.copy(module, broken)
        else:
            broken.write_text("raise RuntimeError('broken')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "path"))
    monkeypatch.chdir(tmp_path)  # `python -m` looks here first
    write(tmp_path / "logdir/run", [1], walkers())
    with serve(tmp_path / "logdir", fast) as board:
        listed = board.json("plugins_listing")
        assert "tbtrace" not in listed
        assert "images" in listed
