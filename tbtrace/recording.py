"""Recording: the episodes of one environment, one after the other, from its infos."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tbtrace.episode import Episode
from tbtrace.errors import Problems
from tbtrace.info import Contract, number
from tbtrace.tape import Tape


class Recording:
    """Follows one environment: which tape runs, and which has ended and waits to be taken.

    An exception never leaves it, so that training goes on; it is named once and counted.

    Args:
        contract: How infos are read.
        problems: Where what cannot be used is counted, and `"aborted"` (episodes cut off by a
            reset) and `"uncounted"` ones (that ended, but that nobody took).
        strict: Let exceptions through (for tests).

    Example:
        >>> recording = Recording(Contract(), Problems())
        >>> recording.reset(None, {"tbtrace": {"running": {"speed": 1.0}}, "seed": 7})
        {'seed': 7}
        >>> _ = recording.step(None, {"tbtrace": {"final": {"won": True}}}, 1.0, done=True)
        >>> recording.take("uid").final
        {'won': 1.0}
    """

    __slots__ = ("_contract", "_ended", "_problems", "_strict", "tape")

    def __init__(self, contract: Contract, problems: Problems, strict: bool = False) -> None:
        self.tape: Tape | None = None
        self._contract = contract
        self._problems = problems
        self._strict = strict
        self._ended = False

    def reset(self, env: Any, info: Any) -> Mapping[str, Any]:
        """Starts an episode with the info of `reset`; returns the info to forward."""
        self.drop()
        self.tape = Tape(self._problems)
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
            return self._contract.forward(info)
        tape.next_step(reward if type(reward) is float else number(reward) or 0.0)
        self._ended = done
        return self._add(tape, env, info)

    def _add(self, tape: Tape, env: Any, info: Any) -> Mapping[str, Any]:
        try:
            source = self._contract.only_source(info)
            if source is not None:
                tape.add(source)
                return {}
            for source in self._contract.sources(info, env, self._problems):
                tape.add(source)
        except Exception as error:
            if self._strict:
                raise
            self._problems.add_error("records", "reading an info", error)
        return self._contract.forward(info)

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
            if self._strict:
                raise
            self._problems.add_error("episodes", "finishing an episode", error)
            return None

    def drop(self) -> None:
        """Gives up the running tape, if any, and counts it."""
        # RLlib resets its environments before and after evaluations: what took no step is none.
        if self.tape is not None and self.tape.length:
            self._problems.count("uncounted" if self._ended else "aborted")
        self.tape = None
        self._ended = False
