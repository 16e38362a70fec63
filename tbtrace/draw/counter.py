"""Text of moving pictures: counters, and heads in as few lines as they need."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tbtrace.draw import glyphs, text
from tbtrace.draw.canvas import WHITE


def spelled(line: str, size: int = text.SIZE) -> NDArray[np.uint8]:
    """Returns how dark each pixel of a line is: uint8 `(height, width)`, 255 is ink.

    Args:
        line: Text of one line.
        size: Pixels of the letters.

    Example:
        >>> spelled("step 10").shape == spelled("step 99").shape
        True
    """
    return (glyphs.line(line, size).astype(np.uint16) * 255 // WHITE).astype(np.uint8)


def wrapped(parts: Sequence[str], rooms: Sequence[float]) -> list[str]:
    """Joins parts with dots to as few lines as they need.

    Args:
        parts: Empty ones are left out; one that is wider than its line is shortened.
        rooms: Pixels of the first line, of the second, ...; the last one is that of all others.

    Example:
        >>> wrapped(["best", "iteration 12", "train"], [150, 300])
        ['best · iteration 12', 'train']
    """
    lines: list[str] = []
    for part in filter(None, map(text.clean, parts)):
        room = rooms[min(max(len(lines) - 1, 0), len(rooms) - 1)]
        longer = f"{lines[-1]} · {part}" if lines else part
        if lines and text.width(longer) <= room:
            lines[-1] = longer
        else:
            lines.append(text.shorten(part, rooms[min(len(lines), len(rooms) - 1)]))
    return lines
