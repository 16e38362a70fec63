"""What recording costs a step, against no recording and against the forum recipe, side by side.

Each step says 5 running values and 10 entities x 2 coordinates; building that info counts on both
sides. "Recipe" is the pattern of Ray's forum thread, doing the same job: dict infos through RLlib,
lists per episode in a callback; at the end average and sum of each value (mean, min and max over
the episodes), histogram data and the positions as media. Medians of interleaved repeats in one
process, on the env runners' own `sample()`; machines are noisy, so read the ratios.

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
from ray import tune
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.callbacks.callbacks import RLlibCallback
from ray.rllib.env.multi_agent_env import MultiAgentEnv
from ray.rllib.env.multi_agent_env_runner import MultiAgentEnvRunner
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
        log = metrics_logger.log_value
        for name in NAMES:
            numbers = {"avg": float(np.mean(values[name])), "sum": float(np.sum(values[name]))}
            for kind, number in numbers.items():
                for reduce in ("mean", "min", "max"):
                    key = ("custom_metrics", f"{name}_{kind}_{reduce}")
                    log(key, number, reduce=reduce, window=100)
            log(("hist_stats", name), values[name], reduce="item_series")
        log("episode_media", values["robots"], reduce="item_series")


class Agents(MultiAgentEnv):
    """Twenty agents; each says 2 running values and its point at every step."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        self._kind = config["kind"]
        self.agents = self.possible_agents = [f"agent-{index}" for index in range(20)]
        box, choice = gym.spaces.Box(-1.0, 1.0, (4,), np.float32), gym.spaces.Discrete(2)
        self.observation_spaces = dict.fromkeys(self.agents, box)
        self.action_spaces = dict.fromkeys(self.agents, choice)
        self._observations = dict.fromkeys(self.agents, np.zeros(4, np.float32))
        self._rewards = dict.fromkeys(self.agents, 1.0)
        self._step = 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, Any]:
        self._step = 0
        return self._observations, self._infos()

    def step(self, action_dict: Any) -> tuple[Any, Any, Any, Any, Any]:
        self._step += 1
        ends = {"__all__": self._step >= LENGTH}
        return self._observations, self._rewards, ends, {"__all__": False}, self._infos()

    def _infos(self) -> dict[str, Any]:
        if self._kind == "nothing":
            return {}
        speed = self._step * 0.5
        running = {"speed": speed, "load": 0.5}
        if self._kind == "tbtrace":
            said = {"tbtrace": {"running": running, "traces": (speed, 1.0)}}
            return dict.fromkeys(self.agents, said)
        said = {"data": {"running": running}, "media": {"robots": (speed, 1.0)}}
        return dict.fromkeys(self.agents, said)


class AgentsRecipe(RLlibCallback):
    """The forum recipe for several agents: their values in one list, their points by agent."""

    def __init__(self) -> None:
        super().__init__()
        self._values: dict[str, list[Any]] = {}

    def on_episode_start(self, **kwargs: Any) -> None:
        self._values = {}

    def on_episode_step(self, *, episode: Any, **kwargs: Any) -> None:
        for agent, info in episode.get_infos(-1).items():
            for name, value in info["data"]["running"].items():
                self._values.setdefault(name, []).append(value)
            for name, value in info["media"].items():
                self._values.setdefault(f"{name}/{agent}", []).append(value)

    def on_episode_end(self, *, metrics_logger: Any, **kwargs: Any) -> None:
        for name, values in self._values.items():
            if name in ("speed", "load"):
                metrics_logger.log_value(f"{name}_avg", float(np.mean(values)))


def recorded(config: Any) -> Any:
    return tbtrace.RecordTraces(Env(config))


VARIANTS: dict[str, tuple[Any, str, Any]] = {
    "no recording": (Env, "nothing", RLlibCallback),
    "tbtrace": (Env, "tbtrace", tbtrace.EpisodeRecorder),
    "recipe": (Env, "recipe", Recipe),
}
AGENTS: dict[str, tuple[Any, str, Any]] = {
    "no recording": (Agents, "nothing", RLlibCallback),
    "tbtrace": (Agents, "tbtrace", tbtrace.EpisodeRecorder),
    "recipe": (Agents, "recipe", AgentsRecipe),
}
RECORDED = {**VARIANTS, "tbtrace": ("recorded", "tbtrace", tbtrace.EpisodeRecorder)}
SETTINGS: dict[str, tuple[dict[str, tuple[Any, str, Any]], int, str, bool, int]] = {
    "1 env, with module": (VARIANTS, 1, "sync", False, 600),
    "16 envs, with module": (VARIANTS, 16, "sync", False, 4000),
    "16 envs, random actions": (VARIANTS, 16, "sync", True, 8000),
    "4 processes, RecordTraces": (RECORDED, 4, "async", True, 1600),
    "4 processes, infos as they come": (VARIANTS, 4, "async", True, 1600),
    "20 agents, random actions": (AGENTS, 1, "sync", True, 200),
}


def runner(variant: tuple[Any, str, Any], envs: int, vectorize: str) -> Any:
    env, kind, callback = variant
    config = (
        PPOConfig()
        .environment(env, env_config={"kind": kind})
        .env_runners(
            num_env_runners=0, num_envs_per_env_runner=envs, gym_env_vectorize_mode=vectorize
        )
        .callbacks(callback)
        .debugging(log_level="ERROR")
    )
    if env is Agents:
        config.multi_agent(policies={"all"}, policy_mapping_fn=lambda *_, **__: "all")
        return MultiAgentEnvRunner(config=config)
    return SingleAgentEnvRunner(config=config)


def sampling(repeats: int) -> None:
    tune.register_env("recorded", recorded)
    print(f"\n{'us a step, whole runner':<33}" + "".join(f"{name:>14}" for name in VARIANTS))
    for setting, (variants, envs, vectorize, random_actions, steps) in SETTINGS.items():
        runners = {name: runner(variant, envs, vectorize) for name, variant in variants.items()}
        times: dict[str, list[float]] = {name: [] for name in variants}
        for repeat in range(repeats + 1):
            for name, env_runner in runners.items():
                started = time.perf_counter()
                env_runner.sample(num_timesteps=steps, random_actions=random_actions)
                elapsed = time.perf_counter() - started
                env_runner.get_metrics()
                if repeat:  # the first one warms up
                    times[name].append(elapsed / steps * 1e6)
        medians = {name: statistics.median(values) for name, values in times.items()}
        pairs = {name: zip(times[name], times["no recording"], strict=True) for name in variants}
        added = {name: statistics.median(a - b for a, b in pair) for name, pair in pairs.items()}
        print(
            f"{setting:<33}"
            + "".join(f"{medians[name]:>14.1f}" for name in variants)
            + f"   tbtrace +{added['tbtrace']:.1f}, recipe +{added['recipe']:.1f}:"
            f" {added['recipe'] / added['tbtrace']:.1f}x cheaper",
            flush=True,
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
    names = [f"value_{index}" for index in range(1000)]
    cases["1,000 running values"] = lambda step: {"running": dict.fromkeys(names, 0.5)}
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
