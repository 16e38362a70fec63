"""Text for pictures: one line of what a font can draw, and never wider than its place."""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Sequence
from pathlib import Path

from PIL import ImageFont

SIZE = 15
"""Pixels; smaller or thinner letters fall apart on TensorBoard's cards of 350 px width."""

SMALL = 14
"""Pixels of ticks and names."""

_LONGEST = 400


@functools.lru_cache(maxsize=16)
def font(size: int = SIZE) -> ImageFont.FreeTypeFont:
    """Returns DejaVu Sans Bold, which matplotlib ships, at `size` pixels; else Pillow's own."""
    found = importlib.util.find_spec("matplotlib")
    for folder in (found and found.submodule_search_locations) or ():
        path = Path(folder, "mpl-data", "fonts", "ttf", "DejaVuSans-Bold.ttf")
        if path.exists():
            return ImageFont.truetype(str(path), size, layout_engine=ImageFont.Layout.BASIC)
    plain = ImageFont.load_default(size)
    assert isinstance(plain, ImageFont.FreeTypeFont)
    return plain


@functools.lru_cache(maxsize=1 << 12)
def advance(char: str, size: int = SIZE) -> int:
    """Returns how many pixels a character takes within a line."""
    return round(font(size).getlength(char))


def width(text: str, size: int = SIZE) -> int:
    """Returns how many pixels wide `text` is, as `tbtrace.draw.glyphs` joins it."""
    return sum(advance(char, size) for char in text)


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


def told_apart(names: Sequence[str], room: float, size: int = SIZE) -> list[str]:
    """Returns names as `shorten` does, or cut in the middle where that would make two alike.

    Example:
        >>> told_apart(["wheeled robot 1", "wheeled robot 2"], 100)
        ['whe…bot 1', 'whe…bot 2']
    """
    short = [shorten(name, room, size) for name in names]
    if len(set(short)) == len(set(map(clean, names))):
        return short
    return [_squeezed(clean(name), room, size) for name in names]


def _squeezed(line: str, room: float, size: int) -> str:
    if width(line, size) <= room:
        return line
    start = shorten(line, room / 2, size)
    free, end = room - width(start, size), len(line)
    while end and advance(line[end - 1], size) <= free:
        end -= 1
        free -= advance(line[end], size)
    return start + line[end:].lstrip()
