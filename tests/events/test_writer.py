from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import matplotlib.figure
import numpy as np
import pytest
import tensorboardX
from boards import in_both_modes
from PIL import Image
from ray.tune.logger import TBXLoggerCallback
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard_server import Board, serve

from tbtrace.errors import Problems, TbtraceWarning
from tbtrace.events.file import ClosedFileError
from tbtrace.events.log import EventLog
from tbtrace.events.summary import scalars
from tbtrace.events.writer import SummaryWriter


def writer_at(directory: str | Path) -> SummaryWriter:
    problems = Problems()
    return SummaryWriter(EventLog(directory, problems), problems)


def events_in(directory: Path) -> list[Event]:
    """The events of the one event file in `directory`, without our version and session start."""
    (path,) = directory.glob("events.out.tfevents.*")
    events = list(EventFileLoader(str(path)).Load())
    return [event for event in events if event.HasField("summary")]


def timeless(events: list[Event]) -> list[bytes]:
    for event in events:
        event.ClearField("wall_time")
    return [event.SerializeToString(deterministic=True) for event in events]


def add_everything(writer: tensorboardX.SummaryWriter) -> None:
    writer.add_scalar("scalar", 0.5, 1)
    writer.add_scalar("described", 0.5, 1, display_name="Title", summary_description="about")
    writer.add_histogram("histogram", np.arange(10.0), 1)
    writer.add_histogram("auto", np.arange(10.0), 1, bins="auto")
    writer.add_histogram_raw("raw", 0.0, 1.0, 2, 1.0, 1.0, [0.5, 1.0], [1, 1], 1)
    writer.add_image("image", np.zeros((3, 8, 8), np.uint8), 1)
    writer.add_images("images", np.zeros((2, 3, 8, 8), np.uint8), 1)
    writer.add_figure("figure", matplotlib.figure.Figure(figsize=(1, 1)), 1)
    writer.add_video("video", np.zeros((1, 2, 3, 8, 8), np.uint8), 1)
    writer.add_text("text", "hello", 1)
    writer.add_pr_curve("pr", np.array([0, 1]), np.array([0.2, 0.7]), 1)
    writer.add_mesh("mesh", np.zeros((1, 3, 3)), global_step=1)
    writer.add_custom_scalars_marginchart(["mean", "min", "max"])
    with writer.use_metadata(global_step=9, walltime=5.0):
        writer.add_scalar("in context", 1.0)


def test_writes_what_tensorboardx_writes(tmp_path: Path) -> None:
    with writer_at(tmp_path / "ours") as ours:
        add_everything(ours)
    with tensorboardX.SummaryWriter(str(tmp_path / "theirs")) as theirs:
        add_everything(theirs)
    written = events_in(tmp_path / "ours")
    assert written[0].wall_time > 1e9
    assert timeless(written) == timeless(events_in(tmp_path / "theirs"))


def test_shares_the_event_file_with_others(tmp_path: Path) -> None:
    log = EventLog(tmp_path, Problems())
    writer = SummaryWriter(log, Problems())
    writer.add_scalar("users", 1.0, 1)
    log.add(scalars(1, {"ours": 2.0}))
    writer.add_scalar("users", 3.0, 2)
    writer.flush()
    tags = [event.summary.value[0].tag for event in events_in(tmp_path)]
    assert tags == ["users", "ours", "users"]
    writer.close()


def test_flush_is_exact(tmp_path: Path) -> None:
    with writer_at(tmp_path) as writer:
        for step in range(1, 101):
            writer.add_scalar("a", float(step), step)
            writer.flush()
            assert len(events_in(tmp_path)) == step


def test_has_no_thread_no_queue_and_no_exit_hook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("tensorboardX's own machinery")

    monkeypatch.setattr("tensorboardX.writer.EventFileWriter", refuse)
    monkeypatch.setattr("tensorboardX.writer.atexit", SimpleNamespace(register=refuse))
    threads = threading.active_count()
    with writer_at(tmp_path) as writer:
        add_everything(writer)
        writer.add_scalars("chart", {"mean": 1.0}, 1)
        writer.add_hparams({"lr": 0.1}, {"return": 1.0}, name="row")
        assert threading.active_count() == threads


def test_nothing_is_there_before_the_first_flush(tmp_path: Path) -> None:
    writer = writer_at(tmp_path / "run")
    add_everything(writer)
    assert list(tmp_path.iterdir()) == []
    writer.flush()
    assert len(events_in(tmp_path / "run")) > 10
    writer.close()


