"""Ways to lines on a sheet, standstills as dots."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tbtrace.draw.cells import Pieces, projected
from tbtrace.draw.pen import BORDER, Sheet, diameter
from tbtrace.draw.scale import Scale

_DOT = 3


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
    # Pillow cuts decimals off, and an even pen lies round the corner of a cell.
    origin = BORDER + (0.0 if diameter(width) % 2 else 0.5)
    for at, spans in projected(ways, scale, 2, origin):
        for start, end, way in spans:
            draw.line(at[start:end], values[way])
        for start, end, way in _still(at, spans):
            u, v = at[start:end].mean(axis=0).tolist()
            draw.ellipse((u - _DOT, v - _DOT, u + _DOT, v + _DOT), values[way])


def _still(at: NDArray[np.float32], spans: Pieces) -> Pieces:
    """Returns the pieces that stay within a pixel."""
    if not spans:
        return []
    firsts, pasts, _ = np.array(spans).T
    apart = np.abs(at[pasts - 1] - at[firsts])
    near = np.flatnonzero(np.maximum(apart[:, 0], apart[:, 1]) < 2).tolist()
    return [spans[i] for i in near if (np.ptp(at[slice(*spans[i][:2])], axis=0) < 2).all()]
