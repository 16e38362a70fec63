from __future__ import annotations

import math
import pickle

import numpy as np

from tbtrace.views.memory import LARGEST, MOST_NAMES, Order, Ranges, range_of, widest


def test_names_keep_their_place() -> None:
    order = Order()
    order.see("state", ["b", "a", "b"])
    order.see("state", ["c", "a"])
    order.see("colour", ["a"])
    assert order.of("state") == ("b", "a", "c")
    assert order.of("colour") == ("a",)
    assert order.of("never seen") == ()


def test_an_order_is_bounded() -> None:
    order = Order()
    for start in range(0, 3 * MOST_NAMES, 500):
        order.see(f"channel {start}", map(str, range(start, start + 500)))
    assert order.of("channel 0")[:2] == ("0", "1")
    assert sum(len(order.of(f"channel {i}")) for i in range(0, 3 * MOST_NAMES, 500)) == MOST_NAMES
    assert len(pickle.dumps(order)) < 60_000


def test_ranges_grow_and_never_shrink() -> None:
    ranges = Ranges()
    ranges.see("v", np.array([1.0, 5.0]))
    ranges.see("v", np.array([2.0, 3.0]))
    ranges.see("w", (-1.0, 0.0))
    ranges.see("u", ())
    assert ranges.of("v") == (1.0, 5.0)
    assert ranges.of(None) == (-1.0, 5.0)
    assert ranges.of("u") is None
    assert ranges.names == ("v", "w")


def test_ranges_are_bounded_and_what_is_beyond_shares_one() -> None:
    ranges = Ranges()
    for i in range(3 * MOST_NAMES):
        ranges.see(str(i), (float(i),))
    assert ranges.of("7") == (7.0, 7.0)
    assert ranges.of("9999") == (float(MOST_NAMES), 3 * MOST_NAMES - 1.0)
    assert len(ranges.names) == MOST_NAMES
    assert len(pickle.dumps(ranges)) < 200_000


def test_what_is_not_finite_does_not_count() -> None:
    assert range_of(np.array([math.nan, 3.0, math.inf, 1.0])) == (1.0, 3.0)
    assert range_of(np.array([math.nan, -math.inf])) is None
    assert range_of(np.empty(0)) is None
    assert range_of(np.array([-1e308, 1e308])) == (-LARGEST, LARGEST)
    assert widest([None, None]) is None
    assert widest([None, (1.0, 2.0), (0.0, 1.0)]) == (0.0, 2.0)
