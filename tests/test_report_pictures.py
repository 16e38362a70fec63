"""The reporter: which pictures are in the event file when views fail, hang or fall behind."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from stand import Stand, WaitFor, episode, fail, sleep_for_ever
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tbtrace import Reporting, RunReporter, stats
from tbtrace.errors import TbtraceWarning
from tbtrace.select import Best, Last, Worst


def read(logdir: Path) -> EventAccumulator:
    events = EventAccumulator(str(logdir), size_guidance={"tensors": 0, "scalars": 0})
    events.Reload()
    return events


def pictures(logdir: Path) -> dict[str, list[int]]:
    """The steps of every picture, by tag."""
    events = read(logdir)
    tags = [tag for tag in events.Tags()["tensors"] if tag.startswith("traces/")]
    return {tag: [event.step for event in events.Tensors(tag)] for tag in tags}


def reverse(summaries: Sequence[Any]) -> list[int]:
    return [1, 0]


def broken(summaries: Sequence[Any]) -> list[int]:
    return [summaries[99]]


def test_picks_are_those_of_the_selectors(tmp_path: Path) -> None:
    reporter = RunReporter(tmp_path, Reporting(views=[Stand(picks=(reverse,))]))
    reporter.report(1, {}, [episode("a"), episode("b"), episode("c")])
    reporter.close()
    events = read(tmp_path)
    for tag, uid in (("reverse", b"b"), ("reverse-2", b"a")):
        (event,) = events.Tensors(f"traces/stand/train/{tag}")
        assert event.tensor_proto.string_val[2] == b"png of " + uid


def test_report_returns_while_a_view_hangs_and_metrics_are_written(tmp_path: Path) -> None:
    reporting = Reporting(views=[Stand(act=sleep_for_ever)], drain_seconds=0.5)
    reporter = RunReporter(tmp_path, reporting)
    started = time.monotonic()
    for step in range(1, 4):
        reporter.report(step, {"loss": float(step)}, [episode(f"e{step}")])
    assert time.monotonic() - started < 30
    assert reporter._writer.drain(60)
    with pytest.warns(TbtraceWarning, match="pictures of step"):
        reporter.close()
    assert time.monotonic() - started < 50  # the view hangs for 60 s
    assert [event.step for event in read(tmp_path).Scalars("loss")] == [1, 2, 3]
    assert pictures(tmp_path) == {}
    assert reporter.dropped == {"pictures": 3}


def test_a_view_that_hangs_is_ended_and_the_others_draw_on(tmp_path: Path) -> None:
    views = [Stand("before"), Stand("hangs", sleep_for_ever), Stand("after")]
    reporter = RunReporter(tmp_path, Reporting(views=views, view_seconds=3.0))
    with pytest.warns(TbtraceWarning, match="view 'hangs' took more than 3 s"):
        for step in (1, 2, 3):
            reporter.report(step, {"loss": 1.0}, [episode(f"e{step}")])
        reporter.close()
    drawn = {f"traces/{name}/train/last": [1, 2, 3] for name in ("before", "after")}
    assert pictures(tmp_path) == drawn
    assert reporter.dropped == {"pictures": 1}


def test_when_drawing_falls_behind_the_oldest_are_dropped_and_counted(tmp_path: Path) -> None:
    go_on = tmp_path / "go on"
    reporter = RunReporter(
        tmp_path / "run", Reporting(views=[Stand(act=WaitFor(str(go_on)))], view_seconds=120)
    )
    with pytest.warns(TbtraceWarning, match="drawing is behind"):
        for step in range(1, 21):
            reporter.report(step, {}, [episode(f"e{step}")])
        assert reporter._writer.drain(60)
        go_on.touch()
        reporter.close()
    drawn = pictures(tmp_path / "run")["traces/stand/train/last"]
    assert drawn[-8:] == list(range(13, 21))
    assert len(drawn) + reporter.dropped["pictures"] == 20


def test_a_view_that_raises_is_named_and_the_others_draw(tmp_path: Path) -> None:
    reporter = RunReporter(tmp_path, Reporting(views=[Stand("bad", fail), Stand("good")]))
    with pytest.warns(TbtraceWarning, match="view 'bad' raised ZeroDivisionError"):
        for step in (1, 2):
            reporter.report(step, {"loss": 1.0}, [episode(f"e{step}")])
        reporter.close()
    assert pictures(tmp_path) == {"traces/good/train/last": [1, 2]}
    assert reporter.dropped == {"pictures": 2}


def test_a_selector_that_raises_is_named_and_counted(tmp_path: Path) -> None:
    reporter = RunReporter(tmp_path, Reporting(views=[Stand(picks=(broken, Last()))]))
    with pytest.warns(TbtraceWarning, match="a selector of view 'stand' raised IndexError"):
        reporter.report(1, {}, [episode("a")])
        reporter.close()
    assert pictures(tmp_path) == {"traces/stand/train/last": [1]}
    assert reporter.dropped == {"pictures": 1}


def test_a_pick_that_did_not_travel_is_named_and_no_other_shown(tmp_path: Path) -> None:
    here = [episode("a", 1.0), episode("b", 2.0)]
    everybody = [*here, episode("best", 3.0)]
    reporter = RunReporter(tmp_path, Reporting(views=[Stand(picks=(Best(), Worst()))]))
    with pytest.warns(TbtraceWarning, match=r"picks 'best', but .*\(keep=.* Best\(n=1"):
        reporter.report(1, {}, here, summaries={"train": [stats.summarise(e) for e in everybody]})
        reporter.close()
    assert reporter.dropped == {"pictures": 1}
    assert pictures(tmp_path) == {"traces/stand/train/worst": [1]}


def test_going_back_replaces_pictures_that_wait_or_are_being_drawn(tmp_path: Path) -> None:
    go_on = tmp_path / "go on"
    reporter = RunReporter(
        tmp_path / "run", Reporting(views=[Stand(act=WaitFor(str(go_on)))], view_seconds=120)
    )
    for step in (3, 4):
        reporter.report(step, {}, [episode(f"old-{step}")])
    assert reporter._writer.drain(60)
    with pytest.warns(TbtraceWarning, match="the run went back to step 2"):
        reporter.report(2, {}, [episode("new-2")])
        assert reporter._writer.drain(60)
    go_on.touch()
    reporter.report(3, {}, [episode("new-3")])
    reporter.close()
    (file,) = (tmp_path / "run").glob("events.out.tfevents.*")
    assert b"png of old" not in file.read_bytes()
    assert pictures(tmp_path / "run") == {"traces/stand/train/last": [2, 3]}
    assert reporter.dropped == {"pictures": 2}


def test_images_of_the_result_are_drawn_without_views(tmp_path: Path) -> None:
    reporter = RunReporter(tmp_path, Reporting(views=()))
    reporter.report(1, {"frame": np.full((20, 30, 3), 9, np.uint8)}, prefix="my/")
    reporter.close()
    (event,) = read(tmp_path).Tensors("my/frame")
    assert event.tensor_proto.string_val[:2] == [b"30", b"20"]
    assert reporter.dropped == {}


SCRIPT = """
import sys
from beside import Beside
from stand import Stand, episode
from tbtrace import Reporting, RunReporter

class Mine(Stand):
    def draw(self, episodes, context, title=""):
        return super().draw(episodes, context)

views = [Mine("mine"), Beside("beside"), Stand("lambda", lambda episodes: MARK)]
MARK = 1
reporter = RunReporter(sys.argv[1], Reporting(views=views))
reporter.report(1, {}, [episode("a")])
reporter.close()
assert reporter.dropped == {}, reporter.dropped
"""


def test_views_of_a_script_and_of_a_module_beside_it(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "script.py").write_text(SCRIPT)
    (folder / "beside.py").write_text("from stand import Stand\nclass Beside(Stand): pass\n")
    path = os.pathsep.join(filter(None, sys.path))
    command = [sys.executable, str(folder / "script.py"), str(tmp_path / "run")]
    done = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": path}, capture_output=True
    )
    assert (done.returncode, done.stderr) == (0, b"")
    names = ("mine", "beside", "lambda")
    assert pictures(tmp_path / "run") == {f"traces/{name}/train/last": [1] for name in names}
