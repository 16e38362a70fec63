"""Text that changes from frame to frame, put together from ready letters; and heads of pictures."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from tbtrace.draw import text


@lru_cache(maxsize=128)
def _glyph(char: str, size: int) -> NDArray[np.uint8]:
    image = Image.new("L", (text.width(char, size), size + size // 3))
    ImageDraw.Draw(image).text((0, 0), char, 255, text.font(size), "la")
    glyph = np.array(image)
    glyph.setflags(write=False)  # all callers share it
    return glyph


def spelled(line: str, size: int = text.SIZE) -> NDArray[np.uint8]:
    """Returns how dark each pixel of a line is: uint8 `(height, width)`, 255 is ink.

    Args:
        line: At least one character that the font has.
        size: Pixels of the letters.

    Example:
        >>> spelled("step 10").shape == spelled("step 99").shape
        True
    """
    return np.concatenate([_glyph(char, size) for char in line], axis=1)


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
