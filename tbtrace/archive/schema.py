"""The table: one row for each trace, each running and each final quantity of an episode."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from tbtrace.archive.spelling import spell
from tbtrace.episode import Episode, FloatArray, Trace

_MAP = pa.map_
SCHEMA = pa.schema(
    [
        ("uid", pa.string()),
        ("split", pa.string()),
        ("iteration", pa.int64()),
        ("env_steps", pa.int64()),
        ("length", pa.int64()),
        ("return", pa.float64()),
        ("kind", pa.string()),
        ("group", pa.string()),
        ("name", pa.string()),
        ("step", pa.list_(pa.int32())),
        ("x", pa.list_(pa.float32())),
        ("y", pa.list_(pa.float32())),
        ("z", pa.list_(pa.float32())),
        ("values", pa.list_(pa.float64())),
        ("channels", _MAP(pa.string(), pa.list_(pa.float64()))),
        ("labels", _MAP(pa.string(), pa.list_(pa.string()))),
    ]
)
"""docs/archive.md says what the columns mean; a change of meaning raises `notes.VERSION`."""

AGENT = "agent"
"""The channel that says which agent gave each value of a running quantity."""

_EXACT = 1e-6
"""Of what a group spans: a trace that float32 moves by more is kept in float64, too."""


@dataclass(slots=True)
class _Row:
    kind: str
    group: str | None
    name: str
    step: Any
    points: Any = None
    values: Any = None
    channels: Mapping[str, Any] = field(default_factory=dict)
    labels: Mapping[str, Any] = field(default_factory=dict)


def table(episode: Episode) -> pa.Table:
    """Returns the rows of one episode; none where it holds nothing."""
    rows = list(_rows(episode))
    count = len(rows)

    def each(value: Any, kind: pa.DataType) -> pa.Array:
        return pa.repeat(pa.scalar(value, kind), count)

    axes = [
        [None if row.points is None or row.points.shape[1] <= axis else row.points[:, axis]
         for row in rows]
        for axis in range(3)
    ]  # fmt: skip
    columns = [
        each(spell(episode.uid), pa.string()),
        each(spell(episode.split), pa.string()),
        each(int(episode.iteration), pa.int64()),
        each(int(episode.env_steps), pa.int64()),
        each(int(episode.length), pa.int64()),
        each(float(episode.episode_return), pa.float64()),
        pa.array([row.kind for row in rows], pa.string()),
        pa.array([None if row.group is None else spell(row.group) for row in rows], pa.string()),
        pa.array([spell(row.name) for row in rows], pa.string()),
        _lists([row.step for row in rows], np.int32),
        *(_lists(axis, np.float32) for axis in axes),
        _lists([row.values for row in rows], np.float64),
        _maps([row.channels for row in rows], lambda lists: _lists(lists, np.float64)),
        _maps([row.labels for row in rows], _texts),
    ]
    return pa.Table.from_arrays(columns, schema=SCHEMA)


def _rows(episode: Episode) -> Iterable[_Row]:
    for group, traces in episode.traces.items():
        coarse = _span(traces.values()) * _EXACT
        for name, trace in traces.items():
            exact = trace.points.ravel() if _moved(trace.points) > coarse else None
            yield _Row(
                "trace", group, name, trace.steps, trace.points, exact, trace.channels, trace.labels
            )
    for name, series in episode.running.items():
        channels = {} if series.agents is None else {AGENT: series.agents}
        yield _Row("running", None, name, series.steps, None, series.values, channels)
    last = np.array([episode.length], np.int32)
    for name, value in episode.final.items():
        yield _Row("final", None, name, last, None, np.array([value]))
    for agent, said in episode.agents.items():
        for name, value in said.items():
            yield _Row("final", agent, name, last, None, np.array([value]))


def _span(traces: Iterable[Trace]) -> float:
    """Returns how far a group's points spread along the axis on which they spread most.

    It is 0 where that is no number (points that are infinite, or further apart than float64 goes):
    then all that float32 would move is kept exactly.
    """
    low, high = np.full(3, np.inf), np.full(3, -np.inf)
    for trace in traces:
        points = trace.points.astype(np.float64, copy=False)  # a hand-written loop may give ints
        axes = points.shape[1]
        low[:axes] = np.fmin(low[:axes], np.fmin.reduce(points, axis=0, initial=np.inf))
        high[:axes] = np.fmax(high[:axes], np.fmax.reduce(points, axis=0, initial=-np.inf))
    with np.errstate(over="ignore", invalid="ignore"):
        span = float(np.fmax.reduce(high - low, initial=0.0))
    return span if np.isfinite(span) else 0.0


def _moved(points: FloatArray) -> float:
    """Returns how far float32 moves a point at most, infinitely where it is beyond float32."""
    with np.errstate(over="ignore", invalid="ignore"):
        return float(np.fmax.reduce(np.abs(points.astype(np.float32) - points), None, initial=0.0))


def _lists(arrays: Sequence[Any], dtype: Any) -> pa.ListArray:
    """Returns a list column; None is null."""
    lengths = [0 if array is None else len(array) for array in arrays]
    offsets = np.zeros(len(arrays) + 1, np.int32)
    np.cumsum(lengths, out=offsets[1:])
    with np.errstate(over="ignore"):  # what is beyond float32 is kept exactly, beside it
        known = [np.asarray(array).astype(dtype) for array in arrays if array is not None]
    flat = np.concatenate(known) if known else np.empty(0, dtype)
    missing = np.array([array is None for array in arrays], bool)
    return pa.ListArray.from_arrays(
        pa.array(offsets), pa.array(flat), mask=pa.array(missing) if missing.any() else None
    )


def _texts(lists: Sequence[Sequence[str | None]]) -> pa.ListArray:
    spelled = {text: None if text is None else spell(text) for one in lists for text in set(one)}
    return pa.array([[spelled[text] for text in one] for one in lists], pa.list_(pa.string()))


def _maps(
    maps: Sequence[Mapping[str, Any]], items: Callable[[list[Any]], pa.ListArray]
) -> pa.MapArray:
    offsets = np.zeros(len(maps) + 1, np.int32)
    np.cumsum([len(one) for one in maps], out=offsets[1:])
    keys = pa.array([spell(key) for one in maps for key in one], pa.string())
    return pa.MapArray.from_arrays(
        pa.array(offsets), keys, items([value for one in maps for value in one.values()])
    )
