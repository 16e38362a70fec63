"""Frames to the bytes of an animated PNG, which TensorBoard and browsers play.

An APNG (https://wiki.mozilla.org/APNG_Specification) is a PNG with more chunks: `acTL` says how
many frames there are, `fcTL` where and how long each one stands, `fdAT` holds the pixels of all but
the first.
"""

from __future__ import annotations

import itertools
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tbtrace.draw import png, quantise
from tbtrace.errors import ContractError

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_RGB, _PALETTE, _RGBA = 2, 3, 6

_Place = tuple[int, int, int, int]
"""Top, bottom, left, right."""

_Part = tuple[_Place, bytes]
"""A frame: where it differs from the one before, and the compressed pixels there."""


def encode(frames: NDArray[Any], fps: float = 20.0, hold: float = 0.0) -> bytes:
    r"""Returns the APNG file of an animation that repeats for ever.

    The pixels are kept exactly; the same ones always give the same bytes. Of each frame the
    rectangle is stored that differs from the frame before, and as 8-bit indices where all frames
    together have at most 256 colours, as drawings do. A single frame is a plain PNG.

    Args:
        frames: uint8 `(n, height, width, 3)` or `(n, height, width, 4)`, RGB or RGBA.
        fps: Frames a second, from 0.02 to 1000, rounded to whole milliseconds a frame.
        hold: Seconds that the last frame stands longer.

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
    check(fps)
    if len(frames) == 1:
        return png.encode(frames[0], lossless=True)
    if frames.shape[3] == 4 and frames[..., 3].min() == 255:
        frames = frames[..., :3]
    size = frames.shape[1:3]
    indexed = _indexed(frames)
    if indexed is not None:
        return _file(size, _PALETTE, *indexed, fps, hold=hold)
    kind = _RGB if frames.shape[3] == 3 else _RGBA
    return _file(size, kind, b"", _in_full_colour(frames), fps, hold=hold)


def encode_indexed(
    frames: Iterable[NDArray[np.uint8]], palette: NDArray[np.uint8], fps: float, hold: float = 0.0
) -> bytes:
    r"""Returns the file of frames that are places in one palette: `encode`, for drawings, faster.

    Of each frame only the pixels are stored that differ from the frame before.

    Args:
        frames: uint8 `(height, width)` each, of one shape, at least one; a frame may be changed as
            soon as the next one is asked for. Values from 1 to n - 1: place 0 of the palette is
            needed for the pixels that stay.
        palette: uint8 `(n, 3)`, n at most 256.
        fps: As `encode`.
        hold: As `encode`.

    Raises:
        ContractError: No frames, or another `fps`.

    Example:
        >>> palette = np.array([(0, 0, 0), (255, 255, 255), (0, 114, 178)], np.uint8)
        >>> moving = np.array([[[1, 2, 1]], [[1, 1, 2]]], np.uint8)
        >>> encode_indexed(moving, palette, fps=10)[:4]
        b'\x89PNG'
    """
    check(fps)
    parts: list[_Part] = []
    before = np.empty(0, np.uint8)
    for frame in frames:
        if not parts:
            place = (0, frame.shape[0], 0, frame.shape[1])
            # Rows of drawings repeat themselves, unless lines are everywhere.
            busy = np.count_nonzero(frame[:, 1:] != frame[:, :-1]) > frame.size // 8
            parts.append((place, _compressed(frame, strategy=zlib.Z_RLE if busy else 0)))
            before = frame.copy()
            continue
        place = top, bottom, left, right = _changed(before[..., np.newaxis], frame[..., np.newaxis])
        now, then = (one[top:bottom, left:right] for one in (frame, before))
        parts.append((place, _compressed(now * (now != then), level=4)))
        then[...] = now
    if not parts:
        raise ContractError("an animation has no frames; give at least one")
    rgba = np.column_stack([palette, np.full(len(palette), 255, np.uint8)])
    if len(parts) > 1:
        rgba[0, 3] = 0
    return _file(
        (len(before), len(before[0])), _PALETTE, _palette(rgba), parts, fps, over=True, hold=hold
    )


def check(fps: float) -> None:
    """Raises a ContractError for another number than `encode` takes."""
    if not 0.02 <= fps <= 1000:
        raise ContractError(f"fps is {fps}; give frames a second from 0.02 to 1000")


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
        rgba, lengths = quantise.runs(pixels)
        runs = rgba.view(np.uint32)[:, 0]
        colours = np.concatenate([colours, np.setdiff1d(runs, colours)])
        if len(colours) > 256:
            return None
        order = np.argsort(colours)
        indices = order[np.searchsorted(colours, runs, sorter=order)].astype(np.uint8)
        spelled = np.repeat(indices, lengths).reshape(*pixels.shape[:2], 1)
        parts.append((place, _compressed(spelled)))
    return _palette(colours.view(np.uint8).reshape(-1, 4)), parts


def _palette(rgba: NDArray[np.uint8]) -> bytes:
    chunks = _chunk(b"PLTE", rgba[:, :3].tobytes())
    if rgba[:, 3].min() < 255:
        chunks += _chunk(b"tRNS", rgba[:, 3].tobytes())
    return chunks


def _in_full_colour(frames: NDArray[np.uint8]) -> list[_Part]:
    return [(place, _compressed(pixels)) for place, pixels in _changes(frames)]


def _compressed(pixels: NDArray[np.uint8], level: int = 1, strategy: int = 0) -> bytes:
    """Compresses `(height, width, bytes of a pixel)`.

    Quickly: whole pictures gain little from more. What changes in a drawing is small and scattered;
    there level 4 takes a tenth of a millisecond more and a fifth off the bytes.
    """
    height = len(pixels)
    rows = np.zeros((height, 1 + pixels[0].size), np.uint8)  # each begins with the filter, 0: none
    rows[:, 1:] = pixels.reshape(height, -1)
    squeeze = zlib.compressobj(level, strategy=strategy)
    return squeeze.compress(rows.data) + squeeze.flush()


def _file(
    size: tuple[int, int],
    kind: int,
    palette: bytes,
    parts: Sequence[_Part],
    fps: float,
    *,
    over: bool = False,
    hold: float = 0.0,
) -> bytes:
    """Returns the file of parts that replace what was there or, with `over`, lie over it."""
    height, width = size
    chunks = [
        _SIGNATURE,
        _chunk(b"IHDR", struct.pack(">2I5B", width, height, 8, kind, 0, 0, 0)),
        palette,
    ]
    if len(parts) == 1:
        return b"".join([*chunks, _chunk(b"IDAT", parts[0][1]), _chunk(b"IEND", b"")])
    chunks.insert(2, _chunk(b"acTL", struct.pack(">2I", len(parts), 0)))  # 0: for ever
    numbers = itertools.count()
    for place, ((top, bottom, left, right), pixels) in enumerate(parts):
        where = (right - left, bottom - top, left, top)
        milliseconds = round(1000 / fps) + (round(1000 * hold) if place == len(parts) - 1 else 0)
        delay = (min(milliseconds, 65535), 1000)
        # Never disposed of: what a frame does not cover stays.
        control = struct.pack(">5I2H2B", next(numbers), *where, *delay, 0, over and place > 0)
        chunks.append(_chunk(b"fcTL", control))
        if place == 0:  # programs that know no APNG show it alone
            chunks.append(_chunk(b"IDAT", pixels))
        else:
            chunks.append(_chunk(b"fdAT", struct.pack(">I", next(numbers)) + pixels))
    chunks.append(_chunk(b"IEND", b""))
    return b"".join(chunks)


def _chunk(name: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(data, zlib.crc32(name))
    return b"".join([struct.pack(">I", len(data)), name, data, struct.pack(">I", checksum)])
