"""Handover: an environment that records itself hands each finished episode over in an info.

What it hands over is one opaque object: gymnasium's vectorisation carries such objects as they are,
while it mangles dicts and arrays.
"""

from __future__ import annotations

import uuid
from collections import Counter, deque
from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from tbtrace.agents import ENVIRONMENT
from tbtrace.episode import Episode
from tbtrace.errors import Problems, TbtraceWarning
from tbtrace.info import MAPPING, Contract
from tbtrace.recording import HANDED_OVER, AgentsRecording, Recording

_STORED = 100


class Handover:
    """What a `RecordTraces` says in the info of a reset or of an episode's last step.

    That of a reset tells who else records the environment that it records itself.

    Args:
        episode: The episode that has just finished, whole; None at a reset.
        ended: How many episodes of this environment have finished so far, this one included.
        counts: What could not be used so far in the environment's whole life, by kind.

    Attributes:
        ended: See above.
        counts: See above.
        taken: Whether somebody has looked at the episode, or has taken a copy along: one that goes
            to another process counts as taken, as nobody here can know what becomes of it.
    """

    __slots__ = ("_episode", "counts", "ended", "taken")

    def __init__(self, episode: Episode | None, ended: int, counts: Mapping[str, int]) -> None:
        self._episode = episode
        self.ended = ended
        self.counts = counts
        self.taken = False

    @property
    def episode(self) -> Episode | None:
        """The episode that has just finished, whole; None at a reset."""
        self.taken = True
        return self._episode

    def __reduce__(self) -> tuple[type[Handover], tuple[Any, ...]]:
        return Handover, (self.episode, self.ended, self.counts)


class HandingOver(Recording):
    """A recording that takes its own episodes, keeps the last 100 and hands each one over.

    Args:
        contract: How infos are read.
        strict: Let exceptions through (for tests).
        agents: See `AgentsRecording`, for recordings that are one.
    """

    # No __slots__: Python could not join those of this class and of AgentsRecording.

    def __init__(self, contract: Contract, strict: bool, *agents: Iterable[Hashable]) -> None:
        self._own_problems = Problems()
        super().__init__(contract, self._own_problems, strict, *agents)
        self._counts: Counter[str] = Counter()
        self._ended_so_far = 0
        self._stored: deque[Handover] = deque()

    def reset(self, env: Any, info: Any) -> Mapping[str, Any]:
        """Starts an episode; the info says that the environment records itself."""
        rest = super().reset(env, info)
        return rest if self.steps_aside else self._with_handover(rest, None)

    def step(self, env: Any, info: Any, reward: Any, done: bool) -> Mapping[str, Any]:
        """Records one step; the last one's info holds the episode."""
        if self.tape is None:  # what comes after an end and before a reset belongs to no episode
            return self._forward(info)
        rest = super().step(env, info, reward, done)
        if not done or self.steps_aside:
            return rest
        self._ended_so_far += 1
        return self._with_handover(rest, self.take(uuid.uuid4().hex))

    def drain(self) -> list[Episode]:
        """Returns the stored episodes, oldest first, and forgets them."""
        episodes = [handover.episode for handover in self._stored]
        self._stored.clear()
        return [episode for episode in episodes if episode is not None]

    def _with_handover(self, info: Mapping[Any, Any], episode: Episode | None) -> dict[Any, Any]:
        if len(self._stored) == _STORED and episode is not None:
            self._make_room()
        self._counts.update(self._own_problems.take())
        handover = Handover(episode, self._ended_so_far, dict(self._counts))
        if episode is not None:
            self._stored.append(handover)
        return self._holding(info, handover)

    def _holding(self, info: Mapping[Any, Any], handover: Handover) -> dict[Any, Any]:
        return {**info, HANDED_OVER: handover}

    def _make_room(self) -> None:
        # Who looks into infos at all has left the others out on purpose, as RLlib does with
        # episodes that it does not count.
        is_lost = not any(handover.taken for handover in self._stored)
        self._stored.popleft()
        if not is_lost:
            return
        try:
            self._own_problems.add(
                "episodes",
                "not drained",
                f"more than {_STORED} finished episodes waited in a RecordTraces, the oldest are "
                "lost; call drain() more often, or collect(infos) at every step",
            )
        except TbtraceWarning:  # an error only where the user wants one, but not inside of a step
            if self._strict:
                raise


class AgentsHandingOver(HandingOver, AgentsRecording):
    """The same of a multi-agent environment; `__common__` holds what it hands over."""

    def reset(self, env: Any, info: Any) -> Mapping[str, Any]:
        """Starts an episode, unless the environment records itself already."""
        if any(True for _ in handovers(info)):
            self.drop()
            self.steps_aside = True
            return self._forward(info)
        return super().reset(env, info)

    def forward(self, info: Any) -> Mapping[str, Any]:
        """Returns one agent's info as it is handed on, unread."""
        return self._contract.forward(info)

    def _holding(self, info: Mapping[Any, Any], handover: Handover) -> dict[Any, Any]:
        holder = self._holder(info)
        return {**info, holder: {**info.get(holder, {}), HANDED_OVER: handover}}

    def _holder(self, infos: Mapping[Any, Any]) -> Any:
        return ENVIRONMENT


class ZooHandingOver(AgentsHandingOver):
    """The same of a PettingZoo environment, whose wrappers refuse infos of who is no agent."""

    def _holder(self, infos: Mapping[Any, Any]) -> Any:
        return next(iter(infos), ENVIRONMENT)


def collect(infos: Any) -> list[Episode]:
    """Returns the finished episodes that `RecordTraces` handed over in one step.

    Args:
        infos: What `step` of an environment or of a vector environment returned as info: a dict,
            of arrays with one entry a sub-environment, or a list of dicts; of a multi-agent
            environment `{agent: info}`, or one agent's info. With SAME_STEP autoreset the episodes
            are below `"final_info"`, where they are looked for, too.

    Returns:
        The episodes in the order of the sub-environments; empty where none has finished.
    """
    episodes = [handed.episode for handed in handovers(infos)]
    return [episode for episode in episodes if episode is not None]


def handovers(infos: Any) -> Iterator[Handover]:
    """Yields what is handed over in infos (see `collect`), of resets too, final infos first."""
    if isinstance(infos, Handover):
        yield infos
    elif isinstance(infos, MAPPING):
        for key in ("final_info", HANDED_OVER):
            yield from handovers(infos.get(key))
        for key, said in infos.items():  # of agents
            if key != "final_info" and isinstance(said, MAPPING):
                yield from handovers(said.get(HANDED_OVER))
    elif isinstance(infos, (list, tuple)) or (
        isinstance(infos, np.ndarray) and infos.dtype == object
    ):
        for info in infos:
            yield from handovers(info)
