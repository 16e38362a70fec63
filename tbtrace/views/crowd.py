"""Crowd: so many ways that only their density can be seen, and the longest ones on top."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tbtrace.draw import density
from tbtrace.draw.bar import Bar
from tbtrace.draw.figure import Plot
from tbtrace.draw.ramp import CROWD, ramp
from tbtrace.views.context import Context
from tbtrace.views.tint import Tint, Way, seen

_LEVELS = 48
_LONGEST = 3
_LOOKS = 20_000


@dataclass(frozen=True, slots=True)
class Crowd:
    """Ways to draw as a map of how many of them cross each place.

    Attributes:
        ways: All of them.
        longest: Those that are drawn on top.
        most: The number of ways that the darkest colour stands for, a round one.
        bar: The colour bar.
    """

    ways: Sequence[Way]
    longest: Tint
    most: int
    bar: Bar

    @property
    def legend(self) -> Sequence[tuple[str, str]]:
        """`(text, colour)` of each of the longest ways."""
        return self.longest.legend

    def on(self, plot: Plot, columns: tuple[int, int] = (0, 1)) -> None:
        """Draws the map, seen along the axis that is not in `columns`."""
        points = [way.trace.points for way in self.ways]
        flat = [seen(one, columns) for one in points if one.shape[1] > max(columns)]
        counts = density.counts(flat, plot.scale)
        found = np.arange(int(counts.max()) + 1)
        level = np.log(np.maximum(found, 1)) / np.log(self.most) * _LEVELS
        codes = np.where(found > 0, np.minimum(1 + level, _LEVELS), 0).astype(np.uint8)
        left, top, right, bottom = plot.scale.box
        pixels = codes[counts].repeat(density.CELL, axis=0).repeat(density.CELL, axis=1)
        plot.cells(pixels[: bottom - top, : right - left], ramp(CROWD, _LEVELS))
        self.longest.on(plot, columns, halo=1.5)


def crowd(ways: Sequence[Way], context: Context) -> Crowd:
    """Makes a crowd of at least two ways; the longest ones with colours of their own are on top."""
    several = len({way.group for way in ways}) > 1
    most = next(k * 10**p for p in range(1, 20) for k in (1, 2, 5) if k * 10**p >= len(ways))
    bar = Bar.of_counts(most, ramp(CROWD, _LEVELS), "entities")
    chosen: dict[str, Way] = {}
    for index in np.argsort(-_lengths(ways), kind="stable").tolist():
        way = ways[index]
        chosen.setdefault(context.colour(way.group, way.entity), way)
        if len(chosen) == _LONGEST:
            break
    longest, inks = list(chosen.values()), list(chosen)
    names = [f"{way.group}/{way.entity}" if several else way.entity for way in longest]
    lines = Tint(
        longest,
        [way.trace.points for way in longest],
        inks,
        [(ink, ink) for ink in inks],
        list(zip(names, inks, strict=True)),
    )
    return Crowd(ways, lines, most, bar)


def _lengths(ways: Sequence[Way]) -> NDArray[np.float64]:
    """Returns about how long each way is, by looking at up to 20,000 points: float `(n,)`."""
    counts = [len(way.trace.steps) for way in ways]
    stride = 1 + sum(counts) // _LOOKS
    some = [way.trace.points[::stride, :2] for way in ways]
    points = np.concatenate(some)
    number = np.repeat(np.arange(len(ways)), [len(one) for one in some])
    with np.errstate(over="ignore", invalid="ignore"):
        steps = np.diff(points, axis=0)
        lengths = np.hypot(steps[:, 0], steps[:, 1])
    lengths[~np.isfinite(lengths) | (number[1:] != number[:-1])] = 0.0
    return np.bincount(number[1:], lengths, len(ways)).astype(np.float64, copy=False)
