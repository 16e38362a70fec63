"""How many ways cross each cell of a picture, for crowds in which no line can be told apart.

The line of one way at a time is drawn into a small mask, and the masks are added up: so a way
counts once in a cell however often it comes by, and its line has no holes between its points.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from tbtrace.draw.cells import projected
from tbtrace.draw.scale import Scale

CELL = 2
"""Pixels of a cell's side."""


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
    drawn = 0
    for at, pieces in projected(ways, scale, 1 / CELL, 0.0):
        for _, spans in groupby(pieces, lambda piece: piece[2]):
            for first, end, _ in spans:
                # A line needs two points.
                draw(at[first:end] if end > first + 1 else at[[first, first]], 1, 1)
            few += one
            one.fill(0)
            drawn += 1
            if drawn % 255 == 0:  # the most that a byte can hold
                total += few
                few.fill(0)
    total += few
    return total
