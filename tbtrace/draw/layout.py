"""Which part of a picture the axes get, and where the legend stands.

It depends on limits and names alone, never on what is drawn: pictures of several iterations have
the same axes, and a legend never covers a line.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass, replace

from tbtrace.draw import text
from tbtrace.draw.legend import Extent
from tbtrace.draw.scale import Box, Limits, Scale, Ticks

MARGIN, LINE, TICK = 8, 20, 5


@dataclass(frozen=True, slots=True)
class Wish:
    """What the axes are to show; see `tbtrace.draw.figure.Plot`."""

    limits: Limits
    names: tuple[str, str]
    grow: bool = True
    equal: bool = True
    rows: tuple[tuple[float, str], ...] | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything stands.

    Attributes:
        scale: Where coordinates lie.
        across: Ticks of the x axis.
        up: Ticks of the y axis.
        aside: First and last row of what the name of the y axis may take.
        legend: Left, top and columns of the legend; None where there is none.
    """

    scale: Scale
    across: Ticks
    up: Ticks
    aside: tuple[int, int]
    legend: tuple[int, int, int] | None = None

    @property
    def tick_width(self) -> int:
        """How many pixels the widest label of the y axis has."""
        return max((text.width(label, text.SMALL) for label in self.up.labels), default=0)


@functools.lru_cache(maxsize=64)
def arrange(
    wish: Wish,
    size: tuple[int, int],
    heads: int,
    legend: Extent,
    bar: int = 0,
    title: int = 0,
) -> Layout:
    """Returns the layout in which what is to be seen is largest.

    A legend that fits stands at the right end of the first line, if that leaves room for the title.
    Else it stands beside or below the axes. One that would take about half of the picture is left
    out.

    Args:
        wish: What the axes show.
        size: `(width, height)` of the picture in pixels.
        heads: How many lines of text stand above the axes.
        legend: How much room the legend needs, perhaps none.
        bar: Pixels to keep free on the right of the axes, for a colour bar.
        title: Pixels of the first line's text.

    Raises:
        ContractError: As `Scale.fit`.
    """
    wide, high = size
    row = legend.size(legend.entries)[0]
    in_head = legend.entries > 0 and row <= min(0.55 * wide, wide - 3 * MARGIN - title)
    top = MARGIN + LINE * max(heads, in_head) + 4
    room = (MARGIN, top, wide - 2 * MARGIN - bar, high - MARGIN - 2 * LINE - TICK)
    if in_head:
        at = (wide - MARGIN - row, MARGIN - 2, legend.entries)
        return replace(_axes(wish, room, size), legend=at)
    if not legend.entries:
        return _axes(wish, room, size)
    best = max(_outside(wish, room, size, legend, bar), key=lambda found: found[0], default=None)
    return best[1] if best else _axes(wish, room, size)


def _outside(
    wish: Wish, room: Box, size: tuple[int, int], legend: Extent, bar: int
) -> Iterator[tuple[float, Layout]]:
    """Yields layouts with the legend beside and below the axes, and how large the limits are."""
    left, top, right, bottom = room
    wide, high = legend.size(1)
    across = right - left - wide - MARGIN
    if wide <= 0.4 * size[0] <= across and high <= bottom - top:
        found = _axes(wish, (left, top, right - wide - MARGIN, bottom), size, centre=False)
        at = found.scale.box[2] + bar + MARGIN + 4
        yield _shown(wish, found), replace(found, legend=(at, top, 1))
    columns = max(1, (size[0] - 2 * MARGIN) // legend.cell)
    wide, high = legend.size(columns)
    if high <= 0.4 * size[1]:
        found = _axes(wish, (left, top, right, bottom - high - 4), size)
        at = (size[0] - wide) // 2
        yield _shown(wish, found), replace(found, legend=(at, size[1] - MARGIN - high + 2, columns))


def _shown(wish: Wish, layout: Layout) -> float:
    """Returns how many pixels the limits cover."""
    (x0, x1, y0, y1), (left, top, right, bottom) = layout.scale.limits, layout.scale.box
    share = (wish.limits[1] - wish.limits[0]) / (x1 - x0)
    share *= (wish.limits[3] - wish.limits[2]) / (y1 - y0)
    return round((right - left) * (bottom - top) * share)


def _axes(wish: Wish, room: Box, size: tuple[int, int], centre: bool = True) -> Layout:
    # Ticks need the scale, which needs the room that the ticks leave: thrice is near enough.
    left = room[0]
    for _ in range(3):
        scale = Scale.fit(wish.limits, room, grow=wish.grow, centre=centre, equal=wish.equal)
        aside = (room[1] - 4, room[3] + TICK + 2 * LINE)
        found = Layout(scale, *_ticks(wish, scale, size), aside)
        name = LINE if wish.names[1] else 0
        room = (left + name + found.tick_width + TICK + 8, *room[1:])
    return found


def _ticks(wish: Wish, scale: Scale, size: tuple[int, int]) -> tuple[Ticks, Ticks]:
    (x0, x1, y0, y1), (left, top, right, bottom) = scale.limits, scale.box
    columns, rows = max(3, (right - left) // 80), max(2, (bottom - top) // 50)
    across = Ticks.between(x0, x1, columns, wish.names[0])
    if wish.rows is not None:
        seen = [(y, name) for y, name in wish.rows if min(y0, y1) <= y <= max(y0, y1)]
        labels = text.told_apart([name for _, name in seen], size[0] // 4, text.SMALL)
        return across, Ticks(tuple(y for y, _ in seen), tuple(labels), wish.names[1])
    up = Ticks.between(y0, y1, rows, wish.names[1])
    if across.power != up.power and wish.equal and scale.stretch == 1:
        # Equal scale is only seen where both axes count in the same unit.
        power = max(across.power, up.power)
        across = Ticks.between(x0, x1, columns, wish.names[0], power)
        up = Ticks.between(y0, y1, rows, wish.names[1], power)
    return across, up
