"""Plain RLlib: `algo.train()` writes the run that it writes under Tune."""

from __future__ import annotations

import functools
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ray import tune
from ray.rllib.algorithms.algorithm import Algorithm
from scripted import config
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util import tensor_util

import tbtrace

ITERATIONS = 3
# Seconds, memory and what depends on when: not the same in two runs.
UNSTEADY = (
    "time",
    "perf",
    "throughput",
    "timers",
    "per_s",
    "_s",
    "sec",
    "weights_seq",
    "num_env_runner",
)


def recorder(folder: Path | None, **options: Any) -> Any:
    reporting = tbtrace.Reporting(logdir=folder, **options)
    return functools.partial(tbtrace.EpisodeRecorder, reporting=reporting, strict=True)


def events(folder: Path) -> EventAccumulator:
    return EventAccumulator(str(folder), size_guidance={"tensors": 0, "scalars": 0}).Reload()


def seeded(log: Path, callbacks: list[Any]) -> Any:
    log.mkdir()
    parameters = config(log, callbacks, env_runners=0, seed=7)
    return parameters.debugging(seed=7, log_level="ERROR")


def steady(tag: str) -> bool:
    return not any(word in tag for word in UNSTEADY)


def test_the_same_tags_and_values_as_under_tune(ray_session: None, tmp_path: Path) -> None:
    algorithm = seeded(tmp_path / "log1", [recorder(tmp_path / "alone")]).build_algo()
    results = [algorithm.train() for _ in range(ITERATIONS)]
    algorithm.stop()
    assert all("tbtrace_parcel" not in result for result in results)
    parameters = seeded(
        tmp_path / "log2",
        [
            recorder(tmp_path / "never"),
        ],
    )
    grid = tune.Tuner(
        "PPO",
        param_space=parameters,
        run_config=tune.RunConfig(
            storage_path=str(tmp_path / "storage"),
            stop={"training_iteration": ITERATIONS},
            verbose=0,
            callbacks=[tbtrace.TraceLoggerCallback()],
        ),
    ).fit()
    assert not grid.errors
    assert not (tmp_path / "never").exists()  # Tune's logger reports
    alone, tuned = events(tmp_path / "alone"), events(Path(grid[0].path))
    for kind in ("scalars", "tensors"):
        tags = {tag for tag in alone.Tags()[kind] if steady(tag)}
        assert tags == {tag for tag in tuned.Tags()[kind] if steady(tag)}
        assert len(tags) > 5
    compared = 0
    for tag in alone.Tags()["scalars"]:
        if "custom_metrics" in tag or "episode_return" in tag:
            expected = [(event.step, event.value) for event in tuned.Scalars(tag)]
            assert [(event.step, event.value) for event in alone.Scalars(tag)] == expected, tag
            compared += len(expected)
    assert compared > 20
    for tag in alone.Tags()["tensors"]:
        if "hist_stats" in tag:
            theirs, ours = (
                [
                    (e.step, tensor_util.make_ndarray(e.tensor_proto).tolist())
                    for e in of.Tensors(tag)
                ]
                for of in (tuned, alone)
            )
            assert ours == theirs, tag
    for folder in (tmp_path / "alone", Path(grid[0].path)):
        stored = [(s.split, s.iteration) for s in tbtrace.open_archive(folder).find()]
        assert ("train", 1) in stored
        assert ("evaluation", 2) in stored


def test_it_goes_on_from_a_checkpoint_in_the_same_curves(ray_session: None, tmp_path: Path) -> None:
    algorithm = seeded(tmp_path / "log", [recorder(tmp_path / "run")]).build_algo()
    algorithm.train()
    checkpoint = algorithm.save_to_path(str(tmp_path / "checkpoint"))
    algorithm.train()
    algorithm.train()
    algorithm.stop()
    restored = Algorithm.from_checkpoint(checkpoint)
    restored.train()
    restored.stop()
    assert len(list((tmp_path / "run").glob("events.out.tfevents.*"))) == 2
    tag = "ray/tune/num_env_steps_sampled_lifetime"
    points = events(tmp_path / "run").Scalars(tag)
    assert [event.step for event in points] == [1, 2]
    assert points[1].value > points[0].value
    assert {s.iteration for s in tbtrace.open_archive(tmp_path / "run").find()} <= {1, 2}


def test_by_default_it_writes_below_the_algorithms_own_logdir(
    ray_session: None, tmp_path: Path
) -> None:
    algorithm = seeded(tmp_path / "log", [recorder(None, views=(), archive=None)]).build_algo()
    result = algorithm.train()
    logdir = Path(algorithm.logdir)
    algorithm.stop()
    (points,) = events(logdir).Scalars("ray/tune/env_runners/num_episodes")
    expected = result["env_runners"]["num_episodes"]
    assert points.value == expected or math.isnan(expected)


SCRIPT = """
import functools, sys, warnings
from pathlib import Path
import ray, tbtrace
from scripted import config
ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False)
log = Path(sys.argv[1], "log"); log.mkdir()
reporting = tbtrace.Reporting(logdir=Path(sys.argv[1], "run"))
recorder = functools.partial(tbtrace.EpisodeRecorder, reporting=reporting)
algorithm = config(log, [recorder], env_runners=0).build_algo()
for _ in range(3):
    algorithm.train()
"""


@pytest.mark.slow
def test_a_script_that_just_ends_has_everything(tmp_path: Path) -> None:
    here = str(Path(__file__).parents[1])
    environment = {"PYTHONPATH": here, "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path)],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    run = events(tmp_path / "run")
    assert [e.step for e in run.Scalars("ray/tune/num_env_steps_sampled_lifetime")] == [1, 2, 3]
    assert any(tag.startswith("traces/paths/train/") for tag in run.Tags()["tensors"])
