"""The taps of PettingZoo's environments, which need no PettingZoo."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from tbtrace.envs.handover import ZooHandingOver
from tbtrace.envs.tap import Transparent
from tbtrace.episode import Episode


class ZooTap(Transparent):
    """Records a PettingZoo environment; whatever else is asked for, the environment answers.

    A copy, a deep copy and a pickle hold the wrapped environment alone and do not record.

    Args:
        env: The environment, in the shape of PettingZoo's classes.
        recording: Where its infos go.
    """

    _tbtrace_own = frozenset(
        ("env", "_tbtrace_recording", "_tbtrace_said", "_tbtrace_heard", "_tbtrace_rewards")
    )
    _tbtrace_recording: ZooHandingOver
    _zoo_name = ""

    def __init__(self, env: Any, recording: ZooHandingOver) -> None:
        self.env = env
        self._tbtrace_recording = recording

    def drain(self) -> list[Episode]:
        """Returns the episodes that have finished since the last call, and forgets them."""
        return self._tbtrace_recording.drain()

    def __str__(self) -> str:
        return str(self.env)

    # PettingZoo's wrappers insist on an instance of its classes. Not of the environment's own one:
    # its conversions look for their own classes to undo them, and would take the tap away.
    def _kind(self) -> type:
        zoo = sys.modules.get("pettingzoo")
        kind: type = getattr(zoo, self._zoo_name, type(self))
        return kind

    __class__ = property(_kind)


class ParallelTap(ZooTap):
    """The tap of a `ParallelEnv`."""

    _zoo_name = "ParallelEnv"

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        """Resets the environment and starts an episode."""
        observations, infos = self.env.reset(seed=seed, options=options)
        return observations, self._tbtrace_recording.reset(self.env, infos)

    def step(self, actions: Any) -> Any:
        """Steps the environment and records the step."""
        observations, rewards, terminations, truncations, infos = self.env.step(actions)
        over = all(terminations.get(a) or truncations.get(a) for a in self.env.agents)
        rest = self._tbtrace_recording.step(self.env, infos, rewards, over)
        return observations, rewards, terminations, truncations, rest


class TurnsTap(ZooTap):
    """The tap of an `AECEnv`, whose agents take turns.

    An agent's info and its reward are taken when its turn comes, as by everybody who calls
    `last()`, and those of all who are left when nobody is alive any more.
    """

    _zoo_name = "AECEnv"
    _tbtrace_said: dict[Any, Mapping[str, Any]]
    _tbtrace_heard: dict[Any, Any]
    _tbtrace_rewards: dict[Any, Any]

    def __init__(self, env: Any, recording: ZooHandingOver) -> None:
        super().__init__(env, recording)
        self._tbtrace_said = {}  # what is handed on of the infos that were read last
        self._forget()

    def _forget(self) -> None:
        self._tbtrace_heard, self._tbtrace_rewards = {}, {}

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        """Resets the environment and starts an episode; returns the infos, for RLlib's wrapper."""
        self.env.reset(seed=seed, options=options)
        self._forget()
        self._listen()
        self._hand_on(self._tbtrace_recording.reset(self.env, self._tbtrace_heard))
        return self._tbtrace_said

    def step(self, action: Any) -> None:
        """Steps the environment, and records when somebody who is alive is about to act."""
        self.env.step(action)
        env, self._tbtrace_said = self.env, {}
        if self._tbtrace_recording.tape is None:
            return  # the agents that have ended are taken out, one a step
        ended = {a for a in env.agents if env.terminations.get(a) or env.truncations.get(a)}
        over = len(ended) == len(env.agents)
        self._listen(everybody=over)
        if over or env.agent_selection not in ended:  # else it is about to be taken out: no step
            heard, rewards = self._tbtrace_heard, self._tbtrace_rewards
            self._hand_on(self._tbtrace_recording.step(env, heard, rewards, over))

    def _listen(self, everybody: bool = False) -> None:
        env = self.env
        # What `last()` returns as the reward; PettingZoo's wrappers let the name through for that.
        rewards = getattr(env, "_cumulative_rewards", {})
        # Whose turn it is comes first, and so hands over: it is the one that is read next.
        turn = (env.agent_selection,) if env.agents else ()
        for agent in (*turn, *(env.agents if everybody else ())):
            self._tbtrace_heard[agent] = env.infos.get(agent, {})
            self._tbtrace_rewards[agent] = rewards.get(agent, 0.0)

    def _hand_on(self, rest: Mapping[Any, Any]) -> None:
        self._tbtrace_said = dict(rest)
        self._forget()

    @property
    def infos(self) -> dict[Any, Any]:
        """The infos of the agents, without what is addressed to tbtrace."""
        return {agent: self._info(agent, info) for agent, info in self.env.infos.items()}

    def last(self, observe: bool = True) -> tuple[Any, Any, bool, bool, Any]:
        """Returns what the environment says of the agent whose turn it is."""
        observation, reward, terminated, truncated, info = self.env.last(observe)
        info = self._info(self.env.agent_selection, info)
        return observation, reward, terminated, truncated, info

    def _info(self, agent: Any, info: Any) -> Mapping[str, Any]:
        said = self._tbtrace_said.get(agent)
        return self._tbtrace_recording.forward(info) if said is None else said
