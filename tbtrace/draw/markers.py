"""Rings and dots: drawn once in large, reduced, and stamped wherever they belong."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tbtrace.draw.canvas import Canvas
from tbtrace.draw.palette import Colour
from tbtrace.draw.scale import Box

_FINE = 8


@functools.lru_cache(maxsize=64)
def stamp(radius: float, hole: float) -> NDArray[np.int8]:
    """Returns a disc in a white edge of a pixel, or a ring that is white inside.

    Args:
        radius: Pixels, to the end of the colour.
        hole: Pixels of the white inside; 0 for none.

    Returns:
        int `(n, n)`, n odd: -1 outside, 0 to 4 quarters of colour on white.
    """
    reach = int(radius + 1.5)
    side = _FINE * (2 * reach + 1)
    along = (np.arange(side) + 0.5 - side / 2) / _FINE
    far = np.hypot(along, along[:, None])
    inked = (far <= radius) & (far >= hole)
    quarters = _share(inked) * 4
    covered = _share(far <= radius + 1) >= 0.5
    return np.where(covered | (quarters >= 0.5), quarters.round(), -1).astype(np.int8)


def _share(fine: NDArray[np.bool_]) -> NDArray[np.float64]:
    cells = len(fine) // _FINE
    share: NDArray[np.float64] = fine.reshape(cells, _FINE, cells, _FINE).mean(axis=(1, 3))
    return share


def put(
    canvas: Canvas,
    box: Box,
    at: NDArray[np.float64],
    colours: Sequence[Colour],
    kind: NDArray[np.int8],
) -> None:
    """Stamps markers, the later ones on top; what sticks out of `box` is cut.

    Args:
        canvas: The picture.
        box: The pixels of the axes.
        at: float64 `(n, 2)`, pixels; rows that are not finite are left out.
        colours: One for each row.
        kind: As `stamp` returns it.
    """
    left, top, right, bottom = box
    known = np.isfinite(at).all(axis=1)
    centres = np.floor(at[known]).astype(np.intp)
    rows, columns = np.nonzero(kind >= 0)
    v = centres[:, 1:] + (rows - kind.shape[0] // 2)
    u = centres[:, :1] + (columns - kind.shape[1] // 2)
    few = list(dict.fromkeys(colours))
    inks = canvas.shades(few)
    numbers = np.array([few.index(colour) for colour in colours])[known]
    drawn = inks[numbers[:, None], kind[rows, columns]]
    inside = (left <= u) & (u < right) & (top <= v) & (v < bottom)
    canvas.pixels[v[inside], u[inside]] = drawn[inside]
