"""A loop of your own: random search in the plant, training and evaluation, without Ray.

Run it, then `tbtrace view` (or TensorBoard) on the directory that it prints.
"""

from __future__ import annotations

import sys
import tempfile

import gymnasium as gym
import numpy as np

import tbtrace
from tbtrace.envs.plant import PlantEnv


def play(env: gym.Env[np.ndarray, np.int64], weights: np.ndarray, seed: int) -> float:
    observation, _ = env.reset(seed=seed)
    episode_return, over = 0.0, False
    while not over:
        action = np.int64((observation @ weights).argmax())
        observation, reward, ended, truncated, _ = env.step(action)
        episode_return += float(reward)
        over = ended or truncated
    return episode_return


def main(iterations: int) -> None:
    env = tbtrace.RecordTraces(PlantEnv({"steps": 200}))
    reporter = tbtrace.RunReporter(tempfile.mkdtemp(prefix="hand-written-"))
    random = np.random.default_rng(7)
    weights, step_size = np.zeros((17, 3)), 1.0
    for iteration in range(1, iterations + 1):
        tried = [weights + step_size * random.normal(size=weights.shape) for _ in range(4)]
        returns = [play(env, each, seed=iteration) for each in tried]
        weights = tried[int(np.argmax(returns))]
        trained = env.drain()

        play(env, weights, seed=1000)
        evaluated = env.drain()
        for episode in evaluated:
            episode.split = "evaluation"

        result = {"search": {"step_size": step_size, "returns": returns}}
        reporter.report(iteration, result, trained + evaluated)
        step_size *= 0.9
    reporter.close()
    print(f"Look at it: tbtrace view {reporter.path.parent}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
