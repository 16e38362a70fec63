"""Curves of running values over the steps, and the band in which several of them lie."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tbtrace.episode import Series
from tbtrace.views.memory import LARGEST

MOST_STEPS = 600
"""A band is worked out at so many steps; a picture has hardly more columns."""

_FOUR = 4


class Curve(NamedTuple):
    """One value a step: two float64 `(n,)`, the steps rising; a NaN is a gap."""

    steps: NDArray[np.float64]
    values: NDArray[np.float64]


class Band(NamedTuple):
    """Where the curves lie at each step: float64 `(n,)` each, NaN where there is none.

    Quarters are of four curves and more.
    """

    steps: NDArray[np.float64]
    low: NDArray[np.float64]
    quarter: NDArray[np.float64]
    middle: NDArray[np.float64]
    three_quarters: NDArray[np.float64]
    high: NDArray[np.float64]


def curve(series: Series | None) -> Curve:
    """Returns the values over the steps; of several in one step, as of agents, their mean.

    Values that are not finite do not count; a step that has no other is a gap. A series that is a
    sample gives a curve of what is here, each value at its step.

    Example:
        >>> steps = np.array([0, 1, 1, 2], np.int32)
        >>> curve(Series(steps, np.array([4.0, 1.0, 2.0, np.nan]))).values.tolist()
        [4.0, 1.5, nan]
    """
    if series is None or not len(series.values):
        return Curve(np.empty(0), np.empty(0))
    values = series.values
    steps = series.steps.astype(np.float64)
    finite = np.abs(values) <= LARGEST  # not NaN either
    if not finite.all():
        finite = np.isfinite(values)
        values = np.where(finite, np.clip(values, -LARGEST, LARGEST), np.nan)
    new = steps[1:] != steps[:-1]
    if new.all():
        return Curve(steps, values)
    starts = np.append(0, np.flatnonzero(new) + 1)
    steps = steps[starts]
    counts = np.add.reduceat(finite, starts, dtype=np.float64)
    totals = np.add.reduceat(np.where(finite, values, 0.0), starts)
    with np.errstate(invalid="ignore"):
        return Curve(steps, totals / counts)


def band(curves: Sequence[Curve]) -> Band:
    """Returns the band of several curves: extremes, quartiles and the median at each step.

    A curve counts from its first to its last step; between two of its steps it is a line.

    Example:
        >>> rising = [Curve(np.arange(3.0), np.arange(3.0) * k) for k in range(1, 4)]
        >>> band(rising).low.tolist(), band(rising).middle.tolist(), band(rising).high.tolist()
        ([0.0, 1.0, 2.0], [0.0, 2.0, 4.0], [0.0, 3.0, 6.0])
    """
    known = [one for one in curves if len(one.steps)]
    last = max((one.steps[-1] for one in known), default=-1.0)
    steps = np.unique(np.linspace(0.0, last, int(min(last, MOST_STEPS)) + 1).round())
    rows = [np.interp(steps, *one, left=np.nan, right=np.nan) for one in known]
    stacked = np.sort(np.array(rows).reshape(len(known), len(steps)), axis=0)  # NaNs come last
    counts = np.isfinite(stacked).sum(axis=0)
    low, quarter, middle, three_quarters, high = (
        _quantile(stacked, counts, share / 4) for share in range(5)
    )
    for one in (quarter, three_quarters):
        one[counts < _FOUR] = np.nan
    return Band(steps, low, quarter, middle, three_quarters, high)


def _quantile(
    stacked: NDArray[np.float64], counts: NDArray[np.intp], share: float
) -> NDArray[np.float64]:
    """Returns a quantile of each column of which only the first `counts` rows count."""
    if not len(stacked):
        return np.empty(0)
    # numpy's own nanquantile goes column by column, 50 times slower.
    at = share * np.maximum(counts - 1, 0)
    below = at.astype(np.intp)
    columns = np.arange(stacked.shape[1])
    one = stacked[below, columns]
    other = stacked[np.minimum(below + 1, np.maximum(counts - 1, 0)), columns]
    return np.where(counts > 0, one + (other - one) * (at - below), np.nan)
