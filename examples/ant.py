"""The limbs of MuJoCo's ant in 3-D: gymnasium's environment as it is, in processes of their own.

Needs `pip install "gymnasium[mujoco]"`. Run it, then `tbtrace view` on the directory it prints.
"""

from __future__ import annotations

import sys
import tempfile
from typing import Any

import gymnasium as gym

import tbtrace

FEET = (4, 7, 10, 13)  # the model's geometries of the four ankles


def look(env: Any, info: dict[str, Any]) -> dict[str, Any]:
    data = env.unwrapped.data
    feet = {f"foot-{index}": data.geom_xpos[geom] for index, geom in enumerate(FEET)}
    torso = {"torso": data.body("torso").xpos}
    return {"traces": {"feet": feet, "body": torso}, "scene": {"units": "m"}}


def make() -> Any:
    env = gym.make("Ant-v5", max_episode_steps=120)
    return tbtrace.RecordTraces(env, extract=look, info_keys={"running": ["x_velocity"]})


def main(iterations: int) -> None:
    envs = gym.vector.AsyncVectorEnv([make, make])
    envs.action_space.seed(7)
    envs.reset(seed=7)
    logdir = tempfile.mkdtemp(prefix="ant-")
    reporter = tbtrace.RunReporter(logdir)
    for iteration in range(1, iterations + 1):
        episodes: list[tbtrace.Episode] = []
        while len(episodes) < 4:
            episodes += tbtrace.collect(envs.step(envs.action_space.sample())[-1])
        reporter.report(iteration, {}, episodes)
    envs.close()
    reporter.close()
    print(f"Look at it: tbtrace view {logdir}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
