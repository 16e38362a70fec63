"""Text on pictures: one bold face, and never wider than its place."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import matplotlib
from PIL import ImageFont

SIZE = 15
"""Pixels; smaller or thinner letters fall apart on TensorBoard's cards of 350 px width."""

_LONGEST = 400


@lru_cache(maxsize=16)
def font(size: int = SIZE) -> ImageFont.FreeTypeFont:
    """Returns DejaVu Sans Bold, the face that matplotlib ships, at `size` pixels."""
    path = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans-Bold.ttf"
    return ImageFont.truetype(str(path), size, layout_engine=ImageFont.Layout.BASIC)


def width(text: str, size: int = SIZE) -> int:
    """Returns how many pixels wide `text` is, rounded up."""
    return int(-(-font(size).getlength(text) // 1))


def clean(text: str) -> str:
    r"""Returns `text` in one line, without what no font can draw.

    Example:
        >>> clean("two\n lines\x00 \ud800")
        'two lines ?'
    """
    line = " ".join(text[:_LONGEST].split())
    line = "".join(char for char in line if char.isprintable() or "\ud800" <= char <= "\udfff")
    return line.encode("utf-8", "replace").decode()


def shorten(text: str, room: float, size: int = SIZE) -> str:
    """Returns `text` cleaned, and cut with an ellipsis where it is wider than `room` pixels.

    Returns an empty string when not even the ellipsis has room.

    Example:
        >>> shorten("articles", 200), shorten("articles", 60), shorten("articles", 3)
        ('articles', 'articl…', '')
    """
    line = clean(text)
    if width(line, size) <= room:
        return line
    low, high = 0, len(line)
    while low < high:
        middle = (low + high) // 2
        if width(line[:middle].rstrip() + "…", size) <= room:
            low = middle + 1
        else:
            high = middle
    return line[: low - 1].rstrip() + "…" if low else ""
