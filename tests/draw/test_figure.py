from __future__ import annotations

import math
import warnings
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

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


def entries(count: int) -> list[tuple[str, str]]:
    return [(f"robot {i}", "#008000") for i in range(count)]


@pytest.mark.parametrize("count", [1, 2, 5, 9, 12])
@pytest.mark.parametrize(
    "limits", [(0.0, 40.0, 0.0, 30.0), (0.0, 70.0, 0.0, 10.0), (0.0, 9.0, 0.0, 30.0)]
)
@pytest.mark.parametrize("grow", [True, False])
def test_the_legend_never_covers_the_axes(count: int, limits: tuple, grow: bool) -> None:
    plot = Plot(limits, title="best", legend=entries(count), grow=grow)
    rows, columns = legend_columns(plot.render())
    left, top, right, bottom = plot.scale.box
    inside = (rows >= top) & (rows < bottom) & (columns >= left) & (columns < right)
    assert len(rows) == count * 4 * 20
    assert not inside.any()


def test_the_axes_do_not_depend_on_what_is_drawn_or_on_few_entries() -> None:
    boxes = {Plot((0.0, 4.0, 0.0, 3.0), title="t", legend=entries(k)).scale.box for k in range(4)}
    assert len(boxes) == 1


def test_many_entries_stand_below_flat_axes_and_beside_narrow_ones() -> None:
    plot = Plot((0.0, 70.0, 0.0, 10.0), legend=entries(9), grow=False)
    assert legend_columns(plot.render())[0].min() > plot.scale.box[3] + 30
    plot = Plot((0.0, 10.0, 0.0, 30.0), legend=entries(9), grow=False)
    assert legend_columns(plot.render())[1].min() > plot.scale.box[2]


def test_a_legend_as_large_as_the_axes_is_left_out() -> None:
    plot = Plot((0.0, 40.0, 0.0, 30.0), (300, 200), legend=entries(40))
    assert not len(legend_columns(plot.render())[0])


def test_the_axes_fill_the_room_where_scales_may_differ() -> None:
    limits = (0.0, 1000.0, -1.0, 1.0)
    plot = Plot(limits, equal=False)
    left, top, right, bottom = plot.scale.box
    assert plot.scale.limits == limits
    assert right - left > 500
    assert bottom - top > 350
    assert plot.scale.stretch == 1


def test_names_that_begin_alike_are_told_apart_in_legend_and_rows() -> None:
    def image(end: str) -> np.ndarray:
        names = [f"a name that is quite a bit too long {i}" for i in (1, end)]
        rows = list(enumerate(names))
        legend = [(name, BLUE) for name in names]
        return Plot((0.0, 1.0, -1.0, 2.0), legend=legend, rows=rows).render()  # type: ignore[arg-type]

    one, other = image("2"), image("3")
    changed = np.flatnonzero((one != other).any(axis=(0, 2)))
    assert changed.min() < 320 < changed.max(), "the row, and the entry of the legend"


def test_the_name_of_an_axis_keeps_away_from_head_and_legend() -> None:
    def image(limits: tuple, name: str) -> np.ndarray:
        legend = [(f"a long entry {i}", BLUE) for i in range(4)]
        heads = {"title": "best", "caption": "iteration 12"}
        return Plot(limits, (350, 300), names=("x", name), legend=legend, **heads).render()  # type: ignore[arg-type]

    for limits, name in [
        ((0.0, 40.0, 0.0, 30.0), 50 * "name "),
        ((0.0, 400.0, 0.0, 10.0), "y [m]"),
    ]:
        long, short = image(limits, name), image(limits, "y")
        assert (long[44:255] != short[44:255]).any()
        assert (long[:44] == short[:44]).all(), "the head"
        assert (long[257:] == short[257:]).all(), "the legend"


def test_rows_are_named_and_crowded_names_left_out() -> None:
    def text_beside(rows: list[tuple[float, str]]) -> np.ndarray:
        plot = Plot((0.0, 9.0, 0.0, 9.0), equal=False, rows=rows, names=("step", ""))
        return (plot.render()[:, : plot.scale.box[0] - 6] < 128).all(-1).sum()

    one, two = text_beside([(3.0, "robot")]), text_beside([(3.0, "robot"), (6.0, "robot")])
    assert two == 2 * one > 0
    assert text_beside([(3.0, "robot"), (3.01, "robot")]) == one
    assert text_beside([]) == 0


def test_a_band_lies_between_its_curves_with_gaps_and_under_the_grid() -> None:
    plot = Plot((0.0, 40.0, 0.0, 30.0))
    x = np.arange(41.0)
    low, high = np.full(41, 7.0), np.full(41, 13.0)
    high[18:23] = np.nan
    plot.band(x, low, high, BLUE, alpha=0.5)
    image = plot.render()
    assert np.abs(image[pixel(plot, 7, 9)].astype(int) - (128, 128, 255)).max() <= 4
    assert (image[pixel(plot, 21, 9)] == 255).all()
    assert (image[pixel(plot, 7, 14)] == 255).all()
    assert (image[pixel(plot, 7, 6)] == 255).all()
    assert image[pixel(plot, 7, 10)].tolist() != image[pixel(plot, 7, 9)].tolist(), "the grid"
    edges = np.nonzero(image[:, pixel(plot, 7, 9)[1], 0] == image[pixel(plot, 7, 9)][0])[0]
    assert edges.min() == pytest.approx(pixel(plot, 7, 13)[0], abs=1)
    assert edges.max() == pytest.approx(pixel(plot, 7, 7)[0], abs=1)


