"""Traces that grow: where the entities of one running episode were so far.

A *turn* is a step in which the info said where entities are. An entity that a turn does not name,
or names with None or a non-finite point, has a gap there. Steps that say nothing about traces make
no gap. Points are only appended at the step; gaps and shapes are worked out once, at the end.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tbtrace.episode import StepArray, Trace
from tbtrace.info import MAPPING, PLAIN, coordinate, number

Channels = dict[str, "array[float]"]
Labels = dict[str, list[str | None]]


_FLOAT = np.dtype(np.float64)


class Turns:
    """The steps in which one part of the info said where entities are."""

    __slots__ = ("steps",)

    def __init__(self) -> None:
        self.steps: array[int] = array("i")

    def at(self, step: int) -> int:
        """Returns the number of the turn of `step`, the last one or a new one."""
        if not self.steps or self.steps[-1] != step:
            self.steps.append(step)
        return len(self.steps) - 1


class Track:
    """One entity's points so far, of 2 or 3 coordinates, with channels and labels."""

    __slots__ = ("channels", "dim", "labels", "points", "turns")

    def __init__(self) -> None:
        self.dim = 0
        self.turns: array[int] = array("i")
        self.points: array[float] = array("d")
        self.channels: Channels = {}
        self.labels: Labels = {}

    def add(self, turn: int, point: Any) -> str | None:
        """Appends the entity's point of a turn.

        Args:
            turn: The number of the turn, never below the last one.
            point: None, a 1-D array or sequence of 2 or 3 numbers, or a mapping with `x` and `y`
                (and `z`), whose other entries are channels (numbers) or labels (str).

        Returns:
            None, or the rule that the point breaks; a broken point leaves the track as it was, a
            broken channel is left out.
        """
        if not isinstance(point, (tuple, list)):  # the common case goes ahead
            if point is None:
                return None
            if isinstance(point, MAPPING):
                return self._add_mapping(turn, point)
            point = point.tolist() if hasattr(point, "tolist") else point
            if not isinstance(point, list):
                return "a point is 2 or 3 numbers, or a mapping with x and y"
        return self._append(turn, point)

    def _append(self, turn: int, values: list[Any] | tuple[Any, ...]) -> str | None:
        if len(values) != self.dim:
            if not 2 <= len(values) <= 3:
                return "a point is 2 or 3 numbers, or a mapping with x and y"
            if self.dim:
                return f"this entity's points had {self.dim} coordinates before"
            self.dim = len(values)
        before = len(self.points)
        try:
            for value in values:
                given = value if type(value) in PLAIN else coordinate(value)
                self.points.append(given)  # type: ignore[arg-type]  # None raises TypeError
        except (TypeError, OverflowError):
            del self.points[before:]
            self.dim = self.dim if before else 0
            return "coordinates are numbers or None"
        self.turns.append(turn)
        return None

    def _add_mapping(self, turn: int, point: Mapping[Any, Any]) -> str | None:
        if "x" not in point or "y" not in point:
            return "a point given as a mapping has x and y"
        values = (point["x"], point["y"], point["z"]) if "z" in point else (point["x"], point["y"])
        rule = self._append(turn, values)
        if rule is not None:
            return rule
        row = len(self.turns) - 1
        broken = None
        for key, value in point.items():
            if key in ("x", "y", "z") or value is None:
                continue
            if isinstance(value, str):
                states = self.labels.setdefault(str(key), [])
                states.extend([None] * (row - len(states)))
                states.append(value)
            elif (numeric := number(value)) is not None:
                channel = self.channels.setdefault(str(key), array("d"))
                channel.extend([np.nan] * (row - len(channel)))
                channel.append(numeric)
            else:
                broken = f"channel {key!r} is a number or a str"
        return broken

    def finish(self, turn_steps: StepArray) -> Trace | None:
        """Returns the trace with its gaps, or None where there was no finite point."""
        if not self.dim:
            return None
        points = np.frombuffer(self.points, np.float64).reshape(-1, self.dim)
        turns = np.frombuffer(self.turns, np.int32)
        channels = {}
        for name, values in self.channels.items():
            padded = np.full(len(turns), np.nan)
            padded[: len(values)] = values
            channels[name] = padded
        labels = {
            name: [*states, *[None] * (len(turns) - len(states))]
            for name, states in self.labels.items()
        }
        return tidy(turn_steps, turns, points, channels, labels)


