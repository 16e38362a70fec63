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


def columns(found: Stretches, edges: NDArray[np.float64]) -> _Codes:
    """Returns the state of each column: the one that takes most of it, `AWAY` where there is none.

    Args:
        found: What may change many times in a column.
        edges: float64 `(k + 1,)`, rising: where the columns begin and end, all equally wide.

    Returns:
        intp `(k,)`.

    Example:
        >>> found = Stretches(np.array([0.0, 1.0, 4.0]), np.array([1.0, 4.0, 5.0]), np.arange(3))
        >>> columns(found, np.array([0.0, 5.0, 10.0])).tolist()
        [1, -1]
    """
    if not len(found.codes):
        return np.full(len(edges) - 1, AWAY)
    if (found.ends - found.starts).min() >= edges[1] - edges[0]:
        middles = (edges[1:] + edges[:-1]) / 2
        at = np.searchsorted(found.starts, middles, "right") - 1
        return np.where((at >= 0) & (middles < found.ends[at]), found.codes[at], AWAY)
    # How much of each state there was up to each edge: no loop over columns or stretches.
    known = np.unique(found.codes)
    lengths = found.ends - found.starts
    is_one = found.codes == known[:, None]
    up_to = np.zeros((len(known), len(lengths) + 1))
    np.cumsum(np.where(is_one, lengths, 0.0), axis=1, out=up_to[:, 1:])
    at = np.maximum(np.searchsorted(found.starts, edges, "right") - 1, 0)
    inside = np.clip(edges - found.starts[at], 0.0, lengths[at])
    amounts = up_to[:, at] + np.where(is_one[:, at], inside, 0.0)
    shares = np.diff(amounts, axis=1)
    return np.where(shares.max(axis=0) > 0, known[shares.argmax(axis=0)], AWAY)


def _joined(edges: NDArray[np.float64], codes: _Codes) -> Stretches:
    """Joins neighbours of one state and leaves out those that are away."""
    first = np.flatnonzero(np.diff(codes, prepend=AWAY - 1))
    ends = np.append(edges[first[1:]], edges[len(codes) : len(codes) + 1])
    here = codes[first] != AWAY
    return Stretches(edges[first][here], ends[here], codes[first][here])
