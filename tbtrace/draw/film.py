"""Frames of a camera, one after the other as a film or side by side as a strip, below some text."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tbtrace.draw import anim, text
from tbtrace.draw.counter import spelled, wrapped
from tbtrace.draw.layout import LINE, MARGIN
from tbtrace.draw.quantise import LARGEST_ERROR, indexed

MOST_PIXELS = 1 << 23
"""So many pixels has a film in all its frames, before small frames are enlarged."""

_NARROWEST = 240
_GAP = 8
_GREYS = 8
_SMALLEST = 24

_Size = tuple[int, int]
_Frame = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Film:
    """Frames and what is told about them.

    Attributes:
        frames: uint8 `(height, width, 3)` each, with pixels; at least one; shapes may differ.
        labels: One of each frame, e.g. `"step 12"`.
        heads: Parts of the lines above the frames.
        size: Width and height of the picture at the most.
    """

    frames: Sequence[_Frame]
    labels: Sequence[str]
    heads: Sequence[str]
    size: _Size


def play(film: Film, fps: float, hold: float = 0.0) -> tuple[bytes, _Size]:
    """Returns an animated PNG, its width and its height.

    Frames keep their aspect. Small ones are enlarged by a whole factor, so that their pixels stay
    sharp; large ones are reduced, each pixel the average of those that it stands for. All together
    have a palette of about 250 colours, as a GIF has.

    Args:
        film: What is shown; the labels stand in the upper right corner.
        fps: As `tbtrace.draw.anim.encode`.
        hold: Seconds that the last frame stands longer.
    """
    wide, high = film.size
    aside = max(map(text.width, film.labels)) + 12
    lines: list[str] = [""]
    while True:
        room = (wide, high - _bar(lines))
        sizes = [_fitted(frame, room) for frame in film.frames]
        width, height = (max(sides) for sides in zip(*sizes, strict=True))
        width = max(width, _NARROWEST)
        needed = wrapped(film.heads, [width - 2 * MARGIN - aside, width - 2 * MARGIN])
        if len(needed) <= len(lines):
            break
        lines = needed  # more text leaves less room for the frames, which may be narrower then
    dark = np.zeros((_bar(lines) + height, width), np.uint8)
    _head(dark, needed)
    middle = _bar(lines) + height // 2
    pixels, ink, palette = _coloured(film.frames, sizes, math.inf)

    def canvases() -> Iterator[_Frame]:
        for one, size, label in zip(pixels, sizes, film.labels, strict=True):
            told = dark.copy()
            _write(told, label, width - MARGIN - text.width(label), MARGIN - 2)
            canvas = ink[told]
            _paste(canvas, one, size, width // 2, middle)
            yield canvas

    return _encoded(canvases(), palette, fps, hold), (width, len(dark))


def strip(film: Film) -> tuple[bytes, _Size]:
    """Returns a PNG with all frames, row by row, its width and its height.

    Args:
        film: What is shown, as `play` does, but photographs keep all their colours; the labels
            stand below the frames, or their last word where they are too long. With more frames
            than `most_in_strip` the picture may be larger than its size.
    """
    wide, high = film.size
    lines = wrapped(film.heads, [wide - 2 * MARGIN])
    columns, room = _grid(film, (wide, high - _bar(lines)))
    sizes = [_fitted(frame, room) for frame in film.frames]
    tile, height = (max(sides) for sides in zip(*sizes, strict=True))
    labels = [_short(label, tile) for label in film.labels]
    tile = max(tile, *map(text.width, labels))
    rows = math.ceil(len(sizes) / columns)
    width = max(map(text.width, lines), default=0) + 2 * MARGIN
    width = max(min(wide, width), columns * (tile + _GAP) + _GAP)
    dark = np.zeros((_bar(lines) + rows * (height + LINE + _GAP), width), np.uint8)
    _head(dark, lines)
    middles = []
    for place, label in enumerate(labels):
        x = _GAP + place % columns * (tile + _GAP) + tile // 2
        y = _bar(lines) + place // columns * (height + LINE + _GAP)
        _write(dark, label, x - text.width(label) // 2, y + height + 3)
        middles.append((x, y + height // 2))
    pixels, ink, palette = _coloured(film.frames, sizes, LARGEST_ERROR)
    canvas = ink[dark]
    for one, size, (x, y) in zip(pixels, sizes, middles, strict=True):
        _paste(canvas, one, size, x, y)
    return _encoded(iter([canvas]), palette, 1.0, 0.0), (width, len(dark))


def most_in_strip(labels: Sequence[str], heads: Sequence[str], size: _Size) -> int:
    """Returns how many frames there is room for in a strip, 24 pixels wide and high or more.

    Args:
        labels: As `Film`, of all frames that there are.
        heads: As `Film`.
        size: As `Film`.

    Example:
        >>> most_in_strip(["step 7"], ["best"], (400, 480))
        96
    """
    lines = wrapped(heads, [size[0] - 2 * MARGIN])
    columns = (size[0] - _GAP) // (max(_SMALLEST, _narrowest(labels)) + _GAP)
    rows = (size[1] - _bar(lines)) // (_SMALLEST + LINE + _GAP)
    return max(1, columns) * max(1, rows)


def _bar(lines: Sequence[str]) -> int:
    return MARGIN + LINE * len(lines)


def _fitted(frame: _Frame, room: _Size) -> _Size:
    """Returns width and height of a frame that fills the room without changing its aspect."""
    height, width = frame.shape[:2]
    factor = min(max(room[0], 1) / width, max(room[1], 1) / height)
    if factor >= 1:
        return int(factor) * width, int(factor) * height
    return max(1, int(factor * width)), max(1, int(factor * height))


def _grid(film: Film, room: _Size) -> tuple[int, _Size]:
    """Returns how many columns show the frames largest, and the room that each frame has there."""
    count = len(film.frames)
    tiles = []
    fit = (room[0] - _GAP) // (_narrowest(film.labels) + _GAP)
    for columns in range(1, 1 + min(count, max(1, fit))):
        each = (room[0] - _GAP) // columns - _GAP, room[1] // math.ceil(count / columns)
        tiles.append((columns, (each[0], each[1] - LINE - _GAP)))
    # Of equal ones the one with the fewest rows.
    return max(tiles, key=lambda tile: (math.prod(_fitted(film.frames[0], tile[1])), tile[0]))


def _narrowest(labels: Sequence[str]) -> int:
    """Returns how many pixels the labels need at the least."""
    return max(text.width(_short(label, 0)) for label in labels)


def _short(label: str, room: int) -> str:
    return label if text.width(label) <= room else label.split()[-1]


def _coloured(
    frames: Sequence[_Frame], sizes: Sequence[_Size], largest_error: float
) -> tuple[Sequence[_Frame], _Frame, _Frame | None]:
    """Returns the pixels of frames, what stands for darkness 0..255, and the palette if any."""
    small = [_reduced(frame, size) for frame, size in zip(frames, sizes, strict=True)]
    found = indexed(small, 256 - 1 - _GREYS, largest_error)
    if found is None:
        return small, np.repeat(np.arange(255, -1, -1, dtype=np.uint8)[:, None], 3, axis=1), None
    places, palette = found
    greys = np.linspace(255, 0, _GREYS).round().astype(np.uint8)
    own = np.repeat(np.concatenate([[np.uint8(0)], greys])[:, None], 3, axis=1)
    ink = (1 + np.arange(256) * (_GREYS - 1) // 255).astype(np.uint8)
    return [one + np.uint8(len(own)) for one in places], ink, np.concatenate([own, palette])


def _reduced(frame: _Frame, size: _Size) -> _Frame:
    if size[0] >= frame.shape[1] and size[1] >= frame.shape[0]:
        return frame
    smaller = Image.fromarray(np.ascontiguousarray(frame)).resize(size, Image.Resampling.BOX)
    return np.array(smaller)


def _head(dark: _Frame, lines: Sequence[str]) -> None:
    for place, line in enumerate(lines):
        _write(dark, line, MARGIN, MARGIN - 2 + place * LINE)


def _write(dark: _Frame, line: str, x: int, y: int) -> None:
    place = dark[max(y, 0) :, max(x, 0) :]
    letters = spelled(line)[: place.shape[0], : place.shape[1]]
    place = place[: letters.shape[0], : letters.shape[1]]
    np.maximum(place, letters, out=place)


def _paste(canvas: _Frame, pixels: _Frame, size: _Size, x: int, y: int) -> None:
    """Puts a frame with its middle at x and y, enlarged to its size."""
    factor = size[0] // pixels.shape[1]
    large = pixels.repeat(factor, axis=0).repeat(factor, axis=1)
    top, left = y - size[1] // 2, x - size[0] // 2
    canvas[top : top + size[1], left : left + size[0]] = large


def _encoded(canvases: Iterator[_Frame], palette: _Frame | None, fps: float, hold: float) -> bytes:
    if palette is None:
        return anim.encode(np.stack(list(canvases)), fps, hold)
    return anim.encode_indexed(canvases, palette, fps, hold)
