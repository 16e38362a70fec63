"""Cars on a motorway: highway-env as it is, recorded through `extract` and trained with RLlib.

Needs `pip install highway-env`. Run it, then `tbtrace view` on the directory that it prints.
"""

from __future__ import annotations

import functools
import sys
from typing import Any

import gymnasium as gym
from ray import tune
from ray.rllib.algorithms.ppo import PPOConfig

import tbtrace


def look(env: Any, info: dict[str, Any]) -> dict[str, Any]:
    ego, vehicles = env.unwrapped.vehicle, env.unwrapped.road.vehicles
    cars = {f"car-{index}": car.position for index, car in enumerate(vehicles) if car is not ego}
    return {
        "running": {"speed": ego.speed},
        "final": {"crashed": ego.crashed},
        "traces": {"ego": {"ego": ego.position}, "cars": cars},
        "scene": {"units": "m"},
    }


def make(config: Any) -> gym.Env[Any, Any]:
    # The name's first part is the module that registers the environment, in every process.
    env = gym.make("highway_env:highway-fast-v0", config=dict(config))
    return gym.wrappers.FlattenObservation(env)


def main(iterations: int) -> None:
    tune.register_env("motorway", make)
    config = (
        PPOConfig()
        .environment("motorway", env_config={"vehicles_count": 8, "duration": 20})
        .env_runners(num_env_runners=1, num_envs_per_env_runner=2)
        .training(train_batch_size_per_learner=100, minibatch_size=50, num_epochs=5)
        .callbacks(functools.partial(tbtrace.EpisodeRecorder, extract=look))
    )
    run_config = tune.RunConfig(
        stop={"training_iteration": iterations}, callbacks=[tbtrace.TraceLoggerCallback()]
    )
    result = tune.Tuner("PPO", param_space=config, run_config=run_config).fit()[0]
    print(f"Look at it: tbtrace view {result.path}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
