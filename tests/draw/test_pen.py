from __future__ import annotations

import math

import numpy as np
import pytest

from tbtrace.draw.canvas import FIRST
from tbtrace.draw.pen import BORDER, Sheet, diameter


def dot(width: float, value: int = FIRST) -> np.ndarray:
    sheet = Sheet.blank(20, 16)
    sheet.draw.point((BORDER + 20, BORDER + 16), value)
    return sheet.codes(width)


def covered(codes: np.ndarray) -> float:
    """Pixels."""
    shares = np.array([1.0, 0.25, 0.5, 0.75])
    return float(shares[(codes[codes > 0] - FIRST) % 4].sum())


@pytest.mark.parametrize("width", [1.0, 2.0, 2.5, 3.0, 4.0, 6.0, 8.0])
def test_the_pen_is_about_a_disc(width: float) -> None:
    assert covered(dot(width)) == pytest.approx(math.pi * width**2 / 4, rel=0.28)


def test_a_wider_pen_is_as_wide_as_the_widest() -> None:
    assert diameter(100.0) == diameter(8.0) == 16
    assert diameter(0.0) == 1


def test_the_highest_layer_of_a_pixel_wins_and_shares_add_up() -> None:
    sheet = Sheet.blank(4, 3)
    cells = [(0, 0, 0), (1, 0, 2), (2, 0, 1), (2, 1, 1), (3, 0, 1), (3, 1, 1), (6, 4, 54)]
    for u, v, layer in cells:
        sheet.draw.point((BORDER + u, BORDER + v), FIRST + 4 * layer)
    codes = sheet.codes(0.5)
    assert codes[0, :3].tolist() == [FIRST + 4 * 2 + 2, FIRST + 4, 0]
    assert codes[2, 3] == FIRST + 4 * 54 + 1
    assert np.count_nonzero(codes) == 3


def test_a_blank_sheet_is_empty_whatever_was_drawn_before() -> None:
    fresh = Sheet(20, 16)
    fresh.draw.line([(0, 20), (99, 20)], FIRST)
    expected = fresh.codes(3.0)
    for width in (8.0, 1.5, 3.0):
        sheet = Sheet.blank(20, 16)
        sheet.draw.rectangle([(0, 0), (99, 99)], FIRST + 8)
        sheet.codes(width)
    sheet = Sheet.blank(20, 16)
    sheet.draw.line([(0, 20), (99, 20)], FIRST)
    assert (sheet.codes(3.0) == expected).all()
    assert not Sheet.blank(20, 16).codes(8.0).any()
