"""Groups of tracks: where the entities of one running episode were so far.

A *turn* is a step in which the info said where entities are (`turns.py`). An entity that a turn
does not name, or names with None or a non-finite point, has a gap there. Steps that say nothing
about traces make no gap.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tbtrace.episode import StepArray, Trace
from tbtrace.track import Track, packed, tidy


class Group:
    """The entities of one group: tracks by name, or arrays `(N, 2|3)` turn by turn."""

    __slots__ = ("_array_turns", "_lengths", "_rows", "_width", "points", "tracks")

    def __init__(self) -> None:
        self.points = 0
        self.tracks: dict[str, Track] = {}
        # Arrays one below the other, in one growing buffer: a list of small ones takes twice that.
        self._rows: array[float] = array("d")
        self._width = 0
        self._lengths: array[int] = array("i")
        self._array_turns: array[int] = array("i")

    def add(self, turn: int, points: Iterable[tuple[Any, Any]]) -> Iterator[tuple[Any, Any, str]]:
        """Appends points `(entity, point)`; yields entity, point and rule of those that break one.

        It is a generator: nothing is appended before it is read to its end.
        """
        if self._array_turns:
            self._unstack()
        tracks = self.tracks
        for entity, point in points:
            self.points += 1
            track = tracks.get(entity)
            if track is None:
                track = tracks.setdefault(str(entity), Track())
            rule = track.add(turn, point)
            if rule is not None:
                yield entity, point, rule

    def add_array(self, turn: int, points: NDArray[Any]) -> bool:
        """Appends (a copy of) the points `(N, 2|3)` of entities "0", "1", ...

        Returns:
            False where the points are to be appended one by one: the group has named entities, or
            the array is of another width than before or no `(N, 2|3)` numbers.
        """
        if points.ndim != 2 or points.dtype.kind not in "fiub":
            return False
        rows = points.astype(np.float64, copy=False).tobytes()
        return self.add_arrays((turn,), points.shape[1], (rows,))

    def add_arrays(
        self, turns: Sequence[int] | StepArray, width: int, rows: Sequence[bytes]
    ) -> bool:
        """Appends a float64 array `(N, width)` a turn, each as its bytes; see `add_array`."""
        if self.tracks or width not in (2, 3) or (self._width and width != self._width):
            return False
        self._width = width
        joined = b"".join(rows)
        self._rows.frombytes(joined)
        sizes = np.fromiter(map(len, rows), np.int32, len(rows)) // (8 * width)
        self._lengths.frombytes(sizes.tobytes())
        self._array_turns.frombytes(np.asarray(turns, np.int32).tobytes())
        self.points += len(joined) // (8 * width)
        return True

    def add_mappings(
        self, turns: Sequence[int] | StepArray, said: Sequence[dict[Any, Any]]
    ) -> bool:
        """Appends a dict `{entity: sequence of 2 or 3 plain numbers}` a turn.

        Returns:
            False, and nothing is appended, where the points are to be appended one by one: not all
            name the same entities, or a point breaks a rule.
        """
        entities = tuple(said[0])
        names = dict.fromkeys(map(str, entities))
        if len(names) < len(entities) or set(map(len, said)) != {len(entities)} or not entities:
            return False
        try:
            points = list(chain.from_iterable([map(one.__getitem__, entities) for one in said]))
            (dim,) = set(map(len, points))
            flat = np.fromiter(chain.from_iterable(points), np.float64, dim * len(points))
        except (KeyError, TypeError, ValueError, OverflowError):
            return False
        if self._array_turns:
            self._unstack()
        known = {track.dim for name in names if (track := self.tracks.get(name))}
        if dim not in (2, 3) or not known <= {0, dim}:
            return False
        by_entity = flat.reshape(len(said), len(entities), dim).swapaxes(0, 1)
        numbers = np.asarray(turns, np.int32).tobytes()
        for name, rows in zip(names, by_entity, strict=True):
            track = self.tracks.setdefault(name, Track())
            track.dim = dim
            track.turns.frombytes(numbers)
            track.points.frombytes(rows.tobytes())
        self.points += len(points)
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

    def finish(self, steps: StepArray) -> dict[str, Trace]:
        """Returns `{entity: Trace}` of the entities that had a finite point.

        Args:
            steps: int32, the step of each turn of the episode.
        """
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
