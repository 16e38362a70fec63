"""Trials that fail and come back, are paused, cloned or restored: clean curves on real servers."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ray import tune
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData
from tensorboard_server import serve

import tbtrace

LAST = 8


class Counting(tune.Trainable):  # type: ignore[misc]
    """Counts iterations and lives; fails once at iteration 6, after a checkpoint at 3."""

    def setup(self, config: dict[str, Any]) -> None:
        self.folder = Path(config["folder"])
        self.lives = len(list(self.folder.glob("life-*")))
        (self.folder / f"life-{self.lives}-{self.trial_id}").touch()
        deadline = time.monotonic() + 120
        while len({*self.folder.glob("life-*")}) < config.get("together", 0):
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def step(self) -> dict[str, Any]:
        if self.iteration + 1 == self.config.get("fails_at") and self.lives < self.config["fails"]:
            raise RuntimeError("as planned")
        time.sleep(self.config.get("seconds", 0))
        level = 60 * self.lives + self.iteration
        return {
            "life": self.lives,
            "score": float(self.config["lr"]),
            "numbers": [1.0, 2.0],
            "picture": np.full((3, 8, 8), level % 256, np.uint8),
        }

    def save_checkpoint(self, folder: str) -> None:
        Path(folder, "state").write_text("saved")

    def load_checkpoint(self, folder: str) -> None:
        assert Path(folder, "state").read_text() == "saved"

    def reset_config(self, config: dict[str, Any]) -> bool:
        return False


class Handed(tune.Callback):
    """What each trial's loggers were handed.

    Not what is in `result.json`: when a trial starts again, Ray 2.60 writes the storage's older
    copy over it.
    """

    def __init__(self) -> None:
        self.rows: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)

    def on_trial_result(
        self, iteration: int, trials: Any, trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        row = {name: result[name] for name in ("training_iteration", "life", "score")}
        self.rows[trial.trial_id].append({**row, "lr": trial.config["lr"]})


def run_config(folder: Path, *more: tune.Callback, **options: Any) -> tune.RunConfig:
    return tune.RunConfig(
        name="run",
        storage_path=str(folder / "storage"),
        stop={"training_iteration": LAST},
        verbose=0,
        callbacks=[tbtrace.TraceLoggerCallback(), *more],
        checkpoint_config=tune.CheckpointConfig(checkpoint_frequency=3),
        **options,
    )


def results_of(path: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(path, "result.json").read_text().splitlines()]


@pytest.fixture
def lives(tmp_path: Path) -> Path:
    folder = tmp_path / "lives"
    folder.mkdir()
    return folder


def last_lives(rows: list[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """What is left where a row replaces all that there was of its iteration and of later ones."""
    curve: dict[int, dict[str, Any]] = {}
    for row in rows:
        first = row["training_iteration"]
        curve = {step: earlier for step, earlier in curve.items() if step < first}
        curve[first] = row
    return curve


def curves(path: Path, fast: bool, last: int) -> Iterator[tuple[list[int], list[float]]]:
    """Yields steps and values of the curve, then steps of pictures and histograms, of a server."""
    with serve(path, fast=fast) as board:
        board.wait_for(lambda: board.scalars(".", "ray/tune/life")[-1][0] == last)
        board.wait_for(lambda: board.images(".", "ray/tune/picture")[-1][0] == last)
        life = board.scalars(".", "ray/tune/life")
        yield [step for step, _ in life], [value for _, value in life]
        pictures = board.images(".", "ray/tune/picture")
        yield [step for step, *_ in pictures], []
        histograms = board.histograms(".", "ray/tune/numbers")
        yield [step for step, *_ in histograms], []


def check(path: Path, expected: list[float], steps: Sequence[int] = range(1, LAST + 1)) -> None:
    steps = list(steps)
    for fast in (True, False):
        curve, pictures, histograms = curves(path, fast, steps[-1])
        assert curve == (steps, expected), fast
        assert pictures[0] == steps, fast
        assert histograms[0] == steps, fast


def test_a_retry_from_a_checkpoint(ray_session: None, tmp_path: Path, lives: Path) -> None:
    tuner = tune.Tuner(
        Counting,
        param_space={"folder": str(lives), "lr": 1.0, "fails_at": 6, "fails": 1},
        run_config=run_config(tmp_path, failure_config=tune.FailureConfig(max_failures=1)),
    )
    grid = tuner.fit()
    assert not grid.errors
    # Tune wrote iterations 4 and 5 twice; nobody sees their first version any more.
    rows = results_of(grid[0].path)
    assert [row["training_iteration"] for row in rows] == [1, 2, 3, 4, 5, 4, 5, 6, 7, 8]
    check(Path(grid[0].path), [0, 0, 0, 1, 1, 1, 1, 1])


def test_a_restored_experiment(ray_session: None, tmp_path: Path, lives: Path) -> None:
    space = {"folder": str(lives), "lr": 1.0, "fails_at": 6, "fails": 1}
    tuner = tune.Tuner(Counting, param_space=space, run_config=run_config(tmp_path))
    assert len(tuner.fit().errors) == 1
    restored = tune.Tuner.restore(
        str(tmp_path / "storage" / "run"), Counting, param_space=space, resume_errored=True
    )
    grid = restored.fit()
    assert not grid.errors
    path = Path(grid[0].path)
    assert len(list(path.glob("events.out.tfevents.*"))) == 2
    check(path, [0, 0, 0, 1, 1, 1, 1, 1])


def test_trials_that_are_cloned(ray_session: None, tmp_path: Path, lives: Path) -> None:
    # Not synch=True: on Ray 2.60 two such trials wait for each other, with any logger.
    scheduler = tune.schedulers.PopulationBasedTraining(
        time_attr="training_iteration",
        perturbation_interval=2,
        hyperparam_mutations={"lr": [0.5, 2.0, 8.0]},
        quantile_fraction=0.5,
    )
    tuner = tune.Tuner(
        Counting,
        param_space={"folder": str(lives), "lr": tune.grid_search([0.5, 8.0]), "seconds": 0.5}
        | {"together": 2},
        tune_config=tune.TuneConfig(metric="score", mode="max", scheduler=scheduler),
        run_config=run_config(tmp_path, handed := Handed()),
    )
    grid = tuner.fit()
    assert not grid.errors
    assert len(list(lives.iterdir())) > 2, "nobody was cloned"
    for result in grid:
        rows = handed.rows[result.metrics["trial_id"]]
        shown = last_lives(rows)  # a clone may jump over iterations
        check(Path(result.path), [row["life"] for row in shown.values()], [*shown])
        events = EventAccumulator(str(result.path)).Reload()
        told = {event.step: event.value for event in events.Scalars("ray/tune/score")}
        assert told == {step: row["score"] for step, row in shown.items()}
        content = events.PluginTagToContent("hparams")["_hparams_/session_start_info"]
        parameters = HParamsPluginData.FromString(content).session_start_info.hparams
        assert parameters["lr"].number_value == rows[-1]["lr"]


class Pausing(tune.schedulers.FIFOScheduler):
    """Pauses each trial twice, for the other one."""

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        stops = result["training_iteration"] in (3, 5)
        return self.PAUSE if stops else super().on_trial_result(tune_controller, trial, result)


@pytest.mark.slow
def test_trials_that_are_paused(ray_session: None, tmp_path: Path, lives: Path) -> None:
    tuner = tune.Tuner(
        Counting,
        param_space={"folder": str(lives), "lr": tune.grid_search([0.5, 8.0])},
        tune_config=tune.TuneConfig(scheduler=Pausing(), max_concurrent_trials=1),
        run_config=run_config(tmp_path, handed := Handed()),
    )
    grid = tuner.fit()
    assert not grid.errors
    for result in grid:
        path, rows = Path(result.path), handed.rows[result.metrics["trial_id"]]
        assert len({row["life"] for row in rows}) == 3, "paused twice"
        assert [row["training_iteration"] for row in rows] == list(range(1, LAST + 1))
        check(path, [row["life"] for row in rows])
        assert len(list(path.glob("events.out.tfevents.*"))) == 1
