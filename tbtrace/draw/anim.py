"""Frames to the bytes of an animated PNG, which TensorBoard and browsers play.

An APNG (https://wiki.mozilla.org/APNG_Specification) is a PNG with more chunks: `acTL` says how
many frames there are, `fcTL` where and how long each one stands, `fdAT` holds the pixels of all but
the first.
"""

from __future__ import annotations

import itertools
import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tbtrace.draw import png
from tbtrace.errors import ContractError

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_RGB, _PALETTE, _RGBA = 2, 3, 6

_Place = tuple[int, int, int, int]
"""Top, bottom, left, right."""

_Part = tuple[_Place, bytes]
"""A frame: where it differs from the one before, and the compressed pixels there."""


def encode(frames: NDArray[Any], fps: float = 20.0) -> bytes:
    r"""Returns the APNG file of an animation that repeats for ever.

    The pixels are kept exactly; the same ones always give the same bytes. Of each frame the
    rectangle is stored that differs from the frame before, and as 8-bit indices where all frames
    together have at most 256 colours, as drawings do. A single frame is a plain PNG.

    Args:
        frames: uint8 `(n, height, width, 3)` or `(n, height, width, 4)`, RGB or RGBA.
        fps: Frames a second, from 0.02 to 1000, rounded to whole milliseconds a frame.

    Raises:
        ContractError: Another dtype or shape, no frames or no pixels, or another `fps`.

    Example:
        >>> b"acTL" in encode(np.zeros((2, 4, 4, 3), np.uint8))
        True
    """
    if (
        frames.dtype != np.uint8
        or frames.ndim != 4
        or frames.shape[3] not in (3, 4)
        or not frames.size
    ):
        raise ContractError(
            f"an animation is {frames.dtype} {frames.shape};"
            " expected uint8 (frames, height, width, 3 or 4)"
        )
    if not 0.02 <= fps <= 1000:
        raise ContractError(f"fps is {fps}; give frames a second from 0.02 to 1000")
    if len(frames) == 1:
        return png.encode(frames[0], lossless=True)
    if frames.shape[3] == 4 and frames[..., 3].min() == 255:
        frames = frames[..., :3]
    indexed = _indexed(frames)
    if indexed is not None:
        return _file(frames, _PALETTE, *indexed, fps)
    kind = _RGB if frames.shape[3] == 3 else _RGBA
    return _file(frames, kind, b"", _in_full_colour(frames), fps)


def _changes(frames: NDArray[np.uint8]) -> Iterator[tuple[_Place, NDArray[np.uint8]]]:
    """Yields the rectangle of each frame that differs from the one before, and its pixels."""
    _, height, width, _ = frames.shape
    place: _Place = (0, height, 0, width)
    before = None
    for frame in frames:
        now = np.ascontiguousarray(frame)
        if before is not None:
            place = _changed(before, now)
        top, bottom, left, right = place
        yield place, np.ascontiguousarray(now[top:bottom, left:right])
        before = now


def _changed(before: NDArray[np.uint8], now: NDArray[np.uint8]) -> _Place:
    height, _, channels = now.shape
    changed = before.reshape(height, -1) != now.reshape(height, -1)
    rows = np.flatnonzero(changed.any(axis=1))
    if not rows.size:
        return 0, 1, 0, 1  # the format knows no empty frame
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    columns = np.flatnonzero(changed[top:bottom].any(axis=0)) // channels
    return top, bottom, int(columns[0]), int(columns[-1]) + 1


def _indexed(frames: NDArray[np.uint8]) -> tuple[bytes, list[_Part]] | None:
    """Returns the chunks of the palette and the parts; None where there are too many colours."""
    colours = np.empty(0, np.uint32)
    parts = []
    for place, pixels in _changes(frames):
        runs, lengths = _runs(pixels)
        colours = np.concatenate([colours, np.setdiff1d(runs, colours)])
        if len(colours) > 256:
            return None
        order = np.argsort(colours)
        indices = order[np.searchsorted(colours, runs, sorter=order)].astype(np.uint8)
        spelled = np.repeat(indices, lengths).reshape(*pixels.shape[:2], 1)
        parts.append((place, _compressed(spelled)))
    rgba = colours.view(np.uint8).reshape(-1, 4)
    palette = _chunk(b"PLTE", rgba[:, :3].tobytes())
    if rgba[:, 3].min() < 255:
        palette += _chunk(b"tRNS", rgba[:, 3].tobytes())
    return palette, parts


def _runs(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.uint32], NDArray[np.intp]]:
    """Returns the colours and lengths of the runs of one colour: in drawings they are few."""
    channels = pixels.shape[2]
    flat = pixels.ravel()
    ends = (
        np.flatnonzero(flat[channels:] != flat[:-channels]) // channels
    )  # one a byte that differs
    ends = np.append(ends[np.diff(ends, prepend=-1) > 0], flat.size // channels - 1)
    rgba = np.full((len(ends), 4), 255, np.uint8)
    rgba[:, :channels] = flat.reshape(-1, channels)[ends]
    return rgba.view(np.uint32)[:, 0], np.diff(ends, prepend=-1)


def _in_full_colour(frames: NDArray[np.uint8]) -> list[_Part]:
    return [(place, _compressed(pixels)) for place, pixels in _changes(frames)]


def _compressed(pixels: NDArray[np.uint8]) -> bytes:
    """Compresses `(height, width, bytes of a pixel)`, quickly: line art gains little from more."""
    height = len(pixels)
    rows = np.zeros((height, 1 + pixels[0].size), np.uint8)  # each begins with the filter, 0: none
    rows[:, 1:] = pixels.reshape(height, -1)
    return zlib.compress(rows.data, 1)


def _file(
    frames: NDArray[np.uint8], kind: int, palette: bytes, parts: Sequence[_Part], fps: float
) -> bytes:
    count, height, width, _ = frames.shape
    chunks = [
        _SIGNATURE,
        _chunk(b"IHDR", struct.pack(">2I5B", width, height, 8, kind, 0, 0, 0)),
        _chunk(b"acTL", struct.pack(">2I", count, 0)),  # 0: for ever
        palette,
    ]
    numbers = itertools.count()
    for (top, bottom, left, right), pixels in parts:
        where = (right - left, bottom - top, left, top)
        delay = (round(1000 / fps), 1000)
        # Neither disposed of nor blended: what a frame does not cover stays.
        control = struct.pack(">5I2H2B", next(numbers), *where, *delay, 0, 0)
        chunks.append(_chunk(b"fcTL", control))
        is_first = len(chunks) == 5
        if is_first:  # programs that know no APNG show it alone
            chunks.append(_chunk(b"IDAT", pixels))
        else:
            chunks.append(_chunk(b"fdAT", struct.pack(">I", next(numbers)) + pixels))
    chunks.append(_chunk(b"IEND", b""))
    return b"".join(chunks)


def _chunk(name: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(data, zlib.crc32(name))
    return b"".join([struct.pack(">I", len(data)), name, data, struct.pack(">I", checksum)])