def test_close_closes_the_event_log(tmp_path: Path) -> None:
    log = EventLog(tmp_path, Problems())
    writer = SummaryWriter(log, Problems())
    writer.close()
    writer.close()
    writer.flush()
    assert log.closed


ADDS = pytest.mark.parametrize(
    "add",
    [
        lambda writer: writer.add_scalar("a", 1.0, 1),
        lambda writer: writer.add_scalars("chart", {"mean": 1.0}, 1),
        lambda writer: writer.add_hparams({"lr": 0.1}, {"return": 1.0}),
    ],
    ids=["scalar", "scalars", "hparams"],
)


@ADDS
def test_a_closed_writer_writes_nothing_more(
    tmp_path: Path, add: Callable[[SummaryWriter], None]
) -> None:
    writer = writer_at(tmp_path)
    writer.add_scalar("a", 1.0, 0)
    writer.close()
    with pytest.raises(ClosedFileError, match="is closed"):
        add(writer)
    assert len(list(tmp_path.iterdir())) == 1


@ADDS
def test_a_log_closed_by_its_owner_takes_nothing_more(
    tmp_path: Path, add: Callable[[SummaryWriter], None]
) -> None:
    log = EventLog(tmp_path, Problems())
    writer = SummaryWriter(log, Problems())
    log.close()
    with pytest.raises(ClosedFileError, match="is closed"):
        add(writer)
    writer.flush()
    writer.close()
    assert list(tmp_path.iterdir()) == []


def test_curves_of_one_chart_are_runs_below(tmp_path: Path) -> None:
    log = EventLog(tmp_path, Problems())
    log.restart(4)
    with SummaryWriter(log, Problems()) as writer:
        for step in (4, 5):
            writer.add_scalars("chart/return", {"mean": step, "max": 2.0 * step}, step)
        writer.flush()
        for name, factor in (("mean", 1.0), ("max", 2.0)):
            events = events_in(tmp_path / "chart" / "return" / name)
            assert [event.step for event in events] == [4, 5]
            tensors = [event.summary.value[0].tensor.float_val[0] for event in events]
            assert tensors == [4 * factor, 5 * factor]
    (path,) = (tmp_path / "chart" / "return" / "mean").iterdir()
    start = list(EventFileLoader(str(path)).Load())[1]
    assert start.session_log.status == SessionLog.START
    assert start.step == 4


def test_runs_below_are_flushed_and_closed_with_the_log(tmp_path: Path) -> None:
    log = EventLog(tmp_path, Problems())
    writer = SummaryWriter(log, Problems())
    writer.add_scalars("chart", {"mean": 1.0}, 1)
    log.flush()
    assert len(events_in(tmp_path / "chart" / "mean")) == 1
    writer.add_scalars("chart", {"mean": 2.0}, 2)
    log.close()
    assert len(events_in(tmp_path / "chart" / "mean")) == 2


def test_runs_below_go_back_with_the_log(tmp_path: Path) -> None:
    log = EventLog(tmp_path, Problems())
    with SummaryWriter(log, Problems()) as writer:
        log.restart(1)
        writer.add_scalars("chart", {"mean": 1.0}, 1)
        log.restart(1)
        writer.add_scalars("chart", {"mean": 2.0}, 1)
    (path,) = (tmp_path / "chart" / "mean").iterdir()
    statuses = [event.session_log.status for event in EventFileLoader(str(path)).Load()]
    assert statuses == [0, SessionLog.START, 0, SessionLog.START, 0]


def test_runs_below_count_what_a_failing_disk_loses(tmp_path: Path) -> None:
    problems = Problems()
    with (
        pytest.warns(TbtraceWarning, match="cannot be written"),
        SummaryWriter(EventLog(tmp_path / "run", problems), problems) as writer,
    ):
        (tmp_path / "run").mkdir()
        (tmp_path / "run" / "chart").touch()  # where the run below would have its folder
        writer.add_scalar("a", 1.0, 1)
        writer.add_scalars("chart", {"mean": 1.0}, 1)
    assert len(events_in(tmp_path / "run")) == 1
    assert problems.take() == {"records": 2}  # its session start, and the point


