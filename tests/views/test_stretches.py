from __future__ import annotations

import numpy as np

from tbtrace.episode import Trace
from tbtrace.views.stretches import Stretches, columns, stretches, texts

CODES = {"x": 0, "y": 1, None: 2}


def trace(
    said: list[str | None], steps: list[int] | None = None, away: tuple[int, ...] = ()
) -> Trace:
    points = np.zeros((len(said), 2))
    points[list(away)] = np.nan
    at = np.array(range(len(said)) if steps is None else steps, np.int32)
    return Trace(at, points, {"gear": np.arange(len(said)) / 2}, {"state": tuple(said)})


def told(found: Stretches) -> list[tuple[float, float, int]]:
    return list(zip(*(part.tolist() for part in found), strict=True))


def test_equal_neighbours_are_one_stretch() -> None:
    found = stretches(trace(["x", "x", "y", None, None, "x"]), "state", CODES)
    assert told(found) == [(0, 2, 0), (2, 3, 1), (3, 5, 2), (5, 6, 0)]


def test_a_gap_parts_equal_stretches() -> None:
    found = stretches(trace(["x", "x", None, "x", "x"], [0, 1, 2, 7, 8], away=(2,)), "state", CODES)
    assert told(found) == [(0, 2, 0), (7, 9, 0)]


def test_the_last_state_lasts_as_long_as_the_one_before() -> None:
    assert told(stretches(trace(["x", "y"], [0, 10]), "state", CODES)) == [(0, 10, 0), (10, 20, 1)]
    assert told(stretches(trace(["x"], [7]), "state", CODES)) == [(7, 8, 0)]
    assert told(stretches(trace(["x"], [7], away=(0,)), "state", CODES)) == []


def test_numbers_and_what_is_not_said_are_texts_or_none() -> None:
    assert texts(trace([None] * 3), "gear") == ("0", "0.5", "1")
    assert texts(trace([None] * 3), "colour") == (None, None, None)


def test_columns_show_what_takes_most_of_them() -> None:
    fine = stretches(trace(["x", "y", "y", "x", "x", "y"]), "state", CODES)
    assert columns(fine, np.array([0.0, 3.0, 6.0])).tolist() == [1, 0]


def test_long_states_fill_their_columns() -> None:
    found = stretches(trace(["x", "y", None, "x"], [0, 30, 60, 80], away=(2,)), "state", CODES)
    edges = np.linspace(0, 120, 13)
    assert columns(found, edges).tolist() == [0] * 3 + [1] * 3 + [-1] * 2 + [0] * 2 + [-1] * 2
    late = Stretches(np.array([50.0]), np.array([70.0]), np.array([2]))
    assert columns(late, edges).tolist() == [-1] * 5 + [2] * 2 + [-1] * 5


def test_being_there_counts_more_than_being_away() -> None:
    short = Stretches(np.array([40.0, 900.0]), np.array([41.0, 901.0]), np.array([0, 1]))
    assert columns(short, np.linspace(0, 1000, 11)).tolist() == [0] + [-1] * 8 + [1]


def test_nothing_stays_nothing() -> None:
    nothing = Stretches(np.empty(0), np.empty(0), np.empty(0, np.intp))
    assert columns(nothing, np.array([0.0, 1.0, 2.0])).tolist() == [-1, -1]


def test_no_time_is_lost_where_states_change_in_every_step() -> None:
    rng = np.random.default_rng(0)
    said = [("x", "y", None)[i] for i in rng.integers(0, 3, 5000)]
    fine = stretches(trace(said), "state", CODES)
    assert (fine.starts[1:] == fine.ends[:-1]).all()
    edges = np.linspace(0, 5000, 400)
    found = columns(fine, edges)
    for k in (0, 123, 398):
        inside = np.minimum(fine.ends, edges[k + 1]) - np.maximum(fine.starts, edges[k])
        shares = np.bincount(fine.codes, np.maximum(inside, 0))
        assert shares[found[k]] == shares.max()