class Group:
    """The entities of one group: tracks by name, or arrays `(N, 2|3)` turn by turn."""

    __slots__ = ("_array_turns", "_lengths", "_rows", "_width", "tracks", "turns")

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self.tracks: dict[str, Track] = {}
        # Arrays one below the other, in one growing buffer: a list of small ones takes twice that.
        self._rows: array[float] = array("d")
        self._width = 0
        self._lengths: array[int] = array("i")
        self._array_turns: array[int] = array("i")

    def add(self, step: int, points: Iterable[tuple[Any, Any]]) -> Iterator[tuple[Any, Any, str]]:
        """Appends points `(entity, point)`; yields entity, point and rule of those that break one.

        It is a generator: nothing is appended before it is read to its end.
        """
        if self._array_turns:
            self._unstack()
        turn = self.turns.at(step)
        tracks = self.tracks
        for entity, point in points:
            track = tracks.get(entity)
            if track is None:
                track = tracks.setdefault(str(entity), Track())
            rule = track.add(turn, point)
            if rule is not None:
                yield entity, point, rule

    def add_array(self, step: int, points: NDArray[Any]) -> bool:
        """Appends (a copy of) the points `(N, 2|3)` of entities "0", "1", ...

        Returns:
            False where nothing was appended: the group has named entities, or the array is of
            another width than before or no `(N, 2|3)` numbers.
        """
        if self.tracks or points.ndim != 2:
            return False
        length, width = points.shape
        if width != self._width:
            if self._width or width not in (2, 3):
                return False
            self._width = width
        if points.dtype is not _FLOAT:
            if points.dtype.kind not in "fiub":
                return False
            points = points.astype(np.float64)
        self._rows.frombytes(points.tobytes())
        self._lengths.append(length)
        self._array_turns.append(self.turns.at(step))
        return True

    def _unstack(self) -> None:
        # A group that turns from arrays to names goes on as names; both are the same entities.
        rows = iter(np.array(self._rows).reshape(-1, self._width).tolist())
        for turn, length in zip(self._array_turns, self._lengths, strict=True):
            for index in range(length):
                self.tracks.setdefault(str(index), Track()).add(turn, next(rows))
        del self._rows[:], self._lengths[:], self._array_turns[:]

    def finish(self) -> dict[str, Trace]:
        """Returns `{entity: Trace}` of the entities that had a finite point."""
        steps = np.array(self.turns.steps, np.int32)
        traces = self._finish_arrays(steps) if self._array_turns else self._finish_tracks(steps)
        return {entity: trace for entity, trace in traces if trace is not None}

    def _finish_tracks(self, steps: StepArray) -> Iterator[tuple[str, Trace | None]]:
        for entity, track in self.tracks.items():
            yield entity, track.finish(steps)

    def _finish_arrays(self, steps: StepArray) -> Iterator[tuple[str, Trace | None]]:
        turns = np.frombuffer(self._array_turns, np.int32)
        lengths = np.frombuffer(self._lengths, np.int32)
        rows = np.array(self._rows).reshape(-1, self._width)
        ends = np.cumsum(lengths)
        entities = np.arange(len(rows)) - np.repeat(ends - lengths, lengths)
        stacked = np.full((lengths.max(), len(turns), self._width), np.nan)
        stacked[entities, np.repeat(np.arange(len(turns)), lengths)] = rows
        for entity, points in enumerate(stacked):
            yield str(entity), tidy(steps, turns, points, {}, {})


def tidy(
    turn_steps: StepArray,
    turns: StepArray,
    points: NDArray[np.float64],
    channels: Mapping[str, NDArray[np.float64]],
    labels: Mapping[str, list[str | None]],
) -> Trace | None:
    """Makes a trace of rows in the order of their turns.

    A row that is not finite becomes a gap; a gap is put in where turns are missing; of rows in one
    turn the last stands; gaps at either end go, runs of gaps become one.

    Args:
        turn_steps: int32, the episode's step of each turn.
        turns: int32 `(n,)`, rising.
        points: float64 `(n, 2|3)`.
        channels: `{name: float64 (n,)}`.
        labels: `{name: list of length n}`.

    Returns:
        The trace, or None where no row is finite.
    """
    rows = np.arange(len(turns))
    rows[~np.isfinite(points).all(axis=1)] = -1
    if len(turns) > 1:
        ahead = np.diff(turns)
        if (ahead != 1).any():
            stays = np.append(ahead != 0, True)
            rows, turns = rows[stays], turns[stays]
            missing = np.flatnonzero(np.diff(turns) > 1) + 1
            rows = np.insert(rows, missing, -1)
            turns = np.insert(turns, missing, turns[missing - 1] + 1)
    here = rows >= 0
    if not here.any():
        return None
    if not here.all():
        keep = here | np.append(False, here[:-1])
        rows, turns = rows[keep], turns[keep]
        if rows[-1] < 0:
            rows, turns = rows[:-1], turns[:-1]
    gaps = rows < 0
    tidied = points[rows]
    tidied[gaps] = np.nan
    tidy_channels = {}
    for name, values in channels.items():
        tidy_channels[name] = values[rows]
        tidy_channels[name][gaps] = np.nan
    return Trace(
        steps=turn_steps[turns],
        points=tidied,
        channels=tidy_channels,
        labels={
            name: tuple(None if row < 0 else states[row] for row in rows.tolist())
            for name, states in labels.items()
        },
    )
