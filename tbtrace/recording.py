"""Recording: the episodes of one environment, one after the other, from its infos."""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Iterable, Mapping
from typing import Any

from tbtrace.agents import NO_AGENTS, AgentNames, AgentsTape, total_reward
from tbtrace.episode import Episode
from tbtrace.errors import Problems
from tbtrace.info import MAPPING, Contract, describe, number
from tbtrace.tape import Tape

_GROUPED = "_group_info"
"""Info key of RLlib's `GroupAgentsWrapper`: the infos of a group's agents, in their order."""

HANDED_OVER = "tbtrace_episode"
"""Info key: what an environment that records itself hands over, at a reset and at the last step."""


class Recording:
    """Follows one environment: which tape runs, and which has ended and waits to be taken.

    An exception never leaves it, so that training goes on; it is named once and counted.

    Args:
        contract: How infos are read.
        problems: Where what cannot be used is counted, and `"aborted"` (episodes cut off by a
            reset) and `"uncounted"` ones (that ended, but that nobody took).
        strict: Let exceptions through (for tests).

    Attributes:
        tape: The running tape, or the one that has ended; None before the first reset.
        steps_aside: Whether the environment records this episode itself.
        handed_over: What it has handed over since; None where it has not.

    Example:
        >>> recording = Recording(Contract(), Problems())
        >>> recording.reset(None, {"tbtrace": {"running": {"speed": 1.0}}, "seed": 7})
        {'seed': 7}
        >>> _ = recording.step(None, {"tbtrace": {"final": {"won": True}}}, 1.0, done=True)
        >>> recording.take("uid").final
        {'won': 1.0}
    """

    __slots__ = (
        "_contract",
        "_ended",
        "_has_one_source",
        "_is_quick",
        "_problems",
        "_strict",
        "handed_over",
        "steps_aside",
        "tape",
    )

    def __init__(self, contract: Contract, problems: Problems, strict: bool = False) -> None:
        self.tape: Tape | None = None
        self._contract = contract
        self._has_one_source = contract.has_one_source
        self._is_quick = False
        self._problems = problems
        self._strict = strict
        self._ended = False
        self.steps_aside = False
        self.handed_over: Any = None

    def reset(self, env: Any, info: Any) -> Mapping[str, Any]:
        """Starts an episode with the info of `reset`; returns the info to forward.

        An environment that records itself says so there: the tape stays blank then.
        """
        self.drop()
        self.tape = self._new_tape()
        self.handed_over = None
        self.steps_aside = self._handed_over(info) is not None
        self._is_quick = self._has_one_source and not self.steps_aside
        if self.steps_aside:
            return self._forward(info)
        return self._add(self.tape, env, info)

    def step(self, env: Any, info: Any, reward: Any, done: bool) -> Mapping[str, Any]:
        """Records one step; returns the info to forward.

        Args:
            env: What `extract` is called with.
            info: The raw info of the step.
            reward: The step's reward, a number.
            done: Whether the episode has ended with it.
        """
        tape = self.tape
        if tape is None or self._ended:
            return self._forward(info)
        tape.length += 1
        tape.episode_return += reward if type(reward) is float else number(reward) or 0.0
        self._ended = done
        if self._is_quick and self._note(tape, info):
            return {}
        if self.steps_aside:
            self.handed_over = self._handed_over(info) or self.handed_over
            return self._forward(info)
        return self._add(tape, env, info)

    def _handed_over(self, info: Any) -> Any:
        return info.get(HANDED_OVER) if isinstance(info, MAPPING) else None

    def _new_tape(self) -> Tape:
        return Tape(self._problems)

    def _forward(self, info: Any) -> Mapping[str, Any]:
        return self._contract.forward(info)

    def _note(self, tape: Tape, info: Any) -> bool:
        """Takes an info that is a plain source and nothing besides, the common case by far.

        Returns:
            Whether nothing is left of it; also where taking it failed, which is counted.
        """
        if type(info) is not dict or len(info) != 1:
            return False
        said = info.get("tbtrace")
        if type(said) is not dict:
            return False
        try:
            return tape.note(said)
        except Exception as error:
            self._failed("reading an info", error)
            return True

    def _add(self, tape: Tape, env: Any, info: Any) -> Mapping[str, Any]:
        try:
            for source in self._contract.sources(info, env, self._problems):
                if not (type(source) is dict and tape.note(source)):
                    tape.add(source)
        except Exception as error:
            self._failed("reading an info", error)
        return self._contract.forward(info)

    def _failed(self, doing: str, error: Exception, kind: str = "records") -> None:
        """Counts an exception of our own or of a caller's `extract`."""
        if self._strict:
            raise error
        self._problems.add_error(kind, doing, error)

    def end(self) -> Tape | None:
        """Takes the running tape out; None where none runs."""
        tape, self.tape, self._ended = self.tape, None, False
        return tape

    def take(self, uid: str) -> Episode | None:
        """Ends the running tape as the episode `uid`; None where none runs."""
        tape = self.end()
        try:
            return None if tape is None else tape.finish(uid)
        except Exception as error:
            self._failed("finishing an episode", error, "episodes")
            return None

    def drop(self) -> None:
        """Gives up the running tape, if any, and counts it."""
        # RLlib resets its environments before and after evaluations: what took no step is none.
        if self.tape is not None and self.tape.length:
            self._problems.count("uncounted" if self._ended else "aborted")
        self.tape = None
        self._ended = False


