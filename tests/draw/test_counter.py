from __future__ import annotations

import pytest

from tbtrace.draw import text
from tbtrace.draw.counter import spelled, wrapped

PARTS = ["best", "iteration 12", "train", "return 31.4", "250 steps"]


@pytest.mark.parametrize("rooms", [[1000], [200], [60, 400], [120, 90, 300]])
def test_lines_hold_all_parts_in_order_and_fit(rooms: list[float]) -> None:
    lines = wrapped(PARTS, rooms)
    for place, line in enumerate(lines):
        assert text.width(line) <= rooms[min(place, len(rooms) - 1)]
    if min(rooms) >= 200:
        assert " · ".join(lines) == " · ".join(PARTS)


def test_a_line_is_as_full_as_it_can_be() -> None:
    room = text.width("best · iteration 12")
    assert wrapped(PARTS, [room, 1000])[0] == "best · iteration 12"
    assert wrapped(PARTS, [room - 1, 1000])[0] == "best"
    assert wrapped(PARTS, [1000]) == [" · ".join(PARTS)]


def test_empty_parts_are_left_out_and_long_ones_shortened() -> None:
    assert wrapped(["", "a", "\n", "b"], [1000]) == ["a · b"]
    assert wrapped([], [100]) == []
    (line,) = wrapped(["n" * 5000], [100])
    assert line.endswith("…")
    assert text.width(line) <= 100


def test_letters_are_ink_on_nothing() -> None:
    assert spelled("8").max() > 200
    assert spelled(" ").max() == 0
    assert (spelled("17")[:, : spelled("1").shape[1]] == spelled("1")).all()
    assert (spelled("日本語🙂")).shape[0] == spelled("1").shape[0]
