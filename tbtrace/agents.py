"""Agents: the tape of one running episode of a multi-agent environment, a tape an agent."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Hashable, Iterator, Mapping
from itertools import chain
from typing import Any

import numpy as np

from tbtrace.episode import Episode, Series
from tbtrace.errors import Problems
from tbtrace.info import MAPPING, describe, number
from tbtrace.stats import mean_and_sum
from tbtrace.tape import Tape
from tbtrace.traces import SELF

ENVIRONMENT = "__common__"
"""RLlib's key of what belongs to no agent."""

NO_AGENTS = frozenset((ENVIRONMENT, "__all__"))
"""Keys of RLlib's dicts `{agent: ...}` that are no agents."""


def agent_name(agent: Any) -> str:
    """Returns what an agent is called, whatever its id is; never with a "/" in it.

    Example:
        >>> agent_name("walker"), agent_name(3), agent_name(("team", 1)), agent_name("team/1")
        ('walker', '3', 'team-1', 'team-1')
    """
    parts = agent if isinstance(agent, tuple) else (agent,)
    return "-".join(map(str, parts)).replace("/", "-")


class AgentNames(dict[Hashable, str]):
    """`{id: name}` of one environment's agents; an id that is new gets its name when asked for.

    Ids that would share a name are told apart by their type; the first one keeps it.

    Args:
        problems: Where agents that go by another name are named (nothing is lost or counted).

    Example:
        >>> names = AgentNames(Problems())
        >>> names[3], names["a", 1], names[3]
        ('3', 'a-1', '3')
    """

    def __init__(self, problems: Problems) -> None:
        super().__init__()
        self._problems = problems
        self._taken: set[str] = set()

    def __missing__(self, agent: Hashable) -> str:
        name = plain = agent_name(agent)
        while name in self._taken:
            name = f"{name} ({type(agent).__name__})"
        if name != plain:
            self._problems.add(
                "values",
                f"agent {plain!r}",
                f"two agents are called {plain!r}; {agent!r}, {describe(agent)}, goes by {name!r}",
                count=0,
            )
        self._taken.add(name)
        self[agent] = name
        return name


def total_reward(rewards: Any) -> float:
    """Returns the sum of the agents' rewards, RLlib's own return; None counts as 0.

    Example:
        >>> total_reward({"a": 1.0, "b": np.float32(0.5), "c": None})
        1.5
    """
    if not isinstance(rewards, MAPPING):
        return number(rewards) or 0.0
    return sum(
        reward if type(reward) is float else number(reward) or 0.0
        for agent, reward in rewards.items()
        if agent not in NO_AGENTS
    )


class _AgentTape(Tape):
    """What one agent has said; a group that is a single point is the agent itself."""

    __slots__ = ()

    def __init__(self, whole: Tape, name: str) -> None:
        super().__init__(whole._problems)
        self._owner = name
        # One turn for all: who is silent while others say where they are has a gap.
        self._traces = whole._traces
        self._media_traces = whole._media_traces


