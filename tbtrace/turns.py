"""Turns: the steps of one running episode in which the info said where entities are."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Sequence
from typing import Protocol

import numpy as np

from tbtrace.episode import StepArray
from tbtrace.errors import warn_once

MOST_POINTS = 500_000
"""Points that the traces of one running episode may hold: 10 MB in 2-D, 14 MB in 3-D, and 8 bytes
more for each channel of a point."""

_CHECKED_EVERY = 256


class Thinnable(Protocol):
    """What holds points of turns."""

    points: int

    def thin(self) -> None:
        """Forgets every second turn and halves the numbers of the others."""


class Turns:
    """Numbers the turns, and thins them evenly as an episode grows long.

    When the groups hold more than `most_points` together, every second turn is forgotten and only
    every second one is taken from there on, then every fourth, and so on. The cost is a constant
    one per point, however long the episode.

    Attributes:
        steps: The step of each turn that is held.
        stride: Of how many turns one is held.

    Example:
        >>> turns = Turns()
        >>> [turns.at(step) for step in (0, 0, 3)], list(turns.steps)
        ([0, 0, 1], [0, 3])
        >>> turns.take([5, 6]).tolist()
        [2, 3]
    """

    __slots__ = ("_due", "_most_points", "_offered", "_step", "_turn", "steps", "stride")

    def __init__(self, most_points: int = MOST_POINTS) -> None:
        self.steps: array[int] = array("i")
        self.stride = 1
        self._due = _CHECKED_EVERY
        self._most_points = most_points
        self._offered = 0
        self._step = -1
        self._turn = -1

    def at(self, step: int) -> int:
        """Returns the number of the turn of `step`, the last one or a new one; -1 if thinned out.

        Args:
            step: Never below the last one.
        """
        if step == self._step:
            return self._turn
        self._step, self._turn = step, -1
        if self._offered % self.stride == 0:
            self._turn = len(self.steps)
            self.steps.append(step)
        self._offered += 1
        return self._turn

    def take(self, steps: Sequence[int]) -> StepArray:
        """Returns int32 numbers of the turns of some steps, at least one; as `at` one by one."""
        first = len(self.steps)
        if self.stride > 1 or steps[0] == self._step or len(set(steps)) < len(steps):
            return np.array([self.at(step) for step in steps], np.int32)
        self.steps.extend(steps)
        self._offered += len(steps)
        self._step, self._turn = steps[-1], len(self.steps) - 1
        return np.arange(first, len(self.steps), dtype=np.int32)

    def thin(self, groups: Collection[Thinnable]) -> None:
        """Thins the groups where they hold too much; looked at every 256 turns.

        Args:
            groups: All that hold points, with those of every turn so far.
        """
        if len(self.steps) < self._due:
            return
        before = self.stride
        while len(self.steps) > 2 and sum(it.points for it in groups) > self._most_points:
            for group in groups:
                group.thin()
            self.steps = self.steps[::2]
            self.stride *= 2
            self._turn = -1 if self._turn % 2 else self._turn // 2
        self._due = len(self.steps) + _CHECKED_EVERY
        if self.stride > before:
            warn_once(
                "thinned",
                f"an episode's traces have more than {self._most_points} points: they are thinned "
                f"evenly, one of {self.stride} steps is kept; report traces less often",
            )
