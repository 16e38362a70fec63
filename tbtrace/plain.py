"""Plain infos: copies of what is said at a step, made in a moment and sorted in many at a time.

Between two steps of an environment a policy runs, and what was in the processor's caches is gone.
So the step itself does the least that keeps what was said as it was: a few copies, made in C.
Names, turns and columns are worked out for a block of steps at once, in loops that are warm then.

Plain are dicts of plain numbers, arrays of numbers `(N, 2|3)` and mappings of plain points. Nothing
in a copy of those can change any more, so it can wait.
"""

from __future__ import annotations

from itertools import chain
from typing import Any

import numpy as np

from tbtrace.info import PLAIN

MOST_WAITING = 64
"""How many copies wait, at the most."""

_MOST_NUMBERS = 8192

ENTITIES, MAPPINGS, SINGLE = 0, -1, -2

Copy = tuple[Any, int, Any, int, Any]
"""Who said in which step where the entities of a group are, and how:
`(owner, step, group, width, bytes)` of a float64 array `(N, width)`,
`(..., group, ENTITIES, {entity: sequence})`,
`(..., group, MAPPINGS, {entity: {"x": ..., "y": ...}})`, or
`(..., name, SINGLE, point)` of what may be no group. Few objects are kept of a step that way."""

are_plain = PLAIN.issuperset
"""Tells whether all of some types are of plain numbers."""

_are_plain_or_states = PLAIN.union((str,)).issuperset


def copy_of(points: Any) -> tuple[int, Any]:
    """Copies the points of one group, or a single point.

    Returns:
        The kind (a width, `ENTITIES`, `MAPPINGS` or `SINGLE`) and the copy, which is None where not
        all is plain.

    Example:
        >>> copy_of({"a": [0.0, 1.0]}), copy_of((0, 1)), copy_of({"a": (0.0, None)})[1]
        ((0, {'a': (0.0, 1.0)}), (-2, (0, 1)), None)
    """
    kind = type(points)
    if kind is np.ndarray:
        if points.ndim != 2 or points.shape[1] not in (2, 3) or points.dtype.kind not in "fiub":
            return ENTITIES, None
        return points.shape[1], points.astype(np.float64, copy=False).tobytes()
    if kind is tuple:
        return SINGLE, points if are_plain(map(type, points)) else None
    if kind is not dict:
        return ENTITIES, None
    values = points.values()
    kinds = set(map(type, values))
    if kinds <= {tuple}:
        copy = points.copy()
    elif kinds == {list}:
        copy = dict(zip(points, map(tuple, values), strict=True))
    elif kinds == {np.ndarray}:
        copy = dict(zip(points, map(np.ndarray.tolist, values), strict=True))
    elif kinds == {dict}:
        if not all(_are_plain_or_states(map(type, point.values())) for point in values):
            return MAPPINGS, None
        return MAPPINGS, dict(zip(points, map(dict.copy, values), strict=True))
    else:
        return ENTITIES, None
    try:
        plain = are_plain(map(type, chain.from_iterable(copy.values())))
    except TypeError:  # a 0-d array
        plain = False
    return ENTITIES, copy if plain else None


def most_waiting(numbers: int) -> int:
    """Returns how many copies may wait that hold so many numbers each.

    Example:
        >>> most_waiting(25), most_waiting(1000), most_waiting(100_000)
        (64, 8, 1)
    """
    return max(1, min(MOST_WAITING, _MOST_NUMBERS // max(1, numbers)))


def numbers_in(copy: Copy) -> int:
    """Returns about how many numbers a copy holds."""
    *_, width, points = copy
    return len(points) // 8 if width > 0 else 2 * len(points)
