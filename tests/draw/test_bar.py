from __future__ import annotations

import numpy as np
import pytest

from tbtrace.draw import text
from tbtrace.draw.bar import Bar
from tbtrace.draw.canvas import Canvas
from tbtrace.draw.figure import Plot
from tbtrace.draw.ramp import CHANGE, CROWD, VALUE, ramp

LIMITS = (0.0, 4.0, 0.0, 3.0)


def plot(bar: Bar | None, **options: object) -> Plot:
    return Plot(LIMITS, (640, 480), title="title", bar=bar, **options)


def test_the_bar_stands_right_of_the_axes_lowest_colour_below() -> None:
    drawn = plot(Bar(["#ff0000", "#0000ff"], [(0.0, "0"), (1.0, "9")], "speed"))
    image = drawn.render()
    _, top, right, bottom = drawn.scale.box
    assert (image[bottom - 2, right + 20] == (255, 0, 0)).all()
    assert (image[top + 2, right + 20] == (0, 0, 255)).all()
    assert (image[:, -3:] == 255).all()
    assert (image[:, right + 40 :] < 100).any(), "no label"


def test_the_axes_make_room_for_the_bar_alone() -> None:
    bar = Bar(ramp(VALUE, 9), [(0.5, "1000")], "steps")
    assert plot(None).scale.box[2] - plot(bar).scale.box[2] == bar.width


def test_marks_never_overlap_and_stay_on_the_picture() -> None:
    marks = [(i / 100, f"mark {i}") for i in range(101)]
    drawn = plot(Bar(["#000000"], marks, "t" * 500))
    image = drawn.render()
    right = drawn.scale.box[2]
    ink = (image[:, right + 33 : right + 80] < 128).any((1, 2))
    assert 10 < np.diff(ink.astype(int)).clip(0).sum() < 40
    assert (image[:2] == 255).all()
    assert (image[-2:] == 255).all()


def test_long_marks_and_odd_titles_are_shortened() -> None:
    bar = Bar(["#000000"], [(0.0, "9" * 300)], "日本語 \ud800\n")
    assert bar.width < 180
    assert plot(bar).render().shape == (480, 640, 3)


def test_a_bar_between_numbers_has_round_ticks() -> None:
    bar = Bar.between(0.0, 4.0, ["#000000"], "speed")
    assert dict(bar.marks) == {0.0: "0", 0.25: "1", 0.5: "2", 0.75: "3", 1.0: "4"}
    assert Bar.between(0.0, 4e7, ["#000000"], "speed").title == "speed / 1e6"


def test_shares_of_little_time_are_not_cut() -> None:
    label = "+0.0075\N{NO-BREAK SPACE}%"
    without = Bar(["#000000"], []).width
    assert Bar(["#000000"], [(0.5, label)]).width == without + text.width(label, text.SMALL)


def test_a_bar_of_counts_is_logarithmic() -> None:
    at, names = zip(*Bar.of_counts(100, ["#000000"], "").marks, strict=True)
    assert names == ("1", "10", "100")
    assert at == pytest.approx((0, 0.5, 1))
    assert [name for _, name in Bar.of_counts(1, ["#000000"], "").marks] == ["1"]
    assert [name for _, name in Bar.of_counts(2, ["#000000"], "").marks] == ["1", "2"]
    marks = Bar.of_counts(10_000, ["#000000"], "").marks
    assert [name for _, name in marks] == ["1", "100", "10000"]


def test_a_bar_fits_into_the_smallest_picture() -> None:
    legend = [(f"e{i}234", "#000000") for i in range(3)]
    for entries, bar in [
        ([], Bar.between(0, 1, ramp(VALUE, 3), "speed")),
        (legend, Bar.of_counts(10_000, ramp(CROWD, 3), "entities")),
    ]:
        small = Plot(LIMITS, (240, 180), title="best", caption="train", bar=bar, legend=entries)
        left, top, right, bottom = small.scale.box
        assert right - left > 40
        assert bottom - top > 30


def test_a_canvas_takes_the_bar_as_it_is() -> None:
    canvas = Canvas((100, 60))
    Bar(["#00ff00"], []).write(canvas, 10, 5, 55)
    assert (canvas.rgb()[6:54, 24:36] == (0, 255, 0)).all()


@pytest.mark.parametrize("anchors", [CROWD, VALUE])
def test_ramps_change_in_lightness_alone_too(anchors: tuple[str, ...]) -> None:
    rgb = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in ramp(anchors, 48)])
    grey = rgb @ (0.2126, 0.7152, 0.0722)
    steps = np.diff(grey)
    assert (steps > -1).all() or (steps < 1).all()
    assert np.ptp(grey) > 120


def test_change_is_palest_in_the_middle() -> None:
    rgb = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in ramp(CHANGE, 97)])
    assert rgb.sum(1).argmax() == 48
    assert rgb[0, 2] > rgb[0, 0] + 40
    assert rgb[-1, 0] > rgb[-1, 2] + 40


def test_a_ramp_of_one() -> None:
    assert ramp(CROWD, 1) == [CROWD[0]]
