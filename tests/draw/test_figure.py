from __future__ import annotations

import math
import warnings
from concurrent.futures import ThreadPoolExecutor

import matplotlib
import numpy as np
import pytest

from tbtrace.draw.figure import Plot
from tbtrace.errors import ContractError

BLUE, RED = "#0000ff", "#ff0000"
GAP = (math.nan, math.nan)


def is_blue(image: np.ndarray) -> np.ndarray:
    return (image[..., 2] > 200) & (image[..., 0] < 90) & (image[..., 1] < 90)


def is_red(image: np.ndarray) -> np.ndarray:
    return (image[..., 0] > 200) & (image[..., 2] < 90) & (image[..., 1] < 90)


def pixel(plot: Plot, x: float, y: float) -> tuple[int, int]:
    """Row and column of a point."""
    u, v = plot.scale.project(np.array([(x, y)]))[0]
    return int(v), int(u)


def drawn(*ways: list[tuple[float, float]], **options: float) -> tuple[Plot, np.ndarray]:
    plot = Plot((0.0, 40.0, 0.0, 30.0))
    plot.lines([np.array(way, float).reshape(-1, 2) for way in ways], [BLUE] * len(ways), **options)
    return plot, plot.render()


def test_the_size_is_exact_and_the_picture_not_blank() -> None:
    for size in [(640, 480), (641, 479), (333, 257), (1280, 960)]:
        image = Plot((0.0, 1.0, 0.0, 1.0), size).render()
        assert image.shape == (size[1], size[0], 3)
        assert image.dtype == np.uint8
        assert (image < 100).any()


def test_a_line_is_where_its_points_are_with_y_upwards() -> None:
    plot, image = drawn([(5, 5), (35, 5), (35, 25)])
    blue = is_blue(image)
    assert blue[pixel(plot, 20, 5)]
    assert blue[pixel(plot, 35, 15)]
    assert blue[pixel(plot, 35, 24)]
    assert not blue[pixel(plot, 5, 15)]
    assert not blue[pixel(plot, 20, 25)]
    rows, columns = np.nonzero(blue)
    assert rows.max() == pytest.approx(pixel(plot, 5, 5)[0], abs=2)
    assert columns.max() == pytest.approx(pixel(plot, 35, 5)[1], abs=2)


def test_lines_are_two_pixels_wide() -> None:
    plot, image = drawn([(5, 6), (35, 6)], width=2.0)
    row, column = pixel(plot, 21, 6)
    darkness = (255 - image[row - 5 : row + 6, column, 0].astype(float)) / 255
    assert darkness.sum() == pytest.approx(2.0, abs=0.15)


def test_no_line_crosses_a_gap() -> None:
    plot, image = drawn([(5, 10), (15, 10), GAP, (25, 10), (35, 10)])
    blue = is_blue(image)
    assert blue[pixel(plot, 10, 10)]
    assert blue[pixel(plot, 30, 10)]
    assert not blue[pixel(plot, 20, 10)]


def test_half_a_point_and_an_infinity_are_gaps() -> None:
    plot, image = drawn([(5, 10), (15, 10), (20, math.nan), (25, 10), (math.inf, 10), (35, 10)])
    blue = is_blue(image)
    assert not blue[pixel(plot, 20, 10)]
    assert not blue[pixel(plot, 30, 10)]
    assert blue[pixel(plot, 25, 10)]


@pytest.mark.parametrize("piece", [[(20, 10)], [(20, 10)] * 4])
def test_an_isolated_point_and_a_standstill_are_dots(piece: list[tuple[float, float]]) -> None:
    plot, image = drawn([(2, 2), (3, 3), GAP, *piece, GAP, (38, 28), (37, 28)])
    row, column = pixel(plot, 20, 10)
    around = is_blue(image)[row - 6 : row + 7, column - 6 : column + 7]
    assert 8 <= around.sum() <= 40


