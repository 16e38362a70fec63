"""Filled areas as codes of a canvas: bars, bands between curves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tbtrace.draw.canvas import FIRST
from tbtrace.draw.cells import pieces
from tbtrace.draw.pen import BORDER, Sheet
from tbtrace.draw.scale import Scale

_EDGES = 0.5


def bars(scale: Scale, boxes: NDArray[np.float64], layers: Sequence[int]) -> NDArray[np.uint8]:
    """Returns the codes of rectangles; see `tbtrace.draw.figure.Plot.bars`."""
    left, top, right, bottom = scale.box
    codes = np.zeros((bottom - top, right - left), np.uint8)
    one, other = scale.project(boxes[:, [0, 2]]), scale.project(boxes[:, [1, 3]])
    with np.errstate(invalid="ignore"):
        low = np.minimum(one, other).round() - (left, top)
        high = np.maximum(np.maximum(one, other).round() - (left, top), low + 1)
    seen = np.isfinite(boxes).all(axis=1) & (high > 0).all(axis=1)
    low = np.maximum(low, 0)
    corners = np.concatenate([low, high], axis=1)[seen].astype(int).tolist()
    values = (FIRST + 4 * np.asarray(layers))[seen].tolist()
    for (u0, v0, u1, v1), value in zip(corners, values, strict=True):
        codes[v0:v1, u0:u1] = value
    return codes


def band(
    scale: Scale, x: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]
) -> NDArray[np.uint8]:
    """Returns the codes of the area between two curves; see `tbtrace.draw.figure.Plot.band`."""
    left, top, right, bottom = scale.box
    sheet = Sheet.blank(right - left, bottom - top)
    below, above = np.column_stack([x, low]), np.column_stack([x, high])
    good = np.isfinite(below) & np.isfinite(above)
    below, above = (2 * (scale.project(curve) - (left, top)) + BORDER for curve in (below, above))
    for first, last, _ in pieces([len(good)], good):
        edge = np.concatenate([below[first:last], above[first:last][::-1]])
        sheet.draw.polygon(edge.astype(np.float32), FIRST)
    return sheet.codes(_EDGES)
