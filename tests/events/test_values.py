"""How the values of a result are sorted."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from tbtrace.errors import Problems, TbtraceWarning
from tbtrace.events.values import Values, flat


def sort(value: Any) -> Values:
    return Values.sort({"tag": value}, Problems())


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, 1.0),
        (3, 3.0),
        (0.25, 0.25),
        (np.bool_(True), 1.0),
        (np.float16(0.5), 0.5),
        (np.int8(-3), -3.0),
        (np.uint64(7), 7.0),
        (np.array(2.5), 2.5),
        (np.array([4]), 4.0),
        (np.array([[[[5.0]]]]), 5.0),
    ],
)
def test_every_number_is_a_scalar(value: Any, expected: float) -> None:
    assert sort(value) == Values(scalars={"tag": expected})


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, 1e300, np.array([np.inf]), 10**400]
)
def test_what_float32_cannot_hold_is_left_out(value: Any) -> None:
    assert sort(value) == Values()


@pytest.mark.parametrize("value", ["text", None, (1, 2), {1, 2}, object(), 1j, [], np.empty(0)])
def test_what_is_no_metric_is_passed_over(value: Any) -> None:
    assert sort(value) == Values()


@pytest.mark.parametrize(
    "value", [[1, 2.0, True], np.array([1, 2, 1]), np.ones((1, 3)), [[1], [2], [1]]]
)
def test_lists_and_arrays_of_numbers_are_histograms(value: Any) -> None:
    numbers = sort(value).histograms["tag"]
    assert numbers.dtype == np.float64
    assert numbers.shape == (3,)


def test_a_list_of_one_is_a_histogram_as_ray_has_it() -> None:
    assert sort([4.0]).histograms["tag"].tolist() == [4.0]


def test_only_non_finite_values_are_no_histogram() -> None:
    assert sort([math.nan, math.inf]) == Values()


@pytest.mark.parametrize(
    ("shape", "last"),
    [
        ((3, 8, 9), False),
        ((1, 8, 9), False),
        ((8, 9, 3), True),
        ((2, 3, 8, 9), False),
        ((2, 8, 9, 4), True),
        ((2, 5, 3, 8, 9), False),
        ((2, 5, 8, 9, 1), True),
    ],
)
def test_pictures_by_their_shape(shape: tuple[int, ...], last: bool) -> None:
    assert sort(np.zeros(shape, np.uint8)).images["tag"].channels_last is last


@pytest.mark.parametrize(
    "value",
    [
        np.zeros((20, 10, 2)),
        np.zeros((4, 10, 2)),
        np.zeros((5, 6, 7)),
        np.zeros((2, 2, 2, 2, 2, 2)),
        [[1, 2], [3]],
        ["a", "b"],
        [{"a": 1}],
        np.array(["a", "b"]),
        np.array([1j, 2j]),
    ],
)
def test_what_cannot_be_shown_is_named_and_counted(value: Any) -> None:
    problems = Problems()
    with pytest.warns(TbtraceWarning, match="^tag is "):
        assert Values.sort({"tag": value}, problems) == Values()
    assert problems.take() == {"values": 1}


def test_flat_keeps_values_and_joins_names() -> None:
    assert flat({"a": {0: {"b": [1]}}, "c": 2}) == {"a/0/b": [1], "c": 2}
