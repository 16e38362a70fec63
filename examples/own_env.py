"""Your own environment: what it says in `info`, and the two lines that make tbtrace show it.

Run it, then `tbtrace view` (or TensorBoard) on the directory that it prints. Takes half a minute.
"""

from __future__ import annotations

import sys
from typing import Any

import gymnasium as gym
import numpy as np
from ray import tune
from ray.rllib.algorithms.ppo import PPOConfig

import tbtrace


class Couriers(gym.Env[np.ndarray, np.int64]):
    """The agent steers one courier to the parcel; two others wander about."""

    observation_space = gym.spaces.Box(-10.0, 10.0, (4,), np.float32)
    action_space = gym.spaces.Discrete(4)
    moves = np.array([(1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0)])

    def __init__(self, config: Any = None) -> None:
        self.others: dict[str, np.ndarray] = {}

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.courier, self.parcel = self.np_random.uniform(-8, 8, (2, 2))
        self.others = {name: self.np_random.uniform(-8, 8, 2) for name in ("ann", "bob")}
        self.time = 0
        return self._observation(), self._info()

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        before = np.linalg.norm(self.parcel - self.courier)
        self.courier = np.clip(self.courier + self.moves[int(action)], -10, 10)
        for place in self.others.values():
            place += self.np_random.normal(0, 0.4, 2)
        self.time += 1
        now = np.linalg.norm(self.parcel - self.courier)
        found, late = bool(now < 1.0), self.time >= 60
        info = self._info()
        if found or late:
            info["tbtrace"]["final"] = {"found": found, "steps_needed": self.time}
        return self._observation(), float(before - now), found, late, info

    def _observation(self) -> np.ndarray:
        return np.concatenate((self.courier, self.parcel - self.courier)).clip(-10, 10).astype("f4")

    def _info(self) -> dict[str, Any]:
        distance = float(np.linalg.norm(self.parcel - self.courier))
        return {
            "tbtrace": {
                "running": {"distance": distance},
                "traces": {"couriers": {"agent": self.courier, **self.others}},
                "scene": {"units": "m", "labels": {"parcel": tuple(self.parcel)}},
            }
        }


def main(iterations: int) -> None:
    config = (
        PPOConfig()
        .environment(Couriers)
        .env_runners(num_env_runners=1, num_envs_per_env_runner=4)
        .training(train_batch_size_per_learner=1000, minibatch_size=250, num_epochs=5, lr=1e-3)
        .callbacks(tbtrace.EpisodeRecorder)  # line one
    )
    tuner = tune.Tuner(
        "PPO",
        param_space=config,
        run_config=tune.RunConfig(
            stop={"training_iteration": iterations},
            callbacks=[tbtrace.TraceLoggerCallback()],  # line two
        ),
    )
    result = tuner.fit()[0]
    found = result.metrics["env_runners"]["custom_metrics"]["found_mean"]
    print(f"The parcel was found in {found:.0%} of the last iteration's episodes.")
    print(f"Look at it: tbtrace view {result.path}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 12)
