"""An environment that writes down what it emits, and a witness of which episodes RLlib counts."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from chance import generator
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.callbacks.callbacks import RLlibCallback

MARK = 7777.125
"""A coordinate that every trace holds, to be searched for in files."""


class ScriptedEnv(gym.Env[np.ndarray, np.int64]):
    """Random values and lengths; each finished episode becomes a line of a file of its own process.

    Options: `log` (a folder), `split`, `length` (shortest and longest), `recipe` (speak the forum
    recipe's spelling), `seed` (then two runs are the same).
    """

    observation_space = gym.spaces.Box(-1.0, 1.0, (3,), np.float32)
    action_space = gym.spaces.Discrete(2)
    _made = 0

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._config = dict(config)
        ScriptedEnv._made += 1
        self._number = os.getpid() * 1000 + ScriptedEnv._made
        self._episodes = 0
        self._random = generator(config)
        self._point = np.zeros(2)  # one array for ever, as many environments do
        self.key = 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        self._episodes += 1
        self.key = self._number * 10_000 + self._episodes
        self._step = 0
        shortest, longest = self._config.get("length", (5, 40))
        self._length = int(self._random.integers(shortest, longest + 1))
        self._emitted: dict[str, list[float]] = {}
        self._final: dict[str, float] = {}
        self._return = 0.0
        return np.zeros(3, np.float32), self._info()

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self._step += 1
        done = self._step >= self._length
        reward = float(self._random.normal())
        self._return += reward
        info = self._info(done)
        if done:
            line = {
                "key": self.key,
                "split": self._config.get("split", "train"),
                "length": self._step,
                "return": self._return,
                "running": self._emitted,
                "final": self._final,
            }
            with Path(self._config["log"], f"{self._number}.jsonl").open("a") as file:
                file.write(json.dumps(line) + "\n")
        return np.zeros(3, np.float32), reward, done, False, info

    def _info(self, done: bool = False) -> dict[str, Any]:
        running: dict[str, Any] = {"speed": float(self._random.normal(1e6, 1.0))}
        running["energy"] = {"grid": int(self._random.integers(0, 9))}
        if self._step % 3 == 1:
            running["seldom"] = np.float32(self._random.random())
        final = {"shipped": int(self._random.integers(0, 99)), "late": bool(self._step % 2)}
        self._remember(running, final if done else {})
        self._point[:] = MARK, self._step
        traces = {"robot": self._point, "walkers": self._random.normal(size=(4, 2))}
        if self._config.get("recipe"):
            data = {"running": running, **({"final": final} if done else {})}
            return {"data": data, "media": {"robots": {"robot": self._point}}}
        said = {"running": running, "traces": traces}
        if self._step == 0:
            background = np.full((40, 60, 3), 230, np.uint8)
            said["scene"] = {"background": background, "extent": (0, 9000, -5, 60), "units": "m"}
        if done:
            said["final"] = final
        return {"tbtrace": said}

    def _remember(self, running: dict[str, Any], final: dict[str, Any]) -> None:
        values = {"speed": running["speed"], "energy/grid": running["energy"]["grid"]}
        if "seldom" in running:
            values["seldom"] = running["seldom"]
        for name, value in values.items():
            self._emitted.setdefault(name, []).append(float(value))
        self._final.update({name: float(value) for name, value in final.items()})


class Witness(RLlibCallback):
    """Reports through RLlib alone which of the environment's episodes ended in an iteration."""

    def on_episode_end(
        self, *, env: Any, env_index: int, metrics_logger: Any, **kwargs: Any
    ) -> None:
        key = env.envs[env_index].unwrapped.key
        metrics_logger.log_value("witness", key, reduce="item_series")


def witnessed(metrics: Mapping[str, Any]) -> list[int]:
    """Reads what `Witness` reported below `env_runners`: a list, a bare key, NaN or nothing."""
    value = metrics.get("witness")
    if isinstance(value, list):
        return value
    return [value] if isinstance(value, int) else []


def emitted(log: Path) -> dict[int, dict[str, Any]]:
    """Reads `{key: what the episode emitted}`."""
    lines = (line for file in sorted(log.glob("*.jsonl")) for line in file.read_text().splitlines())
    return {episode["key"]: episode for episode in map(json.loads, lines)}


def config(log: Path, callbacks: list[Any], env_runners: int = 2, **options: Any) -> PPOConfig:
    """Returns PPO on `ScriptedEnv`: fragments shorter than episodes, evaluation every second time.

    Args:
        log: Folder for what the environments emit.
        callbacks: RLlib callback classes.
        env_runners: Remote env runners, with 3 sub-environments each.
        **options: For the environment.
    """
    env_config = {"log": str(log), **options}
    return (
        PPOConfig()
        .environment(ScriptedEnv, env_config=env_config)
        .env_runners(
            num_env_runners=env_runners, num_envs_per_env_runner=3, rollout_fragment_length=16
        )
        .training(train_batch_size_per_learner=192, minibatch_size=64, num_epochs=1)
        .evaluation(
            evaluation_interval=2,
            evaluation_duration=4,
            evaluation_config={"env_config": {**env_config, "split": "evaluation"}},
        )
        .rl_module(model_config={"fcnet_hiddens": [8]})
        .callbacks(callbacks)
        .debugging(log_level="ERROR")
    )
