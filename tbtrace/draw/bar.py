"""The colour bar beside the axes: which colour stands for which number."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tbtrace.draw import glyphs, text
from tbtrace.draw.axes import EDGE, PALE
from tbtrace.draw.canvas import Canvas
from tbtrace.draw.palette import parse
from tbtrace.draw.scale import Ticks

_GAP, _WIDE, _TICK, _LINE = 12, 16, 4, 20
_LONGEST = 100


@dataclass(frozen=True, slots=True)
class Bar:
    """What a colour bar shows.

    Attributes:
        colours: `#rrggbb`, from the lowest to the highest.
        marks: `(where, text)` of each tick; 0 is the lower end of the bar, 1 the upper one. One
            that would stand on an earlier one is left out.
        title: What the numbers are, written along the bar, shortened where it is too long.

    Example:
        >>> Bar(["#ffffff", "#000000"], [(0.0, "0"), (1.0, "9")], "speed").width
        66
    """

    colours: Sequence[str]
    marks: Sequence[tuple[float, str]]
    title: str = ""

    @classmethod
    def between(cls, low: float, high: float, colours: Sequence[str], title: str) -> Bar:
        """Returns a bar with round ticks from `low` to `high`, both finite and `low < high`."""
        ticks = Ticks.between(low, high, 4, text.clean(title))
        where = [(value - low) / (high - low) for value in ticks.values]
        marks = [pair for pair in zip(where, ticks.labels, strict=True) if -1e-9 <= pair[0] <= 1.01]
        return cls(colours, marks, ticks.title)

    @classmethod
    def of_counts(cls, most: int, colours: Sequence[str], title: str) -> Bar:
        """Returns a bar for 1 to `most` on a logarithmic scale, with ticks at both and between."""
        middle = round(math.sqrt(most))
        counts = sorted({1, middle, most}) if most > 1 else [1]
        marks = [(math.log(count) / math.log(most) if most > 1 else 0.5, count) for count in counts]
        return cls(colours, [(where, str(count)) for where, count in marks], title)

    @property
    def width(self) -> int:
        """Pixels to the right of the axes that the bar takes."""
        widest = max((text.width(label, text.SMALL) for _, label in self._labels()), default=0)
        return _GAP + _WIDE + _TICK + 4 + widest + (_LINE if self.title else 0)

    def _labels(self) -> list[tuple[float, str]]:
        return [(where, text.shorten(label, _LONGEST, text.SMALL)) for where, label in self.marks]

    def write(self, canvas: Canvas, left: int, top: int, bottom: int) -> None:
        """Draws the bar, from the axes' right side `left` to the right."""
        x0, x1, high = left + _GAP, left + _GAP + _WIDE, bottom - top
        inks = canvas.inks([parse(colour) for colour in self.colours])
        share = (np.arange(high)[::-1] + 0.5) / high
        canvas.pixels[top:bottom, x0:x1] = inks[(share * len(inks)).astype(int)][:, None]
        canvas.pixels[top - 1 : bottom + 1, (x0 - 1, x1)] = EDGE
        canvas.pixels[(top - 1, bottom), x0 - 1 : x1 + 1] = EDGE
        taken: list[int] = []
        for where, label in self._labels():
            v = min(bottom - round(where * high), bottom - 1)
            canvas.pixels[v, x1 : x1 + _TICK + 1] = EDGE
            ink = glyphs.line(label, text.SMALL)
            v = min(max(v - ink.shape[0] // 2, top - 3), bottom + 3 - ink.shape[0])
            if all(abs(v - other) > text.SMALL for other in taken):
                canvas.write(x1 + _TICK + 4, v, ink)
                taken.append(v)
        ink = np.rot90(glyphs.line(text.shorten(self.title, high)))
        canvas.write(left + self.width - _LINE, (top + bottom - ink.shape[0]) // 2, ink, PALE)
