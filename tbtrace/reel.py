"""Reel: the arrays of one media name in one running episode, within a budget of bytes."""

from __future__ import annotations

from array import array
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tbtrace.episode import Media

BUDGET = 16 * 2**20
"""Bytes that one media name may hold in one running episode."""


class Reel:
    """Keeps copies of arrays; over the budget it thins evenly and takes every 2nd, 4th, ... on.

    Example:
        >>> import numpy as np
        >>> reel = Reel(budget=4)
        >>> for step in range(10):
        ...     _ = reel.add(step, np.array([step], np.uint8))
        >>> reel.finish().steps.tolist()
        [0, 4, 8]
    """

    __slots__ = ("_budget", "_bytes", "_offered", "_steps", "_stride", "_values")

    def __init__(self, budget: int = BUDGET) -> None:
        self._budget = budget
        self._bytes = 0
        self._offered = 0
        self._stride = 1
        self._steps: array[int] = array("i")
        self._values: list[NDArray[Any]] = []

    def __len__(self) -> int:
        return len(self._values)

    def add(self, step: int, value: Any) -> bool:
        """Copies `value` if it is its turn; returns False for what is no numeric array."""
        try:
            given = np.asarray(value)
        except (TypeError, ValueError, RuntimeError):  # ragged lists, tensors on a device
            return False
        if given.dtype.kind not in "biuf":
            return False
        if self._offered % self._stride == 0:
            self._steps.append(step)
            self._values.append(given.copy())
            self._bytes += given.nbytes
            while self._bytes > self._budget and len(self._values) > 1:
                self._thin()
        self._offered += 1
        return True

    def _thin(self) -> None:
        self._stride *= 2
        self._steps = self._steps[::2]
        self._values = self._values[::2]
        self._bytes = sum(value.nbytes for value in self._values)

    def finish(self) -> Media:
        """Returns the arrays with the steps that they were given at."""
        return Media(np.array(self._steps, np.int32), tuple(self._values))
