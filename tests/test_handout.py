"""Pictures go to a function of the user's, which harms nothing whatever it does."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from stand import Stand, episode

from tbtrace import Reporting, RunReporter, handout
from tbtrace.errors import Problems, TbtraceWarning
from tbtrace.handout import Handout

TAG = "traces/stand/train/last"


def report(logdir: Path, on_picture: Any, seconds: float = 300.0) -> RunReporter:
    options = Reporting(views=[Stand()], on_picture=on_picture, drain_seconds=seconds)
    reporter = RunReporter(logdir, options)
    for step in (1, 2):
        reporter.report(step, {"loss": 1.0}, [episode(f"e{step}")])
    return reporter


def test_every_picture_is_handed_out_before_the_run_ends(tmp_path: Path) -> None:
    taken: list[Any] = []
    report(tmp_path, lambda *picture: taken.append(picture)).close()
    assert taken == [
        (str(tmp_path), TAG, 1, b"png of e1"),
        (str(tmp_path), TAG, 2, b"png of e2"),
    ]


def test_flush_waits_for_it(tmp_path: Path) -> None:
    taken: list[int] = []
    reporter = report(tmp_path, lambda logdir, tag, step, file: taken.append(step))
    assert reporter.flush(300.0)
    assert taken == [1, 2]
    reporter.close()


def test_what_it_raises_is_named_once_and_counted(tmp_path: Path) -> None:
    def refuse(*picture: Any) -> None:
        raise ConnectionError("no tracker there")

    reporter = report(tmp_path, refuse)
    with pytest.warns(
        TbtraceWarning, match="on_picture raised ConnectionError: no tracker"
    ) as said:
        reporter.close()
    assert len(said) == 1
    assert reporter.dropped == {"pictures": 2}


def test_one_that_hangs_holds_nothing_up(tmp_path: Path) -> None:
    hanging, goes_on = threading.Event(), threading.Event()

    def hang(*picture: Any) -> None:
        hanging.set()
        goes_on.wait(60.0)

    reporter = report(tmp_path, hang, seconds=0.2)
    assert hanging.wait(60.0)
    assert reporter._drawing.drain(60.0)
    with pytest.warns(TbtraceWarning, match="ended before on_picture had taken all"):
        reporter.close()
    goes_on.set()
    assert reporter.dropped == {"pictures": 1}  # the second; the first is in its hands
    (file,) = tmp_path.glob("events.*")
    assert file.read_bytes().count(b"png of e") == 2


def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handout, "MOST_BYTES", 10)
    goes_on, taken, problems = threading.Event(), [], Problems()

    def take(logdir: str, tag: str, step: int, file: bytes) -> None:
        goes_on.wait(60.0)
        taken.append(step)

    slow = Handout("run", take, problems)
    slow.put("large", 1, b"x" * 50)  # alone it may be of any size
    with pytest.warns(TbtraceWarning, match="'small' of step 2 is not handed to it"):
        slow.put("small", 2, b"x")
    goes_on.set()
    assert slow.drain(60.0)
    slow.put("small", 3, b"x" * 10)
    assert slow.stop(60.0)
    assert taken == [1, 3]
    assert problems.take() == {"pictures": 1}