def test_nothing_leaves_the_axes() -> None:
    plot, image = drawn([(-100, 10), (100, 10)], [(20, -1e300), (20, 1e300)])
    left, top, right, bottom = plot.scale.box
    rows, columns = np.nonzero(is_blue(image))
    assert left <= columns.min() <= columns.max() < right
    assert top <= rows.min() <= rows.max() < bottom


def test_nothing_to_draw_is_an_empty_picture() -> None:
    _, image = drawn([], [GAP, GAP])
    assert not is_blue(image).any()


def test_a_ring_is_white_inside_and_a_dot_is_not() -> None:
    plot = Plot((0.0, 40.0, 0.0, 30.0))
    plot.starts(np.array([(10.0, 10.0)]), [BLUE], 6.0)
    plot.ends(np.array([(30.0, 20.0)]), [RED], 5.0)
    image = plot.render()
    row, column = pixel(plot, 10, 10)
    assert (image[row, column] == 255).all()
    assert is_blue(image)[row, column - 7 : column + 8].any()
    assert is_red(image)[pixel(plot, 30, 20)]


def test_later_marks_lie_on_top() -> None:
    plot = Plot((0.0, 40.0, 0.0, 30.0))
    plot.lines([np.array([(5.0, 10.0), (35.0, 10.0)])], [BLUE])
    plot.ends(np.array([(20.0, 10.0)]), [RED], 5.0)
    plot.lines([np.array([(30.0, 5.0), (30.0, 25.0)])], [RED])
    image = plot.render()
    assert is_red(image)[pixel(plot, 20, 10)]
    assert is_red(image)[pixel(plot, 30, 10)]


def quarters() -> np.ndarray:
    """Red above left, blue below right, black elsewhere."""
    image = np.zeros((2, 2, 3), np.uint8)
    image[0, 0, 0] = image[1, 1, 2] = 255
    return image


def test_an_image_has_its_first_row_on_top() -> None:
    plot = Plot((0.0, 40.0, 0.0, 30.0))
    plot.image(quarters(), (10.0, 30.0, 5.0, 25.0))
    image = plot.render()
    assert is_red(image)[pixel(plot, 11, 24)]
    assert is_red(image)[pixel(plot, 19, 16)]
    assert is_blue(image)[pixel(plot, 29, 6)]
    assert (image[pixel(plot, 4, 14)] == 255).all()


def test_an_image_with_a_backward_extent_is_turned() -> None:
    plot = Plot((0.0, 40.0, 0.0, 30.0))
    plot.image(quarters(), (30.0, 10.0, 25.0, 5.0))
    image = plot.render()
    assert is_red(image)[pixel(plot, 29, 6)]
    assert is_blue(image)[pixel(plot, 11, 24)]


def test_a_faded_image_is_lighter() -> None:
    plot = Plot((0.0, 40.0, 0.0, 30.0))
    plot.image(np.zeros((4, 4, 3), np.uint8), (0.0, 40.0, 0.0, 30.0), fade=0.75)
    assert plot.render()[pixel(plot, 11, 11)].tolist() == pytest.approx([191] * 3, abs=1)


LONG = "$x_ a^b \\frac{ 日本語 \U0001f600 " * 30


def everything(size: tuple[int, int], limits: tuple, **options: bool) -> np.ndarray:
    plot = Plot(
        limits,
        size,
        title=LONG,
        caption=LONG,
        names=(LONG, LONG),
        units=LONG,
        legend=[(LONG, BLUE), ("$", RED), ("", BLUE), ("\n\ud800", RED)],
        **options,
    )
    x0, x1, y0, y1 = limits
    plot.places({LONG: (x0, y0), "b": (x1, y1), "c_{": (x0, y1), "d" * 500: (x1, y0)})
    plot.outline(limits)
    return plot.render()


