"""Payload: one episode as the bytes that the page takes, a JSON header and typed arrays.

`docs/dashboard.md` holds the format. Loops go over entities, never over points.
"""

from __future__ import annotations

import json
import math
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tbtrace.archive import notes
from tbtrace.archive.notes import Note
from tbtrace.board.columns import Columns, Way
from tbtrace.board.faults import TooLarge
from tbtrace.board.opened import MOST_POINTS

MOST_BYTES = 200_000_000
MOST_LETTERS = 20_000_000
"""Of names and states; the header holds them for each entity."""

_ALIGNED = 8
_Floats = NDArray[np.float64]


def payload(rows: pa.Table, told: Note, run: str) -> bytes:
    """Returns an episode as docs/dashboard.md describes it.

    Points are float32 relative to the header's `origin`, which is 0 unless float32 were too coarse.
    A point that is not finite in every coordinate is a gap, a row of NaN.

    Args:
        rows: The episode's rows.
        told: Its note.
        run: What its run is called.

    Raises:
        TooLarge: More than 4,000,000 points or 200 MB.
        Exception: Of any kind, where the rows are none that tbtrace writes.
    """
    table = Columns(rows)
    ways = table.ways()
    if sum(len(way.steps) for way in ways) > MOST_POINTS:
        raise TooLarge(f"the episode has more than {MOST_POINTS:,} points")
    origin = _origin(ways)
    arrays = _Arrays()
    entities = []
    letters = 0
    for group, name, steps, points, _, row in ways:
        channels, labels = table.channels(row, len(steps)), table.labels(row, len(steps))
        states = chain.from_iterable(states for states, _ in labels.values())
        letters += sum(map(len, chain((group, name), channels, labels, states)))
        if letters > MOST_LETTERS:
            raise TooLarge(f"the names and states are longer than {MOST_LETTERS:,} letters")
        entities.append(
            {
                "group": group,
                "name": name,
                "dims": points.shape[1],
                "count": len(steps),
                "steps": _steps(steps, arrays),
                "points": arrays.add(_points(points, origin[: points.shape[1]])),
                "channels": {
                    channel: arrays.add(_narrow(values)) for channel, values in channels.items()
                },
                "labels": {
                    label: {"states": states, "codes": arrays.add(codes)}
                    for label, (states, codes) in labels.items()
                },
            }
        )
    header = {
        "run": run,
        "split": told["split"],
        "iteration": told["iteration"],
        "uid": told["uid"],
        "return": finite(told["return"]),
        "length": told["length"],
        "envSteps": told["env_steps"],
        "metrics": {name: finite(value) for name, value in told["metrics"].items()},
        "origin": origin.tolist(),
        "scene": scene(told),
        "entities": entities,
    }
    text = json.dumps(header, allow_nan=False, separators=(",", ":")).encode()
    text += b" " * (-(4 + len(text)) % _ALIGNED)
    if len(text) + arrays.size > MOST_BYTES:
        raise TooLarge(f"the episode takes more than {MOST_BYTES // 1_000_000} MB")
    return b"".join([len(text).to_bytes(4, "little"), text, *arrays.parts])


def finite(value: Any) -> float | None:
    """Returns a number as JSON has it; None where it is NaN or infinite.

    Example:
        >>> finite("nan"), finite(2)
        (None, 2.0)
    """
    number = float(value)
    return number if math.isfinite(number) else None


def scene(told: Note) -> dict[str, Any] | None:
    """Returns the scene of an episode for the header; None where there is none.

    Raises:
        Exception: Of any kind, where it is none that tbtrace writes.
    """
    given = told.get("scene")
    if given is None:
        return None
    known = notes.scene(given, None)
    extent = known.extent if known.extent and all(map(math.isfinite, known.extent)) else None
    return {
        "extent": extent,
        "units": known.units,
        "axes": known.axes,
        "places": {
            text: point for text, point in known.places.items() if all(map(math.isfinite, point))
        },
        "background": str(given["background"]),
    }


class _Arrays:
    """Arrays one after the other, each aligned."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.size = 0

    def add(self, array: NDArray[Any]) -> list[int]:
        """Returns where the array begins and how many numbers it has."""
        data = array.tobytes()
        data += b"\0" * (-len(data) % _ALIGNED)
        where = [self.size, array.size]
        self.parts.append(data)
        self.size += len(data)
        if self.size > MOST_BYTES:
            raise TooLarge(f"the episode takes more than {MOST_BYTES // 1_000_000} MB")
        return where


def _origin(ways: list[Way]) -> _Floats:
    """Returns the middle of all points where some need float64, else 0: float32 stays as it is."""
    origin = np.zeros(3)
    if not any(way.exact for way in ways):
        return origin
    low, high = np.full(3, np.inf), np.full(3, -np.inf)
    for way in ways:
        there = way.points[np.isfinite(way.points).all(axis=1)].astype(np.float64)
        axes = way.points.shape[1]
        low[:axes] = np.minimum(low[:axes], there.min(axis=0, initial=np.inf))
        high[:axes] = np.maximum(high[:axes], there.max(axis=0, initial=-np.inf))
    with np.errstate(invalid="ignore"):  # nothing there: inf - inf
        middle = low / 2 + high / 2
    origin[np.isfinite(middle)] = middle[np.isfinite(middle)]
    return origin


def _points(points: NDArray[Any], origin: _Floats) -> NDArray[np.float32]:
    if origin.any() or points.dtype != np.float32:
        with np.errstate(over="ignore"):
            points = _narrow(points - origin)
    gaps = ~np.isfinite(points).all(axis=1)
    if gaps.any():
        points = points.copy()
        points[gaps] = np.nan
    return points


def _narrow(values: _Floats) -> NDArray[np.float32]:
    with np.errstate(over="ignore", invalid="ignore"):
        return values.astype(np.float32)


def _steps(steps: NDArray[np.int32], arrays: _Arrays) -> Any:
    if not len(steps) or int(steps[-1]) - int(steps[0]) == len(steps) - 1:
        return {"first": int(steps[0]) if len(steps) else 0}
    return arrays.add(steps)
