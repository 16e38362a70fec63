"""Columns: the traces in an episode's rows, without a loop over their points."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tbtrace.archive.spelling import unspell

NO_STATE = 65_535
"""The code of a label where none came."""


class Way(NamedTuple):
    """One trace.

    Attributes:
        group: Its group.
        name: Its entity.
        steps: int32 `(n,)`.
        points: `(n, 2|3)`, float32, or float64 where that is too coarse.
        exact: Whether they are float64.
        row: Where it stands in the table.
    """

    group: str
    name: str
    steps: NDArray[np.int32]
    points: NDArray[Any]
    exact: bool
    row: int


class Columns:
    """The columns of an episode's rows, as flat arrays.

    Args:
        rows: A table of the archive's schema.

    Raises:
        Exception: Of any kind, where the rows are none that tbtrace writes.
    """

    def __init__(self, rows: pa.Table) -> None:
        columns = {name: rows.column(name).combine_chunks() for name in rows.column_names}
        self._kinds = columns["kind"].to_pylist()
        self._groups = columns["group"].to_pylist()
        self._names = columns["name"].to_pylist()
        self._lists = {name: _List(columns[name]) for name in ("step", "x", "y", "z", "values")}
        self._channels = _Map(columns["channels"])
        self._labels = _Map(columns["labels"])
        # Of texts: a code for each, the same for all entities; -1 for none.
        coded = self._labels.items.array.values.dictionary_encode()
        self._states = [unspell(text) for text in coded.dictionary.to_pylist()]
        self._codes = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)

    def ways(self) -> list[Way]:
        """Returns the traces, in their order; the last one of those that share group and name.

        Raises:
            ValueError: Lists differ in length, or steps do not rise.
        """
        found = {}
        for row, kind in enumerate(self._kinds):
            if kind != "trace":
                continue
            steps = self._lists["step"].row(row)
            known = [self._lists[axis].row(row) for axis in "xyz" if self._lists[axis].has(row)]
            if len(known) < 2:
                raise ValueError("a trace has no points")
            exact = self._lists["values"].has(row)
            points = np.column_stack(known)
            if exact:
                points = self._lists["values"].row(row).reshape(points.shape)
            if len(points) != len(steps):
                raise ValueError("a row holds lists of different lengths")
            if len(steps) and (steps[0] < 0 or (np.diff(steps.astype(np.int64)) < 1).any()):
                raise ValueError("the steps of a trace do not rise")
            group, name = unspell(self._groups[row] or ""), unspell(self._names[row])
            found[group, name] = Way(group, name, steps, points, exact, row)
        return [*found.values()]

    def channels(self, row: int, count: int) -> Mapping[str, NDArray[np.float64]]:
        """Returns the channels of a trace of `count` points."""
        return {
            unspell(name): self._channels.items.row(item, count)
            for name, item in self._channels.row(row)
        }

    def labels(self, row: int, count: int) -> dict[str, tuple[list[str], NDArray[np.uint16]]]:
        """Returns of each label of a trace its states and their codes."""
        found = {}
        for name, item in self._labels.row(row):
            first, end = self._labels.items.span(item, count)
            used, codes = np.unique(self._codes[first:end], return_inverse=True)
            nothing = int(used.size > 0 and used[0] < 0)
            codes = codes.reshape(-1) - nothing
            codes[(codes < 0) | (codes >= NO_STATE)] = NO_STATE
            states = [self._states[i] for i in used[nothing : nothing + NO_STATE]]
            found[unspell(name)] = states, codes.astype(np.uint16)
        return found


class _List:
    """A column of lists."""

    def __init__(self, array: Any) -> None:
        self.array = array
        self._offsets = array.offsets.to_numpy().tolist()
        self._there = array.is_valid().to_pylist()
        self._flat: Any = None
        if not pa.types.is_string(array.values.type):
            if array.values.null_count:
                raise ValueError("a number is missing")
            self._flat = array.values.to_numpy(zero_copy_only=False)

    def has(self, row: int) -> bool:
        return bool(self._there[row])

    def span(self, row: int, count: int | None = None) -> tuple[int, int]:
        first, end = self._offsets[row : row + 2]
        if count is not None and end - first != count:
            raise ValueError("a row holds lists of different lengths")
        return first, end

    def row(self, row: int, count: int | None = None) -> Any:
        first, end = self.span(row, count)
        return self._flat[first:end]


class _Map:
    """A column of maps from names to lists."""

    def __init__(self, array: Any) -> None:
        self._offsets = array.offsets.to_numpy().tolist()
        self._keys = array.keys.to_pylist()
        self.items = _List(array.items)

    def row(self, row: int) -> list[tuple[str, int]]:
        """Returns each name and the row of its list."""
        first, end = self._offsets[row : row + 2]
        return [(self._keys[i], i) for i in range(first, end)]
