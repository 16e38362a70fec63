from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as some

from tbtrace.views.extent import extent_of

VALUES = some.floats(-1e9, 1e9) | some.sampled_from([math.nan, math.inf, -math.inf, 0.0])


@given(some.lists(some.lists(some.tuples(VALUES, VALUES), max_size=90), max_size=5))
def test_the_extent_is_that_of_the_finite_rows(ways: list[list[tuple[float, float]]]) -> None:
    rows = [row for way in ways for row in way if all(map(math.isfinite, row))]
    found = extent_of([np.array(way, float).reshape(-1, 2) for way in ways])
    if not rows:
        assert found is None
    else:
        x, y = zip(*rows, strict=True)
        assert found == (min(x), max(x), min(y), max(y))


def test_many_points_and_any_memory_layout() -> None:
    points = np.random.default_rng(0).normal(size=(40_001, 3))
    points[::7] = np.nan
    points[3] = (50, -60, 0)
    points[40_000] = (-70, 80, 0)
    assert extent_of([points[:, :2]]) == (-70, 50, -60, 80)
    assert extent_of([np.asfortranarray(points[:, :2])]) == (-70, 50, -60, 80)
    assert np.isnan(points[7]).all(), "what was given has changed"


def test_sums_that_overflow_do_no_harm() -> None:
    assert extent_of([np.full((100, 2), 1e308)]) == (1e100, 1e100, 1e100, 1e100)