class AgentsTape(Tape):
    """What one running episode of a multi-agent environment has said so far.

    What is added to it directly is the environment's own (`__common__`).

    Args:
        problems: As for `Tape`.
        names: What the environment's agents are called, in all of its episodes.

    Example:
        >>> tape = AgentsTape(Problems(), AgentNames(Problems()))
        >>> tape.of("a").add({"running": {"v": 1.0}, "final": {"w": 1.0}, "traces": (0.0, 0.0)})
        >>> tape.of(7).add({"running": {"v": 3.0}, "final": {"w": 2.0}})
        >>> episode = tape.finish("uid")
        >>> episode.running["v"].values.tolist(), episode.final["w"], episode.agents
        ([1.0, 3.0], 1.5, {'a': {'w': 1.0}, '7': {'w': 2.0}})
        >>> list(episode.traces["traces"])
        ['a']
    """

    __slots__ = ("_names", "_tapes")

    def __init__(self, problems: Problems, names: AgentNames) -> None:
        super().__init__(problems)
        self._names = names
        self._tapes: dict[Hashable, _AgentTape] = {}

    @property
    def running_names(self) -> list[str]:
        """Names of the running quantities that anybody has mentioned."""
        own = super().running_names
        return list(dict.fromkeys([*self._said(lambda tape: tape.running_names), *own]))

    @property
    def final_names(self) -> list[str]:
        """Names of the final quantities that anybody has mentioned."""
        own = super().final_names
        return list(dict.fromkeys([*self._said(lambda tape: tape.final_names), *own]))

    def names_by_agent(self) -> dict[str, tuple[list[str], list[str]]]:
        """Returns `{agent: (its running names, its final names)}`."""
        return {
            self._names[agent]: (tape.running_names, tape.final_names)
            for agent, tape in self._tapes.items()
        }

    def of(self, agent: Hashable) -> Tape:
        """Returns the tape of one agent, at this step."""
        tape = self._tapes.get(agent)
        if tape is None:
            tape = self._tapes[agent] = _AgentTape(self, self._names[agent])
        tape.length = self.length
        return tape

    def settle(self) -> None:
        """Sorts in what was noted, of the environment and of every agent."""
        super().settle()
        for tape in self._tapes.values():
            tape.settle()

    def _said(self, names: Callable[[Tape], list[str]]) -> Iterator[str]:
        return chain.from_iterable(map(names, self._tapes.values()))

    def finish_values(self, uid: str) -> Episode:
        """Returns the episode without traces, media and scene: what all said, pooled."""
        own = super().finish_values(uid)
        told = {self._names[agent]: tape.finish_values(uid) for agent, tape in self._tapes.items()}
        told[ENVIRONMENT] = own
        told = {agent: part for agent, part in told.items() if part.running or part.final}
        series: dict[str, list[tuple[int, Series]]] = {}
        finals: dict[str, list[float]] = {}
        for index, part in enumerate(told.values()):
            for name, values in part.running.items():
                series.setdefault(name, []).append((index, values))
            for name, value in part.final.items():
                finals.setdefault(name, []).append(value)
        return dataclasses.replace(
            own,
            running={name: _pooled(parts) for name, parts in series.items()},
            final={name: mean_and_sum(np.array(values))[0] for name, values in finals.items()},
            agents={agent: dict(part.final) for agent, part in told.items()},
        )

    def finish_traces(self, episode: Episode) -> None:
        """Gives the episode its traces, media and scene; the environment's own come last."""
        traces: dict[str, dict[str, Any]] = {}
        media: dict[str, Any] = {}
        scene = None
        for agent, tape in self._tapes.items():
            name = self._names[agent]
            tape.finish_traces(episode)
            for group, entities in episode.traces.items():
                traces.setdefault(group, {}).update(
                    (name if entity == SELF else f"{name}/{entity}", trace)
                    for entity, trace in entities.items()
                )
            media.update((f"{key}/{name}", film) for key, film in episode.media.items())
            scene = episode.scene or scene
        super().finish_traces(episode)
        for group, entities in episode.traces.items():
            for entity, trace in entities.items():
                traces.setdefault(group, {})[self._free(entity, traces[group])] = trace
        for key, film in episode.media.items():
            media[self._free(key, media)] = film
        episode.traces, episode.media = traces, media
        episode.scene = episode.scene or scene

    def _free(self, name: str, taken: Mapping[str, Any]) -> str:
        """Returns the name for something of the environment's, which gives way to an agent's."""
        if name not in taken:
            return name
        self._problems.add(
            "points",
            f"{ENVIRONMENT} {name!r}",
            f"{ENVIRONMENT} and an agent both say {name!r}; that of {ENVIRONMENT} is told apart",
            count=0,
        )
        return self._free(f"{name} ({ENVIRONMENT})", taken)


def _pooled(parts: list[tuple[int, Series]]) -> Series:
    """Joins series, each with the index of who said it, in the order of the steps."""
    steps = np.concatenate([series.steps for _, series in parts])
    values = np.concatenate([series.values for _, series in parts])
    agents = np.repeat(
        np.array([index for index, _ in parts], np.int32), [len(s.steps) for _, s in parts]
    )
    order = np.argsort(steps, kind="stable")
    return Series(steps[order], values[order], agents[order])
