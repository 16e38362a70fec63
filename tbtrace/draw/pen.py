"""Anti-aliased lines: thin ones at twice the size, thickened and reduced for all of them at once.

Pillow draws lines one cell thin into one sheet of bytes, twice as large as the picture, each with
the value of its layer. Maxima of shifted sheets are a round pen. Of every four cells the highest
layer gives the pixel its colour, and how many are not empty how much of it.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

WIDEST = 8.0
"""Pixels; a wider pen would reach beyond the border of the sheet."""

BORDER = 8
"""Cells round the sheet, for what lies just outside."""

_local = threading.local()


class Sheet:
    """Cells, twice as many as pixels each way, that are drawn on and then read as codes.

    Get one from `blank`: threads reuse theirs, as fresh memory costs more than drawing on it.

    Args:
        wide: Pixels.
        high: Pixels.

    Attributes:
        draw: Pillow's `ImageDraw` of the cells; fill with `FIRST + 4 * layer` of `draw.canvas`.
    """

    def __init__(self, wide: int, high: int) -> None:
        self._row = 2 * (wide + BORDER)
        shape = (2 * (high + BORDER), self._row)
        self._cells, self._spare = np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)
        image = Image.frombuffer("L", shape[::-1], self._cells, "raw", "L", 0, 1)
        image.readonly = 0  # drawing goes into the array itself
        self.draw: Any = ImageDraw.Draw(image)
        half = (high, 2 * wide)
        self._top, self._sum = np.empty(half, np.uint8), np.empty(half, np.uint8)
        self._high, self._low = (np.empty((high, wide), np.uint16) for _ in range(2))

    @classmethod
    def blank(cls, wide: int, high: int) -> Sheet:
        """Returns an empty sheet; it takes the place of the thread's last one of this size."""
        size, sheet = getattr(_local, "kept", ((0, 0), None))
        if sheet is None or size != (wide, high):
            sheet = cls(wide, high)
            _local.kept = (wide, high), sheet
        sheet._cells.fill(0)
        kept: Sheet = sheet
        return kept

    def codes(self, width: float) -> NDArray[np.uint8]:
        """Returns what was drawn, as a round pen of `width` pixels leaves it.

        Returns:
            uint8 `(high, wide)`: codes as `draw.canvas.FIRST` says.
        """
        inside = self._thickened(width)[BORDER:-BORDER, BORDER:-BORDER]
        upper, lower = inside[::2], inside[1::2]
        # Neighbours in a row are the halves of one 16-bit number.
        top = np.maximum(upper, lower, out=self._top).view(np.uint16)
        # Values are one more than a multiple of four, so their sum counts them; four make zero.
        total = np.add(upper, lower, out=self._sum).view(np.uint16)
        high, low = self._high, self._low
        np.right_shift(top, 8, out=high)
        np.bitwise_and(top, 255, out=top)
        np.maximum(top, high, out=high)
        np.right_shift(total, 8, out=low)
        np.add(low, total, out=low)
        np.bitwise_and(low, 3, out=low)
        np.add(high, low, out=high)
        return high.astype(np.uint8)

    def _thickened(self, width: float) -> NDArray[np.uint8]:
        cells, row = diameter(width), self._row
        steps: list[tuple[int, ...]] = [] if cells % 2 else [(row,), (1,)]
        for i in range((cells - 1) // 2):  # crosses and squares in turn: almost a disc
            steps += [(-row, row), (-1, 1)] if i % 2 else [(-row, row, -1, 1)]
        now, other = self._cells, self._spare
        for shifts in steps:
            _spread(now.ravel(), other.ravel(), shifts)
            now, other = other, now
        return now


def diameter(width: float) -> int:
    """Returns the pen's diameter in cells. An even one lies round corners of cells."""
    return max(1, round(2 * min(width, WIDEST)))


def _spread(source: NDArray[np.uint8], target: NDArray[np.uint8], shifts: Sequence[int]) -> None:
    """Writes the maximum of each cell and those at `shifts` of it."""
    # What runs over the ends of rows, or stays undone at both ends, ends up within the border.
    edge, end = max(map(abs, shifts)), len(source)
    inside = target[edge : end - edge]
    before = source[edge : end - edge]
    for shift in shifts:
        np.maximum(before, source[edge + shift : end - edge + shift], out=inside)
        before = inside
