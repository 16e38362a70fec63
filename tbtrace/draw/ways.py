"""Ways to lines on a sheet: projected in blocks, cut at gaps, standstills as dots."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from tbtrace.draw.pen import BORDER, Sheet, diameter
from tbtrace.draw.scale import Scale

_BLOCK = 1 << 15
"""Points that are projected at once: as many as stay in the processor's cache."""

_FAR = 30_000.0
_DOT = 3
_FINITE = int(np.ones(2, bool).view(np.uint16)[0])

Pieces = list[tuple[int, int, int]]
"""First row, past-the-end row and number of the way of each stretch without a gap."""


def trace(
    sheet: Sheet,
    scale: Scale,
    ways: Sequence[NDArray[np.float64]],
    values: Sequence[int],
    width: float,
) -> None:
    """Draws ways one cell thin, for a pen of `width` pixels, in their order.

    Args:
        sheet: Of the size of the scale's box.
        scale: Where coordinates lie.
        ways: float `(n, 2)` each. A row with a NaN or an infinity is a gap; a piece of less than a
            pixel is a dot.
        values: What to draw with, one for each way.
        width: Pixels.
    """
    draw = sheet.draw
    blocks = list(_blocks(ways))
    most = max((sum(map(len, block)) for _, block in blocks), default=0)
    factors = _factors(scale, width, most)
    for first, block in blocks:
        at, spans = _projected(block, factors)
        for start, end, way in spans:
            draw.line(at[start:end], values[first + way])
        for start, end, way in _still(at, spans):
            u, v = at[start:end].mean(axis=0).tolist()
            draw.ellipse((u - _DOT, v - _DOT, u + _DOT, v + _DOT), values[first + way])


def _blocks(
    ways: Sequence[NDArray[np.float64]],
) -> Iterator[tuple[int, Sequence[NDArray[np.float64]]]]:
    first = points = 0
    for i, way in enumerate(ways):
        if points + len(way) > _BLOCK and i > first:
            yield first, ways[first:i]
            first, points = i, 0
        points += len(way)
    if points:
        yield first, ways[first:]


def _projected(
    ways: Sequence[NDArray[np.float64]], factors: NDArray[np.float64]
) -> tuple[NDArray[np.float32], Pieces]:
    """Returns where the points of all `ways` lie on a sheet, and their pieces."""
    raw = np.empty((sum(map(len, ways)), 2))  # in rows, however the ways lie in memory
    np.concatenate(ways, out=raw)
    with np.errstate(over="ignore", invalid="ignore"):
        # Adding up is the cheapest way to see that all are finite.
        good = None if np.isfinite(np.add.reduce(raw, axis=None)) else np.isfinite(raw)
        flat = raw.reshape(-1)
        # An axis of two would take ten times as long as one long row.
        flat *= factors[0, : len(flat)]
        flat += factors[1, : len(flat)]
        np.maximum(flat, -_FAR, out=flat)
        np.minimum(flat, _FAR, out=flat)
    return raw.astype(np.float32), pieces([len(way) for way in ways], good)


def _factors(scale: Scale, width: float, points: int) -> NDArray[np.float64]:
    """Returns what to multiply and to add, `(2, 2 * points)`, for x and y in turn."""
    (x0, x1, y0, y1), (left, top, right, bottom) = scale.limits, scale.box
    per_x, per_y = 2 * (right - left) / (x1 - x0), 2 * (bottom - top) / (y0 - y1)
    # Pillow cuts decimals off, and an even pen lies round the corner of a cell.
    origin = BORDER + (0.0 if diameter(width) % 2 else 0.5)
    factors = np.array([(per_x, per_y), (origin - per_x * x0, origin - per_y * y1)])
    return np.tile(factors, points)


def pieces(lengths: Sequence[int], good: NDArray[np.bool_] | None) -> Pieces:
    """Returns the stretches of several ways in one block that have no gap.

    Args:
        lengths: How many points each way has.
        good: bool `(n, 2)`, which coordinates are finite; None where all are.
    """
    ends = np.cumsum(lengths)
    starts = ends - lengths
    if good is None:
        spans = zip(starts.tolist(), ends.tolist(), range(len(lengths)), strict=True)
        return [span for span in spans if span[0] < span[1]]
    whole = good.view(np.uint16).reshape(-1) == _FINITE
    inner = np.zeros(len(whole) + 1, bool)
    inner[1:-1] = whole[1:] & whole[:-1]
    inner[starts] = False  # the points before and after belong to two ways
    firsts = np.flatnonzero(whole & ~inner[:-1])
    lasts = np.flatnonzero(whole & ~inner[1:])
    owners = np.searchsorted(starts, firsts, side="right") - 1
    return list(zip(firsts.tolist(), (lasts + 1).tolist(), owners.tolist(), strict=True))


def _still(at: NDArray[np.float32], spans: Pieces) -> Pieces:
    """Returns the pieces that stay within a pixel."""
    if not spans:
        return []
    firsts, pasts, _ = np.array(spans).T
    apart = np.abs(at[pasts - 1] - at[firsts])
    near = np.flatnonzero(np.maximum(apart[:, 0], apart[:, 1]) < 2).tolist()
    return [spans[i] for i in near if (np.ptp(at[slice(*spans[i][:2])], axis=0) < 2).all()]
