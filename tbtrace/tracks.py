"""Groups of tracks: where the entities of one running episode were so far.

A *turn* is a step in which the info said where entities are (`turns.py`). An entity that a turn
does not name, or names with None or a non-finite point, has a gap there. Steps that say nothing
about traces make no gap.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tbtrace.episode import StepArray, Trace
from tbtrace.track import Track, packed, tidy
from tbtrace.turns import Turns

_FLOAT = np.dtype(np.float64)


class Group:
    """The entities of one group: tracks by name, or arrays `(N, 2|3)` turn by turn."""

    __slots__ = ("_array_turns", "_lengths", "_rows", "_width", "points", "tracks", "turns")

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self.points = 0
        turns.register(self)
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
        if turn < 0:
            return
        tracks = self.tracks
        for entity, point in points:
            self.points += 1
            track = tracks.get(entity)
            if track is None:
                track = tracks.setdefault(str(entity), Track())
            rule = track.add(turn, point)
            if rule is not None:
                yield entity, point, rule

    def add_array(self, step: int, points: NDArray[Any]) -> bool:
        """Appends (a copy of) the points `(N, 2|3)` of entities "0", "1", ...

        Returns:
            False where the points are to be appended one by one: the group has named entities, or
            the array is of another width than before or no `(N, 2|3)` numbers.
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
        turn = self.turns.at(step)
        if turn >= 0:
            self._rows.frombytes(points.tobytes())
            self._lengths.append(length)
            self._array_turns.append(turn)
            self.points += length
        return True

    def _unstack(self) -> None:
        # A group that turns from arrays to names goes on as names; both are the same entities.
        rows = iter(np.array(self._rows).reshape(-1, self._width).tolist())
        for turn, length in zip(self._array_turns, self._lengths, strict=True):
            for index in range(length):
                self.tracks.setdefault(str(index), Track()).add(turn, next(rows))
        del self._rows[:], self._lengths[:], self._array_turns[:]

    def thin(self) -> None:
        """Forgets every second turn; entities that have no point left are forgotten."""
        if self._array_turns:
            turns, lengths = np.array(self._array_turns), np.array(self._lengths)
            rows = np.array(self._rows).reshape(-1, self._width)
            stay = turns % 2 == 0
            self._rows = packed("d", rows[np.repeat(stay, lengths)])
            self._lengths = packed("i", lengths[stay])
            self._array_turns = packed("i", turns[stay] // 2)
            self.points = int(lengths[stay].sum())
            return
        for track in self.tracks.values():
            track.thin()
        self.tracks = {entity: track for entity, track in self.tracks.items() if track.turns}
        self.points = sum(len(track.turns) for track in self.tracks.values())

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
