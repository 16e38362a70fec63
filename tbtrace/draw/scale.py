"""From coordinates to pixels: limits, equal scale and ticks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tbtrace.errors import ContractError

Limits = tuple[float, float, float, float]
"""`(x0, x1, y0, y1)`: the values at the left, right, bottom and top edge."""

Box = tuple[int, int, int, int]
"""`(left, top, right, bottom)` in pixels from the picture's top left corner."""

FLATTEST = 8.0
"""Beyond this ratio of the sides, equal scale leaves a strip in which nothing can be read."""

_MINUS = "\u2212"
_STEADY = 1e5
_FAR = 1e6
_FINEST = 1e-100


def padded(extent: Limits) -> Limits:
    """Returns round limits with a little air round `extent`.

    They depend on `extent` alone and move in steps of about a twentieth of it, so that the axes of
    a growing extent stand still most of the time. A single point gets one unit of room or, where
    the coordinates are too large for that, what their precision allows. A thin extent (1:40) stays
    thin; one whose thickness is below 1:100000 counts as a line.

    Args:
        extent: `(x0, x1, y0, y1)`, finite, `x0 <= x1`, `y0 <= y1`.

    Example:
        >>> padded((0.0, 10.0, 2.0, 7.0))
        (-0.5, 10.5, 1.5, 7.5)
        >>> padded((3.0, 3.0, 4.0, 4.0))
        (2.5, 3.5, 3.5, 4.5)
    """
    x0, x1, y0, y1 = extent
    spans = [x1 - x0, y1 - y0]
    finest = 1e-6 * max(map(abs, extent))
    if max(spans) <= max(1e-3 * finest, _FINEST):
        half = max(0.5, finest)
        x, y = (x0 + x1) / 2, (y0 + y1) / 2
        return x - half, x + half, y - half, y + half
    large, small = max(spans), min(spans)
    if not FLATTEST < large / max(small, large / (2 * _STEADY)) < _STEADY:
        # About equal sides: the same air all round, and a line gets some width.
        spans = [max(span, large / (FLATTEST - 1)) for span in spans]
        x0, x1 = _widened(x0, x1, spans[0])
        y0, y1 = _widened(y0, y1, spans[1])
        return *_rounded(x0, x1, large), *_rounded(y0, y1, large)
    return *_rounded(x0, x1, spans[0]), *_rounded(y0, y1, spans[1])


def _widened(low: float, high: float, span: float) -> tuple[float, float]:
    extra = max(0.0, span - (high - low)) / 2
    return low - extra, high + extra


def _rounded(low: float, high: float, span: float) -> tuple[float, float]:
    step = _nice(span / 20)
    air = 0.03 * span
    return math.floor((low - air) / step) * step, math.ceil((high + air) / step) * step


def _nice(least: float) -> float:
    power = 10.0 ** math.floor(math.log10(least))
    return next(k * power for k in (1, 2, 2.5, 5, 10) if k * power >= least * (1 - 1e-9))


