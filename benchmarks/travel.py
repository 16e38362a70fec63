"""What travels: bytes of tbtrace's records and parcels against what Ray ships anyway, by algorithm.

Each step says 5 running values and 10 entities x 2 coordinates, episodes are of 200 steps. "Ray's
samples" are the episodes that the env runners send to be learned from, "records" what tbtrace adds
to their metrics, "parcel" what goes on to the driver; all as pickles, per training iteration.
"State" is what the algorithm's checkpoint holds, with tbtrace and without; Ray's own numbers in it
depend on what a learner has reported so far, in APPO and IMPALA a matter of time.

    python benchmarks/travel.py [--iterations 3] [--algorithms PPO DQN] [--env-runners 0 4]
"""

from __future__ import annotations

import argparse
import logging
import pickle
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import ray
from ray import cloudpickle
from ray.rllib.algorithms import (
    APPOConfig,
    DQNConfig,
    IMPALAConfig,
    PPOConfig,
    SACConfig,
)
from recording import Env

import tbtrace
from tbtrace.rllib.parcel import PARCEL, RECORDS


def _sampling_only(config: Any) -> Any:
    """Off-policy learning takes long and sends nothing."""
    config.training(num_steps_sampled_before_learning_starts=10**9)
    return config.reporting(min_sample_timesteps_per_iteration=1000)


ALGORITHMS: dict[str, Any] = {
    "PPO": PPOConfig().training(train_batch_size_per_learner=4000, num_epochs=1),
    "DQN": _sampling_only(DQNConfig()),
    "SAC": _sampling_only(SACConfig()),
    "IMPALA": IMPALAConfig().reporting(min_time_s_per_iteration=3),
    "APPO": APPOConfig().reporting(min_time_s_per_iteration=3),
}


class Weighing(tbtrace.EpisodeRecorder):
    """Weighs what is sent."""

    def on_sample_end(self, *, metrics_logger: Any, samples: Any = None, **kwargs: Any) -> None:
        super().on_sample_end(metrics_logger=metrics_logger, **kwargs)
        weight = len(cloudpickle.dumps(samples))
        metrics_logger.log_value("weight_of_samples", weight, reduce="sum")

    def on_train_result(self, *, result: dict[str, Any], **kwargs: Any) -> None:
        records = result.get("env_runners", {}).get(RECORDS) or ()
        result["weight_of_records"] = len(cloudpickle.dumps(records))
        super().on_train_result(result=result, **kwargs)
        result["weight_of_parcel"] = len(cloudpickle.dumps(result[PARCEL].contents))


def played(config: Any, iterations: int) -> tuple[list[dict[str, Any]], int]:
    """Trains; returns the results that have episodes and the size of the algorithm's state."""
    algorithm = config.build_algo()
    results: list[dict[str, Any]] = []
    try:
        # Asynchronous env runners take a while to begin; RLlib gives results without them.
        for _ in range(15 + iterations):
            result = algorithm.train()
            if np.nan_to_num(result["env_runners"].get("num_episodes") or 0):
                results.append(result)
            if len(results) == iterations:
                break
        with tempfile.TemporaryDirectory() as folder:
            algorithm.save_to_path(folder)
            state = sum(path.stat().st_size for path in Path(folder).glob("algorithm_state*"))
            pickle.loads(next(Path(folder).glob("algorithm_state*")).read_bytes())
    finally:
        algorithm.stop()
    return results, state


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--iterations", type=int, default=3)
    parser.add_argument("--algorithms", nargs="+", default=list(ALGORITHMS), choices=ALGORITHMS)
    parser.add_argument("--env-runners", type=int, nargs="+", default=[0, 1, 4])
    options = parser.parse_args()
    iterations = options.iterations
    warnings.simplefilter("ignore")
    # APPO and IMPALA have aggregator actors, too; short of CPUs their env runners never begin.
    ray.init(num_cpus=8, include_dashboard=False, logging_level=logging.ERROR, log_to_driver=False)
    heads = ("episodes", "Ray's samples", "records", "parcel", "state", "without")
    print(f"{'bytes an iteration':<26}" + "".join(f"{head:>15}" for head in heads))
    for name in options.algorithms:
        base = ALGORITHMS[name]
        for env_runners in options.env_runners:
            config = base.copy(copy_frozen=False).env_runners(
                num_env_runners=env_runners, num_envs_per_env_runner=2
            )
            config = config.debugging(log_level="ERROR")
            bare = config.copy(copy_frozen=False).environment(Env, env_config={"kind": "nothing"})
            ours = config.copy(copy_frozen=False).environment(Env, env_config={"kind": "tbtrace"})
            _, without = played(bare, iterations)
            results, state = played(ours.callbacks(Weighing), iterations)
            numbers = [
                *(
                    np.mean(
                        np.nan_to_num([result["env_runners"].get(what, 0) for result in results])
                    )
                    for what in ("num_episodes", "weight_of_samples")
                ),
                *(
                    np.mean([result[f"weight_of_{what}"] for result in results])
                    for what in ("records", "parcel")
                ),
                state,
                without,
            ]
            row = "".join(f"{number:>15,.0f}" for number in numbers)
            print(f"{name + f', {env_runners} env runners':<26}{row}", flush=True)
    ray.shutdown()


if __name__ == "__main__":
    main()
