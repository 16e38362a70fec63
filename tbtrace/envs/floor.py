"""The plant's floor: where its conveyors run and its stations stand, and a picture of it.

```
            ┌─ mill-1 ─┐        ┌─ drill-1 ─┐         ┌─ paint-1 ─┐
  in ──── D ┼─ mill-2 ─┼───── D ┼─ drill-2 ─┼──┬─── D ┼─ paint-2 ─┼── inspection ──── out
            └─ mill-3 ─┘        └─ drill-3 ─┘  │      └─ paint-3 ─┘   │
                                               └──────── rework ──────┘
```

Conveyors consist of zones of 2 m that hold one article each, and every corner is a zone: a line
drawn through the places of an article never cuts a corner.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

ZONE = 2
"""Length of a conveyor zone in metres."""

KINDS = ("mill", "drill", "paint")
"""The kinds of work, in the order of every article's route."""

LANES = 3
"""Stations of each kind."""

EXTENT = (-3.0, 63.0, -2.0, 42.0)
"""What the picture shows: left, right, bottom, top, in metres."""

PIXELS_PER_METRE = 6

Corner = tuple[int, int]
Place = tuple[float, float]
Path = tuple[Place, ...]

_MAIN_Y, _LANE_Y = 20, (32, 20, 8)
_GATE_X, _STATION_X, _MERGE_X = (4, 22, 42), (12, 30, 50), (16, 34, 54)
_IN, _INSPECTION, _OUT = (0, _MAIN_Y), (58, _MAIN_Y), (60, _MAIN_Y)
_GATES = tuple((x, _MAIN_Y) for x in _GATE_X)


def zones(corners: Sequence[Corner]) -> Path:
    """Returns the places of a conveyor, one a zone, from its end back to its beginning.

    Args:
        corners: `(x, y)` in metres along the conveyor; every leg is horizontal or vertical and
            a whole number of zones long, at least one.

    Example:
        >>> zones([(0, 0), (4, 0), (4, 2)])
        ((4.0, 2.0), (4.0, 0.0), (2.0, 0.0), (0.0, 0.0))
    """
    places = [(float(corners[0][0]), float(corners[0][1]))]
    for (x0, y0), (x1, y1) in pairwise(corners):
        count = (abs(x1 - x0) + abs(y1 - y0)) // ZONE
        places += [
            (x0 + (x1 - x0) * step / count, y0 + (y1 - y0) * step / count)
            for step in range(1, count + 1)
        ]
    return tuple(reversed(places))


_ENTRY_CORNERS = (_IN, _GATES[0])
_EXIT_CORNERS = (_INSPECTION, _OUT)
_REWORK_CORNERS = (_INSPECTION, (58, 2), (38, 2), (38, _MAIN_Y), _GATES[2])
_FEED_CORNERS = tuple(
    tuple((gate, (gate[0], y), (x, y)) if y != _MAIN_Y else (gate, (x, y)) for y in _LANE_Y)
    for gate, x in zip(_GATES, _STATION_X, strict=True)
)
_LEAVE_CORNERS = tuple(
    tuple(
        ((x, y), (merge, y), (merge, _MAIN_Y), end) if y != _MAIN_Y else ((x, y), end)
        for y in _LANE_Y
    )
    for x, merge, end in zip(_STATION_X, _MERGE_X, (*_GATES[1:], _INSPECTION), strict=True)
)

ENTRY, EXIT, REWORK = zones(_ENTRY_CORNERS), zones(_EXIT_CORNERS), zones(_REWORK_CORNERS)
"""From the gate of the plant; from the inspection out of it; from there back to the painting."""

FEED = tuple(tuple(zones(corners) for corners in kind) for kind in _FEED_CORNERS)
"""`FEED[kind][lane]`: from where articles are dispatched to the station."""

LEAVE = tuple(tuple(zones(corners) for corners in kind) for kind in _LEAVE_CORNERS)
"""`LEAVE[kind][lane]`: from the station to where the article is dispatched next, or inspected."""

LABELS = MappingProxyType(
    {
        f"{kind}-{lane + 1}": (float(x), _LANE_Y[lane] + 3.6)
        for kind, x in zip(KINDS, _STATION_X, strict=True)
        for lane in range(LANES)
    }
    | {"in": (0.0, _MAIN_Y + 2.6), "out": (60.6, _MAIN_Y + 2.6)}
)
"""Names to write on the floor, by the point in metres: the stations, `in` and `out`."""

_Color = tuple[int, int, int]
_FLOOR, _EDGE, _BELT, _JOINT = (250, 250, 248), (196, 201, 207), (229, 232, 236), (214, 218, 223)
_BODY: tuple[_Color, ...] = ((214, 228, 243), (218, 237, 219), (248, 228, 210))
_FRAME: tuple[_Color, ...] = ((132, 162, 196), (134, 178, 138), (206, 160, 116))
_GATE, _CHECK = (176, 182, 190), (240, 219, 226)


@cache
def picture() -> NDArray[np.uint8]:
    """Returns the floor plan, `uint8 (264, 396, 3)`, read-only, first row at the top of `EXTENT`.

    Light colours, so that coloured traces stay readable on it: belts grey with their zones,
    stations blue (mill), green (drill) and orange (paint), the inspection pink.
    """
    x0, x1, y0, y1 = EXTENT
    scale = PIXELS_PER_METRE
    image = np.empty((round((y1 - y0) * scale), round((x1 - x0) * scale), 3), np.uint8)
    image[:] = _FLOOR

    def fill(place: Place, half_width: float, half_height: float, color: _Color) -> None:
        top, bottom = (round((y1 - place[1] + sign * half_height) * scale) for sign in (-1, 1))
        left, right = (round((place[0] - x0 + sign * half_width) * scale) for sign in (-1, 1))
        image[max(top, 0) : bottom, max(left, 0) : right] = color

    paths = [ENTRY, EXIT, REWORK, *(path for kind in (*FEED, *LEAVE) for path in kind)]
    places = {place for path in paths for place in path}
    for half, color in ((0.9, _EDGE), (0.7, _BELT)):
        for path in paths:
            for (xa, ya), (xb, yb) in pairwise(path):
                middle = ((xa + xb) / 2, (ya + yb) / 2)
                fill(middle, abs(xb - xa) / 2 + half, abs(yb - ya) / 2 + half, color)
    for place in places:
        fill(place, 0.25, 0.25, _JOINT)
    for gate in _GATES:
        fill((float(gate[0]), float(gate[1])), 0.7, 0.7, _GATE)
    for kind, x in enumerate(_STATION_X):
        for y in _LANE_Y:
            fill((x, y), 2.2, 2.2, _FRAME[kind])
            fill((x, y), 1.9, 1.9, _BODY[kind])
    fill((float(_INSPECTION[0]), float(_INSPECTION[1])), 1.2, 1.2, _EDGE)
    fill((float(_INSPECTION[0]), float(_INSPECTION[1])), 0.9, 0.9, _CHECK)
    image.setflags(write=False)
    return image
