"""One of the two lines is missing, or neither of Tune's usual ways is taken: real Tune runs."""

from __future__ import annotations

import functools
import json
import math
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from ray import tune
from ray.rllib.algorithms.ppo import PPOConfig
from scripted import config
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util import tensor_util

import tbtrace
from tbtrace.errors import TbtraceWarning
from tbtrace.rllib import parcel

ITERATIONS = 4
SPEED = "ray/tune/env_runners/custom_metrics/speed_avg_mean"


@pytest.fixture(autouse=True)
def _fresh_post(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing has arrived in this process, and nothing was opened."""
    monkeypatch.setattr(parcel, "_POST", parcel.Post())


def parameters(log: Path, recorded: bool = True) -> PPOConfig:
    # Under Tune `reporting` does nothing: what is recorded goes to Tune's logger.
    reporting = tbtrace.Reporting(logdir=log / "alone")
    recorder = functools.partial(tbtrace.EpisodeRecorder, reporting=reporting)
    chosen = config(log, [recorder] if recorded else [], env_runners=0)
    return chosen.evaluation(evaluation_interval=None)


def by_function(options: dict[str, Any]) -> None:
    algo = parameters(options["log"], options["recorded"]).build_algo()
    for _ in range(ITERATIONS):
        result = algo.train()
        with tempfile.TemporaryDirectory() as folder:
            algo.save_to_path(folder)
            tune.report(result, checkpoint=tune.Checkpoint.from_directory(folder))
    algo.stop()


class Own(tune.Trainable):
    """A trainable as users write them."""

    def setup(self, options: dict[str, Any]) -> None:
        self.algo = parameters(options["log"]).build_algo()

    def step(self) -> dict[str, Any]:
        return self.algo.train()

    def cleanup(self) -> None:
        self.algo.stop()


@contextmanager
def said() -> Iterator[list[str]]:
    """Collects what tbtrace warns about in this process, which is Tune's driver."""
    messages: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield messages
    messages += [str(each.message) for each in caught if each.category is TbtraceWarning]


def fit(
    folder: Path, trainable: Any, space: Any, logger: bool = True, **options: Any
) -> list[Path]:
    """Runs a Tuner; returns the trial directories."""
    options = {"stop": {"training_iteration": ITERATIONS}, **options}
    tuner = tune.Tuner(
        trainable,
        param_space=space,
        run_config=tune.RunConfig(
            storage_path=str(folder / "storage"),
            verbose=0,
            callbacks=[tbtrace.TraceLoggerCallback()] if logger else [],
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
            **options,
        ),
    )
    grid = tuner.fit()
    assert not grid.errors
    assert not (folder / "alone").exists()
    return [Path(result.path) for result in grid]


def results(trial: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (trial / "result.json").read_text().splitlines()]


def events(trial: Path) -> EventAccumulator:
    return EventAccumulator(str(trial), {"tensors": 0, "scalars": 0}).Reload()


def assert_whole(trial: Path) -> None:
    """Holds when scalars, histograms and pictures of every iteration are where they belong."""
    told, lines = events(trial), results(trial)
    assert [line["training_iteration"] for line in lines] == list(range(1, ITERATIONS + 1))
    metrics = {line["training_iteration"]: line["env_runners"]["custom_metrics"] for line in lines}
    speeds = {step: each["speed_avg_mean"] for step, each in metrics.items()}
    assert not any(map(math.isnan, speeds.values()))
    assert {event.step: event.value for event in told.Scalars(SPEED)} == pytest.approx(speeds)
    for event in told.Tensors("ray/tune/env_runners/hist_stats/shipped"):
        buckets = tensor_util.make_ndarray(event.tensor_proto)
        assert buckets[0, 0] <= metrics[event.step]["shipped_min"] <= buckets[0, 1]
        assert buckets[-1, 0] <= metrics[event.step]["shipped_max"] <= buckets[-1, 1]
    for tag in (
        "ray/tune/env_runners/hist_stats/shipped",
        *(f"traces/paths/train/{pick}" for pick in ("best", "worst", "last")),
    ):
        assert [event.step for event in told.Tensors(tag)] == list(speeds), tag


def test_a_recorder_without_a_logger_is_told_once(ray_session: None, tmp_path: Path) -> None:
    with said() as messages:
        (trial,) = fit(tmp_path, "PPO", parameters(tmp_path), logger=False)
    (message,) = messages
    assert "run_config=tune.RunConfig(callbacks=[tbtrace.TraceLoggerCallback()])" in message
    expected = [line["env_runners"]["custom_metrics"]["speed_avg_mean"] for line in results(trial)]
    assert [event.value for event in events(trial).Scalars(SPEED)] == pytest.approx(expected)
    assert len(expected) == ITERATIONS


def test_everything_arrives_from_a_function_and_a_missing_recorder_is_told_once(
    ray_session: None, tmp_path: Path
) -> None:
    space = {"log": tmp_path, "recorded": tune.grid_search([True, False])}
    with said() as messages:
        whole, bare = fit(tmp_path, by_function, space)
    (message,) = messages
    assert "config.callbacks(tbtrace.EpisodeRecorder)" in message
    assert_whole(whole)
    assert len(events(bare).Scalars("ray/tune/env_runners/num_episodes")) == ITERATIONS


def test_four_trials_at_once_are_no_false_alarm(ray_session: None, tmp_path: Path) -> None:
    reports = 20

    def post(options: dict[str, Any]) -> None:
        # Pickled by value, since it is local: the trials need not import RLlib.
        for _ in range(reports):
            counted = {"train": {"v": np.ones((30, 3))}, "evaluation": {}}
            sent = parcel.Parcel(parcel.Contents(histograms=counted))
            tune.report({parcel.PARCEL: sent, "env_runners": {"num_episodes": 5}})

    with said() as messages:
        trials = fit(tmp_path, post, {"number": tune.grid_search([1, 2, 3, 4])}, stop={})
    assert messages == []
    assert len(trials) == 4
    for trial in trials:
        told = events(trial).Tensors("ray/tune/env_runners/hist_stats/v")
        assert [event.step for event in told] == list(range(1, reports + 1))


def test_everything_arrives_from_a_trainable_whose_results_come_together(
    ray_session: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUNE_RESULT_BUFFER_LENGTH", str(ITERATIONS))
    monkeypatch.setenv("TUNE_RESULT_BUFFER_MIN_TIME_S", "60")
    with said() as messages:
        (trial,) = fit(tmp_path, Own, {"log": tmp_path})
    assert messages == []
    assert_whole(trial)


class FakeTrial:
    """What the logger needs of a trial."""

    evaluated_params: ClassVar[dict[str, Any]] = {}
    storage = None

    def __init__(self, folder: Path) -> None:
        self.local_path = str(folder)

    def init_local_path(self) -> None:
        Path(self.local_path).mkdir(exist_ok=True)


def messages_of(*trials: Path, each: list[dict[str, Any]]) -> list[str]:
    """Logs the same results for every trial in turn; returns what was warned about."""
    callback = tbtrace.TraceLoggerCallback()
    fakes = [FakeTrial(folder) for folder in trials]
    with said() as messages:
        for number, result in enumerate(each, 1):
            for fake in fakes:
                callback.log_trial_result(number, fake, {"training_iteration": number, **result})
        for fake in fakes:
            callback.log_trial_end(fake)
            callback.on_experiment_end([fake])
    assert not callback._runs
    return messages


def episodes(count: Any) -> dict[str, Any]:
    return {"env_runners": {"num_episodes": count}}


def test_the_recorder_is_missed_after_three_results_of_one_trial(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    assert messages_of(first, second, each=[episodes(9)] * 2) == []
    (message,) = messages_of(first, second, each=[episodes(np.float64(9.0))] * 5)
    assert "config.callbacks(tbtrace.EpisodeRecorder)" in message
    assert "report the whole result" in message


@pytest.mark.parametrize(
    "result",
    [
        {},
        episodes(0),
        episodes(math.nan),
        episodes(None),
        {"env_runners": {}},
        {"env_runners": 3},
    ],
    ids=str,
)
def test_without_episodes_no_recorder_is_missed(tmp_path: Path, result: dict[str, Any]) -> None:
    assert messages_of(tmp_path, each=[result] * 4) == []


def test_a_trial_that_ever_brought_a_parcel_has_a_recorder(tmp_path: Path) -> None:
    brought = {**episodes(9), parcel.PARCEL: parcel.Parcel()}
    assert messages_of(tmp_path, each=[brought, *[episodes(9)] * 4]) == []


def test_warnings_that_are_errors_leave_the_results_whole(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    # The suite makes a TbtraceWarning an error, as `python -W error` does.
    callback, trial = tbtrace.TraceLoggerCallback(), FakeTrial(tmp_path)
    for number in range(1, 5):
        callback.log_trial_result(number, trial, {"training_iteration": number, **episodes(9)})
    callback.log_trial_end(trial)
    callback.on_experiment_end([trial])
    assert len(events(tmp_path).Scalars("ray/tune/env_runners/num_episodes")) == 4
    assert "config.callbacks(tbtrace.EpisodeRecorder)" in caplog.text
