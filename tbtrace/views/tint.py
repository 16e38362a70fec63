"""Tint: ways in pieces of one colour each, by entity, group, time or a channel."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tbtrace.draw.bar import Bar
from tbtrace.draw.figure import Plot
from tbtrace.draw.ramp import VALUE, ramp
from tbtrace.draw.scale import FLATTEST, Limits, padded
from tbtrace.episode import Trace
from tbtrace.errors import warn_once
from tbtrace.views.colours import PALETTE
from tbtrace.views.context import Context
from tbtrace.views.memory import Range, range_of, widest
from tbtrace.views.strokes import stroke

_CLASSES = 32
_STEPS = 250
_NONE = "#b8b8b8"
_STATES = (*PALETTE, "#8a8a8a", _NONE)
_OTHERS, _SILENT = len(PALETTE), len(PALETTE) + 1


class Way(NamedTuple):
    """One entity's trace in one episode, with at least one finite point."""

    group: str
    entity: str
    trace: Trace

    @property
    def ends(self) -> tuple[int, int]:
        """The rows of the first and of the last finite point."""
        points = self.trace.points
        if all(map(math.isfinite, [*points[0], *points[-1]])):
            return 0, len(points) - 1
        rows = np.flatnonzero(np.isfinite(points).all(axis=1))
        return int(rows[0]), int(rows[-1])


@dataclass(frozen=True, slots=True)
class Tint:
    """Ways to draw, each in pieces of one colour.

    Attributes:
        ways: All of them.
        pieces: float `(n, 2|3)` each, in the order in which to draw them.
        inks: The colour of each piece, `#rrggbb`.
        ends: The colours of each way's start and end.
        legend: `(text, colour)` of each entry.
        bar: The colour bar, where colours stand for numbers.
    """

    ways: Sequence[Way]
    pieces: Sequence[NDArray[np.float64]]
    inks: Sequence[str]
    ends: Sequence[tuple[str, str]]
    legend: Sequence[tuple[str, str]] = ()
    bar: Bar | None = None

    def on(self, plot: Plot, columns: tuple[int, int] = (0, 1), halo: float = 0.0) -> None:
        """Draws lines and the markers of their ends, seen along the axis that is not in `columns`.

        Entities that have no such column are not drawn. A halo is a white edge of so many pixels.
        """
        sizes = stroke(len(self.ways))
        most = max(columns)
        pieces = [
            (seen(piece, columns), ink)
            for piece, ink in zip(self.pieces, self.inks, strict=True)
            if piece.shape[1] > most
        ]
        lines, inks = [piece for piece, _ in pieces], [ink for _, ink in pieces]
        if halo:
            plot.lines(lines, ["#ffffff"] * len(lines), width=sizes.width + 2 * halo)
        plot.lines(lines, inks, width=sizes.width)
        marked = [
            (seen(way.trace.points[list(way.ends)], columns), ends)
            for way, ends in zip(self.ways, self.ends, strict=True)
            if sizes.end and way.trace.points.shape[1] > most
        ]
        if not marked:
            return
        both = np.stack([points for points, _ in marked])
        if sizes.start:
            plot.starts(both[:, 0], [start for _, (start, _) in marked], sizes.start)
        plot.ends(both[:, 1], [end for _, (_, end) in marked], sizes.end)


def seen(points: NDArray[np.float64], columns: tuple[int, int]) -> NDArray[np.float64]:
    """Returns two columns of points, without a copy."""
    first, second = columns
    return points[:, first : second + 1 : second - first]


def tint(ways: Sequence[Way], by: str, context: Context, limits: Limits) -> Tint:
    """Colours ways.

    Args:
        ways: At least one.
        by: `"entity"`, `"group"`, `"time"`, or else the name of a channel. A channel that no way
            has is named in a warning, and entities give the colours.
        context: Gives the colours of entities and groups, and the limits of time and channels.
        limits: Of the axes; the colour changes at most about every two pixels.
    """
    if by == "time":
        steps = [way.trace.steps.astype(np.float64) for way in ways]
        last = max(int(one[-1]) for one in steps)
        return _by_value(ways, steps, (0.0, context.horizon(last)), "step", limits)
    if by == "group":
        return _by_name(ways, {(w.group, w.entity): w.group for w in ways}, context)
    if by != "entity":
        if any(by in way.trace.channels for way in ways):
            nothing = [np.full(len(way.trace.steps), np.nan) for way in ways]
            values = [
                way.trace.channels.get(by, none) for way, none in zip(ways, nothing, strict=True)
            ]
            ends = _limits(values, context.seen("channel", by))
            return _by_value(ways, values, ends, by, limits)
        if any(by in way.trace.labels for way in ways):
            return _by_state(ways, by, context, limits)
        known = dict.fromkeys(n for w in ways for n in (*w.trace.channels, *w.trace.labels))
        warn_once(
            f"no channel {by}",
            f"no point has a channel {by!r} to give colours, so each entity has its own; there are "
            f"{', '.join(map(repr, list(known)[:20])) or 'none'}",
        )
    several = len({way.group for way in ways}) > 1
    names = {(w.group, w.entity): f"{w.group}/{w.entity}" if several else w.entity for w in ways}
    return _by_name(ways, names, context, own=True)