def test_bars_fill_their_boxes_the_later_on_top() -> None:
    plot = Plot((0.0, 40.0, 0.0, 30.0))
    boxes = np.array(
        [(5, 20, 5, 10), (15, 30, 5, 10), (33, 33, 5, 10), (math.nan, 1, 5, 10), (-9, 900, 20, 22)]
    )
    plot.bars(boxes, [BLUE, RED, BLUE, BLUE, BLUE])
    image = plot.render()
    blue, red = is_blue(image), is_red(image)
    (_, u0), (_, u1) = pixel(plot, 5, 7), pixel(plot, 15, 7)
    row = pixel(plot, 5, 7)[0]
    assert np.nonzero(blue[row])[0].tolist()[:-1] == pytest.approx(list(range(u0, u1)), abs=1)
    assert red[pixel(plot, 16, 6)]
    assert red[pixel(plot, 29, 9)]
    assert blue[pixel(plot, 39, 21)]
    assert not blue[pixel(plot, 2, 7)]


def test_the_file_holds_what_render_returns() -> None:
    plot, image = drawn([(5, 5), (35, 5), (35, 25)])
    data = plot.png()
    file = Image.open(BytesIO(data))
    assert file.mode == "P"
    assert (np.array(file.convert("RGB")) == image).all()
    assert plot.png() == data == drawn([(5, 5), (35, 5), (35, 25)])[0].png()


CENTRE = np.array([22.3, 17.6])


@pytest.mark.parametrize("angle", range(0, 180, 15))
@pytest.mark.parametrize("width", [1.0, 1.5, 2.0, 2.5, 3.0, 5.0])
def test_lines_have_their_width_and_place_at_any_angle(angle: int, width: float) -> None:
    along = np.array([math.cos(math.radians(angle)), math.sin(math.radians(angle))])
    plot, image = drawn([CENTRE - 9 * along, CENTRE + 9 * along], width=width)
    share = 1 - np.minimum(image[..., 0], image[..., 1]) / 255
    empty = 1 - Plot((0.0, 40.0, 0.0, 30.0)).render()[..., 0] / 255
    share = np.where(empty > 0, 0, share)  # not on lines of the grid
    u, v = plot.scale.project(CENTRE[None])[0]
    rows, columns = np.nonzero(share)
    right, up = columns + 0.5 - u, v - rows - 0.5
    near = np.hypot(right, up) < 60
    off = (up * along[0] - right * along[1])[near]
    weights = share[rows, columns][near]
    assert abs(off).max() <= width / 2 + 1.2
    assert abs((off * weights).sum() / weights.sum()) < 0.5
    # A pen of three cells is a cross, which is thin along its diagonals.
    assert weights.sum() / 120 == pytest.approx(width, rel=0.32 if width == 1.5 else 0.16)


def test_lines_on_a_dark_floor_have_no_light_edge() -> None:
    plot = Plot((0.0, 40.0, 0.0, 30.0), grow=False)
    plot.image(np.full((3, 4, 3), 90, np.uint8), (0.0, 40.0, 0.0, 30.0))
    plot.lines([np.array([(5.0, 6.0), (35.0, 21.0)])], [BLUE])
    left, top, right, bottom = plot.scale.box
    assert plot.render()[top:bottom, left:right, 0].max() <= 95


def test_many_ways_and_colours_find_room() -> None:
    plot = Plot((0.0, 100.0, 0.0, 100.0))
    ways = [np.array([(0.0, k / 100), (50.0, k / 100)]) for k in range(10_000)]
    colours = [f"#{k % 256:02x}{k // 256:02x}80" for k in range(10_000)]
    plot.lines(ways, colours)
    plot.lines([np.array([(60.0, 1.0), (60.0, 99.0)])], [RED])
    plot.ends(np.array([way[1] for way in ways[:500]]), colours[:500], 3.5)
    assert is_red(plot.render())[pixel(plot, 60, 51)]
    assert len(plot.png()) > 1000


def test_large_coordinates_are_as_exact_as_small_ones() -> None:
    way = np.array([(5.0, 5.0), (35.0, 8.0), (20.0, 25.0)])
    far = np.array([500_000.0, 5_000_000.0])
    small, large = Plot((0.0, 40.0, 0.0, 30.0)), Plot((5e5, 5e5 + 40, 5e6, 5e6 + 30))
    small.lines([way], [BLUE])
    large.lines([way + far], [BLUE])
    (a, b, c, d), (e, f, g, h) = small.scale.box, large.scale.box
    one, other = is_blue(small.render())[b:d, a:c], is_blue(large.render())[f:h, e:g]
    wide = min(c - a, g - e)
    assert one[:, :wide].sum() == pytest.approx(other[:, :wide].sum(), rel=0.1)


def test_memory_order_of_ways_does_not_matter() -> None:
    way = np.array([(5.0, 5.0), (20.0, 15.0), GAP, (35.0, 25.0), (35.0, 5.0)])
    first, second = Plot((0.0, 40.0, 0.0, 30.0)), Plot((0.0, 40.0, 0.0, 30.0))
    first.lines([way], [BLUE])
    second.lines([np.asfortranarray(way)], [BLUE])
    assert first.png() == second.png()


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


def test_threads_draw_the_same_pictures_at_the_same_time() -> None:
    ways = [[(5, 5), (35, 5 + k), (k, 25)] for k in range(16)]
    alone = [drawn(way)[1] for way in ways]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda way: drawn(way)[1], ways))
    assert all((a == b).all() for a, b in zip(alone, together, strict=True))


def test_a_picture_too_small_for_text_is_refused() -> None:
    with pytest.raises(ContractError, match="240"):
        Plot((0.0, 1.0, 0.0, 1.0), (100, 480))
