"""Letters as bitmaps, drawn once and then joined: a line of text takes microseconds."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from tbtrace.draw.canvas import WHITE
from tbtrace.draw.text import SIZE, advance, font

_HALO = 2


@functools.lru_cache(maxsize=1 << 12)
def _glyph(char: str, size: int) -> NDArray[np.uint8]:
    face = font(size)
    wide, high = advance(char, size), sum(face.getmetrics())
    image = Image.new("L", (max(1, wide), high))
    ImageDraw.Draw(image).text((0, 0), char, 255, face, "la")
    ink = np.asarray(image)[:, :wide].astype(np.uint16)
    return ((ink * WHITE + 127) // 255).astype(np.uint8)


@functools.lru_cache(maxsize=1 << 10)
def line(text: str, size: int = SIZE) -> NDArray[np.uint8]:
    """Returns the ink of a line of text: uint8 `(height, width)`, 0 to 32; do not change it."""
    if not text:
        return np.zeros((sum(font(size).getmetrics()), 0), np.uint8)
    return np.concatenate([_glyph(char, size) for char in text], axis=1)


@functools.lru_cache(maxsize=1 << 10)
def outlined(text: str, size: int = SIZE) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Returns ink with a white edge: as `line`, two pixels more all round, and what it covers."""
    ink = np.pad(line(text, size), _HALO)
    image = Image.fromarray(np.where(ink > WHITE // 3, 255, 0).astype(np.uint8))
    draw = Image.new("L", image.size)
    for u in range(-_HALO, _HALO + 1):
        for v in range(-_HALO, _HALO + 1):
            if abs(u) + abs(v) < 2 * _HALO:
                draw.paste(255, (u, v), image)
    return ink, np.asarray(draw) > 0
