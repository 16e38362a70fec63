"""Tune's loop: does reporting delay the trials? Four trials of 300 ms iterations, three views each.

Every iteration brings a parcel of six episodes, each of 10 entities x 200 steps. Measured is the
gap between the end of a step and the begin of the next one, in the trial's process, and the wall
time from the first to the last step of all trials. Without tbtrace Tune writes with its own
loggers; "blocking" draws the pictures with matplotlib in the callback, as recipes do. The
candidates take turns.

    python benchmarks/loop.py [--repeats 3] [--iterations 30]
"""

from __future__ import annotations

import argparse
import io
import itertools
import json
import logging
import statistics
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import matplotlib.figure
import numpy as np
import ray
from ray import tune

import tbtrace
from tbtrace import Episode, Series, Trace, stats
from tbtrace.rllib.load import Sender
from tbtrace.rllib.parcel import PARCEL, Contents, Parcel

TRIALS = 4
STEPS = np.arange(200, dtype=np.int32)


def episode(iteration: int, number: int) -> Episode:
    rng = np.random.default_rng(1000 * iteration + number)
    traces = {
        f"robot {i}": Trace(STEPS, rng.normal(size=(200, 2)).cumsum(axis=0)) for i in range(10)
    }
    return Episode(
        f"{iteration}-{number}",
        length=200,
        episode_return=float(rng.normal()),
        running={name: Series(STEPS, rng.normal(size=200)) for name in ("speed", "load")},
        traces={"robots": traces},
        split="train",
        iteration=iteration,
    )


class Stepping(tune.Trainable):
    """Sleeps 300 ms a step, and notes when each began and ended."""

    def setup(self, config: dict[str, Any]) -> None:
        self.sender, self.times = Sender(), []

    def step(self) -> dict[str, Any]:
        began, number = time.time(), self.iteration + 1
        result: dict[str, Any] = {f"scalar_{i}": float(i * number) for i in range(100)}
        if self.config["parcels"]:
            episodes = [episode(number, i) for i in range(6)]
            summaries = {"train": tuple(map(stats.summarise, episodes))}
            histograms = {"train": stats.histograms(episodes)}
            result[PARCEL] = Parcel(Contents(self.sender.pack(episodes), histograms, summaries))
        time.sleep(max(0.0, 0.3 - (time.time() - began)))
        self.times.append((began, time.time()))
        if number == self.config["iterations"]:
            Path(self.config["folder"], f"{self.trial_id}.json").write_text(json.dumps(self.times))
        return result

    def save_checkpoint(self, folder: str) -> None:
        """Nothing to keep; Tune asks at the end."""


class Blocking(tune.Callback):
    """Draws in Tune's loop."""

    def on_trial_result(
        self, iteration: int, trials: Any, trial: Any, result: Any, **k: Any
    ) -> None:
        episodes = result.pop(PARCEL).open().load.episodes
        for number in range(9):
            figure = matplotlib.figure.Figure()
            axes = figure.subplots()
            for trace in episodes[number % 6].traces["robots"].values():
                axes.plot(*trace.points.T)
            figure.savefig(io.BytesIO(), format="png")


def views() -> list[tbtrace.views.View]:
    return [tbtrace.views.Paths(name=f"view {i}") for i in range(3)]


def run(candidate: str, iterations: int) -> tuple[list[float], float]:
    """Returns the gaps between steps and the wall time, in ms and s."""
    callbacks: dict[str, list[Any]] = {
        "without": [],
        "tbtrace": [tbtrace.TraceLoggerCallback(views=views())],
        "blocking": [Blocking()],
    }
    with tempfile.TemporaryDirectory() as folder:
        space = {
            "folder": folder,
            "iterations": iterations,
            "parcels": candidate != "without",
            "trial": tune.grid_search(list(range(TRIALS))),
        }
        tuner = tune.Tuner(
            Stepping,
            param_space=space,
            run_config=tune.RunConfig(
                storage_path=f"{folder}/storage",
                stop={"training_iteration": iterations},
                callbacks=callbacks[candidate],
                verbose=0,
            ),
        )
        assert not tuner.fit().errors
        trials = [json.loads(path.read_text()) for path in Path(folder).glob("*.json")]
    assert len(trials) == TRIALS
    # From where all of them run on: actors start one after the other.
    start = max(times[2][0] for times in trials)
    gaps = [
        (later[0] - earlier[1]) * 1e3
        for times in trials
        for earlier, later in itertools.pairwise(times)
        if later[0] > start
    ]
    steps = statistics.median(len([t for t in times if t[0] >= start]) for times in trials)
    wall = max(times[-1][1] for times in trials) - start
    return gaps, wall / steps


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--iterations", type=int, default=30)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    ray.init(num_cpus=TRIALS, include_dashboard=False, logging_level=logging.ERROR)
    gaps: dict[str, list[float]] = {"without": [], "tbtrace": [], "blocking": []}
    walls: dict[str, list[float]] = {name: [] for name in gaps}
    for _ in range(options.repeats):
        for name in gaps:
            more, wall = run(name, options.iterations)
            gaps[name].append(statistics.median(more))
            walls[name].append(wall)
    print(f"{'':<12}{'median gap, ms':>16}{'wall a step, s':>16}{'against without':>18}")
    base = statistics.median(walls["without"])
    for name in gaps:
        gap, wall = statistics.median(gaps[name]), statistics.median(walls[name])
        print(f"{name:<12}{gap:>16.1f}{wall:>16.3f}{wall / base:>17.2f}x")
    ray.shutdown()


if __name__ == "__main__":
    main()