def _by_name(
    ways: Sequence[Way],
    names: Mapping[tuple[str, str], str],
    context: Context,
    own: bool = False,
) -> Tint:
    inks = [
        context.colour(way.group, way.entity) if own else context.group_colour(way.group)
        for way in ways
    ]
    named = {names[way.group, way.entity]: ink for way, ink in zip(ways, inks, strict=True)}
    # No entries where two would share a colour.
    legend = list(named.items()) if len(set(named.values())) == len(named) else []
    return Tint(ways, [way.trace.points for way in ways], inks, [(i, i) for i in inks], legend)


def _limits(values: Sequence[NDArray[np.float64]], known: Range | None) -> Range:
    low, high = widest([known, *map(range_of, values)]) or (0.0, 1.0)
    least, most, _, _ = padded((low, high, low, high))
    return (max(0.0, least) if low >= 0 else least), (min(0.0, most) if high <= 0 else most)


def _by_value(
    ways: Sequence[Way],
    values: Sequence[NDArray[np.float64]],
    ends: Range,
    title: str,
    limits: Limits,
) -> Tint:
    low, high = ends
    classes = []
    for one in values:
        with np.errstate(over="ignore", invalid="ignore"):
            at = np.clip((one - low) / (high - low) * _CLASSES, 0, _CLASSES - 1)
        classes.append(np.where(np.isnan(at), -1, at).astype(np.int64))
    colours = ramp(VALUE, _CLASSES)
    bar = Bar.between(low, high, colours, title)
    return _cut(ways, classes, [*colours, _NONE], limits, bar=bar)  # -1 is the last one


def _by_state(ways: Sequence[Way], channel: str, context: Context, limits: Limits) -> Tint:
    said = [way.trace.labels.get(channel, (None,) * len(way.trace.steps)) for way in ways]
    found = {state: None for states in said for state in states if state is not None}
    codes: dict[str | None, int] = {}
    for state in (*context.states(channel), *found):
        codes.setdefault(state, min(len(codes), _OTHERS))
    codes[None] = _SILENT
    classes = [np.array([codes[state] for state in states]) for states in said]
    names = {number: str(state) for state, number in codes.items()}
    names |= {_OTHERS: "other states", _SILENT: "no state"}
    cut = _cut(ways, classes, _STATES, limits)
    seen = {*cut.inks, *(ink for ends in cut.ends for ink in ends)}
    legend = [(name, _STATES[number]) for number, name in sorted(names.items())]
    return replace(cut, legend=[entry for entry in legend if entry[1] in seen])


def _cut(
    ways: Sequence[Way],
    classes: Sequence[NDArray[np.int64]],
    colours: Sequence[str],
    limits: Limits,
    bar: Bar | None = None,
) -> Tint:
    """Cuts ways where the class changes; a piece reaches to the first point of the next one."""
    x0, x1, y0, y1 = limits
    across, up = abs(x1 - x0), abs(y1 - y0)
    if max(across, up) <= FLATTEST * min(across, up):
        across = up = max(across, up)
    least = np.array([across, up, max(across, up)]) / _STEPS
    pieces: list[tuple[int, NDArray[np.float64]]] = []
    ends = []
    for way, numbers in zip(ways, classes, strict=True):
        points = way.trace.points
        gap = np.logical_not(np.isfinite(points).all(axis=1))
        first, last = way.ends
        ends.append((colours[numbers[first]], colours[numbers[last]]))
        # A gap goes on in the class of what was before, so that it makes no piece of its own.
        rows = np.arange(len(gap))
        numbers = numbers[np.maximum.accumulate(np.where(gap, 0, rows))]
        # Pieces shorter than a step would be dots. Of points within a step the last one counts, as
        # what an entity that stood is when it goes on.
        goes = np.append(np.diff(_steps(points, least)) > 0, True)
        goes[:-1] |= gap[1:]
        numbers = numbers[np.minimum.accumulate(np.where(goes, rows, rows[-1])[::-1])[::-1]]
        lone = np.flatnonzero(gap[2:] & ~gap[1:-1] & ~gap[:-2]) + 1  # the last point before a gap
        numbers[lone] = numbers[lone - 1]
        starts = np.flatnonzero(np.diff(numbers)) + 1
        stops = starts + ~gap[starts - 1]
        for start, stop in zip([0, *starts.tolist()], [*stops.tolist(), len(gap)], strict=True):
            if stop - start > 1 or start == 0 or gap[start - 1]:
                pieces.append((int(numbers[start]), points[start:stop]))
    if bar:
        pieces.sort(key=lambda piece: piece[0])  # what is late, or high, lies on top
    inks = [colours[number] for number, _ in pieces]
    return Tint(ways, [piece for _, piece in pieces], inks, ends, bar=bar)


def _steps(points: NDArray[np.float64], least: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns how many whole steps were gone up to each point; `least` is the length of one."""
    with np.errstate(over="ignore", invalid="ignore"):
        ahead = np.sqrt((np.diff(points / least[: points.shape[1]], axis=0) ** 2).sum(axis=1))
    ahead = np.minimum(np.nan_to_num(ahead, nan=1.0), 1.0)
    steps: NDArray[np.float64] = np.floor(np.append(0.0, np.cumsum(ahead)))
    return steps
