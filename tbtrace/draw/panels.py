"""Several plots in one picture, under one heading."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tbtrace.draw import glyphs, text
from tbtrace.draw.axes import PALE
from tbtrace.draw.bar import Bar
from tbtrace.draw.canvas import Canvas
from tbtrace.draw.layout import LINE, MARGIN
from tbtrace.draw.legend import Legend
from tbtrace.draw.scale import Box

_ROW = 19


def quarters(size: tuple[int, int], heads: int) -> tuple[Box, Box, Box, Box]:
    """Returns the four equal parts of a picture below its heading, row by row from the top left.

    Args:
        size: `(width, height)` in pixels.
        heads: Lines of the heading.

    Example:
        >>> quarters((640, 480), 2)[3]
        (320, 264, 640, 480)
    """
    wide, high = size
    top = MARGIN + LINE * heads
    middle_x, middle_y = wide // 2, (top + high) // 2
    return (
        (0, top, middle_x, middle_y),
        (middle_x, top, wide, middle_y),
        (0, middle_y, middle_x, high),
        (middle_x, middle_y, wide, high),
    )


def joined(
    size: tuple[int, int],
    heads: Sequence[str],
    parts: Sequence[tuple[Box, NDArray[np.uint8]]],
    key: Box,
    legend: Sequence[tuple[str, str]] = (),
    bar: Bar | None = None,
) -> NDArray[np.uint8]:
    """Returns one picture: uint8 `(height, width, 3)`.

    Args:
        size: `(width, height)` in pixels.
        heads: Lines of the heading, the first one black; shortened where they are too long.
        parts: Where each part lies, and its pixels, uint8 of that size.
        key: Where legend and bar go; entries of the legend that have no room there are left out.
        legend: `(text, colour)` of each entry.
        bar: The colour bar.
    """
    canvas = Canvas(size)
    for i, line in enumerate(heads):
        ink = glyphs.line(text.shorten(line, size[0] - 2 * MARGIN))
        canvas.write(MARGIN, MARGIN - 2 + i * LINE, ink, PALE if i else 0)
    left, top, right, bottom = key
    left, top, bottom = left + 2 * MARGIN, top + 2 * MARGIN, bottom - 2 * MARGIN
    if bar:
        bar.write(canvas, left, top, bottom)
        left += bar.width
    entries = Legend(legend[: (bottom - top) // _ROW], 4 * (right - left))
    entries.write(canvas, left + 2 * MARGIN, top, 1)
    image = canvas.rgb()
    for (left, top, right, bottom), pixels in parts:
        image[top:bottom, left:right] = pixels
    return image
