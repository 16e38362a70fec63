from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tbtrace.reel import Reel


def test_arrays_are_copied_at_the_step() -> None:
    reel = Reel()
    frame = np.zeros((2, 2, 3), np.uint8)
    for step in range(3):
        frame[:] = step
        assert reel.add(step, frame)
    media = reel.finish()
    assert media.steps.tolist() == [0, 1, 2]
    assert media.steps.dtype == np.int32
    assert [value.max() for value in media.values] == [0, 1, 2]
    assert {value.dtype for value in media.values} == {np.dtype(np.uint8)}


@pytest.mark.parametrize("value", ["text", b"text", None, [[1], [2, 3]], {"a": 1}, 1j, object()])
def test_what_is_no_numeric_array_is_refused(value: Any) -> None:
    reel = Reel()
    assert not reel.add(0, value)
    assert len(reel) == 0


@pytest.mark.parametrize("value", [3.0, True, [1, 2], np.int8(3), np.ones((2, 3), np.float16)])
def test_numbers_of_every_shape_are_arrays(value: Any) -> None:
    reel = Reel()
    assert reel.add(0, value)
    np.testing.assert_array_equal(reel.finish().values[0], value)


@pytest.mark.parametrize("length", [1, 7, 8, 9, 100, 1000])
def test_a_reel_stays_within_its_budget_and_is_spaced_evenly(length: int) -> None:
    reel = Reel(budget=8 * 10)
    for step in range(length):
        reel.add(step, np.full(10, step % 256, np.uint8))
        assert sum(value.nbytes for value in reel.finish().values) <= 80
    media = reel.finish()
    gaps = np.diff(media.steps)
    assert media.steps[0] == 0
    assert (gaps == gaps[:1]).all()
    assert length <= 8 or len(media.values) > 4  # no more is thinned out than must be
    assert [int(value[0]) for value in media.values] == [step % 256 for step in media.steps]


def test_one_array_over_the_budget_is_kept() -> None:
    reel = Reel(budget=10)
    for step in range(5):
        reel.add(step, np.zeros(100))
    assert len(reel) == 1


def test_what_is_refused_takes_no_turn() -> None:
    reel = Reel(budget=2)
    for step in range(8):
        reel.add(step, np.array([step], np.uint8) if step % 2 else "text")
    assert reel.finish().steps.tolist() == [1, 5]
