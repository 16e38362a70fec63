"""Sides: ways in space seen from above, from the front and from the side, in one picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

from tbtrace.draw import panels, png
from tbtrace.draw.bar import Bar
from tbtrace.draw.figure import SMALLEST, Plot
from tbtrace.draw.scale import FLATTEST, Box, Limits
from tbtrace.episode import Scene
from tbtrace.views.floor import axis_names, draw_scene

_Pair = tuple[int, int]


class Paint(Protocol):
    """What is drawn on each side: ways in colours, or a crowd."""

    @property
    def legend(self) -> Sequence[tuple[str, str]]:
        """`(text, colour)` of each entry."""
        ...

    @property
    def bar(self) -> Bar | None:
        """The colour bar, if there is one."""
        ...

    def on(self, plot: Plot, columns: _Pair) -> None:
        """Draws the coordinates of those columns."""
        ...


def have_room(size: tuple[int, int]) -> bool:
    """Tells whether three sides fit into a picture of that size.

    Example:
        >>> have_room((640, 480)), have_room((479, 480))
        (True, False)
    """
    left, top, right, bottom = panels.quarters(size, 2)[0]
    return right - left >= SMALLEST[0] and bottom - top >= SMALLEST[1]


def sides(
    paint: Paint,
    limits: Limits,
    heights: tuple[float, float],
    scene: Scene,
    size: tuple[int, int],
    heads: Sequence[str],
) -> bytes:
    """Returns the PNG file of three plots: x and y at the top, x and z, y and z below.

    A unit is as long in all three, unless an extent is flatter than 8:1.

    Args:
        paint: What to draw.
        limits: Of x and y.
        heights: Of z.
        scene: Its background lies under the plot from above.
        size: `(width, height)` in pixels, for which `have_room`.
        heads: The two lines of the heading.
    """
    names = axis_names(scene)
    above, key, front, side = panels.quarters(size, 2)
    x0, x1, y0, y1 = limits
    seen: list[tuple[_Pair, Box, Limits]] = [
        ((0, 1), above, limits),
        ((0, 2), front, (x0, x1, *heights)),
        ((1, 2), side, (y0, y1, *heights)),
    ]

    def plot(columns: _Pair, box: Box, shown: Limits) -> Plot:
        left, top, right, bottom = box
        across, up = columns
        room = (right - left, bottom - top)
        # The words that it is stretched have no room here; the ticks say it.
        return Plot(
            shown,
            room,
            names=(names[across], names[up]),
            units=scene.units,
            equal=not _is_flat(shown),
        )

    # Other limits have ticks of another width, which leave another room: thrice is near enough.
    for _ in range(3):
        lengths = [math.inf if _is_flat(one[2]) else _unit(plot(*one)) for one in seen]
        seen = [
            (columns, box, _grown(shown, length / min(lengths)))
            for (columns, box, shown), length in zip(seen, lengths, strict=True)
        ]
    parts = []
    for columns, box, shown in seen:
        one = plot(columns, box, shown)
        if columns == (0, 1):
            draw_scene(one, scene)
        paint.on(one, columns)
        if columns == (0, 1):
            one.places(scene.places)
        parts.append((box, one.render()))
    return png.encode(panels.joined(size, heads, parts, key, paint.legend, paint.bar))


def _unit(plot: Plot) -> float:
    """Returns how many pixels long a unit is."""
    x0, x1, _, _ = plot.scale.limits
    left, _, right, _ = plot.scale.box
    return (right - left) / abs(x1 - x0)


def _is_flat(limits: Limits) -> bool:
    x0, x1, y0, y1 = limits
    across, up = abs(x1 - x0), abs(y1 - y0)
    return max(across, up) > FLATTEST * min(across, up)


def _grown(limits: Limits, factor: float) -> Limits:
    """Returns limits grown about their middle, which makes a unit shorter by the factor."""
    if not 1 < factor <= FLATTEST:
        return limits
    x0, x1, y0, y1 = limits
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    return tuple(  # type: ignore[return-value]  # four of them
        middle + (edge - middle) * factor for edge, middle in ((x0, x), (x1, x), (y0, y), (y1, y))
    )