@dataclass(frozen=True, slots=True)
class Scale:
    """Where coordinates lie on the picture.

    Attributes:
        limits: The values at the edges of the box; an axis may run backwards (`x0 > x1`).
        box: The pixels of the axes.
        stretch: Pixels per unit in y over pixels per unit in x: 1.0 unless the limits are flatter
            than 8:1.
    """

    limits: Limits
    box: Box
    stretch: float = 1.0

    @classmethod
    def fit(
        cls,
        limits: Limits,
        room: Box,
        *,
        grow: bool,
        centre: bool = True,
        equal: bool = True,
    ) -> Scale:
        """Fits limits into the room at equal scale, or stretched where they are flatter than 8:1.

        Args:
            limits: What must be seen.
            room: The pixels that may be used.
            grow: Show more along one axis to fill the room; else use a part of the room.
            centre: Where a part is used: the middle one; else the one at the top left.
            equal: False fills the room whatever the ratio of the sides.

        Raises:
            ContractError: A limit is not finite, two are equal, or the room is empty.
        """
        x0, x1, y0, y1 = limits
        left, top, right, bottom = room
        wide, high = right - left, bottom - top
        if not all(map(math.isfinite, limits)) or x0 == x1 or y0 == y1:
            raise ContractError(f"limits {limits} must be finite, with x0 != x1 and y0 != y1")
        if wide < 1 or high < 1:
            raise ContractError(f"no room for axes in {room}; make the picture larger")
        if not equal:
            return cls(limits, room)
        per_x, per_y = wide / abs(x1 - x0), high / abs(y1 - y0)
        sides = abs(x1 - x0) / abs(y1 - y0)
        if max(sides, 1 / sides) > FLATTEST:
            return cls(limits, room, per_y / per_x)
        per = min(per_x, per_y)
        if grow:
            middle_x, half_x = (x0 + x1) / 2, math.copysign(wide / per / 2, x1 - x0)
            middle_y, half_y = (y0 + y1) / 2, math.copysign(high / per / 2, y1 - y0)
            grown = (middle_x - half_x, middle_x + half_x, middle_y - half_y, middle_y + half_y)
            return cls(grown, room)
        use_x, use_y = round(per * abs(x1 - x0)), round(per * abs(y1 - y0))
        left += (wide - use_x) // 2 if centre else 0
        top += (high - use_y) // 2 if centre else 0
        return cls(limits, (left, top, left + use_x, top + use_y))

    def project(self, points: NDArray[Any]) -> NDArray[np.float64]:
        """Returns the pixels of points: float64 `(n, 2)`, to the right and *downwards*.

        A value u lies on the pixel column or row floor(u). Non-finite rows stay non-finite; what
        lies far outside is brought nearer, because renderers overflow.

        Args:
            points: float `(n, 2)`.
        """
        x0, x1, y0, y1 = self.limits
        left, top, right, bottom = self.box
        # The origin goes first and in float64: coordinates may be large (UTM).
        with np.errstate(over="ignore", invalid="ignore"):
            at = np.asarray(points, np.float64) - (x0, y1)
            at *= ((right - left) / (x1 - x0), (bottom - top) / (y0 - y1))
            at += (left, top)
        return np.clip(at, -_FAR, _FAR, out=at, where=np.isfinite(points))


@dataclass(frozen=True, slots=True)
class Ticks:
    """Round values along an axis.

    Attributes:
        values: Where, ascending.
        labels: What to write there, at most about six characters each.
        title: The axis name with what the labels leave out: `(x - 500000) / 1e6`.
        power: The labels are divided by ten to this power.
    """

    values: tuple[float, ...]
    labels: tuple[str, ...]
    title: str
    power: int = 0

    @classmethod
    def between(
        cls, low: float, high: float, count: int, name: str, power: int | None = None
    ) -> Ticks:
        r"""Returns about `count` ticks, two at the least, between two values in any order.

        Args:
            low: One end of the axis.
            high: The other end; not equal to `low`.
            count: How many ticks there is room for, 2 or more.
            name: The axis name.
            power: The power of ten to divide by; None for what suits the labels.

        Example:
            >>> Ticks.between(0.0, 10.0, 2, "x")
            Ticks(values=(0.0, 5.0, 10.0), labels=('0', '5', '10'), title='x', power=0)
            >>> Ticks.between(5e5, 5.002e5, 2, "x").title == "x \N{MINUS SIGN} 500000"
            True
        """
        low, high = min(low, high), max(low, high)
        for step in (coarse := _nice((high - low) / count), _nice(coarse / 2)):
            first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
            if first < last:  # one tick alone tells no scale
                break
        values = [k * step for k in range(first, last + 1)] or [low]
        largest, origin = max(map(abs, values)), 0.0
        # Labels that differ in their last digits alone are too long to be read.
        if largest > (20 if largest >= 1e4 else 1e3) * (high - low):
            coarse = 10.0 ** math.floor(math.log10(high - low))
            origin = math.floor(values[0] / coarse) * coarse
            name = f"{name} {_MINUS if origin > 0 else '+'} {abs(origin):.15g}"
            largest = max(abs(value - origin) for value in values)
        if power is None:
            power = math.floor(math.log10(max(largest, step)) + 1e-9)
            power = 3 * (power // 3) if power >= 5 or power <= -3 else 0
        if power:
            name = f"{f'({name})' if origin else name} / 1e{power}"
        unit = 10.0**power
        decimals = max(0, -math.floor(math.log10(step / unit) + 1e-9))
        if abs(step / unit * 10**decimals - round(step / unit * 10**decimals)) > 1e-6:
            decimals += 1
        labels = (f"{(value - origin) / unit:.{decimals}f}" for value in values)
        signed = (text.replace("-", _MINUS) if float(text) else text.lstrip("-") for text in labels)
        return cls(tuple(values), tuple(signed), name, power)
