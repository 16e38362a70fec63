"""The Tune logger by itself, on trials that are made up."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cloudpickle
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow.fs import LocalFileSystem
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import tbtrace
from tbtrace.errors import ContractError, TbtraceWarning


class FakeTrial:
    """What the callback needs of a trial."""

    def __init__(self, folder: Path, storage: Path | None = None) -> None:
        self.local_path = str(folder)
        self.path = str(storage)
        self.evaluated_params = {"lr": 1e-3, "model/width": 8}
        self.config: dict[str, Any] = {"lr": 1e-3, "model": {"width": 8}}
        self.storage: Any = None
        if storage is not None:
            self.storage = SimpleNamespace(
                storage_filesystem=LocalFileSystem(), trial_fs_path=str(storage)
            )

    def init_local_path(self) -> None:
        if not Path(self.local_path).is_dir():
            raise ZeroDivisionError("no folder")


def result_of(iteration: int, **more: Any) -> dict[str, Any]:
    return {"training_iteration": iteration, "loss": float(iteration), **more}


def losses(folder: Path) -> list[tuple[int, float]]:
    events = EventAccumulator(str(folder)).Reload()
    return [(event.step, event.value) for event in events.Scalars("ray/tune/loss")]


def test_a_retried_trial_goes_on_in_its_file(tmp_path: Path) -> None:
    callback, trial = tbtrace.TraceLoggerCallback(), FakeTrial(tmp_path)
    callback.log_trial_start(trial)
    for iteration in range(1, 7):
        callback.log_trial_result(iteration, trial, result_of(iteration))
    callback.log_trial_start(trial)  # what Tune calls after a failure
    callback.log_trial_result(4, trial, result_of(4, loss=40.0))
    callback.log_trial_end(trial)
    callback.on_experiment_end([trial])
    assert len(list(tmp_path.glob("events.out.tfevents.*"))) == 1
    assert losses(tmp_path) == [(1, 1.0), (2, 2.0), (3, 3.0), (4, 40.0)]


@pytest.mark.parametrize(
    ("step", "expected"),
    [(None, [1, 2000, 3000]), ("iteration", [1, 2, 3]), ("env_steps", [1000, 2000, 3000])],
)
def test_one_x_axis_for_everything(tmp_path: Path, step: Any, expected: Sequence[int]) -> None:
    callback, trial = tbtrace.TraceLoggerCallback(step=step), FakeTrial(tmp_path)
    for iteration, total in ((1, None), (2, 2000), (3, 3000)):
        sampled = {"num_env_steps_sampled_lifetime": 1000.0 * iteration}
        more = {"timesteps_total": total, "numbers": [1, 2], "text": f"said {iteration}", **sampled}
        callback.log_trial_result(iteration, trial, result_of(iteration, **more))
    callback.log_trial_end(trial)
    callback.on_experiment_end([trial])
    assert [at for at, _ in losses(tmp_path)] == expected
    events = EventAccumulator(str(tmp_path)).Reload()
    for tag in ("ray/tune/numbers", "ray/tune/text"):
        assert [event.step for event in events.Tensors(tag)] == expected


def test_an_unknown_x_axis_is_an_error() -> None:
    with pytest.raises(ContractError, match="step='epoch'; known: None, 'iteration', 'env_steps'"):
        tbtrace.TraceLoggerCallback(step="epoch")


def test_no_error_leaves_the_callback(tmp_path: Path) -> None:
    callback, trial = tbtrace.TraceLoggerCallback(), FakeTrial(tmp_path)
    in_the_way = tmp_path / "file"
    in_the_way.touch()
    lost = FakeTrial(in_the_way)
    with pytest.warns(TbtraceWarning) as caught:
        callback.log_trial_start(lost)
        callback.log_trial_result(1, lost, result_of(1))
        callback.log_trial_end(lost)
        callback.on_experiment_end([lost])
        callback.log_trial_start(trial)
        callback.log_trial_result(1, trial, {})
        callback.log_trial_result(2, trial, result_of(2))
        callback.log_trial_end(trial)
        callback.on_experiment_end([trial])
    said = [str(warning.message) for warning in caught]
    assert any("ZeroDivisionError" in message for message in said)
    assert any("KeyError: 'training_iteration'" in message for message in said)
    assert losses(tmp_path) == [(2, 2.0)]


def test_trials_that_never_ended_are_completed_in_the_storage_path(tmp_path: Path) -> None:
    staging, storage = tmp_path / "staging", tmp_path / "storage"
    staging.mkdir()
    storage.mkdir()
    callback, trial = tbtrace.TraceLoggerCallback(), FakeTrial(staging, storage)
    callback.log_trial_start(trial)
    for iteration in (1, 2, 3):
        callback.log_trial_result(iteration, trial, result_of(iteration))
    callback.on_experiment_end([trial])  # on Ctrl-C nothing else is called
    (stored,) = storage.glob("events.out.tfevents.*")
    assert stored.read_bytes() == (staging / stored.name).read_bytes()
    assert losses(storage) == [(1, 1.0), (2, 2.0), (3, 3.0)]
    tags = EventAccumulator(str(storage)).Reload().PluginTagToContent("hparams")
    assert len(tags) == 3


_EXITS = """
import os, sys
from pathlib import Path
from test_tune_callback import FakeTrial, result_of
import tbtrace
staging, storage = map(Path, sys.argv[1:3])
callback, trial = tbtrace.TraceLoggerCallback(), FakeTrial(staging, storage)
for iteration in (1, 2, 3):
    callback.log_trial_result(iteration, trial, result_of(iteration))
if sys.argv[3] == "fork" and not os.fork():
    sys.exit()
if sys.argv[3] == "raise":
    raise RuntimeError("in Tune's loop")
