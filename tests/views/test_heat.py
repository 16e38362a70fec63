from __future__ import annotations

import math

import numpy as np
import pytest

from tbtrace.draw.scale import Scale
from tbtrace.episode import Trace
from tbtrace.views.heat import Grid, heat_of, stays

GAP = (math.nan, math.nan)
GRID = Grid.over((0.0, 10.0, 0.0, 5.0), 10)


def trace(points: object, steps: object = None) -> Trace:
    array = np.array(points, float)
    return Trace(np.array(range(len(array)) if steps is None else steps, np.int32), array)


def test_standing_still_counts_and_gaps_do_not() -> None:
    time = GRID.time([trace([(2.5, 1.5), (2.5, 1.5), GAP, (7.5, 4.5)], [0, 4, 5, 90])])
    assert time[1, 2] == 5
    assert time[4, 7] == 1
    assert time.sum() == 6


def test_a_long_move_is_spread_over_the_cells_on_its_way() -> None:
    time = GRID.time([trace([(0.5, 2.5), (9.5, 2.5)], [0, 9])])
    assert time[2].tolist() == pytest.approx([0.5, *[1.0] * 8, 1.5])
    assert time.sum() == pytest.approx(10)


def test_no_move_leads_from_one_entity_to_the_next() -> None:
    time = GRID.time([trace([(0.5, 0.5)]), trace([(9.5, 0.5)])])
    assert np.argwhere(time).tolist() == [[0, 0], [0, 9]]


def test_points_on_the_far_edge_count_and_those_beyond_do_not() -> None:
    assert GRID.time([trace([(10.0, 5.0)])])[4, 9] == 1
    assert GRID.time([trace([(10.1, 5.0)]), trace([(-1, 0)]), trace([(math.inf, 0)])]).sum() == 0


def test_nobody_and_empty_traces() -> None:
    assert GRID.time([]).shape == (5, 10)
    assert GRID.time([trace(np.empty((0, 2)))]).sum() == 0
    assert heat_of([trace([GAP])], (0, 1, 0, 1), 8) is None


def test_batches_give_what_one_gives() -> None:
    rng = np.random.default_rng(0)
    many = [trace(rng.uniform(0, 5, (n, 2))) for n in (12_000, 5, 0, 11_000, 3)]
    assert GRID.time(many) == pytest.approx(sum(GRID.time([one]) for one in many))


def test_flat_limits_have_flat_cells_and_backward_ones_the_same() -> None:
    assert Grid.over((0, 400, 0, 10), 100).rows == 100
    assert Grid.over((400, 0, 10, 0), 100) == Grid.over((0, 400, 0, 10), 100)


def test_heat_stays_where_it_was_on_a_larger_grid() -> None:
    first = heat_of([trace([(2.5, 1.5), (2.5, 1.5), (7.5, 4.5)], [0, 3, 3])], (0, 10, 0, 5), 10)
    assert first is not None
    wide = first.grid.covering((-3.2, 10, 0, 9))
    moved = first.on(wide)
    assert (wide.columns, wide.rows, wide.x) == (14, 9, -4.0)
    assert moved[1, 6] == pytest.approx(0.75)
    assert moved.sum() == pytest.approx(1)
    assert moved == pytest.approx(np.pad(first.shares, ((0, 4), (4, 0))))


@pytest.mark.parametrize("limits", [(-1e6, 1e6, 0, 5), (0, 1e90, -1e90, 5)])
def test_a_grid_never_becomes_too_large(limits: tuple[float, float, float, float]) -> None:
    wide = GRID.covering(limits)
    assert max(wide.columns, wide.rows) <= 514
    assert wide.x <= limits[0]
    assert wide.x + wide.wide * wide.columns >= limits[1]
    heat = heat_of([trace([(2.5, 1.5)])], (0, 10, 0, 5), 10)
    assert heat is not None
    assert heat.on(wide).sum() == pytest.approx(1)


def test_pixels_look_up_their_cells_whatever_way_the_axes_run() -> None:
    codes = np.zeros((5, 10), np.uint8)
    codes[4, 9] = 7
    upright = GRID.onto(Scale((0.0, 10.0, 0.0, 5.0), (3, 4, 23, 14)), codes)
    assert upright.shape == (10, 20)
    assert np.argwhere(upright)[0].tolist() == [0, 18]
    assert (upright == 7).sum() == 4
    turned = GRID.onto(Scale((10.0, 0.0, 5.0, 0.0), (3, 4, 23, 14)), codes)
    assert (turned == upright[::-1, ::-1]).all()
    beyond = GRID.onto(Scale((-10.0, 20.0, -5.0, 10.0), (0, 0, 30, 15)), codes)
    assert np.argwhere(beyond).tolist() == [[5, 19]]


def test_an_empty_trace_stays_nowhere() -> None:
    assert stays(trace(np.empty((0, 2)))).tolist() == []
