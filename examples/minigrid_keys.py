"""A key, a door and a goal on a grid: MiniGrid as it is, in a plain loop without RLlib.

Needs `pip install minigrid`. Run it, then `tbtrace view` on the directory that it prints.
"""

from __future__ import annotations

import sys
import tempfile
from typing import Any

import gymnasium as gym

import tbtrace


def look(env: Any, info: dict[str, Any]) -> dict[str, Any]:
    grid, (column, row) = env.unwrapped, env.unwrapped.agent_pos
    names = ["agent", grid.carrying.type] if grid.carrying else ["agent"]
    traces = dict.fromkeys(names, (column, -row))  # MiniGrid's rows grow downwards
    said = {"running": {"carrying": grid.carrying is not None}, "traces": traces}
    if grid.step_count == 0:
        extent = (-0.5, grid.width - 0.5, 0.5 - grid.height, 0.5)
        said["scene"] = {"background": grid.get_frame(highlight=False), "extent": extent}
    return said


def main(iterations: int) -> None:
    env = gym.make("minigrid:MiniGrid-DoorKey-8x8-v0", max_steps=200)
    env = tbtrace.RecordTraces(env, extract=look)
    env.action_space.seed(7)
    logdir = tempfile.mkdtemp(prefix="minigrid-")
    reporter = tbtrace.RunReporter(logdir)
    for iteration in range(1, iterations + 1):
        for episode in range(4):
            env.reset(seed=10 * iteration + episode)
            ended = truncated = False
            while not (ended or truncated):
                _, _, ended, truncated, _ = env.step(env.action_space.sample())
        reporter.report(iteration, {}, env.drain())
    reporter.close()
    print(f"Look at it: tbtrace view {logdir}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
