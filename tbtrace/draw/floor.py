"""What lies under a drawing: an image in few colours, the outline of a scene."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tbtrace.draw.axes import EDGE
from tbtrace.draw.canvas import Canvas
from tbtrace.draw.quantise import indexed
from tbtrace.draw.scale import Limits, Scale

_COLOURS = 64


def paste(
    canvas: Canvas, scale: Scale, pixels: NDArray[np.uint8], extent: Limits, fade: float
) -> None:
    """Puts an image into the axes; see `tbtrace.draw.figure.Plot.image`."""
    (ax, ay), (bx, by) = _corners(scale, extent)
    left, top, right, bottom = scale.box
    # Of an image that is larger than the axes, only what they show is drawn.
    u0, u1 = max(min(ax, bx), left), min(max(ax, bx, min(ax, bx) + 1), right)
    v0, v1 = max(min(ay, by), top), min(max(ay, by, min(ay, by) + 1), bottom)
    if u0 >= u1 or v0 >= v1:
        return
    high, wide = pixels.shape[:2]
    per_u, per_v = wide / ((bx - ax) or 1), high / ((by - ay) or 1)
    part = ((u0 - ax) * per_u, (v0 - ay) * per_v, (u1 - ax) * per_u, (v1 - ay) * per_v)
    places, palette = _resized(pixels.tobytes(), wide, high, part, (u1 - u0, v1 - v0))
    colours = (palette * (1 - fade) + 255 * fade).round().astype(int).tolist()
    canvas.paste((u0, v0, u1, v1), places, [(r, g, b) for r, g, b in colours])


def outline(canvas: Canvas, scale: Scale, extent: Limits) -> None:
    """Draws a rectangle into the axes; see `tbtrace.draw.figure.Plot.outline`."""
    (ax, ay), (bx, by) = _corners(scale, extent)
    left, top, right, bottom = scale.box
    u0, u1 = max(min(ax, bx), left), min(max(ax, bx) + 1, right)
    v0, v1 = max(min(ay, by), top), min(max(ay, by) + 1, bottom)
    for u in (ax, bx):
        if left <= u < right and v0 < v1:
            canvas.pixels[v0:v1, u] = EDGE
    for v in (ay, by):
        if top <= v < bottom and u0 < u1:
            canvas.pixels[v, u0:u1] = EDGE


def _corners(scale: Scale, extent: Limits) -> list[tuple[int, int]]:
    x0, x1, y0, y1 = extent
    at = scale.project(np.array([(x0, y1), (x1, y0)])).round().astype(int)
    return [(u, v) for u, v in at.tolist()]


@functools.lru_cache(maxsize=4)
def _resized(
    data: bytes,
    wide: int,
    high: int,
    part: tuple[float, float, float, float],
    size: tuple[int, int],
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Returns a part of an image in another size as places in a palette of few colours.

    The floor of a scene is the same in every picture of a run.
    """
    image = Image.frombytes("RGB", (wide, high), data)
    u0, v0, u1, v1 = part
    if u0 > u1:
        image, u0, u1 = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT), wide - u0, wide - u1
    if v0 > v1:
        image, v0, v1 = image.transpose(Image.Transpose.FLIP_TOP_BOTTOM), high - v0, high - v1
    # The cells of a coarse grid stay sharp.
    coarse = size[0] >= 2 * abs(u1 - u0) and size[1] >= 2 * abs(v1 - v0)
    how = Image.Resampling.NEAREST if coarse else Image.Resampling.BILINEAR
    box = (max(u0, 0), max(v0, 0), min(u1, wide), min(v1, high))
    found = indexed([np.asarray(image.resize(size, how, box))], _COLOURS, np.inf)
    assert found is not None  # no error is too large
    (places,), palette = found
    return places, palette
