"""Ways, markers, palettes, layouts and letters."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest

from tbtrace.draw import glyphs, text
from tbtrace.draw.canvas import WHITE
from tbtrace.draw.cells import pieces
from tbtrace.draw.layout import Wish, arrange
from tbtrace.draw.legend import Extent
from tbtrace.draw.markers import stamp
from tbtrace.draw.palette import parse, spread


def test_pieces_end_at_gaps_and_between_ways() -> None:
    bad = {2, 6, 7}
    good = np.array([(k not in bad, k != 3) for k in range(10)])
    assert pieces([4, 0, 1, 5], good) == [(0, 2, 0), (4, 5, 2), (5, 6, 3), (8, 10, 3)]
    assert pieces([4, 0, 1], None) == [(0, 4, 0), (4, 5, 2)]
    assert pieces([3], np.zeros((3, 2), bool)) == []


def test_a_stamp_is_a_disc_or_a_ring_in_white() -> None:
    disc, ring = stamp(5.0, 0.0), stamp(6.0, 4.0)
    assert (disc == disc.T).all()
    assert (ring == ring[::-1]).all()
    assert np.maximum(disc, 0).sum() / 4 == pytest.approx(math.pi * 25, rel=0.02)
    assert np.maximum(ring, 0).sum() / 4 == pytest.approx(math.pi * 20, rel=0.05)
    assert ring[len(ring) // 2, len(ring) // 2] == 0
    assert disc[0, 0] == -1


def test_colours_are_read_and_others_refused() -> None:
    assert parse("#0a00Ff") == (10, 0, 255)
    for wrong in ("red", "#fff", "#gggggg", "0072b2#"):
        with pytest.raises(ValueError, match=r"colour|invalid"):
            parse(wrong)


def test_too_many_colours_become_similar_ones() -> None:
    colours = [(k, k, k) for k in range(256)]
    kept, numbers = spread(colours, 8)
    assert len(kept) == 8
    far = [
        abs(colour[0] - kept[number][0]) for colour, number in zip(colours, numbers, strict=True)
    ]
    assert max(far) <= 32
    assert {0, 255} <= {colour[0] for colour in kept}


def test_a_line_of_text_is_as_wide_as_was_told() -> None:
    for line in ("", "iteration 12 · train", "\U0001f600 日本"):
        assert glyphs.line(line).shape[1] == text.width(line)
    assert glyphs.line("M").max() == WHITE
    assert glyphs.line(" ").max() == 0
    ink, covered = glyphs.outlined("dock")
    assert covered[ink > WHITE // 2].all()
    assert covered.sum() > 2 * (ink > WHITE // 2).sum()


def test_a_legend_takes_the_place_where_the_axes_stay_largest() -> None:
    def box(limits: tuple, grow: bool = True) -> tuple:
        layout = arrange(Wish(limits, ("x", "y"), grow), (640, 480), 2, Extent(9, 90))
        assert layout.legend is not None
        return layout.legend

    assert box((0.0, 1.0, 0.0, 1.0))[2] == 1, "beside"
    assert box((0.0, 6.0, 0.0, 1.0))[2] == 6, "below"
    assert box((0.0, 600.0, 0.0, 1.0))[2] == 6
    alone = arrange(Wish((0.0, 6.0, 0.0, 1.0), ("x", "y")), (640, 480), 2, Extent(0, 0))
    head = arrange(Wish((0.0, 6.0, 0.0, 1.0), ("x", "y")), (640, 480), 2, Extent(3, 90))
    assert alone.scale == head.scale
    assert head.legend == (640 - 8 - 256, 6, 3)
    title = 640 - 3 * 8 - 256
    assert head == arrange(
        Wish((0.0, 6.0, 0.0, 1.0), ("x", "y")), (640, 480), 2, Extent(3, 90), 0, title
    )
    away = arrange(
        Wish((0.0, 6.0, 0.0, 1.0), ("x", "y")), (640, 480), 2, Extent(3, 90), 0, title + 1
    )
    assert away.legend is not None
    assert away.legend[1] > away.scale.box[3], "a title is not cut for the legend"


def test_a_picture_needs_no_matplotlib() -> None:
    code = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "from tbtrace.draw.figure import Plot\n"
        "plot = Plot((0.0, 4.0, 0.0, 3.0), title='best', legend=[('a', '#0072B2')])\n"
        "print(len(plot.png()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) > 1000
