"""Which state an entity was in, from when to when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tbtrace.episode import Trace

AWAY = -1
"""The code of an entity that is not there."""

_Codes = NDArray[np.intp]


class Stretches(NamedTuple):
    """Stretches of time in one state, in their order; two that meet differ.

    Attributes:
        starts: float64 `(n,)`, the step in which each one begins.
        ends: float64 `(n,)`, the first step that is not in it any more.
        codes: intp `(n,)`, the state.
    """

    starts: NDArray[np.float64]
    ends: NDArray[np.float64]
    codes: _Codes


def texts(trace: Trace, channel: str) -> tuple[str | None, ...]:
    """Returns the state at each point, as a text: of a number its shortest spelling.

    Example:
        >>> gear = {"gear": np.array([1.0, np.nan])}
        >>> texts(Trace(np.arange(2, dtype=np.int32), np.zeros((2, 2)), gear), "gear")
        ('1', None)
    """
    if channel in trace.labels:
        return trace.labels[channel]
    if channel in trace.channels:
        numbers = trace.channels[channel].tolist()
        return tuple(f"{number:g}" if number == number else None for number in numbers)
    return (None,) * len(trace.steps)


def stretches(trace: Trace, channel: str, codes: Mapping[str | None, int]) -> Stretches:
    """Returns the stretches of an entity; a state lasts until the trace's next step.

    Args:
        trace: Where the entity was; in its gaps it is away.
        channel: What says the state.
        codes: The code of each state of the channel, from 0 on, and of None, which is said nothing.

    Returns:
        The stretches, without those in which the entity is away.

    Example:
        >>> states = {"state": ("busy", "busy", "idle", None, "idle")}
        >>> points = np.array([(0, 0), (0, 0), (0, 0), (np.nan, np.nan), (0, 0)])
        >>> trace = Trace(np.arange(5, dtype=np.int32), points, labels=states)
        >>> found = stretches(trace, "state", {"busy": 0, "idle": 1, None: 2})
        >>> found.starts.tolist(), found.ends.tolist(), found.codes.tolist()
        ([0.0, 2.0, 4.0], [2.0, 3.0, 5.0], [0, 1, 1])
    """
    said = texts(trace, channel)
    found = np.fromiter(map(codes.__getitem__, said), np.intp, len(said))
    found[~np.isfinite(trace.points).all(axis=1)] = AWAY
    steps = trace.steps.astype(np.float64)
    # How long the last state lasted nobody knows: as long as the one before, else one step.
    last = steps[-1:] + (steps[-1:] - steps[-2:-1] if len(steps) > 1 else 1.0)
    return _joined(np.append(steps, last), found)


def resampled(fine: Stretches, edges: NDArray[np.float64]) -> Stretches:
    """Returns the stretches by columns: each has the state that takes most of it, if any.

    Args:
        fine: What may change many times in a column.
        edges: float64 `(k + 1,)`, rising: where the columns begin and end.

    Example:
        >>> fine = Stretches(np.array([0.0, 1.0, 4.0]), np.array([1.0, 4.0, 5.0]), np.arange(3))
        >>> resampled(fine, np.array([0.0, 5.0, 10.0]))[1:]
        (array([5.]), array([1]))
    """
    known = np.unique(fine.codes)
    if not len(known):
        return fine
    # How much of each state there was up to each edge: no loop over columns or stretches.
    knots = np.column_stack([fine.starts, fine.ends]).ravel()
    amounts = np.zeros((len(known), len(edges)))
    for row, code in enumerate(known):
        lasted = np.where(fine.codes == code, fine.ends - fine.starts, 0.0)
        so_far = np.cumsum(np.column_stack([np.zeros(len(lasted)), lasted]).ravel())
        amounts[row] = np.interp(edges, knots, so_far)
    shares = np.diff(amounts, axis=1)
    codes = np.where(shares.max(axis=0) > 0, known[shares.argmax(axis=0)], AWAY)
    return _joined(edges, codes)


def _joined(edges: NDArray[np.float64], codes: _Codes) -> Stretches:
    """Joins neighbours of one state and leaves out those that are away."""
    first = np.flatnonzero(np.diff(codes, prepend=AWAY - 1))
    ends = np.append(edges[first[1:]], edges[len(codes) : len(codes) + 1])
    here = codes[first] != AWAY
    return Stretches(edges[first][here], ends[here], codes[first][here])
