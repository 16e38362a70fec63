from __future__ import annotations

import math

import numpy as np
import pytest

from tbtrace.views.way import longest, travelled

GAP = (math.nan, math.nan)


def test_the_way_is_the_sum_of_its_steps_in_all_dimensions() -> None:
    deep = np.array([(0, 0, 0), (1, 2, 2), (1, 2, 0)], float)
    assert travelled(deep).tolist() == [0, 3, 5]
    assert travelled(deep[:, :2]).tolist() == pytest.approx([0, math.sqrt(5), math.sqrt(5)])


def test_gaps_are_not_counted() -> None:
    points = np.array([GAP, (0, 0), (0, 2), GAP, (50, 50), (50, math.inf), (0, 0), (3, 4), GAP])
    way = travelled(points)
    assert np.isnan(way).tolist() == [True, False, False, True, False, True, False, False, True]
    assert way[np.isfinite(way)].tolist() == [0, 2, 2, 2, 7]


def test_nothing_and_a_point_have_no_way() -> None:
    assert travelled(np.empty((0, 2))).tolist() == []
    assert travelled(np.array([(3.0, 4.0)])).tolist() == [0]
    assert longest([]) == 0
    assert longest([np.empty((0, 2)), np.array([(3.0, 4.0)]), np.empty((0, 3))]) == 0


def test_the_longest_way_is_that_of_one_entity() -> None:
    rng = np.random.default_rng(0)
    ways = [rng.normal(size=(n, dim)) * 10 for n, dim in [(5, 2), (9, 3), (7, 2), (1, 2), (4, 3)]]
    ways[2][3] = math.nan
    assert longest(ways) == pytest.approx(max(np.nanmax(travelled(way)) for way in ways))


def test_huge_steps_stay_finite() -> None:
    far = np.array([(-1e308, 0.0), (1e308, 0.0), (1e308, 1e300)])
    assert np.isfinite(travelled(far)).all()
    assert math.isfinite(longest([far]))
