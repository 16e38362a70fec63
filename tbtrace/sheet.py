"""Sheets: the numbers of one running episode, row by row as they come, column by column at the end.

An environment mostly says the same names at every step. So the values of a dict are appended as one
row to the sheet of its names, and taken apart by name when the episode is over.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any

import numpy as np

from tbtrace.episode import Series
from tbtrace.errors import Problems
from tbtrace.info import MAPPING, describe, number
from tbtrace.plain import are_plain, most_waiting

_MOST_SHEETS = 32
"""Names that change at every step would make a sheet of each; beyond, values are kept by name."""


class _Sheet:
    """Rows of plain numbers under the same names."""

    __slots__ = ("names", "turns", "values")

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names
        self.turns: array[int] = array("i")
        self.values: array[float] = array("d")


class Sheets:
    """The running values of one episode so far.

    Args:
        problems: Where what is no number is named and counted.

    Attributes:
        waiting: `(step, row)` of plain values that are not sorted in yet; who appends calls
            `settle` when there are `most_waiting`.

    Example:
        >>> sheets = Sheets(Problems())
        >>> sheets.add(0, {"speed": 1.0, "energy": {"grid": 2}})
        >>> sheets.names, sheets.finish()["energy/grid"].values.tolist()
        (['speed', 'energy/grid'], [2.0])
    """

    __slots__ = ("_loose", "_names", "_problems", "_sheets", "_steps", "most_waiting", "waiting")

    def __init__(self, problems: Problems) -> None:
        self.waiting: list[tuple[int, dict[Any, Any]]] = []
        self.most_waiting = 8
        self._problems = problems
        self._names: dict[str, None] = {}
        self._steps: array[int] = array("i")  # of each turn, that is, each call of `add`
        self._sheets: dict[tuple[Any, ...], _Sheet] = {}
        self._loose: dict[str, tuple[array[int], array[float]]] = {}

    @property
    def names(self) -> list[str]:
        """Every name that was given a number, in the order of first sight."""
        self.settle()
        return list(self._names)

    def add(self, step: int, said: Mapping[Any, Any]) -> None:
        """Appends nested numbers at `step`."""
        self.settle()
        self._add(step, said)

    def _add(self, step: int, said: Mapping[Any, Any]) -> None:
        turn = len(self._steps)
        self._steps.append(step)
        if not self._add_row(turn, "", said):
            self._add_items(turn, "", said)

    def settle(self) -> None:
        """Sorts in the rows that wait."""
        if not self.waiting:
            return
        waiting, self.waiting = self.waiting, []
        self.most_waiting = most_waiting(len(waiting[-1][1]))
        steps, rows = zip(*waiting, strict=True)
        if not self._add_rows(steps, rows):
            for step, row in waiting:
                self._add(step, row)

    def _add_rows(self, steps: Sequence[int], rows: Sequence[dict[Any, Any]]) -> bool:
        """Appends rows of the same names, a name twice at the least; False where they are not."""
        names = tuple(rows[0])
        sheet = self._sheets.get(("", *names))  # the very first row goes by `_add`, which makes it
        if sheet is None or len(names) < 2 or set(map(len, rows)) != {len(names)}:
            return False
        before = len(sheet.values)
        try:
            sheet.values.extend(chain.from_iterable(map(itemgetter(*names), rows)))
        except (KeyError, OverflowError):
            del sheet.values[before:]
            return False
        turn = len(self._steps)
        self._steps.extend(steps)
        sheet.turns.extend(range(turn, turn + len(rows)))
        return True

    def _add_row(self, turn: int, prefix: str, said: Mapping[Any, Any]) -> bool:
        """Appends all of `said` as a row; False where a value is not plain, or names vary a lot."""
        values = said.values()
        if not are_plain(map(type, values)):
            return False
        key = (prefix, *said)
        sheet = self._sheets.get(key)
        if sheet is None:
            sheet = _Sheet(tuple(f"{prefix}{name}" for name in said))
            if len(self._sheets) >= _MOST_SHEETS or len(set(sheet.names)) < len(sheet.names):
                return False
        before = len(sheet.values)
        try:
            sheet.values.extend(values)
        except OverflowError:  # an int beyond a float
            del sheet.values[before:]
            return False
        if not sheet.turns:
            self._sheets[key] = sheet
            self._names.update(dict.fromkeys(sheet.names))
        sheet.turns.append(turn)
        return True

    def _add_items(self, turn: int, prefix: str, said: Mapping[Any, Any]) -> None:
        for key, value in said.items():
            name = f"{prefix}{key}"
            if isinstance(value, MAPPING):
                if not self._add_row(turn, f"{name}/", value):
                    self._add_items(turn, f"{name}/", value)
                continue
            numeric = number(value)
            if numeric is None:
                what = f"running {name!r}"
                self._problems.add(
                    "values", what, f"{what} is {describe(value)}; expected a number"
                )
                continue
            if name not in self._loose:
                self._loose[name] = (array("i"), array("d"))
                self._names[name] = None
            turns, values = self._loose[name]
            turns.append(turn)
            values.append(numeric)

    def finish(self) -> dict[str, Series]:
        """Returns `{name: Series}`, each in the order in which its values were given."""
        self.settle()
        parts: dict[str, list[tuple[Any, Any]]] = {name: [] for name in self._names}
        for sheet in self._sheets.values():
            rows = np.array(sheet.values, np.float64).reshape(len(sheet.turns), len(sheet.names))
            turns = np.array(sheet.turns, np.int32)
            for name, column in zip(sheet.names, rows.T, strict=True):
                parts[name].append((turns, column))
        for name, (loose_turns, loose_values) in self._loose.items():
            parts[name].append((np.array(loose_turns, np.int32), np.array(loose_values)))
        steps = np.array(self._steps, np.int32)
        # Names of one sheet share their steps: pickled, they are there once.
        shared = {id(turns): steps[turns] for rows in parts.values() for turns, _ in rows[:1]}
        return {name: _series(steps, rows, shared) for name, rows in parts.items() if rows}


def _series(steps: Any, columns: list[tuple[Any, Any]], shared: dict[int, Any]) -> Series:
    if len(columns) == 1:
        turns, values = columns[0]
        return Series(shared[id(turns)], np.ascontiguousarray(values))
    turns = np.concatenate([column[0] for column in columns])
    values = np.concatenate([column[1] for column in columns])
    order = np.argsort(turns, kind="stable")
    return Series(steps[turns[order]], values[order])
