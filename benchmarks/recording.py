"""What recording costs a step, against no recording and against the forum recipe, side by side.

Each step says 5 running values and 10 entities x 2 coordinates; building that info counts on both
sides. "Recipe" is the pattern of Ray's forum thread: dict infos through RLlib, lists per episode in
a callback. Medians of interleaved repeats in one process, on `SingleAgentEnvRunner.sample()`;
machines are noisy, so read the ratios.

    python benchmarks/recording.py [--repeats 9]
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.callbacks.callbacks import RLlibCallback
from ray.rllib.env.single_agent_env_runner import SingleAgentEnvRunner

import tbtrace
from tbtrace.envs.tap import Tap
from tbtrace.errors import Problems
from tbtrace.info import Contract
from tbtrace.recording import Recording

NAMES = tuple(f"value_{index}" for index in range(5))
LENGTH = 200


class Env(gym.Env[np.ndarray, np.int64]):
    """Four observed floats, episodes of 200 steps; `kind` says what goes into the info."""

    observation_space = gym.spaces.Box(-1.0, 1.0, (4,), np.float32)
    action_space = gym.spaces.Discrete(2)

    def __init__(self, config: Any) -> None:
        self._kind = config["kind"]
        self._length = config.get("length", LENGTH)
        self._observation = np.zeros(4, np.float32)
        self._points = np.zeros((10, 2))
        self._step = 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        self._step = 0
        return self._observation, self._info()

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self._step += 1
        return self._observation, 1.0, self._step >= self._length, False, self._info()

    def _info(self) -> dict[str, Any]:
        if self._kind == "nothing":
            return {}
        running = dict.fromkeys(NAMES, self._step * 0.5)
        self._points += 0.01
        if self._kind == "tbtrace":
            return {"tbtrace": {"running": running, "traces": {"robots": self._points}}}
        return {"data": {"running": running}, "media": {"robots": self._points}}


class Recipe(RLlibCallback):
    """The forum recipe: lists in the callback, statistics at the end of the episode."""

    def __init__(self) -> None:
        super().__init__()
        self._values: dict[int, dict[str, list[Any]]] = {}

    def on_episode_start(self, *, env_index: int, **kwargs: Any) -> None:
        self._values[env_index] = {}

    def on_episode_step(self, *, episode: Any, env_index: int, **kwargs: Any) -> None:
        info = episode.get_infos(-1)
        values = self._values[env_index]
        for name, value in info["data"]["running"].items():
            values.setdefault(name, []).append(value)
        for name, value in info["media"].items():
            values.setdefault(name, []).append(value)

    def on_episode_end(self, *, env_index: int, metrics_logger: Any, **kwargs: Any) -> None:
        values = self._values.pop(env_index)
        for name in NAMES:
            metrics_logger.log_value(f"{name}_avg", float(np.mean(values[name])))


VARIANTS: dict[str, tuple[str, Any]] = {
    "no recording": ("nothing", RLlibCallback),
    "tbtrace": ("tbtrace", tbtrace.EpisodeRecorder),
    "recipe": ("recipe", Recipe),
}
SETTINGS = {
    "1 env, with module": (1, False, 600),
    "16 envs, with module": (16, False, 4000),
    "16 envs, random actions": (16, True, 8000),
}


def runner(kind: str, callback: Any, envs: int) -> SingleAgentEnvRunner:
    config = (
        PPOConfig()
        .environment(Env, env_config={"kind": kind})
        .env_runners(num_env_runners=0, num_envs_per_env_runner=envs)
        .callbacks(callback)
        .debugging(log_level="ERROR")
    )
    return SingleAgentEnvRunner(config=config)


def sampling(repeats: int) -> None:
    print(f"\n{'us a step, whole runner':<28}" + "".join(f"{name:>14}" for name in VARIANTS))
    for setting, (envs, random_actions, steps) in SETTINGS.items():
        runners = {name: runner(*variant, envs) for name, variant in VARIANTS.items()}
        times: dict[str, list[float]] = {name: [] for name in VARIANTS}
        for repeat in range(repeats + 1):
            for name, env_runner in runners.items():
                started = time.perf_counter()
                env_runner.sample(num_timesteps=steps, random_actions=random_actions)
                elapsed = time.perf_counter() - started
                env_runner.get_metrics()
                if repeat:  # the first one warms up
                    times[name].append(elapsed / steps * 1e6)
        medians = {name: statistics.median(values) for name, values in times.items()}
        added = {name: medians[name] - medians["no recording"] for name in ("tbtrace", "recipe")}
        print(
            f"{setting:<28}"
            + "".join(f"{medians[name]:>14.1f}" for name in VARIANTS)
            + f"   tbtrace +{added['tbtrace']:.1f}, recipe +{added['recipe']:.1f}:"
            f" {added['recipe'] / added['tbtrace']:.1f}x cheaper"
        )
        for env_runner in runners.values():
            env_runner.stop()


def direct(repeats: int) -> None:
    print("\nus a step beyond the environment's own, tap and tape driven directly")
    cases: dict[str, Callable[[int], dict[str, Any]]] = {}
    points = np.zeros((10, 2))
    many = np.zeros((200, 2))
    cases["5 running values, 10 entities x 2"] = lambda step: {
        "running": dict.fromkeys(NAMES, 0.5),
        "traces": {"robots": points},
    }
    cases["the same, a mapping of 10 tuples"] = lambda step: {
        "running": dict.fromkeys(NAMES, 0.5),
        "traces": {"robots": dict.fromkeys("abcdefghij", (0.5, 1.5))},
    }
    cases["200 entities x 2"] = lambda step: {"traces": {"robots": many}}
    cases["1,000 running values"] = lambda step: {"running": {str(i): 0.5 for i in range(1000)}}
    for name, said in cases.items():
        for length in (200, 20_000):
            if length > 200 and name != next(iter(cases)):
                continue
            bare, tapped = Said(said), Said(said)
            tap = Tap(tapped, Recording(Contract(), Problems()))
            times: dict[bool, list[float]] = {False: [], True: []}
            for _ in range(repeats):
                for is_tapped, env in ((False, bare), (True, tap)):
                    env.reset()
                    started = time.perf_counter()
                    for _ in range(length):
                        env.step(0)
                    times[is_tapped].append((time.perf_counter() - started) / length * 1e6)
            cost = statistics.median(times[True]) - statistics.median(times[False])
            print(f"{name + f', episodes of {length} steps':<58}{cost:>8.2f}")


class Said(gym.Env[int, int]):
    """Says the same at every step."""

    def __init__(self, said: Callable[[int], dict[str, Any]]) -> None:
        self._said = said

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[int, dict[str, Any]]:
        return 0, {"tbtrace": self._said(0)}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        return 0, 1.0, False, False, {"tbtrace": self._said(0)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=9)
    repeats = parser.parse_args().repeats
    warnings.filterwarnings("ignore", module="gymnasium")
    direct(repeats)
    sampling(repeats)


if __name__ == "__main__":
    main()
