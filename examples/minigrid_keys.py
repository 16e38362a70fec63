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
    # MiniGrid's rows grow downwards: the extent turns the picture of the scene round with them.
    grid, (column, row) = env.unwrapped, env.unwrapped.agent_pos
    carried = grid.carrying.type if grid.carrying else None
    said = {
        "running": {"carrying": carried is not None},
        "traces": {"agent": (column, -row), **({carried: (column, -row)} if carried else {})},
    }
    if grid.step_count == 0:
        said["scene"] = {"background": grid.get_frame(highlight=False), "extent": extent(grid)}
    return said


def extent(grid: Any) -> tuple[float, float, float, float]:
    return (-0.5, grid.width - 0.5, 0.5 - grid.height, 0.5)


def main(iterations: int) -> None:
    env = tbtrace.RecordTraces(
        gym.make("minigrid:MiniGrid-DoorKey-8x8-v0", max_steps=200), extract=look
    )
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