class AgentsRecording(Recording):
    """Follows a multi-agent environment: its infos are `{agent: info}`, its rewards likewise.

    `extract` is called once a step, with all the infos; what it says, like `__common__`, is the
    environment's own.

    Args:
        contract: How infos are read.
        problems: As for `Recording`.
        strict: As for `Recording`.
        agents: Ids of the agents that may come, which are the first ones to get their names.

    Example:
        >>> recording = AgentsRecording(Contract(), Problems())
        >>> recording.reset(None, {"a": {"tbtrace": {"final": {"w": 1.0}}, "seed": 7}, "b": {}})
        {'a': {'seed': 7}, 'b': {}}
        >>> _ = recording.step(None, {"b": {"tbtrace": {"final": {"w": 4.0}}}}, {"a": 1.0}, True)
        >>> recording.take("uid").final
        {'w': 2.5}
    """

    __slots__ = ("_extracting", "_names")

    def __init__(
        self,
        contract: Contract,
        problems: Problems,
        strict: bool = False,
        agents: Iterable[Hashable] = (),
    ) -> None:
        super().__init__(dataclasses.replace(contract, extract=None), problems, strict)
        self._extracting = contract
        self._names = AgentNames(problems)
        for agent in agents:
            _ = self._names[agent]

    def _new_tape(self) -> AgentsTape:
        return AgentsTape(self._problems, self._names)

    def step(self, env: Any, info: Any, reward: Any, done: bool) -> Mapping[str, Any]:
        """Records one step, `reward` is `{agent: number}`; returns the infos to forward."""
        self._is_quick = False  # what it is told is `{agent: info}`
        if self.tape is None:
            # RLlib ends an episode when every agent is done, even where "__all__" is not set. It
            # does not reset the environment then: what comes next begins its next episode.
            return self.reset(env, info)
        return super().step(env, info, total_reward(reward), done)

    def _handed_over(self, info: Any) -> Any:
        said = info.values() if isinstance(info, MAPPING) else ()
        return next(filter(None, map(super()._handed_over, said)), None)

    def _forward(self, info: Any) -> Mapping[str, Any]:
        if not isinstance(info, MAPPING):
            return {}
        rest = {agent: self._contract.forward(said) for agent, said in info.items()}
        if self.steps_aside and self.tape is not None:  # RLlib would take it along to learners
            for agent, said in rest.items():
                if HANDED_OVER in said:
                    rest[agent] = {key: said[key] for key in said if key != HANDED_OVER}
        return rest

    def _add(self, tape: Tape, env: Any, info: Any) -> Mapping[str, Any]:
        assert isinstance(tape, AgentsTape)
        if not isinstance(info, MAPPING):
            self._problems.add(
                "records", "infos", f"infos are {describe(info)}; give a dict {{agent: info}}"
            )
            return {}
        add = super()._add
        quick = self._has_one_source
        rest: dict[Any, Any] = {}
        for agent, said in info.items():
            if type(said) is dict and not said:
                rest[agent] = said
                continue
            if isinstance(said, MAPPING) and isinstance(said.get(_GROUPED), list):
                members = _members(env, agent, said[_GROUPED])
                told = [add(tape.of(member), env, one) for member, one in members]
                rest[agent] = {**said, _GROUPED: told}
                continue
            own = tape if agent in NO_AGENTS else tape.of(agent)
            if quick and self._note(own, said):
                rest[agent] = {}
                continue
            rest[agent] = add(own, env, said)
        if self._extracting.extract is not None:
            self._extract(tape, env, info)
        return rest

    def _extract(self, tape: Tape, env: Any, infos: Any) -> None:
        try:
            for source in self._extracting.extracted(infos, env, self._problems):
                tape.add(source)
        except Exception as error:
            self._failed("extract", error)


def _members(env: Any, group: Hashable, infos: list[Any]) -> Iterable[tuple[Hashable, Any]]:
    """Pairs infos with the ids of a group's agents: the wrapper's, or `(group, index)`."""
    groups = getattr(env, "groups", None)
    known = groups.get(group, ()) if isinstance(groups, MAPPING) else ()
    names = known if len(known) == len(infos) else [(group, i) for i in range(len(infos))]
    return zip(names, infos, strict=True)
