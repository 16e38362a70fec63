"""Rows: the episode that the rows of a table and its note say."""

from __future__ import annotations

from collections.abc import Iterator, Sized
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from tbtrace.archive import notes
from tbtrace.archive.notes import Note
from tbtrace.archive.schema import AGENT
from tbtrace.archive.spelling import unspell
from tbtrace.episode import Episode, Series, Trace


def episode(rows: pa.Table, told: Note) -> Episode:
    """Returns the episode of a table's rows and its note, without media and scene.

    Points were kept as float32, unless that moves them by more than a millionth of what their
    group spans. Everything else is what it was.

    Raises:
        Exception: Of any kind, where the rows are none that tbtrace writes.
    """
    final: dict[str, float] = {}
    agents: dict[str, dict[str, float]] = {str(agent): {} for agent in told["agents"]}
    running: dict[str, Series] = {}
    traces: dict[str, dict[str, Trace]] = {group: {} for group in told["groups"]}
    for kind, group, name, steps, axes, values, channels, labels in _values(rows):
        if kind == "trace":
            points = np.column_stack([axis for axis in axes if axis is not None]).astype(np.float64)
            if values is not None:
                points = values.reshape(points.shape)
            _of_one_length(steps, points, *channels.values(), *labels.values())
            traces[group][name] = Trace(steps, points, channels, labels)
        elif kind == "running":
            _of_one_length(steps, values, *channels.values())
            of, sample = channels.get(AGENT), told["samples"].get(name)
            running[name] = Series(
                steps,
                values,
                None if of is None else of.astype(np.int32),
                None if sample is None else notes.tally(sample["tally"]),
                {}
                if sample is None
                else {int(i): notes.tally(each) for i, each in sample["tallies"].items()},
            )
        elif kind == "final":
            (final if group is None else agents[group])[name] = float(values[0])
    return Episode(
        told["uid"],
        told["length"],
        float(told["return"]),
        running,
        final,
        agents,
        traces,
        split=told["split"],
        iteration=told["iteration"],
        env_steps=told["env_steps"],
    )


def _of_one_length(*arrays: Sized) -> None:
    if len({len(array) for array in arrays}) > 1:
        raise ValueError("a row holds lists of different lengths")


def _values(rows: pa.Table) -> Iterator[tuple[Any, ...]]:
    columns = {name: rows.column(name).combine_chunks() for name in rows.column_names}
    axes = zip(*(_lists(columns[axis]) for axis in "xyz"), strict=True)
    yield from zip(
        columns["kind"].to_pylist(),
        _names(columns["group"]),
        _names(columns["name"]),
        _lists(columns["step"]),
        axes,
        _lists(columns["values"]),
        _maps(columns["channels"]),
        _maps(columns["labels"]),
        strict=True,
    )


def _names(array: Any) -> list[Any]:
    return [None if name is None else unspell(name) for name in array.to_pylist()]


def _lists(array: Any) -> list[Any]:
    """Returns a list column's rows as arrays of their own, texts as tuples, null as None."""
    offsets = array.offsets.to_numpy().tolist()
    flat: Any = array.values
    if pa.types.is_string(flat.type):
        coded = flat.dictionary_encode()
        words = [*_names(coded.dictionary), None]
        flat = [words[i] for i in coded.indices.fill_null(-1).to_numpy()]
        make: Any = tuple
    else:
        if flat.null_count:
            raise ValueError("a number is missing")
        flat = flat.to_numpy(zero_copy_only=False)
        make = np.array
    known = array.is_valid().to_pylist()
    return [
        make(flat[first:end]) if there else None
        for (first, end), there in zip(pairwise(offsets), known, strict=True)
    ]


def _maps(array: Any) -> list[dict[str, Any]]:
    offsets = array.offsets.to_numpy().tolist()
    keys, items = _names(array.keys), _lists(array.items)
    return [
        dict(zip(keys[first:end], items[first:end], strict=True))
        for first, end in pairwise(offsets)
    ]
