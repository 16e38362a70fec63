"""Agents that spread over landmarks: PettingZoo's parallel environment as it is, without Ray.

Needs `pip install pettingzoo mpe2`. Run it, then `tbtrace view` on the directory that it prints.
"""

from __future__ import annotations

import sys
import tempfile
from typing import Any

import numpy as np
from mpe2 import simple_spread_v3

import tbtrace


def look(env: Any, infos: dict[str, Any]) -> dict[str, Any]:
    world = env.unwrapped.world
    marks = {mark.name: tuple(mark.state.p_pos) for mark in world.landmarks}
    agents = {agent.name: agent.state.p_pos for agent in world.agents}
    ways = np.array([*agents.values()]) - np.array([*marks.values()])[:, None]
    return {
        "running": {"uncovered": np.linalg.norm(ways, axis=2).min(axis=1).mean()},
        "traces": {"agents": agents},
        "scene": {"extent": (-2, 2, -2, 2), "labels": marks},
    }


def main(iterations: int) -> None:
    env = simple_spread_v3.parallel_env(N=3, max_cycles=40, continuous_actions=False)
    env = tbtrace.RecordTraces(env, extract=look)
    reporter = tbtrace.RunReporter(tempfile.mkdtemp(prefix="pettingzoo-"))
    for iteration in range(1, iterations + 1):
        for episode in range(3):
            observations, _ = env.reset(seed=10 * iteration + episode)
            while env.agents:
                actions = {agent: towards(observations[agent]) for agent in env.agents}
                observations, *_ = env.step(actions)
        reporter.report(iteration, {}, env.drain())
    reporter.close()
    print(f"Look at it: tbtrace view {reporter.path.parent}")


def towards(observation: Any) -> int:
    """Returns the action (1 to 4: left, right, down, up) towards the nearest landmark."""
    x, y = min(observation[4:10].reshape(3, 2), key=lambda way: float(way @ way))
    return (2 if x > 0 else 1) if abs(x) > abs(y) else (4 if y > 0 else 3)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
