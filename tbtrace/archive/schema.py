"""The table: one row for each trace, each running and each final quantity of an episode."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from tbtrace.archive import notes
from tbtrace.archive.notes import Note
from tbtrace.episode import Episode, Series, Trace

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

_AGENT = "agent"


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
        each(episode.uid, pa.string()),
        each(episode.split, pa.string()),
        each(episode.iteration, pa.int64()),
        each(episode.env_steps, pa.int64()),
        each(episode.length, pa.int64()),
        each(float(episode.episode_return), pa.float64()),
        pa.array([row.kind for row in rows], pa.string()),
        pa.array([row.group for row in rows], pa.string()),
        pa.array([row.name for row in rows], pa.string()),
        _lists([row.step for row in rows], np.int32),
        *(_lists(axis, np.float32) for axis in axes),
        _lists([row.values for row in rows], np.float64),
        _maps([row.channels for row in rows], lambda lists: _lists(lists, np.float64)),
        _maps(
            [row.labels for row in rows],
            lambda lists: pa.array([list(one) for one in lists], pa.list_(pa.string())),
        ),
    ]
    return pa.Table.from_arrays(columns, schema=SCHEMA)


def _rows(episode: Episode) -> Iterable[_Row]:
    for group, traces in episode.traces.items():
        for entity, trace in traces.items():
            yield _Row(
                "trace",
                group,
                entity,
                trace.steps,
                trace.points,
                None,
                trace.channels,
                trace.labels,
            )
    for name, series in episode.running.items():
        channels = {} if series.agents is None else {_AGENT: series.agents}
        yield _Row("running", None, name, series.steps, None, series.values, channels)
    last = np.array([episode.length], np.int32)
    for name, value in episode.final.items():
        yield _Row("final", None, name, last, None, np.array([value]))
    for agent, said in episode.agents.items():
        for name, value in said.items():
            yield _Row("final", agent, name, last, None, np.array([value]))


def _lists(arrays: Sequence[Any], dtype: Any) -> pa.ListArray:
    """Returns a list column; None is null."""
    lengths = [0 if array is None else len(array) for array in arrays]
    offsets = np.zeros(len(arrays) + 1, np.int32)
    np.cumsum(lengths, out=offsets[1:])
    with np.errstate(over="ignore"):  # what is beyond float32 becomes infinite, and so a gap
        known = [np.asarray(array).astype(dtype) for array in arrays if array is not None]
    flat = np.concatenate(known) if known else np.empty(0, dtype)
    missing = np.array([array is None for array in arrays], bool)
    return pa.ListArray.from_arrays(
        pa.array(offsets), pa.array(flat), mask=pa.array(missing) if missing.any() else None
    )


def _maps(
    maps: Sequence[Mapping[str, Any]], items: Callable[[list[Any]], pa.ListArray]
) -> pa.MapArray:
    offsets = np.zeros(len(maps) + 1, np.int32)
    np.cumsum([len(one) for one in maps], out=offsets[1:])
    keys = pa.array([key for one in maps for key in one], pa.string())
    return pa.MapArray.from_arrays(
        pa.array(offsets), keys, items([value for one in maps for value in one.values()])
    )


def episode(rows: pa.Table, told: Note) -> Episode:
    """Returns the episode of a table's rows and its note, without media and background.

    Points were kept as float32. Everything else is what it was.
    """
    found = Episode(
        told["uid"],
        told["length"],
        float(told["return"]),
        split=told["split"],
        iteration=told["iteration"],
        env_steps=told["env_steps"],
        agents={agent: {} for agent in told["agents"]},
    )
    running: dict[str, Series] = {}
    final: dict[str, float] = {}
    agents: dict[str, dict[str, float]] = {agent: {} for agent in told["agents"]}
    traces: dict[str, dict[str, Trace]] = {}
    columns = {name: rows.column(name).combine_chunks() for name in SCHEMA.names[6:]}
    for i in range(rows.num_rows):
        kind, group, name = (columns[what][i].as_py() for what in ("kind", "group", "name"))
        steps = _array(columns["step"][i])
        channels = {key: _array(value) for key, value in _items(columns["channels"][i])}
        if kind == "trace":
            axes = [_array(columns[axis][i]) for axis in "xyz" if columns[axis][i].is_valid]
            points = np.stack(axes, axis=1).astype(np.float64)
            labels = {key: tuple(value.as_py()) for key, value in _items(columns["labels"][i])}
            traces.setdefault(group, {})[name] = Trace(steps, points, channels, labels)
        elif kind == "running":
            of = channels.get(_AGENT)
            sample = told["running"].get(name, {})
            running[name] = Series(
                steps,
                _array(columns["values"][i]),
                None if of is None else of.astype(np.int32),
                notes.tally(sample.get("tally")),
                {
                    int(index): tally
                    for index, each in sample.get("tallies", {}).items()
                    if (tally := notes.tally(each)) is not None
                },
            )
        else:
            value = float(_array(columns["values"][i])[0])
            (final if group is None else agents[group])[name] = value
    found.running, found.final, found.agents, found.traces = running, final, agents, traces
    return found


def _array(value: Any) -> Any:
    """Returns a list scalar's values as an array that can be changed."""
    return np.array(value.values.to_numpy(zero_copy_only=False))


def _items(value: Any) -> Iterable[tuple[str, Any]]:
    entries = value.values
    keys, items = entries.field(0), entries.field(1)
    return [(keys[i].as_py(), items[i]) for i in range(len(entries))]
