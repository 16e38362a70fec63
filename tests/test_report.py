"""The reporter: what is in the event file, what it does when views fail, hang or fall behind."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util import tensor_util
from tensorboard_server import serve

from tbtrace import Episode, Reporting, RunReporter, Series, Trace, stats, views
from tbtrace.errors import ContractError, TbtraceWarning
from tbtrace.select import Best, Last, Worst
from tbtrace.views import Context, Picture


def episode(uid: str, episode_return: float = 0.0, split: str = "train") -> Episode:
    steps = np.arange(5, dtype=np.int32)
    points = np.column_stack((np.linspace(0, 9, 5), np.linspace(0, 4, 5)))
    return Episode(
        uid,
        length=4,
        episode_return=episode_return,
        running={"speed": Series(steps, np.linspace(0, 1, 5))},
        final={"won": 1.0},
        traces={"cars": {"a": Trace(steps, points)}},
        split=split,
        iteration=1,
    )


def read(logdir: Path) -> EventAccumulator:
    events = EventAccumulator(str(logdir), size_guidance={"tensors": 0, "scalars": 0})
    events.Reload()
    return events


@dataclass
class Stand:
    """A view made for tests."""

    name: str = "stand"
    act: Any = None
    picks: tuple[Any, ...] = (Last(),)
    splits: tuple[str, ...] = ("train",)

    def draw(self, episodes: Sequence[Episode], context: Context, title: str = "") -> Picture:
        if self.act is not None:
            self.act(episodes)
        return Picture(b"png of " + episodes[0].uid.encode(), 2, 2)


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
    assert tags == ["env_runners/hist_stats/speed"]


def test_picks_are_those_of_the_selectors(tmp_path: Path) -> None:
    reporter = RunReporter(tmp_path, Reporting(views=[Stand(picks=(views_pick,))]))
    reporter.report(1, {}, [episode("a"), episode("b"), episode("c")])
    reporter.close()
    events = read(tmp_path)
    for tag, uid in (("views_pick", b"b"), ("views_pick-2", b"a")):
        (event,) = events.Tensors(f"traces/stand/train/{tag}")
        assert event.tensor_proto.string_val[2] == b"png of " + uid


def views_pick(summaries: Sequence[Any]) -> list[int]:
    return [1, 0]


def test_report_returns_while_a_view_hangs_and_metrics_are_written(tmp_path: Path) -> None:
    go_on = threading.Event()
    reporter = RunReporter(
        tmp_path, Reporting(views=[Stand(act=lambda episodes: go_on.wait(30))], drain_seconds=0.5)
    )
    started = time.monotonic()
    for step in range(1, 4):
        reporter.report(step, {"loss": float(step)}, [episode(f"e{step}")])
    assert time.monotonic() - started < 5
    with pytest.warns(TbtraceWarning, match="pictures of step"):
        reporter.close()
    assert time.monotonic() - started < 15
    assert [event.step for event in read(tmp_path).Scalars("loss")] == [1, 2, 3]
    assert reporter.dropped["pictures"] >= 2
    go_on.set()
    assert reporter._artist._thread is not None
    reporter._artist._thread.join(10)
    # What came too late is counted like the rest, and is no error of the view.
    assert reporter.dropped["pictures"] == 3


def test_when_drawing_falls_behind_the_oldest_are_dropped_and_counted(tmp_path: Path) -> None:
    go_on = threading.Event()
    reporter = RunReporter(tmp_path, Reporting(views=[Stand(act=lambda episodes: go_on.wait(30))]))
    with pytest.warns(TbtraceWarning, match="drawing is behind"):
        for step in range(1, 21):
            reporter.report(step, {}, [episode(f"e{step}")])
            reporter._writer.drain(5)
        go_on.set()
        reporter.close()
    drawn = [event.step for event in read(tmp_path).Tensors("traces/stand/train/last")]
    assert drawn[-8:] == list(range(13, 21))
    assert len(drawn) + reporter.dropped["pictures"] == 20


def test_a_view_that_raises_is_named_and_the_others_draw(tmp_path: Path) -> None:
    def fail(episodes: Sequence[Episode]) -> None:
        raise ZeroDivisionError("nothing to divide")

    reporter = RunReporter(tmp_path, Reporting(views=[Stand("bad", fail), Stand("good")]))
    with pytest.warns(TbtraceWarning, match="view 'bad' raised ZeroDivisionError"):
        for step in (1, 2):
            reporter.report(step, {"loss": 1.0}, [episode(f"e{step}")])
        reporter.close()
    assert read(tmp_path).Tags()["tensors"][-1] == "traces/stand/train/last".replace(
        "stand", "good"
    )
    assert reporter.dropped["pictures"] == 2


def test_a_selector_that_raises_is_named_and_counted(tmp_path: Path) -> None:
    def broken(summaries: Sequence[Any]) -> list[int]:
        return [summaries[99]]

    reporter = RunReporter(tmp_path, Reporting(views=[Stand(picks=(broken, Last()))]))
    with pytest.warns(TbtraceWarning, match="a selector of view 'stand' raised IndexError"):
        reporter.report(1, {}, [episode("a")])
        reporter.close()
    assert "traces/stand/train/last" in read(tmp_path).Tags()["tensors"]


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
    reporter.writer(1).add_scalar("mine", 2.0, global_step=1)
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


def test_a_pick_that_did_not_travel_is_named_and_no_other_shown(tmp_path: Path) -> None:
    here = [episode("a", 1.0), episode("b", 2.0)]
    everybody = [*here, episode("best", 3.0)]
    reporter = RunReporter(tmp_path, Reporting(views=[Stand(picks=(Best(), Worst()))]))
    with pytest.warns(TbtraceWarning, match=r"picks 'best', but .*\(keep=.* Best\(n=1"):
        reporter.report(1, {}, here, summaries={"train": [stats.summarise(e) for e in everybody]})
        reporter.close()
    assert reporter.dropped == {"pictures": 1}
    assert read(tmp_path).Tags()["tensors"][-1:] == ["traces/stand/train/worst"]


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
        for file in staging.iterdir():
            shutil.copy(file, storage)
    with serve(storage, fast=fast) as board:
        board.wait_for(lambda: len(board.scalars(".", "loss")) == 8, 30)
        assert [step for step, _ in board.scalars(".", "loss")] == list(range(1, 9))
        pictures = board.images(".", "traces/paths/train/best")
        assert [step for step, *_ in pictures] == list(range(1, 9))


def test_two_views_of_one_name_are_an_error() -> None:
    with pytest.raises(ContractError, match="2 views have the name 'paths'"):
        Reporting(views=[views.Paths(), views.Paths(group="cars")])


def test_a_directory_that_cannot_be_made_is_named_and_nothing_raises(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    reporter = RunReporter(in_the_way / "run")
    with pytest.warns(TbtraceWarning, match="writing events raised"):
        reporter.report(1, {"loss": 1.0})
        reporter.close()
    assert reporter.dropped == {"records": 1}
