from __future__ import annotations

import numpy as np

from tbtrace.draw.bar import Bar
from tbtrace.draw.panels import joined, quarters

SIZE = (640, 480)


def test_quarters_cover_what_is_below_the_heading() -> None:
    parts = quarters((641, 483), 2)
    seen = np.zeros((483, 641), int)
    for left, top, right, bottom in parts:
        seen[top:bottom, left:right] += 1
    assert (seen[48:] == 1).all()
    assert (seen[:48] == 0).all()


def test_parts_heading_and_key_are_where_they_must_be() -> None:
    first, key, _, last = quarters(SIZE, 2)
    left, top, right, bottom = last
    green = np.full((bottom - top, right - left, 3), (0, 255, 0), np.uint8)
    image = joined(SIZE, ["t" * 500, "caption"], [(last, green)], key, [("a", "#ff0000")])
    assert image.shape == (480, 640, 3)
    assert (image[top:bottom, left:right] == (0, 255, 0)).all()
    assert (image[:44] < 100).any()
    assert (image[:44, -6:] == 255).all(), "a heading that sticks out"
    reds = np.argwhere((image == (255, 0, 0)).all(-1))
    assert (reds[:, 1] > key[0]).all()
    assert (reds[:, 0] < key[3]).all()
    assert (image[first[1] : first[3], first[0] : first[2]] == 255).all()


def test_a_long_legend_ends_with_its_room_and_stands_beside_the_bar() -> None:
    _, key, _, _ = quarters(SIZE, 2)
    bar = Bar(["#0000ff"], [(0.0, "0")], "speed")
    image = joined(SIZE, ["", ""], [], key, [("x" * 99, "#ff0000")] * 99, bar)
    red, blue = (np.argwhere((image == ink).all(-1)) for ink in ((255, 0, 0), (0, 0, 255)))
    assert red[:, 0].max() < key[3]
    assert red[:, 1].min() > blue[:, 1].max()
    assert (image[:, -4:] == 255).all()
