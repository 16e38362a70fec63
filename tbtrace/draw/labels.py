"""Names of places, written into the axes with a white edge."""

from __future__ import annotations

import numpy as np

from tbtrace.draw import glyphs, text
from tbtrace.draw.axes import PALE
from tbtrace.draw.canvas import Canvas
from tbtrace.draw.scale import Box, Scale

_ABOVE = 5
_EDGE = 2


class Labels:
    """Writes names, none over another.

    Args:
        canvas: The picture.
        scale: Where coordinates lie.
    """

    def __init__(self, canvas: Canvas, scale: Scale) -> None:
        self._canvas, self._scale = canvas, scale
        self._taken: list[Box] = []

    def write(self, name: str, point: tuple[float, float]) -> None:
        """Writes a name just above its point, unless that is outside or another name is there."""
        left, top, right, bottom = self._scale.box
        u, v = self._scale.project(np.array([point]))[0].tolist()
        line = text.shorten(name, right - left - 4 * _EDGE, text.SMALL)
        if not (line and left <= u <= right and top <= v <= bottom):
            return
        ink, covered = glyphs.outlined(line, text.SMALL)
        high, wide = ink.shape
        at = round(min(max(u - wide / 2, left), right - wide))
        above = round(min(max(v - high - _ABOVE, top), bottom - high))
        box = (at, above, at + wide, above + high)
        if any(_meet(box, other) for other in self._taken):
            return
        self._taken.append(box)
        self._canvas.cover(at, above, ink, covered, PALE)


def _meet(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
