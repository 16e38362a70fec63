"""A multi-agent environment whose agents come and go, and that writes down what it emits."""

from __future__ import annotations

import json
import os
from collections.abc import Hashable, Iterable, Mapping
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from chance import generator
from ray.rllib.env.multi_agent_env import MultiAgentEnv

NAMES: dict[Hashable, str] = {"walker": "walker", 3: "3", ("team", 1): "team-1", "late": "late"}


class AgentsEnv(MultiAgentEnv):
    """Who has an observation, an info, both or neither differs from step to step.

    "late" comes in the middle, 3 is done early but goes on speaking, every second episode ends
    without an observation. Options: `log` (a folder), `split`, `length` (shortest and longest).
    """

    _made = 0

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        self.agents = self.possible_agents = list(NAMES)
        self.observation_spaces = {a: gym.spaces.Box(-1.0, 1.0, (2,), np.float32) for a in NAMES}
        self.action_spaces = {a: gym.spaces.Discrete(2) for a in NAMES}
        self._config = dict(config)
        AgentsEnv._made += 1
        self._number = os.getpid() * 1000 + AgentsEnv._made
        self._episodes = 0
        self._random = generator(config)
        self.key = 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        self._episodes += 1
        self.key = self._number * 10_000 + self._episodes
        self._step = 0
        self._length = int(self._random.integers(*self._config.get("length", (5, 20))))
        self._said: list[tuple[str, dict[str, float], dict[str, float]]] = []
        self._return = 0.0
        return _observations(("walker", 3)), self._infos(done=False)

    def step(self, action_dict: Mapping[Any, Any]) -> Any:
        self._step += 1
        done = self._step >= self._length
        here = ["walker", ("team", 1), 3 if self._step <= 3 else "late"]
        rewards = {agent: float(self._random.normal()) for agent in here}
        self._return += sum(rewards.values())
        ended = {agent: agent == 3 and self._step == 3 for agent in here}
        infos = self._infos(done)
        if done:
            self._write()
        seen = [] if done and self._episodes % 2 else here
        return _observations(seen), rewards, {**ended, "__all__": done}, {"__all__": False}, infos

    def _infos(self, done: bool) -> dict[Any, Any]:
        speakers = [agent for agent in NAMES if done or self._random.random() < 0.7]
        if done:
            speakers.remove(3)  # RLlib refuses infos of an agent that is done in the last step only
        infos: dict[Any, Any] = {agent: self._info(NAMES[agent], done) for agent in speakers}
        if self._random.random() < 0.5:
            infos["__common__"] = {**self._info("__common__", done), "weather": "fair"}
        return infos

    def _info(self, name: str, done: bool) -> dict[str, Any]:
        running = {"speed": float(self._random.normal(1e3, 1.0))}
        if self._random.random() < 0.3:
            running["seldom"] = int(self._random.integers(0, 9))
        final = {"shipped": float(self._random.integers(0, 99))}
        self._said.append((name, running, final))
        point = (self._step, 0.5)
        traces = {"sky": {"sun": point}} if name == "__common__" else point
        return {"tbtrace": {"running": running, "final": final, "traces": traces}}

    def _write(self) -> None:
        running: dict[str, list[float]] = {}
        last: dict[str, float] = {}
        for name, values, final in self._said:
            last[name] = final["shipped"]
            for key, value in values.items():
                running.setdefault(key, []).append(value)
                if name != "__common__":
                    running.setdefault(f"agents/{name}/{key}", []).append(value)
        own = {f"agents/{n}/shipped": value for n, value in last.items() if n != "__common__"}
        line = {
            "key": self.key,
            "split": self._config.get("split", "train"),
            "length": self._step,
            "return": self._return,
            "running": running,
            "final": {"shipped": sum(last.values()) / len(last), **own},
            "each": list(last.values()),
        }
        with Path(self._config["log"], f"{self._number}.jsonl").open("a") as file:
            file.write(json.dumps(line) + "\n")


def _observations(agents: Iterable[Any]) -> dict[Any, Any]:
    return {agent: np.zeros(2, np.float32) for agent in agents}
