from __future__ import annotations

import math

import numpy as np

from tbtrace.draw.density import CELL, counts
from tbtrace.draw.scale import Scale

GAP = (math.nan, math.nan)
SCALE = Scale((0.0, 10.0, 0.0, 5.0), (100, 50, 120, 60))
"""A cell of 2x2 pixels is one unit."""


def count(*ways: list[tuple[float, float]]) -> np.ndarray:
    return counts([np.array(way, float) for way in ways], SCALE)


def test_a_way_counts_once_in_each_cell_that_it_crosses() -> None:
    found = count([(0.5, 0.5), (9.5, 0.5), (0.5, 0.5)], [(4.5, 0.5), (4.5, 4.5)])
    assert found.shape == (5, 10)
    assert found.dtype == np.uint32
    assert found[4].tolist() == [1, 1, 1, 1, 2, 1, 1, 1, 1, 1]
    assert found[:4, 4].tolist() == [1, 1, 1, 1]
    assert found.sum() == 15


def test_y_goes_upwards() -> None:
    assert np.argwhere(count([(2.5, 4.5)])).tolist() == [[0, 2]]


def test_no_line_crosses_a_gap_and_a_lone_point_counts() -> None:
    found = count([(0.5, 0.5), GAP, (5.5, 0.5), GAP, GAP, (8.5, 0.5), (9.5, 0.5)])
    assert found[4].tolist() == [1, 0, 0, 0, 0, 1, 0, 0, 1, 1]


def test_infinities_are_gaps_and_what_is_outside_is_not_seen() -> None:
    found = count([(math.inf, 0.5), (5.5, 0.5)], [(1e300, 1e300)], [(-4.5, 1.5), (1.5, 1.5)])
    assert found.sum() == 3
    assert found[3].tolist() == [1, 1, 0, 0, 0, 0, 0, 0, 0, 0]


def test_more_ways_than_a_byte_holds() -> None:
    assert count(*[[(1.5, 1.5)]] * 600).max() == 600


def test_many_long_ways_are_looked_at_in_batches() -> None:
    rng = np.random.default_rng(0)
    ways = [rng.uniform(0, 5, (n, 2)) for n in (9000, 1, 0, 20_000, 3)]
    alone = sum(counts([way], SCALE).astype(int) for way in ways)
    assert (counts(ways, SCALE) == alone).all()


def test_nothing_and_columns_of_larger_arrays() -> None:
    assert counts([], SCALE).sum() == 0
    space = np.array([(0.5, 9.0, 0.5), (2.5, 9.0, 0.5)])
    assert counts([space[:, ::2]], SCALE)[4].tolist() == [1, 1, 1, 0, 0, 0, 0, 0, 0, 0]
    assert counts([np.asfortranarray(space[:, ::2])], SCALE).sum() == 3


def test_an_odd_box_has_a_cell_more() -> None:
    assert counts([], Scale((0, 1, 0, 1), (0, 0, 2 * CELL + 1, CELL))).shape == (1, 3)


def test_large_coordinates_keep_their_precision() -> None:
    far = Scale((5e6, 5e6 + 10, 0.0, 5.0), (0, 0, 20, 10))
    assert np.argwhere(counts([np.array([(5e6 + 7.5, 0.5)])], far)).tolist() == [[4, 7]]