def test_hparams_are_a_run_below_as_tensorboardx_writes_it(tmp_path: Path) -> None:
    parameters, metrics = {"lr": 0.1, "kind": "PPO", "on": True}, {"return": 3.0}
    with writer_at(tmp_path / "ours") as ours:
        ours.add_hparams(parameters, metrics, name="row", global_step=2)
    with tensorboardX.SummaryWriter(str(tmp_path / "theirs")) as theirs:
        theirs.add_hparams(parameters, metrics, name="row", global_step=2)
    written = timeless(events_in(tmp_path / "ours" / "row"))
    assert written == timeless(events_in(tmp_path / "theirs" / "row"))
    assert len(written) == 4


class _Callback(TBXLoggerCallback):
    """Ray's logger, on our writer."""

    def __init__(self) -> None:
        super().__init__()
        self._summary_writer_cls = lambda path, flush_secs: writer_at(path)


@dataclass(eq=False)
class _Trial:
    """What Ray's logger asks of a trial."""

    local_path: str
    evaluated_params: dict[str, Any]

    def init_local_path(self) -> None:
        Path(self.local_path).mkdir(parents=True, exist_ok=True)


def trial_at(directory: Path) -> _Trial:
    return _Trial(str(directory), {"lr": 0.01, "model": {"width": np.int64(64)}, "kind": "PPO"})


def run_tune_logger(callback: TBXLoggerCallback, directory: Path) -> None:
    trial = trial_at(directory)
    callback.log_trial_start(trial)
    for iteration in (1, 2, 3):
        result = {
            "training_iteration": iteration,
            "config": {"lr": 0.01},
            "env_runners": {"episode_return_mean": 10.0 * iteration, "missing": float("nan")},
            "lengths": [1, 2, 2, 3 + iteration],
            "image": np.full((3, 8, 8), iteration, np.uint8),
            "images": np.zeros((2, 3, 8, 8), np.uint8),
            "video": np.zeros((1, 2, 3, 8, 8), np.uint8),
        }
        callback.log_trial_result(iteration, trial, result)
    callback.log_trial_end(trial)


def test_rays_logger_writes_the_same_through_it(tmp_path: Path) -> None:
    run_tune_logger(_Callback(), tmp_path / "ours")
    run_tune_logger(TBXLoggerCallback(), tmp_path / "theirs")
    ours = timeless(events_in(tmp_path / "ours"))
    assert ours == timeless(events_in(tmp_path / "theirs"))
    assert len(ours) == 3 * 5 + 3


def test_what_rays_logger_has_reported_is_in_the_file(tmp_path: Path) -> None:
    callback, trial = _Callback(), trial_at(tmp_path)
    callback.log_trial_start(trial)
    for iteration in range(1, 21):
        callback.log_trial_result(iteration, trial, {"training_iteration": iteration, "a": 1.0})
        assert [event.step for event in events_in(tmp_path)] == list(range(1, iteration + 1))
    callback.log_trial_end(trial)


def hparams(board: Board) -> list[dict[str, Any]]:
    request = {"startIndex": 0, "sliceSize": 10, "allowedStatuses": ["STATUS_SUCCESS"]}
    answer = board.json("plugin/hparams/session_groups", request=json.dumps(request))
    return answer["sessionGroups"]


@in_both_modes()
def board(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Board]:
    logdir = tmp_path_factory.mktemp("logdir")
    run_tune_logger(_Callback(), logdir / "trial")
    with serve(logdir, fast=request.param) as board:
        board.wait_for(lambda: hparams(board))  # they come last
        yield board


def test_board_shows_rays_scalars(board: Board) -> None:
    curve = board.scalars("trial", "ray/tune/env_runners/episode_return_mean")
    assert curve == [(1, 10.0), (2, 20.0), (3, 30.0)]


def test_board_shows_rays_histograms(board: Board) -> None:
    histograms = board.histograms("trial", "ray/tune/lengths")
    assert [step for step, _ in histograms] == [1, 2, 3]
    for _, buckets in histograms:
        assert sum(count for _, _, count in buckets) == 4


def test_board_shows_rays_images(board: Board) -> None:
    pictures = board.images("trial", "ray/tune/image")
    assert [step for step, _, _ in pictures] == [1, 2, 3]
    for step, encoded, content_type in pictures:
        assert content_type == "image/png"
        assert Image.open(io.BytesIO(encoded)).getpixel((0, 0)) == (step, step, step)


def test_board_shows_rays_hparams(board: Board) -> None:
    (group,) = hparams(board)
    assert group["hparams"] == {"lr": 0.01, "model/width": 64, "kind": "PPO"}
