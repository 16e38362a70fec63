"""Ways in the cells of a grid that Pillow draws on: projected in batches, cut at gaps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from tbtrace.draw.batches import batches
from tbtrace.draw.scale import Scale

_ROWS = 1 << 15
"""So many points at once: fewer take longer to set up than they save in the cache."""

_FAR = 30_000.0
"""Cells; Pillow walks along a line cell by cell, those outside of the picture as well."""

_FINITE = int(np.ones(2, bool).view(np.uint16)[0])

Pieces = list[tuple[int, int, int]]
"""First row, past-the-end row and number of the way of each stretch without a gap."""


def projected(
    ways: Sequence[NDArray[np.float64]], scale: Scale, per_pixel: float, origin: float
) -> Iterator[tuple[NDArray[np.float32], Pieces]]:
    """Yields where the points of some ways after the other lie, and their pieces.

    Args:
        ways: float `(n, 2)` each. A row with a NaN or an infinity is a gap; what lies far outside
            is brought nearer.
        scale: Where coordinates lie on the picture.
        per_pixel: How many cells a pixel has along each side.
        origin: Where the top left corner of the scale's box is, in cells to the right and down.

    Yields:
        Cells, float32 `(m, 2)`, and the stretches of its rows, each with the place of its way in
        `ways`.
    """
    (x0, x1, y0, y1), (left, top, right, bottom) = scale.limits, scale.box
    per_x, per_y = per_pixel * (right - left) / (x1 - x0), per_pixel * (bottom - top) / (y0 - y1)
    # In float64: coordinates may be large (UTM). An axis of two would take ten times as long as one
    # long row.
    most = min(sum(map(len, ways)), _ROWS + max(map(len, ways), default=0))
    factors = np.tile(np.array([(per_x, per_y)]), most)[0]
    offsets = np.tile(np.array([(origin - per_x * x0, origin - per_y * y1)]), most)[0]
    first = 0
    for some in batches(ways, _ROWS):
        raw = np.empty((sum(map(len, some)), 2))  # in rows, however the ways lie in memory
        np.concatenate(some, out=raw)
        flat = raw.reshape(-1)
        with np.errstate(over="ignore", invalid="ignore"):
            # Adding up is the cheapest way to see that all are finite.
            good = None if np.isfinite(np.add.reduce(flat)) else np.isfinite(raw)
            flat *= factors[: len(flat)]
            flat += offsets[: len(flat)]
            np.maximum(flat, -_FAR, out=flat)
            np.minimum(flat, _FAR, out=flat)
        found = pieces([len(way) for way in some], good)
        yield raw.astype(np.float32), [(start, end, first + way) for start, end, way in found]
        first += len(some)


def pieces(lengths: Sequence[int], good: NDArray[np.bool_] | None) -> Pieces:
    """Returns the stretches of several ways in one block that have no gap.

    Args:
        lengths: How many points each way has.
        good: bool `(n, 2)`, which coordinates are finite; None where all are.

    Example:
        >>> pieces([2, 3], np.array([(1, 1), (1, 1), (1, 1), (0, 1), (1, 1)], bool))
        [(0, 2, 0), (2, 3, 1), (4, 5, 1)]
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
