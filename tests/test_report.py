"""The reporter: what is in the event file."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from stand import episode
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util import tensor_util
from tensorboard_server import serve

from tbtrace import Reporting, RunReporter, stats
from tbtrace.errors import TbtraceWarning


def read(logdir: Path) -> EventAccumulator:
    events = EventAccumulator(str(logdir), size_guidance={"tensors": 0, "scalars": 0})
    events.Reload()
    return events


def test_scalars_histograms_and_pictures_at_one_step(tmp_path: Path) -> None:
    reporter = RunReporter(tmp_path)
    episodes = [episode("a", 1.0), episode("b", 3.0), episode("c", 2.0, "evaluation")]
    reporter.report(7, {"loss": 0.5, "nested": {"n": 3}}, episodes, prefix="my/")
    reporter.close()
    events = read(tmp_path)
    assert [(e.step, e.value) for e in events.Scalars("my/nested/n")] == [(7, 3.0)]
    for tag, count in (
        ("my/env_runners/hist_stats/speed", 10),
        ("my/env_runners/hist_stats/won", 2),
        ("my/evaluation/env_runners/hist_stats/speed", 5),
    ):
        (event,) = events.Tensors(tag)
        assert event.step == 7
        assert tensor_util.make_ndarray(event.tensor_proto)[:, 2].sum() == count
    pictures = [tag for tag in events.Tags()["tensors"] if tag.startswith("traces/")]
    assert pictures == [
        f"traces/paths/{split}/{pick}"
        for split in ("train", "evaluation")
        for pick in ("best", "worst", "last")
    ]
    for tag in pictures:
        assert [event.step for event in events.Tensors(tag)] == [7]
    metadata = events.SummaryMetadata("traces/paths/train/best")
    assert metadata.display_name == "paths · train · best"


def test_given_histograms_stand_for_the_episodes(tmp_path: Path) -> None:
    reporter = RunReporter(tmp_path, Reporting(views=()))
    told = {"train": {"speed": stats.buckets(np.arange(100.0))}, "evaluation": {}}
    reporter.report(1, {}, [episode("a")], histograms=told)
    reporter.close()
    tags = read(tmp_path).Tags()["tensors"]
    assert tags == ["env_runners/hist_stats/speed", "tbtrace/about"]


def test_statistics_of_the_episodes_are_scalars_as_under_rllib(tmp_path: Path) -> None:
    reporter = RunReporter(tmp_path, Reporting(views=()))
    mine = {"env_runners": {"episode_return_mean": 77.0}}
    reporter.report(1, mine, [episode("a", 1.0), episode("b", 4.0)], prefix="my/")
    reporter.report(2, {}, [], prefix="my/")
    reporter.close()
    events = read(tmp_path)
    for tag, value in {
        "my/env_runners/custom_metrics/speed_avg_mean": 0.5,
        "my/env_runners/custom_metrics/won_min": 1.0,
        "my/env_runners/episode_return_max": 4.0,
        "my/env_runners/episode_return_mean": 77.0,  # what is said in the result stays
    }.items():
        assert [(event.step, event.value) for event in events.Scalars(tag)] == [(1, value)]


def test_who_gives_statistics_has_their_scalars(tmp_path: Path) -> None:
    reporter = RunReporter(tmp_path, Reporting(views=()))
    here = [episode("a")]
    reporter.report(1, {"loss": 1.0}, here, summaries={"train": [stats.summarise(here[0])]})
    reporter.report(2, {"loss": 1.0}, here, histograms={})
    reporter.close()
    events = read(tmp_path)
    assert events.Tags()["scalars"] == ["loss"]
    assert [event.step for event in events.Tensors("env_runners/hist_stats/speed")] == [1]


def test_the_hparams_row_shows_them_too(tmp_path: Path) -> None:
    reporter = RunReporter(tmp_path, Reporting(views=()))
    reporter.report(1, {"loss": 1.0}, [episode("a")])
    reporter.hparams({"lr": 0.1})
    reporter.close()
    (file,) = tmp_path.glob("events.*")
    row = file.read_bytes().split(b"_hparams_/experiment")[1]
    assert b"env_runners/custom_metrics/speed_avg_mean" in row


def test_a_second_reporter_goes_on_in_a_file_of_its_own(tmp_path: Path) -> None:
    first = RunReporter(tmp_path)
    for step in range(1, 7):
        first.report(step, {"loss": float(step)})
    first.close()
    second = RunReporter(tmp_path, context=first.context)
    second.report(4, {"loss": 40.0})
    second.close()
    files = sorted(tmp_path.iterdir())
    assert len(files) == 2
    events = read(tmp_path)
    assert [(e.step, e.value) for e in events.Scalars("loss")] == [
        (1, 1.0),
        (2, 2.0),
        (3, 3.0),
        (4, 40.0),
    ]


def test_users_own_calls_share_the_file(tmp_path: Path) -> None:
    reporter = RunReporter(tmp_path)
    reporter.report(1, {"loss": 1.0})
    assert reporter.flush()  # the run's start comes before, which a reader takes for a restart
    reporter.writer.add_scalar("mine", 2.0, global_step=1)
    reporter.close()
    assert len(list(tmp_path.iterdir())) == 1
    assert [event.value for event in read(tmp_path).Scalars("mine")] == [2.0]


def test_the_result_may_be_changed_once_report_has_returned(tmp_path: Path) -> None:
    reporter = RunReporter(tmp_path)
    result = {"env_runners": {"speed": 1.0}}
    reporter.report(1, result)
    result["env_runners"]["speed"] = 9.0
    reporter.close()
    assert [event.value for event in read(tmp_path).Scalars("env_runners/speed")] == [1.0]


def test_nothing_is_written_before_the_first_report(tmp_path: Path) -> None:
    RunReporter(tmp_path / "run").close()
    assert not (tmp_path / "run").exists()


def test_what_cannot_be_shown_is_named_and_counted(tmp_path: Path) -> None:
    reporter = RunReporter(tmp_path)
    with pytest.warns(TbtraceWarning, match=r"odd is an? ndarray of shape \(20, 10, 2\)"):
        reporter.report(1, {"odd": np.zeros((20, 10, 2)), "fine": 1})
        reporter.close()
    assert reporter.dropped == {"values": 1}
    assert read(tmp_path).Tags()["scalars"] == ["fine"]


@pytest.mark.parametrize("fast", [True, False])
def test_a_run_restored_elsewhere_keeps_its_history(tmp_path: Path, fast: bool) -> None:
    storage = tmp_path / "storage"
    storage.mkdir()
    for session, steps in (("one", range(1, 5)), ("two", range(5, 9))):
        staging = tmp_path / session  # after Tuner.restore it is new and empty
        reporter = RunReporter(staging)
        for step in steps:
            reporter.report(step, {"loss": float(step)}, [episode(f"e{step}")])
            reporter.flush()
        reporter.close()
        for file in staging.glob("events.out.tfevents.*"):
            shutil.copy(file, storage)
    with serve(storage, fast=fast) as board:
        board.wait_for(lambda: len(board.scalars(".", "loss")) == 8, 30)
        assert [step for step, _ in board.scalars(".", "loss")] == list(range(1, 9))
        pictures = board.images(".", "traces/paths/train/best")
        assert [step for step, *_ in pictures] == list(range(1, 9))


def test_a_directory_that_cannot_be_made_is_named_and_nothing_raises(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    reporter = RunReporter(in_the_way / "run")
    with pytest.warns(TbtraceWarning, match=r"cannot be written .*training goes on"):
        reporter.report(1, {"loss": 1.0})
        reporter.close()
    assert reporter.dropped == {"records": 3}  # the start, the scalars, the card


@pytest.mark.parametrize("hangs", ["tbtrace-writer", "tbtrace-studio", "tbtrace-closer"])
def test_close_keeps_its_time_though_the_disk_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hangs: str
) -> None:
    asked, answers, write = threading.Event(), threading.Event(), os.write

    def slow(descriptor: int, data: memoryview) -> int:
        if threading.current_thread().name == hangs:
            asked.set()
            answers.wait(120.0)
        return write(descriptor, data)

    reporter = RunReporter(tmp_path, Reporting(views=()))
    result = {"loss": 1.0, "picture": np.zeros((3, 8, 8), np.uint8)}
    reporter.report(1, result)
    assert reporter.flush(120.0)
    monkeypatch.setattr(os, "write", slow)
    if hangs == "tbtrace-closer":
        reporter.writer.add_scalar("not flushed yet", 1.0, 2)
        assert reporter.flush(120.0)
    else:
        reporter.report(2, result)
        assert asked.wait(120.0)
    started = time.monotonic()
    with pytest.warns(TbtraceWarning) as caught:
        reporter.close(timeout=0.5)
    assert time.monotonic() - started < 60.0
    assert any("does not answer" in str(warning.message) for warning in caught)
    answers.set()
    assert reporter.dropped["records"] >= 1


def test_what_comes_after_close_is_named_and_counted(tmp_path: Path) -> None:
    reporter = RunReporter(tmp_path)
    reporter.report(1, {"loss": 1.0})
    reporter.close()
    with pytest.warns(TbtraceWarning, match=r"came after close\(\)") as caught:
        reporter.report(2, {"loss": 2.0})
        reporter.hparams({"lr": 0.1})
    assert len(caught) == 1
    assert reporter.dropped == {"records": 2}
    reporter.close()


def test_reports_are_written_though_a_thread_could_not_be_started_at_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_thread(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    reporter = RunReporter(tmp_path, Reporting(views=(), archive=None))
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", no_thread)
        reporter.report(1, {"loss": 1.0})
    reporter.report(2, {"loss": 2.0})
    reporter.close()
    assert [event.step for event in read(tmp_path).Scalars("loss")] == [1, 2]
    assert reporter.dropped == {}


@pytest.mark.filterwarnings("error")
def test_a_warning_that_is_an_error_loses_no_report(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kept = tmp_path / "traces" / "context.json"  # of an earlier life of the run
    kept.parent.mkdir()
    kept.write_text("torn")
    reporter = RunReporter(tmp_path)
    reporter.report(5, {"loss": 1.0}, iteration=5)
    reporter.close()
    assert [event.step for event in read(tmp_path).Scalars("loss")] == [5]
    assert "new axes and colours" in caplog.text
    assert reporter.dropped == {}


_FORKS = """
import os, sys, threading, time
from tbtrace import Reporting, RunReporter
reporter = RunReporter(sys.argv[1], Reporting(views=()))
reporter.report(1, {"loss": 1.0})
reporter.flush()
write, held, goes_on = os.write, threading.Event(), threading.Event()

def slow(*arguments):
    held.set()
    goes_on.wait()
    return write(*arguments)

os.write = slow
reporter.report(2, {"loss": 2.0})
held.wait()
child = os.fork()
if not child:
    sys.exit(0)  # with its exit hooks, while another thread of the parent holds the log
started = time.monotonic()
while os.waitpid(child, os.WNOHANG) == (0, 0):
    if time.monotonic() > started + 60:
        os.kill(child, 9)
        sys.exit("the fork hangs")
    time.sleep(0.05)
goes_on.set()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_fork_of_the_process_ends_without_touching_the_run(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "ignore", "-c", _FORKS, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    events = read(tmp_path)
    assert [(event.step, event.value) for event in events.Scalars("loss")] == [(1, 1.0), (2, 2.0)]
