"""What a run remembers of names: their order of first sight, and the range of their values."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

Range = tuple[float, float]
"""Lowest and highest value."""

MOST_NAMES = 4096
"""So many names of one kind are remembered."""

LARGEST = 1e100
"""Values beyond count as this one, so that axes stay drawable."""


class Order:
    """Names in the order of first sight, each under a heading.

    At most 4096 are remembered, of all headings together; they can be pickled, and read in other
    threads while they grow.

    Args:
        names: What is remembered already, by headings.

    Example:
        >>> order = Order()
        >>> order.see("state", ["queued", "moving", "queued"])
        >>> order.see("state", ["broken", "moving"])
        >>> order.of("state"), order.of("colour")
        (('queued', 'moving', 'broken'), ())
    """

    def __init__(self, names: Mapping[str, Iterable[str]] | None = None) -> None:
        self._names: dict[str, tuple[str, ...]] = {}
        self._count = 0
        for heading, under in (names or {}).items():
            self.see(heading, under)

    @property
    def all(self) -> dict[str, tuple[str, ...]]:
        """All names, by headings."""
        return dict(self._names)

    def see(self, heading: str, names: Iterable[str]) -> None:
        """Appends the names that are new under the heading, while there is room."""
        if self._count >= MOST_NAMES:
            return
        known = self._names.get(heading, ())
        new = [name for name in dict.fromkeys(names) if name not in known]
        new = new[: MOST_NAMES - self._count]
        if new:
            self._names[heading] = (*known, *new)
            self._count += len(new)

    def of(self, heading: str) -> tuple[str, ...]:
        """Returns the names under the heading, the first one that was seen first."""
        return self._names.get(heading, ())


class Ranges:
    """The lowest and the highest value of each name so far.

    At most 4096 names are remembered; the others share one range. They can be pickled, and read in
    other threads while they grow.

    Args:
        ranges: What is remembered already, in the order of first sight.

    Example:
        >>> ranges = Ranges()
        >>> ranges.see("speed", (1.0, 2.0))
        >>> ranges.see("speed", (float("nan"), 0.5))
        >>> ranges.see("speed", (1.5, float("inf")))
        >>> ranges.of("speed"), ranges.of("power")
        ((0.5, 2.0), None)
    """

    def __init__(self, ranges: Mapping[str, Range] | None = None) -> None:
        self._ranges: dict[str, Range] = {}
        for name, seen in (ranges or {}).items():
            self.see(name, seen)

    @property
    def all(self) -> dict[str, Range]:
        """All ranges; that of names without one of their own is called ''."""
        return dict(self._ranges)

    @property
    def names(self) -> tuple[str, ...]:
        """The names in the order of first sight, without those that share a range."""
        return tuple(filter(None, tuple(self._ranges)))  # a copy: it may grow meanwhile

    def see(self, name: str, values: NDArray[np.float64] | Iterable[float]) -> None:
        """Widens the range of the name by the values; those that are not finite do not count."""
        seen = range_of(np.asarray(values, np.float64))
        if seen is not None:
            key = name if name in self._ranges or len(self._ranges) < MOST_NAMES else ""
            both = widest([seen, self._ranges.get(key)])
            if both is not None:
                self._ranges[key] = both

    def of(self, name: str | None) -> Range | None:
        """Returns the range of the name, of all names for None; None where no value was finite."""
        if name is None:
            return widest(list(self._ranges.values()))
        return self._ranges.get(name, self._ranges.get(""))


def range_of(values: NDArray[np.float64]) -> Range | None:
    """Returns the lowest and the highest finite value, at most 1e100; None where there is none."""
    if not values.size:
        return None
    low, high = float(values.min()), float(values.max())
    if not (math.isfinite(low) and math.isfinite(high)):
        values = values[np.isfinite(values)]
        if not values.size:
            return None
        low, high = float(values.min()), float(values.max())
    return max(-LARGEST, min(LARGEST, low)), max(-LARGEST, min(LARGEST, high))


def widest(ranges: Iterable[Range | None]) -> Range | None:
    """Returns the smallest range that holds all of `ranges`; None when all are None."""
    known = [one for one in ranges if one is not None]
    if not known:
        return None
    return min(low for low, _ in known), max(high for _, high in known)
