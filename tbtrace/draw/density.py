"""How many ways cross each cell of a picture, for crowds in which no line can be told apart.

The line of one way at a time is drawn into a small mask, and the masks are added up: so a way
counts once in a cell however often it comes by, and its line has no holes between its points.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from tbtrace.draw.scale import Scale

CELL = 2
"""Pixels of a cell's side."""

_ROWS = 8192
"""So many points are projected at once: they stay in the processor's cache."""

_FAR = 8000.0


def counts(ways: Sequence[NDArray[np.float64]], scale: Scale) -> NDArray[np.uint32]:
    """Returns how many ways cross each cell of `scale.box`: uint32 `(rows, columns)`, from the top.

    Cells are squares of `CELL` pixels. A thousand ways of a thousand points take about 25 ms.

    Args:
        ways: float `(n, 2)` each. A row with a NaN or an infinity is a gap, which no line crosses;
            a point between gaps counts in its cell.
        scale: Where coordinates lie on the picture.

    Example:
        >>> scale = Scale((0.0, 4.0, 0.0, 2.0), (0, 0, 8, 4))
        >>> along, up = np.array([(0.5, 1.5), (3.5, 1.5)]), np.array([(0.5, 0.5), (0.5, 1.5)])
        >>> counts([along, up], scale)
        array([[2, 1, 1, 1],
               [1, 0, 0, 0]], dtype=uint32)
    """
    left, top, right, bottom = scale.box
    shape = (-(-(bottom - top) // CELL), -(-(right - left) // CELL))
    total, few, one = np.zeros(shape, np.uint32), np.zeros(shape, np.uint8), np.zeros(shape, "B")
    canvas = Image.frombuffer("L", shape[::-1], one, "raw", "L", 0, 1)
    canvas.readonly = 0  # what is drawn stands in `one`, without a copy
    draw = ImageDraw.Draw(canvas).draw.draw_lines
    for number, (way, gaps) in enumerate(_projected(ways, scale), 1):
        first = 0
        for gap in [*gaps, len(way)]:
            if gap > first + 1:
                draw(way[first:gap], 1, 1)
            elif gap > first:
                draw(way[[first, first]], 1, 1)  # a line needs two points
            first = gap + 1
        few += one
        one.fill(0)
        if number % 255 == 0:  # the most that a byte can hold
            total += few
            few.fill(0)
    total += few
    return total


def _projected(
    ways: Sequence[NDArray[np.float64]], scale: Scale
) -> Iterator[tuple[NDArray[np.float32], list[int]]]:
    """Yields each way in cells from the top left corner of the box, and the rows that are gaps."""
    x0, x1, y0, y1 = scale.limits
    left, top, right, bottom = scale.box
    per_x, per_y = (right - left) / (x1 - x0) / CELL, (bottom - top) / (y0 - y1) / CELL
    for group in _groups(ways):
        at = np.ascontiguousarray(np.concatenate(group))
        # The origin goes first and in float64: coordinates may be large (UTM). Columns are faster.
        with np.errstate(over="ignore", invalid="ignore"):
            for column, origin, per in ((at[:, 0], x0, per_x), (at[:, 1], y1, per_y)):
                column -= origin
                column *= per
        # Both bytes of a row are one where both of its coordinates are finite.
        gaps = np.flatnonzero(np.isfinite(at).view(np.uint16)[:, 0] != 0x0101)
        # Pillow walks along a line pixel by pixel, those outside of the picture as well.
        near = np.clip(at, -_FAR, _FAR).astype(np.float32)
        ends = np.cumsum([len(way) for way in group])
        starts = ends - [len(way) for way in group]
        cuts = np.searchsorted(gaps, ends).tolist()
        before = 0
        for first, last, cut in zip(starts.tolist(), ends.tolist(), cuts, strict=True):
            yield near[first:last], (gaps[before:cut] - first).tolist()
            before = cut


def _groups(ways: Sequence[NDArray[np.float64]]) -> Iterator[list[NDArray[np.float64]]]:
    group: list[NDArray[np.float64]] = []
    rows = 0
    for way in ways:
        group.append(way)
        rows += len(way)
        if rows >= _ROWS:
            yield group
            group, rows = [], 0
    if group:
        yield group
