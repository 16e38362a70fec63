"""Episodes of every shape for tests of the archive, and whether two of them are equal."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from tbtrace.episode import Episode, Media, Scene, Series, Tally, Trace

NAMES = (
    st.sampled_from(["", "../x", "/etc/passwd", "a/b", "a", "\ufffd", "agent", "ä\u2028\0"])
    | st.text(max_size=5)
    | st.text(
        st.characters(min_codepoint=0xDC00, max_codepoint=0xDFFF, categories=["Cs"]),
        min_size=1,
        max_size=2,
    )  # lone surrogates
)
NUMBERS = st.floats()
COORDINATES = st.floats(-1e6, 1e6) | st.floats(5e6, 5e6 + 100.0) | st.floats(-1e300, 1e300)
KINDS = ["f8", "f4", "f2", ">f4", "g", "i1", "u8", "?", "c16", "U3", "S2", "M8[s]", "m8[s]"]


def arrays(draw: Any, n: int, numbers: Any = NUMBERS) -> np.ndarray[Any, Any]:
    return np.array(draw(st.lists(numbers, min_size=n, max_size=n)), np.float64)


@st.composite
def series(draw: Any) -> Series:
    n = draw(st.integers(0, 4))
    given = NUMBERS.filter(lambda value: value == value)
    tallies = st.builds(Tally, st.integers(0, 9), *[given] * 5)
    tally = draw(st.none() | tallies)
    return Series(
        np.sort(np.array(draw(st.lists(st.integers(0, 99), min_size=n, max_size=n)), np.int32)),
        arrays(draw, n),
        draw(st.none() | st.just(np.arange(n, dtype=np.int32))),
        tally,
        {} if tally is None else draw(st.dictionaries(st.integers(0, 5), tallies, max_size=2)),
    )


@st.composite
def traces(draw: Any) -> Trace:
    n, axes = draw(st.integers(0, 4)), draw(st.integers(2, 3))
    points = arrays(draw, n * axes, COORDINATES).reshape(n, axes)
    points[np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n)), bool)] = np.nan
    labels = st.lists(st.none() | NAMES, min_size=n, max_size=n).map(tuple)
    channels = {name: arrays(draw, n) for name in draw(st.sets(NAMES, max_size=2))}
    return Trace(
        np.arange(n, dtype=np.int32),
        points,
        channels,
        draw(st.dictionaries(NAMES, labels, max_size=2)),
    )


@st.composite
def media(draw: Any) -> Media:
    values = [
        np.zeros(draw(st.lists(st.integers(0, 3), max_size=3)), kind)
        for kind in draw(st.lists(st.sampled_from(KINDS), max_size=3))
    ]
    return Media(np.arange(len(values), dtype=np.int32), tuple(values))


@st.composite
def scenes(draw: Any) -> Scene:
    background = np.full((2, 3, 3), draw(st.integers(0, 255)), np.uint8)
    return Scene(
        draw(st.sampled_from([None, background])),
        draw(st.none() | st.tuples(*[NUMBERS] * 4)),
        draw(st.none() | NAMES),
        draw(st.dictionaries(NAMES, st.tuples(NUMBERS, NUMBERS), max_size=2)),
        draw(st.lists(NAMES, max_size=3).map(tuple)),
    )


def episodes() -> Any:
    return st.builds(
        Episode,
        NAMES,
        st.integers(0, (1 << 31) - 1),  # its steps are int32
        NUMBERS,
        running=st.dictionaries(NAMES, series(), max_size=2),
        final=st.dictionaries(NAMES, NUMBERS, max_size=2),
        agents=st.dictionaries(NAMES, st.dictionaries(NAMES, NUMBERS, max_size=2), max_size=2),
        traces=st.dictionaries(NAMES, st.dictionaries(NAMES, traces(), max_size=2), max_size=2),
        media=st.dictionaries(NAMES, media(), max_size=2),
        scene=st.none() | scenes(),
        split=st.sampled_from(["train", "evaluation"]),
        iteration=st.integers(1, 1 << 40),
        env_steps=st.integers(0, 1 << 40),
    )


def spans(of_group: Any) -> float:
    """How far the points of a group spread along one axis, at most."""
    widest = 0.0
    for axis in range(3):
        known = [t.points[:, axis] for t in of_group.values() if t.points.shape[1] > axis]
        finite = [v for column in known for v in column.tolist() if v == v]
        if finite:
            widest = max(widest, max(finite) - min(finite))
    return widest


def assert_same(found: Any, given: Any, tolerance: float | None = None) -> None:
    """Holds when both are equal bit by bit, types and orders too; points to the tolerance."""
    if isinstance(given, np.ndarray):
        assert found.dtype == given.dtype
        assert found.shape == given.shape
        if tolerance is not None:
            assert (np.isnan(found) == np.isnan(given)).all()
            assert np.nanmax(np.abs(found - given), initial=0.0) <= tolerance
        else:
            assert found.tobytes() == given.tobytes()
    elif isinstance(given, Trace):
        assert_same(found.points, given.points, tolerance)
        for name in ("steps", "channels", "labels"):
            assert_same(getattr(found, name), getattr(given, name))
    elif isinstance(given, dict):
        assert list(found) == list(given)
        for key, value in given.items():
            assert_same(found[key], value, tolerance)
    elif isinstance(given, tuple):
        assert len(found) == len(given)
        for one, other in zip(found, given, strict=True):
            assert_same(one, other)
    elif isinstance(given, float):
        assert repr(float(found)) == repr(given)
    elif hasattr(given, "__dataclass_fields__"):
        for name in given.__dataclass_fields__:
            if name != "traces":
                assert_same(getattr(found, name), getattr(given, name))
            else:
                assert list(found.traces) == list(given.traces)
                for group, of_group in given.traces.items():
                    assert_same(found.traces[group], of_group, 1e-6 * spans(of_group))
    else:
        assert type(found) is type(given)
        assert found == given


def walkers(
    uid: str = "a", episode_return: float = 1.0, seed: int = 0, steps: int = 50, **more: Any
) -> Episode:
    """An ordinary episode: two random walks, one running and one final quantity."""
    chance = np.random.default_rng(seed)
    clock = np.arange(steps, dtype=np.int32)
    walks = {name: Trace(clock, chance.normal(size=(steps, 2)).cumsum(0)) for name in ("a7", "a8")}
    return Episode(
        uid,
        steps,
        episode_return,
        {"speed": Series(clock, chance.normal(size=steps))},
        {"shipped": float(seed)},
        traces={"articles": walks},
        **{"split": "train", "iteration": 1, **more},
    )