sys.exit()
"""


@pytest.mark.parametrize("ends", ["exit", pytest.param("raise", marks=pytest.mark.slow), "fork"])
def test_a_script_that_ends_before_tune_says_so_is_whole_in_the_storage_path(
    tmp_path: Path, ends: str
) -> None:
    staging, storage = tmp_path / "staging", tmp_path / "storage"
    staging.mkdir()
    storage.mkdir()
    command = [sys.executable, "-W", "ignore", "-c", _EXITS, str(staging), str(storage), ends]
    tests = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    done = subprocess.run(command, env=tests, capture_output=True, text=True, timeout=180)
    assert done.returncode == (ends == "raise"), done.stderr
    (stored,) = storage.glob("events.out.tfevents.*")
    assert stored.read_bytes() == (staging / stored.name).read_bytes()
    assert losses(storage) == [(1, 1.0), (2, 2.0), (3, 3.0)]
    assert len(EventAccumulator(str(storage)).Reload().PluginTagToContent("hparams")) == 3


def test_hyper_parameters_are_those_at_the_end(tmp_path: Path) -> None:
    callback, trial = tbtrace.TraceLoggerCallback(), FakeTrial(tmp_path)
    callback.log_trial_result(1, trial, result_of(1))
    trial.config = {"lr": 0.625, "model": {"width": 8}}  # what PBT does; evaluated_params stay
    callback.log_trial_end(trial)
    callback.on_experiment_end([trial])
    told = EventAccumulator(str(tmp_path)).Reload().PluginTagToContent("hparams")
    start = told["_hparams_/session_start_info"]
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    parameters = HParamsPluginData.FromString(start).session_start_info.hparams
    values = {name: value.number_value for name, value in parameters.items()}
    assert values == {"lr": 0.625, "model/width": 8.0}


def test_nothing_of_an_ended_trial_is_kept(tmp_path: Path) -> None:
    callback, trial = tbtrace.TraceLoggerCallback(), FakeTrial(tmp_path)
    callback.log_trial_result(1, trial, result_of(1))
    callback.log_trial_end(trial)
    callback.on_experiment_end([trial])
    for kept in (callback._runs, callback._trial_writer):
        assert trial not in kept


def test_the_callback_pickles_before_and_during_a_run(tmp_path: Path) -> None:
    callback, trial = tbtrace.TraceLoggerCallback(drain_seconds=7), FakeTrial(tmp_path)
    callback.log_trial_result(1, trial, result_of(1))
    other = cloudpickle.loads(cloudpickle.dumps(callback))
    callback.log_trial_end(trial)
    callback.on_experiment_end([trial])
    assert other._reporting.drain_seconds == 7
    assert not other._runs


def test_options_come_one_way() -> None:
    with pytest.raises(TypeError, match="not both"):
        tbtrace.TraceLoggerCallback(tbtrace.Reporting(), drain_seconds=1)
    with pytest.raises(TypeError, match="colour"):
        tbtrace.TraceLoggerCallback(colour="red")


def test_the_callback_does_not_wait_for_the_writer(tmp_path: Path) -> None:
    callback, trial = tbtrace.TraceLoggerCallback(), FakeTrial(tmp_path)
    callback.log_trial_start(trial)
    writer = callback._runs[trial].results.reporter._writer
    disk = threading.Event()
    writer.put(lambda: disk.wait(60.0))  # a disk that is slow
    started = time.monotonic()
    for iteration in range(1, 11):
        callback.log_trial_result(iteration, trial, result_of(iteration))
    assert time.monotonic() - started < 30
    disk.set()
    callback.log_trial_end(trial)
    callback.on_experiment_end([trial])
    assert [step for step, _ in losses(tmp_path)] == list(range(1, 11))


class Hostile:
    """Raises at whatever it is asked for."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # hypothesis asks, too
            raise AttributeError(name)
        raise RuntimeError(f"no {name}")

    def __len__(self) -> int:
        raise RuntimeError("no length")

    def __iter__(self) -> Any:
        raise RuntimeError("no items")

    def __float__(self) -> float:
        raise RuntimeError("no number")

    def __str__(self) -> str:
        raise RuntimeError("no text")


leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.binary(max_size=3),
    st.complex_numbers(),
    st.builds(Hostile),
    st.sampled_from(
        [
            np.float16(3),
            np.int8(-1),
            np.bool_(True),
            np.array(2.5),
            np.array([]),
            np.array(["a"]),
            np.array([None, 1]),
            np.zeros((4, 5, 2)),
            np.zeros((3, 4, 5), np.uint8),
            np.full((4, 5, 3), np.nan),
            np.zeros((2, 2, 3, 4, 5)),
            np.datetime64("2026-01-01"),
            math.inf,
            range(3),
            {1, 2},
            object(),
        ]
    ),
)
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.tuples(inner, inner),
        st.dictionaries(st.one_of(st.text(max_size=3), st.integers()), inner, max_size=3),
    ),
    max_leaves=8,
)


@pytest.mark.filterwarnings("ignore::tbtrace.errors.TbtraceWarning")
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(values=trees, iteration=st.one_of(st.just(1), leaves))
def test_no_result_whatever_raises(
    tmp_path_factory: pytest.TempPathFactory, values: Any, iteration: Any
) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    callback, trial = tbtrace.TraceLoggerCallback(views=()), FakeTrial(folder)
    odd = {"training_iteration": iteration, "any": values, "env_runners": values}
    callback.log_trial_result(1, trial, odd)
    callback.log_trial_result(2, trial, {"tbtrace": values, "tbtrace_parcel": values, **odd})
    callback.log_trial_result(3, trial, result_of(1 << 40))
    callback.log_trial_end(trial)
    callback.on_experiment_end([trial])
    assert losses(folder)[-1] == (1 << 40, float(1 << 40))
