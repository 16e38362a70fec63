"""Track: where one entity of a running episode was so far.

Points are only appended at the step; gaps are worked out once, at the end.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tbtrace.episode import StepArray, Trace
from tbtrace.info import MAPPING, PLAIN, coordinate, number

Channels = dict[str, "array[float]"]
Labels = dict[str, list[str | None]]


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

    def thin(self) -> None:
        """Forgets every second turn and halves the numbers of the others."""
        turns = np.array(self.turns, np.int32)
        rows = np.flatnonzero(turns % 2 == 0)
        self.points = packed("d", np.array(self.points).reshape(len(turns), -1)[rows])
        self.turns = packed("i", turns[rows] // 2)
        for name, channel in self.channels.items():
            self.channels[name] = packed("d", np.array(channel)[rows[rows < len(channel)]])
        for name, states in self.labels.items():
            self.labels[name] = [states[row] for row in rows.tolist() if row < len(states)]

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


def packed(kind: str, values: NDArray[Any]) -> array[Any]:
    """Returns the values as an array of that type code."""
    packed: array[Any] = array(kind)
    packed.frombytes(values.astype(packed.typecode, copy=False).tobytes())
    return packed


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
