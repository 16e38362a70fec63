"""Where entities spend their time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tbtrace.draw.bar import Bar
from tbtrace.draw.ramp import CHANGE, CROWD, ramp
from tbtrace.draw.scale import Limits
from tbtrace.episode import Episode, Trace
from tbtrace.select import Last, Selector
from tbtrace.views.base import Options, Picture, caption, traces_of
from tbtrace.views.context import Context
from tbtrace.views.floor import seen_from_above
from tbtrace.views.heat import Grid

_CELLS = 120
_LEVELS = 48
_DECADES = 3
_LEAST = 1e-4
_DESCRIPTION = (
    "Where entities spend their time, as a share of all their time, on a logarithmic scale: the "
    "darker a cell, the longer somebody was there. White: nobody ever was. Shown are all whole "
    "episodes of the iteration. As a difference: red where they spend more of their time than in "
    "the first iteration, blue where less."
)


class _Layer(NamedTuple):
    grid: Grid
    codes: NDArray[np.uint8]
    colours: list[str]
    bar: Bar


@dataclass(frozen=True, kw_only=True)
class Heatmap(Options):
    r"""Draws where entities spend their time: the share of it in each cell, logarithmic.

    By default all episodes of the iteration that are here whole count, in one picture a split.
    Cells are squares, about 120 along the longer side. Standing still counts, gaps do not. The
    colour bar moves in steps of about three, so that it stands still over most iterations. Of 3-D
    points x and y count.

    Attributes:
        group: The group of entities to look at; None takes all groups together.
        difference: Draw instead by how much the shares differ from those in the first iteration of
            the split, in cells twice as large: red where there is more now, blue where less. Of a
            first iteration of more than a million points every second, third, ... entity counts.
        together: Whether all whole episodes count, or the picked one alone.

    Example:
        >>> from tbtrace.episode import Trace
        >>> points = np.array([(0.0, 0.0), (2.0, 0.0), (2.0, 1.0)])
        >>> way = Trace(np.arange(3, dtype=np.int32), points)
        >>> episode = Episode("e1", 2, 1.5, traces={"robots": {"r2": way}})
        >>> Heatmap().draw([episode], Context()).png[:4]
        b'\x89PNG'
        >>> Heatmap(difference=True).draw([episode], Context()) is None  # nothing to compare with
        True
    """

    name: str = "heatmap"
    pick: Selector | tuple[Selector, ...] = Last(name="all")  # noqa: RUF009 - it is frozen
    group: str | None = None
    difference: bool = False
    together: bool = True

    def draw(
        self, episodes: Sequence[Episode], context: Context, title: str = ""
    ) -> Picture | None:
        """Returns the picture; None when nobody was anywhere, or nothing is there to compare with.

        Args:
            episodes: Counted together.
            context: Gives limits, the scene and the first iteration's shares.
            title: First line of the picture; the second tells about the episodes.
        """
        traces = [trace for *_, trace in traces_of(episodes, self.group)]
        scene = context.scene_of(episodes)
        points = () if context.knows(episodes) else [trace.points[:, :2] for trace in traces]
        limits = context.limits(self.group, points, scene)
        if not traces or limits is None:
            return None
        layer = (
            self._change(traces, context, limits, episodes[0].split)
            if self.difference
            else _shares(traces, limits)
        )
        if layer is None:
            return None
        heads = (title, caption(episodes))
        plot = seen_from_above(scene, limits, self.size, heads, bar=layer.bar)
        plot.cells(layer.grid.onto(plot.scale, layer.codes), layer.colours)
        plot.places(scene.places)
        width, height = self.size
        return Picture(plot.png(), width, height, title, _DESCRIPTION)

    def _change(
        self, traces: Sequence[Trace], context: Context, limits: Limits, split: str
    ) -> _Layer | None:
        first = context.first_heat(split, self.group)
        if first is None:
            return None
        grid = first.grid.covering(limits)
        steps, before = grid.time(traces), first.on(grid)
        if not steps.any():
            return None
        change = steps / steps.sum() - before
        most = _level(max(float(np.abs(change).max()), _LEAST), up=True)
        # On a square-root scale small changes are seen beside large ones.
        level = np.copysign(np.sqrt(np.abs(change) / most), change)
        count = 2 * _LEVELS + 1
        codes = np.where((steps > 0) | (before > 0), (level + 1) / 2 * (count - 1) + 1.5, 0)
        shares = [(0.0, -1.0), (0.25, -0.25), (0.5, 0.0), (0.75, 0.25), (1.0, 1.0)]
        marks = [(at, _percent(share * most, "+" if share > 0 else "")) for at, share in shares]
        colours = ramp(CHANGE, count)
        bar = Bar(colours, marks, "more or less time")
        return _Layer(grid, np.minimum(codes, count).astype(np.uint8), colours, bar)


def _shares(traces: Sequence[Trace], limits: Limits) -> _Layer | None:
    grid = Grid.over(limits, _CELLS)
    steps = grid.time(traces)
    total = float(steps.sum())
    if not total:
        return None
    top = _level(float(steps.max()) / total, up=True)
    low = max(_level(1 / total, up=False), _level(top * 1.001 / 10**_DECADES, up=False))
    low = min(low, _level(top * 0.999, up=False))  # one step at least, so that the most is dark
    span = math.log(top / low)
    with np.errstate(divide="ignore"):
        level = np.clip(np.log(steps / total / low) / span, 0, 1)
    codes = np.where(steps > 0, np.minimum(1 + level * _LEVELS, _LEVELS), 0).astype(np.uint8)
    share, marks = low, []
    while share < top * 1.001:
        marks.append((math.log(share / low) / span, _percent(share)))
        share = _level(share * 1.001, up=True)
    colours = ramp(CROWD, _LEVELS)
    return _Layer(grid, codes, colours, Bar(colours, marks[::-1], "share of time"))


def _level(share: float, *, up: bool) -> float:
    """Returns the next of 1, 0.3, 0.1, 0.03, ... that is not below `share`, or not above it."""
    power = math.floor(math.log10(share) + 1e-9)
    around = [k * 10.0 ** (power + shift) for shift in (0, 1) for k in (1, 3)]
    if up:
        return next(level for level in around if level >= share * (1 - 1e-9))
    return [level for level in around if level <= share * (1 + 1e-9)][-1]


def _percent(share: float, sign: str = "") -> str:
    return f"{sign}{100 * share:.3g}\N{NO-BREAK SPACE}%".replace("-", "\N{MINUS SIGN}")
