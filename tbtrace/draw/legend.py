"""The legend: which colour is whose, in columns of equal width."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tbtrace.draw import glyphs, text
from tbtrace.draw.canvas import Canvas
from tbtrace.draw.palette import parse

_ROW, _SWATCH, _THICK, _GAP, _LONGEST = 19, 20, 4, 14, 150


class Extent(NamedTuple):
    """How much room a legend needs.

    Attributes:
        entries: How many there are.
        cell: Pixels from one column of entries to the next.
    """

    entries: int
    cell: int

    def size(self, columns: int) -> tuple[int, int]:
        """Returns width and height in pixels."""
        columns = max(1, min(columns, self.entries))
        return columns * self.cell - _GAP, -(-self.entries // columns) * _ROW


class Legend:
    """The entries, ready to be placed.

    Args:
        entries: `(text, #rrggbb)` of each.
        wide: Pixels of the picture; a quarter of it at most is for one name.

    Attributes:
        extent: How much room they need.
    """

    def __init__(self, entries: Sequence[tuple[str, str]], wide: int) -> None:
        room = min(_LONGEST, wide // 4)
        names = text.told_apart([name for name, _ in entries], room, text.SMALL)
        self._entries = [(name, ink) for name, (_, ink) in zip(names, entries, strict=True)]
        widest = max((text.width(name, text.SMALL) for name, _ in self._entries), default=0)
        self.extent = Extent(len(self._entries), _SWATCH + 6 + widest + _GAP)

    def write(self, canvas: Canvas, left: int, top: int, columns: int) -> None:
        """Writes the entries row by row, the first one at `left` and `top`."""
        for i, (name, colour) in enumerate(self._entries):
            u, v = left + i % columns * self.extent.cell, top + i // columns * _ROW
            middle = v + (_ROW - _THICK) // 2
            canvas.fill((u, middle, u + _SWATCH, middle + _THICK), parse(colour))
            canvas.write(u + _SWATCH + 6, v + 1, glyphs.line(name, text.SMALL))