@pytest.mark.parametrize("size", [(240, 180), (640, 480), (300, 700), (1200, 300)])
@pytest.mark.parametrize("grow", [True, False])
def test_text_never_reaches_the_edge_of_the_picture(size: tuple[int, int], grow: bool) -> None:
    for limits in [(0.0, 4.0, 0.0, 3.0), (0.0, 1.0, 0.0, 5.0), (5e6, 5e6 + 99, -3e-7, 3e-7)]:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            image = everything(size, limits, grow=grow)
        edge = np.concatenate([image[:2].ravel(), image[-2:].ravel(), image[:, :2].ravel()])
        assert (edge == 255).all()
        assert (image[:, -2:] == 255).all()


def legend_columns(image: np.ndarray) -> np.ndarray:
    return np.nonzero((image == np.array([0, 128, 0])).all(-1))


@pytest.mark.parametrize(
    ("corner", "right", "low"), [((38, 28), 0, 0), ((2, 28), 1, 0), ((38, 2), 1, 0)]
)
def test_the_legend_avoids_what_is_drawn(corner: tuple[float, float], right: int, low: int) -> None:
    plot = Plot((0.0, 40.0, 0.0, 30.0), legend=[("robot", "#008000")])
    spread = np.random.default_rng(0).uniform(-3, 3, (400, 2))
    plot.lines([spread + corner], [BLUE])
    rows, columns = legend_columns(plot.render())
    assert len(rows) > 0
    left, top, end, bottom = plot.scale.box
    assert (columns.mean() > (left + end) / 2) == bool(right)
    assert (rows.mean() > (top + bottom) / 2) == bool(low)


def test_the_legend_stands_below_flat_axes() -> None:
    plot = Plot((0.0, 70.0, 0.0, 10.0), legend=[("robot", "#008000")] * 8, grow=False)
    rows, _ = legend_columns(plot.render())
    assert rows.min() > plot.scale.box[3] + 30


def test_a_legend_larger_than_the_axes_is_left_out() -> None:
    plot = Plot((0.0, 40.0, 0.0, 30.0), (300, 200), legend=[("robot", "#008000")] * 12)
    assert not len(legend_columns(plot.render())[0])


def test_the_legend_stands_beside_narrow_axes() -> None:
    plot = Plot((0.0, 10.0, 0.0, 30.0), legend=[("robot", "#008000")], grow=False)
    _, columns = legend_columns(plot.render())
    assert columns.min() > plot.scale.box[2]


def test_a_place_stands_above_its_point_and_hides_no_other() -> None:
    plot = Plot((0.0, 40.0, 0.0, 30.0))
    empty = plot.render()
    plot.places({"dock": (20.0, 15.0)})
    one = plot.render()
    plot.places({"quay": (20.2, 15.1), "outside": (90.0, 15.0), "nowhere": GAP})
    assert (plot.render() == one).all()
    rows, columns = np.nonzero((one != empty).any(-1))
    row, column = pixel(plot, 20, 15)
    assert row - 26 <= rows.min() < rows.max() < row
    assert (columns.min() + columns.max()) / 2 == pytest.approx(column, abs=3)


def test_same_input_same_pixels_whatever_the_style_of_the_process() -> None:
    first = drawn([(5, 5), (35, 5), (35, 25)])[1]
    with matplotlib.rc_context(
        {"text.usetex": True, "figure.dpi": 30, "figure.autolayout": True, "lines.linewidth": 9}
    ):
        assert (drawn([(5, 5), (35, 5), (35, 25)])[1] == first).all()


def test_drawing_leaves_the_style_of_the_process_alone() -> None:
    before = dict(matplotlib.rcParams)
    drawn([(5, 5), (35, 5)])
    assert dict(matplotlib.rcParams) == before


def test_threads_draw_the_same_pictures_at_the_same_time() -> None:
    ways = [[(5, 5), (35, 5 + k), (k, 25)] for k in range(16)]
    alone = [drawn(way)[1] for way in ways]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda way: drawn(way)[1], ways))
    assert all((a == b).all() for a, b in zip(alone, together, strict=True))


def test_a_picture_too_small_for_text_is_refused() -> None:
    with pytest.raises(ContractError, match="240"):
        Plot((0.0, 1.0, 0.0, 1.0), (100, 480))
