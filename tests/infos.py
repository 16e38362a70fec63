"""Generated infos, and what tbtrace must make of them, worked out as naively as possible."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from tbtrace.episode import Episode, Trace

SETTINGS = settings(max_examples=150)


# Numbers.


@dataclass(frozen=True)
class Said:
    """A value as an environment gives it, and the number that it is, or None."""

    raw: Any
    number: float | None


class Tensor:
    """What torch and jax scalars look like to somebody who does not import them."""

    def __init__(self, *values: Any) -> None:
        self.values = values

    def item(self) -> Any:
        if len(self.values) != 1:
            raise RuntimeError("only tensors with one element can be converted")
        return self.values[0]


FLOATS = st.floats(-1e6, 1e6) | st.sampled_from([math.nan, math.inf, -math.inf, 1e308, -1e308, 0.1])
SCALAR_TYPES = [np.dtype(code).type for code in "?bBhHiIlLqQefdg"]


def spellings_of(value: float) -> st.SearchStrategy[Said]:
    whole = int(abs(value)) % 100 if math.isfinite(value) else 1
    return st.sampled_from(
        [
            Said(value, value),
            Said(whole, float(whole)),
            Said(bool(whole % 2), float(whole % 2)),
            Said(Tensor(value), value),
            Said(np.array(value), value),
            Said(np.array([value]), value),
            Said(np.array([[whole]]), float(whole)),
            *(Said(kind(whole), float(kind(whole))) for kind in SCALAR_TYPES),
        ]
    )


BAD_VALUES: list[Any] = [
    None, "1.5", np.str_("1.5"), b"1", 1j, np.complex64(1), np.array(1j), [1.0], (1.0,), {1},
    np.ones(2), np.empty(0), np.array("1.5"), np.array(None), 10**400, np.array(10**400),
    np.datetime64("2026-01-01", "ns"), np.array(np.timedelta64(5, "ns")), Tensor(1, 2), object(),
]  # fmt: skip
VALUES = FLOATS.flatmap(spellings_of) | st.sampled_from([Said(raw, None) for raw in BAD_VALUES])
NAMES = st.sampled_from(["a", "b", "c", 0])
NESTED = st.recursive(
    st.dictionaries(NAMES, VALUES, max_size=3),
    lambda inner: st.dictionaries(NAMES, VALUES | inner, max_size=3),
    max_leaves=4,
)


def raw(nested: Any) -> Any:
    """What the environment says."""
    if isinstance(nested, dict):
        return {name: raw(value) for name, value in nested.items()}
    return nested.raw


def leaves(nested: dict[Any, Any], *above: str) -> list[tuple[str, float | None]]:
    found = []
    for name, value in nested.items():
        if isinstance(value, dict):
            found += leaves(value, *above, str(name))
        else:
            found.append(("/".join([*above, str(name)]), value.number))
    return found


@dataclass
class Numbers:
    """The running and final values of one episode, the naive way."""

    running: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    final: dict[str, float] = field(default_factory=dict)
    refused: int = 0

    def hear(self, step: int, parts: dict[str, Any]) -> None:
        for name, value in leaves(parts.get("running", {})):
            if value is None:
                self.refused += 1
            else:
                self.running.setdefault(name, []).append((step, value))
        for name, value in leaves(parts.get("final", {})):
            if value is None:
                self.refused += 1
            else:
                self.final[name] = value

    def dropped(self) -> int:
        given = [value for series in self.running.values() for _, value in series]
        given += self.final.values()
        return self.refused + sum(not math.isfinite(value) for value in given)

    def check(self, episode: Episode) -> None:
        heard = {
            name: list(zip(series.steps.tolist(), series.values.tolist(), strict=True))
            for name, series in episode.running.items()
        }
        np.testing.assert_equal(heard, self.running)
        np.testing.assert_equal(dict(episode.final), self.final)


def exact_sum(values: list[float]) -> float:
    """The correctly rounded sum of finite values."""
    total = sum(map(Fraction, values), Fraction(0))
    try:
        return float(total)
    except OverflowError:
        return math.inf if total > 0 else -math.inf


SAID_NUMBERS = st.fixed_dictionaries({}, optional={"running": NESTED, "final": NESTED})


# Traces.


@dataclass(frozen=True)
class Place:
    """A point as an environment gives it, and what it is; `at` None: a gap; `broken`: refused."""

    raw: Any
    at: tuple[float, ...] | None = None
    channels: dict[str, float] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    broken: bool = False
    broken_channel: bool = False


COORDINATE = st.integers(-5, 5).map(float) | st.sampled_from([0.5, math.nan, math.inf])
COORDINATES = st.lists(COORDINATE, min_size=2, max_size=3).map(tuple)


@st.composite
def mapped_places(draw: st.DrawFn) -> Place:
    at = draw(COORDINATES)
    said: dict[str, Any] = dict(zip("xyz", at, strict=False))
    channels = draw(st.dictionaries(st.sampled_from(["load", "state"]), st.floats(0, 9)))
    labels = draw(st.dictionaries(st.sampled_from(["state", "task"]), st.sampled_from("ab")))
    channels = {name: value for name, value in channels.items() if name not in labels}
    broken = draw(st.booleans())
    said |= channels | labels | ({"broken": [1, 2]} if broken else {}) | {"absent": None}
    return Place(said, at, channels, labels, broken_channel=broken)


TUPLES = COORDINATES.flatmap(
    lambda at: st.sampled_from(
        [
            Place(at, at),
            Place(list(at), at),
            Place(np.array(at), at),
            Place(tuple(map(np.float32, at)), at),
            Place((np.array([at[0]]), np.array(at[1]), *at[2:]), at),
            Place((None, *at[1:]), (math.nan, *at[1:])),
        ]
    )
)
BROKEN = st.sampled_from(
    [
        (1.0,),
        (1.0, 2.0, 3.0, 4.0),
        ("1", 2.0),
        (1.0, 1j),
        (np.complex128(1), 2.0),
        ((1.0, 2.0), 3.0),
    ]
).map(lambda point: Place(point, broken=True))
BROKEN_MAPS = st.sampled_from([{"x": 1.0}, "ab", 5.0, {"x": 1.0, "y": "b"}]).map(
    lambda point: Place(point, broken=True)
)
GONE = st.just(Place(None))
PLACES = TUPLES | mapped_places() | GONE | BROKEN | BROKEN_MAPS


@st.composite
def arrays(draw: st.DrawFn) -> tuple[Any, dict[str, Place]]:
    width = draw(st.sampled_from([2, 2, 2, 3]))
    rows = draw(st.lists(st.tuples(*[COORDINATE] * width), max_size=3))
    points = np.array(rows).reshape(len(rows), width).astype(draw(st.sampled_from("fde")))
    return points, {str(i): Place(row, row) for i, row in enumerate(rows)}


def listed(places: list[Place]) -> tuple[Any, dict[str, Place]]:
    return [place.raw for place in places], {str(i): place for i, place in enumerate(places)}


def mapped(places: dict[Any, Place]) -> tuple[Any, dict[str, Place]]:
    said = {name: place.raw for name, place in places.items()}
    return said, {str(name): place for name, place in places.items()}


GROUPS = (
    arrays()
    | st.lists(TUPLES | mapped_places() | GONE, max_size=3).map(listed)
    | st.dictionaries(st.sampled_from(["0", 1, "x", "long name"]), PLACES, max_size=3).map(mapped)
)
FLAT = st.dictionaries(st.sampled_from(["car", "bus"]), TUPLES | mapped_places() | GONE, max_size=2)


@dataclass(frozen=True)
class Turn:
    """What a step says about traces: raw, and the place of each (group, entity) that it names."""

    raw: dict[str, Any]
    places: dict[tuple[str, str], Place]


@st.composite
def turns(draw: st.DrawFn) -> Turn:
    said: dict[str, Any] = {}
    places: dict[tuple[str, str], Place] = {}
    for name, (raw_group, entities) in draw(
        st.dictionaries(st.sampled_from(["g", "h"]), GROUPS, max_size=2)
    ).items():
        said[name] = raw_group
        places |= {(name, entity): place for entity, place in entities.items()}
    for entity, place in draw(FLAT).items():
        said[entity] = place.raw
        places["traces", entity] = place
    return Turn(said, places)


@dataclass
class Places:
    """The traces of one episode, the naive way: for each turn, the place of each entity."""

    turns: list[tuple[int, dict[tuple[str, str], Place]]] = field(default_factory=list)
    dims: dict[tuple[str, str], int] = field(default_factory=dict)
    refused: int = 0

    def hear(self, step: int, turn: Turn) -> None:
        taken = {}
        for key, place in turn.places.items():
            if place.broken:
                self.refused += 1
                continue
            if place.at is None:
                continue
            if self.dims.setdefault(key, len(place.at)) != len(place.at):
                self.refused += 1
                continue
            self.refused += place.broken_channel
            taken[key] = place
        self.turns.append((step, taken))

    def trace(self, key: tuple[str, str]) -> list[Any]:
        """`[(step, point or None, channels, labels)]` of one entity."""
        rows: list[Any] = []
        for step, taken in self.turns:
            place = taken.get(key)
            if place is not None and place.at is not None and np.isfinite(place.at).all():
                rows.append((step, place.at, place.channels, place.labels))
            elif rows and rows[-1][1] is not None:
                rows.append((step, None, {}, {}))
        return rows[:-1] if rows and rows[-1][1] is None else rows

    def check(self, episode: Episode) -> None:
        heard = {
            (group, entity): rows_of(trace)
            for group, entities in episode.traces.items()
            for entity, trace in entities.items()
        }
        expected = {key: self.trace(key) for key in self.dims}
        assert heard == {key: rows for key, rows in expected.items() if rows}


def rows_of(trace: Trace) -> list[Any]:
    """A trace as `Places.trace` tells it, its arrays checked on the way."""
    assert trace.steps.dtype == np.int32
    assert trace.points.dtype == np.float64
    rows: list[Any] = []
    for i, (step, point) in enumerate(zip(trace.steps.tolist(), trace.points, strict=True)):
        channels = {k: float(v[i]) for k, v in trace.channels.items() if not np.isnan(v[i])}
        labels = {k: v[i] for k, v in trace.labels.items() if v[i] is not None}
        gap = np.isnan(point).all()
        assert gap or np.isfinite(point).all()
        rows.append((step, None if gap else tuple(point.tolist()), channels, labels))
    return rows
