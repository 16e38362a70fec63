from __future__ import annotations

import numpy as np
import pytest

from tbtrace.episode import Series
from tbtrace.views.band import MOST_STEPS, Curve, band, curve

NAN = float("nan")


def told(values: object, steps: object = None) -> Series:
    array = np.array(values, float)
    at = np.arange(len(array)) if steps is None else np.array(steps)
    return Series(at.astype(np.int32), array)


def test_quantiles_are_numpy_s() -> None:
    values = np.random.default_rng(0).normal(size=(11, 50))
    values[3, 20:] = NAN
    values[5, 40:] = NAN
    curves = [curve(told(row[np.isfinite(row)])) for row in values]
    found = band(curves)
    wanted = np.nanquantile(values, [0, 0.25, 0.5, 0.75, 1], axis=0)
    assert found.steps.tolist() == list(range(50))
    for got, want in zip(found[1:], wanted, strict=True):
        assert got == pytest.approx(want)


def test_quarters_are_of_four_and_more() -> None:
    found = band([curve(told([1.0] * n)) for n in (3, 3, 3, 2)])
    assert np.isnan(found.quarter).tolist() == [False, False, True]
    assert np.isnan(found.middle).tolist() == [False] * 3


def test_curves_count_between_their_steps_alone() -> None:
    late = curve(told([0.0, 10.0], steps=[2, 4]))
    found = band([late, curve(told([NAN] * 7))])
    assert found.low.tolist()[2:5] == [0, 5, 10]
    assert np.isnan(found.low[[0, 1, 5, 6]]).all()


def test_a_gap_in_a_curve_is_none_in_the_band_of_others() -> None:
    gap = curve(told([1.0, NAN, 3.0]))
    assert np.isnan(gap.values).tolist() == [False, True, False]
    assert band([gap, curve(told([5.0] * 3))]).low.tolist() == [1, 5, 3]


def test_several_values_of_a_step_are_averaged() -> None:
    one = curve(told([1, 3, NAN, 7, NAN, NAN], steps=[0, 0, 1, 1, 2, 2]))
    assert one.steps.tolist() == [0, 1, 2]
    assert one.values.tolist()[:2] == [2, 7]
    assert np.isnan(one.values[2])


def test_long_curves_are_looked_at_in_few_steps() -> None:
    long = Curve(np.arange(50_000.0), np.arange(50_000.0))
    found = band([long])
    assert len(found.steps) == MOST_STEPS + 1
    assert found.steps[-1] == 49_999
    assert (found.middle == found.steps).all()


def test_nothing_has_an_empty_band() -> None:
    for curves in ([], [curve(None)], [curve(told([])), curve(None)]):
        assert [len(part) for part in band(curves)] == [0] * 6


def test_huge_values_stay_finite() -> None:
    one = curve(told([1e308, -1e308, 1e308], steps=[0, 0, 1]))
    assert np.isfinite(one.values).all()
    assert np.isfinite(band([one, one]).high).all()
