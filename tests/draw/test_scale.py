from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tbtrace.draw.scale import Scale, Ticks, padded
from tbtrace.errors import ContractError

NUMBERS = st.floats(-1e12, 1e12) | st.floats(-1.0, 1.0)
EXTENTS = st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS).map(
    lambda v: (min(v[:2]), max(v[:2]), min(v[2:]), max(v[2:]))
)
ROOM = (50, 20, 450, 320)


@given(EXTENTS)
def test_padded_limits_hold_the_extent_with_air_and_little_waste(extent: tuple) -> None:
    x0, x1, y0, y1 = padded(extent)
    assert x0 < extent[0] <= extent[1] < x1
    assert y0 < extent[2] <= extent[3] < y1
    largest = max(extent[1] - extent[0], extent[3] - extent[2])
    room = 2.1 * max(0.5, 1e-6 * max(map(abs, extent)))
    assert max(x1 - x0, y1 - y0) <= max(1.5 * largest, room)


def test_padded_limits_move_in_steps() -> None:
    limits = {padded((0.0, 10.0 + k / 100, 0.0, 8.0)) for k in range(100)}
    assert len(limits) <= 4


def test_a_line_gets_width_and_a_thin_extent_stays_thin() -> None:
    x0, x1, y0, y1 = padded((0.0, 100.0, 3.0, 3.0))
    assert (x1 - x0) / (y1 - y0) <= 8
    x0, x1, y0, y1 = padded((0.0, 400.0, 0.0, 10.0))
    assert (x1 - x0) / (y1 - y0) > 30


def test_growing_keeps_the_middle_and_the_same_scale() -> None:
    scale = Scale.fit((0.0, 10.0, 0.0, 30.0), ROOM, grow=True)
    x0, x1, y0, y1 = scale.limits
    assert scale.box == ROOM
    assert (y0, y1) == pytest.approx((0, 30))
    assert (x0 + x1) / 2 == pytest.approx(5)
    assert (x1 - x0) / 400 == pytest.approx((y1 - y0) / 300)


def test_shrinking_keeps_the_limits() -> None:
    middle = Scale.fit((0.0, 10.0, 0.0, 30.0), ROOM, grow=False)
    left = Scale.fit((0.0, 10.0, 0.0, 30.0), ROOM, grow=False, centre=False)
    assert middle.limits == left.limits == (0.0, 10.0, 0.0, 30.0)
    assert middle.box == (200, 20, 300, 320)
    assert left.box == (50, 20, 150, 320)


def test_flat_limits_are_stretched_and_say_how_much() -> None:
    scale = Scale.fit((0.0, 400.0, 0.0, 10.0), ROOM, grow=False)
    assert scale.box == ROOM
    assert scale.stretch == pytest.approx(30.0)
    assert Scale.fit((0.0, 80.0, 0.0, 10.0), ROOM, grow=False).stretch == 1.0


def test_x_goes_right_and_y_goes_up() -> None:
    scale = Scale.fit((0.0, 4.0, 0.0, 3.0), ROOM, grow=True)
    corners = scale.project(np.array([(0, 0), (4, 3), (1, 3), (0, 1)]))
    assert corners.tolist() == [[50, 320], [450, 20], [150, 20], [50, 220]]


def test_axes_may_run_backwards() -> None:
    scale = Scale.fit((4.0, 0.0, 3.0, 0.0), ROOM, grow=True)
    assert scale.project(np.array([(4, 3), (0, 0)])).tolist() == [[50, 320], [450, 20]]


def test_projecting_keeps_precision_and_gaps_and_stays_in_range() -> None:
    scale = Scale.fit((5e6, 5e6 + 4, 5e6, 5e6 + 3), ROOM, grow=True)
    at = scale.project(np.array([(5e6 + 1, 5e6), (math.nan, 5e6), (1e308, -1e308)]))
    assert at[0].tolist() == [150, 320]
    assert np.isnan(at[1, 0])
    assert np.isfinite(at[2]).all()


def test_projecting_leaves_its_input_alone() -> None:
    points = np.array([(1.0, 2.0), (3.0, 4.0)])
    Scale.fit((0.0, 4.0, 0.0, 3.0), ROOM, grow=True).project(points)
    assert points.tolist() == [[1.0, 2.0], [3.0, 4.0]]


@pytest.mark.parametrize(
    "limits", [(0, 0, 0, 1), (0, 1, 2, 2), (0, math.inf, 0, 1), (math.nan, 1, 0, 1)]
)
def test_impossible_limits_are_refused(limits: tuple) -> None:
    with pytest.raises(ContractError, match="limits"):
        Scale.fit(limits, ROOM, grow=True)


@pytest.mark.parametrize(
    ("low", "high", "labels", "title"),
    [
        (0.0, 1.0, ("0.0", "0.2", "0.4", "0.6", "0.8", "1.0"), "x"),
        (-7.0, 6.0, ("\u22125.0", "\u22122.5", "0.0", "2.5", "5.0"), "x"),
        (5e5, 500_010.0, ("0", "2", "4", "6", "8", "10"), "x \u2212 500000"),
        (0.0, 3e6, ("0", "1", "2", "3"), "x / 1e6"),
        (0.0, 2e-9, ("0.0", "0.5", "1.0", "1.5", "2.0"), "x / 1e-9"),
        (1 - 2e-7, 1 + 2e-7, ("0", "100", "200", "300", "400"), "(x \u2212 0.9999998) / 1e-9"),
        (-78.0, 78.5, ("\u221250", "0", "50"), "x"),
    ],
)
def test_ticks_are_round_and_short(low: float, high: float, labels: tuple, title: str) -> None:
    count = 6 if high == 6.0 else 3 if title == "x / 1e6" or high == 78.5 else 5
    ticks = Ticks.between(low, high, count, "x")
    assert (ticks.labels, ticks.title) == (labels, title)


@given(EXTENTS.map(padded), st.integers(2, 8))
def test_ticks_lie_inside_and_labels_differ(limits: tuple, count: int) -> None:
    low, high = limits[:2]
    ticks = Ticks.between(low, high, count, "x")
    slack = 1e-6 * (high - low)
    assert all(low - slack <= value <= high + slack for value in ticks.values)
    assert 2 <= len(ticks.values) <= count + 1, "one tick alone tells no scale"
    assert len(set(ticks.labels)) == len(ticks.labels)
    assert max(map(len, ticks.labels)) <= 8
    assert Ticks.between(high, low, count, "x") == ticks
