"""How far entities went."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tbtrace.views.memory import LARGEST


def travelled(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the way travelled up to each point, in the unit of the points.

    What lies between two stretches with a gap between them is not counted.

    Args:
        points: float64 `(n, 2)` or `(n, 3)`; a row with a NaN or an infinity is a gap.

    Returns:
        float64 `(n,)`, which begins with 0 and is NaN in gaps.

    Example:
        >>> gap = (np.nan, np.nan)
        >>> travelled(np.array([(0.0, 0.0), (3.0, 4.0), gap, (9.0, 9.0), (9.0, 10.0)])).tolist()
        [0.0, 5.0, nan, 5.0, 6.0]
    """
    way = np.zeros(len(points))
    np.cumsum(_distances(points), out=way[1:])
    way[~np.isfinite(points).all(axis=1)] = np.nan
    return way


def longest(ways: Sequence[NDArray[np.float64]]) -> float:
    """Returns how far the one that went farthest came; 0 where nobody moved.

    Args:
        ways: The points of each entity, as for `travelled`.

    Example:
        >>> longest([np.array([(0.0, 0.0), (3.0, 4.0)]), np.array([(7.0, 7.0)]), np.empty((0, 2))])
        5.0
    """
    farthest = 0.0
    for dim in (2, 3):
        ways_of_dim = [points for points in ways if points.shape[1] == dim and len(points) > 1]
        if ways_of_dim:
            starts = np.cumsum([0, *map(len, ways_of_dim)])
            steps = np.append(_distances(np.concatenate(ways_of_dim)), 0.0)
            steps[starts[1:] - 1] = 0.0  # from the end of one way to the start of the next
            farthest = max(farthest, float(np.add.reduceat(steps, starts[:-1]).max()))
    return farthest


def _distances(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the distance from each point to the next one, 0 into and out of a gap."""
    if len(points) < 2:
        return np.zeros(0)
    with np.errstate(over="ignore", invalid="ignore"):
        # Columns are contiguous: that is ten times faster than along the rows.
        steps = [np.diff(np.ascontiguousarray(column)) for column in points.T]
        distances = np.sqrt(sum(step * step for step in steps))
        # Ten times as quick as np.hypot, which is for the few whose squares overflow.
        rest = np.flatnonzero(~np.isfinite(distances))
        distances[rest] = functools.reduce(np.hypot, [step[rest] for step in steps])
    rest = rest[~np.isfinite(distances[rest])]
    distances[rest] = 0.0
    return np.minimum(distances, LARGEST, out=distances)
