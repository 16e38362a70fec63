"""The demo: PPO learns to dispatch in the plant, and leaves a run to look at."""

from __future__ import annotations

import logging
import math
import os
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import ray
from ray import tune
from ray.rllib.algorithms.ppo import PPOConfig

from tbtrace.envs.floor import LANES
from tbtrace.envs.plant import PlantEnv
from tbtrace.rllib.recorder import EpisodeRecorder
from tbtrace.tune import TraceLoggerCallback

ITERATIONS = 24
SECONDS = 110.0
"""The demo trains for so many iterations or seconds, whichever comes first."""

RANDOM_EPISODES = 20


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the demo's table.

    Attributes:
        policy: What dispatched.
        throughput: Articles an hour, mean over episodes.
        lead_time: Mean seconds from entering to leaving.
    """

    policy: str
    throughput: float
    lead_time: float


def random_policy(episodes: int = RANDOM_EPISODES, seed: int = 0) -> Row:
    """Measures a policy that picks stations at random.

    Example:
        >>> random_policy(episodes=2).policy
        'random policy'
    """
    env = PlantEnv()
    choice = np.random.default_rng(seed)
    finals = []
    for episode in range(episodes):
        env.reset(seed=seed + episode)
        truncated = False
        while not truncated:
            action = int(choice.integers(LANES))
            _, _, _, truncated, info = env.step(action)
        finals.append(info["tbtrace"]["final"])
    return Row(
        "random policy",
        float(np.mean([final["throughput"] for final in finals])),
        float(np.mean([final["lead_time"] for final in finals if "lead_time" in final])),
    )


def config(env_runners: int = 2) -> PPOConfig:
    """Returns the demo's algorithm: PPO on the plant, recorded by tbtrace."""
    return (
        PPOConfig()
        .environment(PlantEnv)
        .env_runners(num_env_runners=env_runners, num_envs_per_env_runner=5)
        .training(
            lr=1e-3,
            gamma=0.95,
            train_batch_size_per_learner=6000,
            minibatch_size=500,
            num_epochs=8,
        )
        .evaluation(evaluation_interval=2, evaluation_duration=4)
        .callbacks(EpisodeRecorder)
        .debugging(seed=1, log_level="ERROR")
    )


def row(policy: str, metrics: Mapping[str, Any]) -> Row | None:
    """Reads a line of the table from custom metrics; None where no episode ended."""
    line = Row(
        policy,
        float(metrics.get("throughput_mean", math.nan)),
        float(metrics.get("lead_time_mean", math.nan)),
    )
    return None if math.isnan(line.throughput) or math.isnan(line.lead_time) else line


def table(rows: list[Row]) -> str:
    """Formats the table.

    Example:
        >>> print(table([Row("random policy", 200.0, 250.4)]))
        policy                        shipped an hour    lead time
        random policy                             200        250 s
    """
    lines = [f"{'policy':<30}{'shipped an hour':>15}{'lead time':>13}"]
    lines += [f"{r.policy:<30}{r.throughput:>15.0f}{r.lead_time:>11.0f} s" for r in rows]
    return "\n".join(lines)


def run(storage: Path, iterations: int = ITERATIONS, seconds: float = SECONDS) -> Path:
    """Trains, prints progress and the table, and returns the trial directory.

    Args:
        storage: Where Tune keeps its experiments; made where it is missing.
        iterations: Training iterations.
        seconds: Training time after which the demo ends all the same.

    Raises:
        RuntimeError: The training failed; Tune's own report says why.
    """
    print("Measuring a random policy ...", flush=True)
    baseline = random_policy()
    print(f"{_line(baseline)}\nStarting Ray and training ...", flush=True)
    progress = Progress()
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    warnings.filterwarnings("ignore", module="gymnasium")  # of RLlib's own placeholder environment
    logging.getLogger("ray.rllib").setLevel(logging.ERROR)
    # Tune's own headlines name its staging folder, which is gone when the run has ended.
    os.environ.setdefault("RAY_AIR_NEW_OUTPUT", "0")
    # Four logical CPUs: algorithm, two env runners and one to spare, on however many cores.
    ray.init(num_cpus=4, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    try:
        tuner = tune.Tuner(
            "PPO",
            param_space=config(),
            run_config=tune.RunConfig(
                name=time.strftime("tbtrace-demo-%Y-%m-%d_%H-%M-%S"),
                storage_path=str(storage),
                stop={"training_iteration": iterations, "time_total_s": seconds},
                verbose=0,
                callbacks=[TraceLoggerCallback(), progress],
            ),
        )
        result = tuner.fit()[0]
    finally:
        ray.shutdown()
    if result.error is not None or result.path is None:
        raise RuntimeError(f"the training failed: {result.error}")
    rows = [baseline, progress.first, progress.last]
    print(f"\n{table([line for line in rows if line is not None])}\n", flush=True)
    return Path(result.path)


def _line(line: Row) -> str:
    return f"{line.throughput:5.0f} articles an hour, lead time {line.lead_time:4.0f} s"


class Progress(tune.Callback):
    """Prints a line an iteration.

    Attributes:
        first: The first iteration in which an episode ended, or None.
        last: The last one.
    """

    def __init__(self) -> None:
        self.first: Row | None = None
        self.last: Row | None = None

    def on_trial_result(
        self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        """Prints what the iteration's training episodes shipped."""
        number = result["training_iteration"]
        line = row(f"PPO, iteration {number}", result["env_runners"].get("custom_metrics", {}))
        said = "no episode has ended yet" if line is None else _line(line)
        print(f"iteration {number:>3} ({result['time_total_s']:4.0f} s): {said}", flush=True)
        if line is not None:
            self.first = self.first or line
            self.last = line
