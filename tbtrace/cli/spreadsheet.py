"""Episodes as CSV: a row for every point of a trace, running value and final value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Any, NamedTuple

import numpy as np
import pyarrow as pa
from pyarrow import csv

from tbtrace.archive.notes import head
from tbtrace.archive.spelling import spell
from tbtrace.episode import Episode

Named = Iterable[tuple[str, Episode]]
"""Runs' names and episodes."""

_HEAD: dict[str, pa.DataType] = {
    "run": pa.string(),
    "uid": pa.string(),
    "split": pa.string(),
    "iteration": pa.int64(),
    "env_steps": pa.int64(),
    "length": pa.int64(),
    "return": pa.float64(),
    "kind": pa.string(),
    "group": pa.string(),
    "name": pa.string(),
    "step": pa.int32(),
    "x": pa.float64(),
    "y": pa.float64(),
    "z": pa.float64(),
    "value": pa.float64(),
}


class Names(NamedTuple):
    """What has a column of its own: `channel:<name>` and `label:<name>`."""

    channels: tuple[str, ...]
    labels: tuple[str, ...]


def names(episodes: Named) -> Names:
    """Returns the names of all channels and labels, in the order of first sight."""
    channels: dict[str, None] = {}
    labels: dict[str, None] = {}
    for _, episode in episodes:
        for traces in episode.traces.values():
            for trace in traces.values():
                channels |= dict.fromkeys(trace.channels)
                labels |= dict.fromkeys(trace.labels)
    return Names(tuple(channels), tuple(labels))


def write(episodes: Named, known: Names, stream: IO[bytes]) -> None:
    """Writes the rows; where there is no number or text, the cell is empty.

    Texts that are no UTF-8 are spelled as in the archive.

    Args:
        episodes: In the order of the rows.
        known: The channels and labels that have a column.
        stream: Takes UTF-8.
    """
    columns = {
        **_HEAD,
        **{f"channel:{spell(name)}": pa.float64() for name in known.channels},
        **{f"label:{spell(name)}": pa.string() for name in known.labels},
    }
    schema = pa.schema(list(columns.items()))
    with csv.CSVWriter(stream, schema) as writer:
        for run, episode in episodes:
            told = {"run": run, **head(episode)}
            tables = [_table(told, one, schema) for one in _series(episode)]
            if tables:
                writer.write_table(pa.concat_tables(tables))


def _series(episode: Episode) -> Iterator[dict[str, Any]]:
    """Yields the columns of each series; arrays of its length, or one value for all its rows."""
    for group, traces in episode.traces.items():
        for name, trace in traces.items():
            yield {
                "kind": "trace",
                "group": group,
                "name": name,
                "step": trace.steps,
                **{
                    axis: trace.points[:, i]
                    for i, axis in enumerate("xyz"[: trace.points.shape[1]])
                },
                **{
                    f"channel:{spell(channel)}": values
                    for channel, values in trace.channels.items()
                },
                **{f"label:{spell(label)}": list(states) for label, states in trace.labels.items()},
            }
    for name, series in episode.running.items():
        yield {"kind": "running", "name": name, "step": series.steps, "value": series.values}
    last = np.array([episode.length], np.int32)
    for name, value in episode.final.items():
        yield {"kind": "final", "name": name, "step": last, "value": value}
    for agent, said in episode.agents.items():
        for name, value in said.items():
            yield {"kind": "final", "group": agent, "name": name, "step": last, "value": value}


def _table(told: Mapping[str, Any], series: Mapping[str, Any], schema: pa.Schema) -> pa.Table:
    rows = len(series["step"])
    return pa.table([_column({**told, **series}, one, rows) for one in schema], schema=schema)


def _column(values: Mapping[str, Any], column: pa.Field, rows: int) -> pa.Array:
    value = values.get(column.name)
    if value is None:
        return pa.nulls(rows, column.type)
    if isinstance(value, np.ndarray):
        # What is NaN, a gap, becomes an empty cell.
        return pa.array(value, column.type, from_pandas=True)
    if isinstance(value, list):
        spelled = {state: None if state is None else spell(state) for state in set(value)}
        return pa.array([spelled[state] for state in value], column.type)
    if isinstance(value, str):
        return pa.repeat(pa.scalar(spell(value), column.type), rows)
    known = pa.array([value], column.type, from_pandas=True)
    return pa.repeat(known[0], rows) if known.null_count == 0 else pa.nulls(rows, column.type)
