from __future__ import annotations

import math
import pickle
import warnings
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from tbtrace.episode import Episode, Scene, Trace
from tbtrace.errors import ContractError
from tbtrace.views import Context, Paths, Picture

BLUE = (0, 114, 178)
GAP = (math.nan, math.nan)
EXTENT = (0.0, 100.0, 0.0, 60.0)


def trace(points: object) -> Trace:
    array = np.array(points, float)
    return Trace(np.arange(len(array), dtype=np.int32), array)


def episode(scene: Scene | None = None, **groups: dict[str, Trace]) -> Episode:
    return Episode("e", 250, 31.4, traces=groups, scene=scene, split="train", iteration=12)


def draw(told: Episode, view: Paths | None = None, context: Context | None = None) -> Picture:
    context = context or Context()
    context.observe([told])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        picture = (view or Paths()).draw([told], context, "best")
    assert picture is not None
    return picture


def pixels(picture: Picture) -> np.ndarray:
    return np.array(Image.open(BytesIO(picture.png)).convert("RGB"))


def near(image: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    return (np.abs(image.astype(int) - colour) <= 12).all(-1)


def walk(seed: int, n: int = 200) -> Trace:
    return trace(np.cumsum(np.random.default_rng(seed).normal(size=(n, 2)), axis=0))


def axes_of(image: np.ndarray) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of the frame: the longest grey lines."""
    grey = near(image, (138, 138, 138))
    columns = np.nonzero(grey.sum(0) > grey.sum(0).max() * 0.9)[0]
    rows = np.nonzero(grey.sum(1) > grey.sum(1).max() * 0.9)[0]
    return columns[0], rows[0], columns[-1], rows[-1]


def at(image: np.ndarray, x: float, y: float) -> tuple[int, int]:
    """Row and column of a point of a scene with `EXTENT`, by measuring the frame."""
    left, top, right, bottom = axes_of(image)
    return round(bottom - y / 60 * (bottom - top)), round(left + x / 100 * (right - left))


def test_a_known_trace_is_where_it_must_be() -> None:
    way = trace([(20, 10), (20, 50), GAP, (60, 50), (90, 50)])
    image = pixels(draw(episode(Scene(extent=EXTENT), robots={"a": way})))
    blue = near(image, BLUE)

    def around(x: float, y: float, by: int = 2) -> np.ndarray:
        row, column = at(image, x, y)
        return blue[row - by : row + by + 1, column - by : column + by + 1]

    assert around(20, 30).any()
    assert around(75, 50).any()
    assert not around(40, 50, 8).any(), "a line across the gap"
    assert not around(20, 5, 4).any()
    assert not around(50, 20, 8).any(), "rows and columns are swapped"
    assert around(90, 50).all(), "the end is a full dot"
    assert not around(20, 10).any(), "the start is a ring"
    assert around(20, 10, 7).any()


def test_the_end_is_the_last_finite_point() -> None:
    way = trace([GAP, (20, 10), (70, 30), GAP, GAP])
    image = pixels(draw(episode(Scene(extent=EXTENT), robots={"a": way})))
    row, column = at(image, 70, 30)
    assert near(image, BLUE)[row - 2 : row + 3, column - 2 : column + 3].all()


def test_the_picture_has_its_size_title_and_key() -> None:
    picture = draw(episode(robots={"a": walk(0)}), Paths(size=(500, 400)))
    assert (picture.width, picture.height, picture.title) == (500, 400, "best")
    assert Image.open(BytesIO(picture.png)).size == (500, 400)
    assert "ring" in picture.description


def test_drawing_is_deterministic_and_pure() -> None:
    told = episode(Scene(units="m"), robots={"a": walk(0), "b": walk(1)})
    context = Context()
    context.observe([told])
    before = pickle.dumps(context)
    assert Paths().draw([told], context) == Paths().draw([told], context)
    assert pickle.dumps(context) == before


def test_nothing_to_draw_is_none() -> None:
    view, context = Paths(group="cars"), Context()
    assert view.draw([episode()], context) is None
    assert view.draw([episode(robots={"a": walk(0)})], context) is None
    assert view.draw([episode(cars={})], context) is None
    assert view.draw([episode(cars={"a": trace([GAP, (math.inf, 1)])})], context) is None
    assert (
        view.draw([episode(cars={"a": Trace(np.empty(0, np.int32), np.empty((0, 2)))})], context)
        is None
    )
    assert Paths().draw([], context) is None


def test_entities_without_a_point_are_skipped() -> None:
    alone = draw(episode(robots={"a": walk(0)}))
    context = Context()
    context.observe([episode(robots={"a": walk(0)})])
    assert draw(episode(robots={"a": walk(0), "ghost": trace([GAP])}), context=context) == alone


def test_axes_and_colours_stay_when_a_smaller_episode_follows() -> None:
    context = Context()
    first = pixels(draw(episode(robots={"a": walk(0), "b": walk(1)}), context=context))
    small = episode(robots={"b": trace([(0, 0), (3, 3)])})
    second = pixels(draw(small, context=context))
    left, top, _, bottom = axes_of(first)
    assert axes_of(second) == axes_of(first)
    assert (first[bottom + 6 :] == second[bottom + 6 :]).all(), "ticks along x"
    assert (first[top:, : left - 6] == second[top:, : left - 6]).all(), "ticks along y"
    assert near(second, (213, 94, 0)).sum() > 30, "b is still vermillion"
    assert not near(second, BLUE).any()


def test_only_the_asked_group_is_drawn() -> None:
    told = episode(robots={"a": walk(0)}, cars={"b": walk(1)})
    assert not near(pixels(draw(told, Paths(group="cars"))), BLUE).any()
    both = pixels(draw(told))
    assert near(both, BLUE).any()
    assert near(both, (213, 94, 0)).any()


@pytest.mark.parametrize(("count", "has_legend"), [(1, True), (12, True), (13, False), (40, False)])
def test_few_entities_have_a_legend(count: int, has_legend: bool) -> None:
    ways = {f"robot {i}": trace([(0, i), (9, i)]) for i in range(count)}
    corner = {"corner": trace([(60, 60)])}
    context = Context()
    context.observe([episode(robots=ways), episode(other=corner)])
    image = pixels(draw(episode(robots=ways), context=context))
    swatches = near(image, BLUE)[:, 320:].sum()
    assert (swatches > 40) == has_legend


def test_points_in_space_may_be_seen_from_above_alone() -> None:
    flat = np.random.default_rng(0).uniform(0, 9, (30, 2))
    deep = np.column_stack([flat, np.linspace(-1e6, 1e6, 30)])
    level = np.column_stack([flat, np.full(30, 5.0)])
    above = draw(episode(r={"a": trace(flat)}))
    assert draw(episode(r={"a": trace(deep)}), Paths(project="xy")) == above
    assert draw(episode(r={"a": trace(level)})) == above, "z does not vary"
    assert draw(episode(r={"a": trace(deep)})) != above


def test_points_in_space_are_seen_from_three_sides() -> None:
    # A way along x below, and one upwards above the end of the first.
    ways = {
        "along": trace([(0, 0, 0), (10, 0, 0)]),
        "up": trace([(10, 0, 0), (10, 0, 10)]),
        "flat": trace([(0, 10), (10, 10)]),
    }
    image = pixels(draw(episode(robots=ways)))
    blue, red, green = (near(image, colour) for colour in (BLUE, (213, 94, 0), (0, 158, 115)))
    above, front, side = np.s_[48:264, :320], np.s_[264:, :320], np.s_[264:, 320:]

    def spans(seen: np.ndarray) -> tuple[int, int]:
        rows, columns = np.nonzero(seen)
        return np.ptp(columns), np.ptp(rows)

    assert spans(blue[above])[0] > 3 * spans(blue[above])[1]
    assert spans(red[front])[1] > 3 * spans(red[front])[0]
    assert spans(red[side])[1] > 3 * spans(red[side])[0]
    assert spans(blue[side])[0] < 30, "seen along its way"
    assert green[above].any()
    assert not green[front].any(), "a way without z"
    # The same unit is as long on all sides.
    assert spans(blue[above])[0] == pytest.approx(spans(blue[front])[0], abs=14)
    assert spans(red[side])[1] == pytest.approx(spans(red[front])[1], abs=5)


def test_small_pictures_of_space_are_seen_from_above() -> None:
    deep = trace(np.random.default_rng(0).uniform(0, 9, (30, 3)))
    small = draw(episode(r={"a": deep}), Paths(size=(400, 300)))
    assert small == draw(episode(r={"a": deep}), Paths(size=(400, 300), project="xy"))


def test_a_crowd_in_space_has_three_sides_too() -> None:
    rng = np.random.default_rng(0)
    many = {str(i): trace(rng.normal(size=(20, 3)).cumsum(0)) for i in range(150)}
    image = pixels(draw(episode(r=many)))
    for part in (np.s_[60:220, 60:310], np.s_[270:420, 60:310], np.s_[270:420, 380:630]):
        assert near(image[part], (254, 216, 154)).sum() > 50


def purple_to_orange(image: np.ndarray, row: int, columns: list[int]) -> list[float]:
    """Redness of what lies at some columns, which rises along the ramp."""
    return [float(image[row - 1 : row + 2, column].astype(int)[1, 0]) for column in columns]


def test_time_gives_colours() -> None:
    way = trace(np.column_stack([np.linspace(5, 95, 251), np.full(251, 30.0)]))
    told = episode(Scene(extent=EXTENT), robots={"a": way})
    image = pixels(draw(told, Paths(colour="time")))
    left, top, right, bottom = inner(image)
    row = (top + bottom) // 2
    columns = [round(left + share * (right - left)) for share in (0.12, 0.35, 0.6, 0.88)]
    red = purple_to_orange(image, row, columns)
    assert red == sorted(red)
    assert red[-1] - red[0] > 150


def inner(image: np.ndarray) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of the axes beside a bar: the widest room between grey columns."""
    grey = near(image, (138, 138, 138))
    columns = np.nonzero(grey.sum(0) > 150)[0]
    rows = np.nonzero(grey.sum(1) > 300)[0]
    widest = np.diff(columns).argmax()
    return columns[widest], rows[0], columns[widest + 1], rows[-1]


def test_the_limits_of_a_channel_stand_still() -> None:
    def told(speed: float) -> Episode:
        way = Trace(
            np.arange(2, dtype=np.int32),
            np.array([(10.0, 30.0), (90.0, 30.0)]),
            {"speed": np.array([speed, speed])},
        )
        return episode(Scene(extent=EXTENT), robots={"a": way})

    context = Context()
    draw(told(10.0), context=context)
    context.observe([told(0.0)])
    slow, fast = (
        pixels(draw(told(v), Paths(colour="speed"), context)).astype(int) for v in (1.0, 9.0)
    )
    left, top, right, bottom = inner(slow)
    assert inner(fast) == (left, top, right, bottom)
    assert (slow[:, right + 10 :] == fast[:, right + 10 :]).all(), "the bar"
    row, column = (top + bottom) // 2, (left + right) // 2
    assert fast[row, column, 0] - slow[row, column, 0] > 150


def test_states_and_groups_give_colours_with_a_legend() -> None:
    points = np.array([(10.0, 30.0), (50.0, 30.0), (90.0, 30.0)])
    way = Trace(np.arange(3, dtype=np.int32), points, {}, {"state": ("on", "off", "off")})
    told = episode(Scene(extent=EXTENT), robots={"a": way}, cars={"b": trace([(10, 50), (90, 50)])})
    context = Context()
    image = pixels(draw(told, Paths(colour="state", group="robots"), context))
    assert near(image[at(image, 25, 30)], BLUE)
    assert near(image[at(image, 75, 30)], (213, 94, 0))
    image = pixels(draw(told, Paths(colour="group"), context))
    assert near(image[at(image, 25, 30)], BLUE)
    assert near(image[at(image, 25, 50)], (213, 94, 0))


def test_many_entities_are_a_density_with_the_longest_on_top() -> None:
    rng = np.random.default_rng(0)
    many = {str(i): trace(rng.uniform(20, 40, (2, 2))) for i in range(99)}
    many["far"] = trace([(5, 5), (95, 55)])
    told = episode(Scene(extent=EXTENT), robots=many)
    context = Context()
    context.observe([told])
    image = pixels(draw(told, context=context))
    ink = tuple(int(context.colour("robots", "far")[i : i + 2], 16) for i in (1, 3, 5))
    left, top, right, bottom = inner(image)
    rows, columns = np.nonzero(near(image[top:bottom, left:right], ink))
    assert np.ptp(columns) > 0.85 * (right - left)
    assert np.ptp(rows) > 0.85 * (bottom - top)
    assert near(image, (254, 216, 154)).sum() > 300, "places that one came by"
    few = pixels(draw(told, Paths(density=None), context))
    assert near(few, (254, 216, 154)).sum() < 100
    assert draw(told, Paths(density=101), context).png == draw(told, Paths(density=None)).png


def test_the_colours_of_a_density_depend_on_how_many_there_are_alone() -> None:
    def told(count: int) -> Episode:
        ways = {str(i): trace([(10, 30), (90, 30)]) for i in range(count)}
        apart = {f"{i} apart": trace([(i / 4, 0.1)]) for i in range(200 - count)}
        return episode(Scene(extent=EXTENT), robots={**ways, **apart})

    light, dark = (pixels(draw(told(n))).astype(int) for n in (20, 150))
    _, top, right, bottom = inner(light)
    assert (light[top:bottom, right + 10 :] == dark[top:bottom, right + 10 :]).all(), "the bar"


@pytest.mark.parametrize("options", [{"density": 1}, {"project": "xz"}])
def test_broken_options_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ContractError, match=next(iter(options))):
        Paths(**options)


@pytest.mark.parametrize("count", [3, 61, 400])
def test_lines_have_the_colour_of_the_bar_however_many_there_are(count: int) -> None:
    ways = {f"{i}": trace([(5, 10), (95, 10)]) for i in range(count)}
    told = episode(Scene(extent=EXTENT), robots=ways)
    context = Context()
    context.observe([told])
    image = pixels(draw(told, Paths(density=None, group="robots", colour="group"), context))
    row, column = at(image, 50, 10)
    line = image[row - 3 : row + 4, column - 100 : column + 100]
    assert near(line, BLUE).sum() >= 200, "the group's own colour"


def test_points_without_a_finite_height_are_nowhere() -> None:
    way = trace([(0, 0, math.nan), (9, 9, math.nan)])
    assert Paths().draw([episode(robots={"a": way})], Context()) is None
    both = {"a": way, "b": trace([(0, 0, 1), (9, 9, math.nan), (9, 0, 2)])}
    assert near(pixels(draw(episode(robots=both))), (213, 94, 0)).any()


def test_ten_thousand_entities() -> None:
    rng = np.random.default_rng(0)
    many = {f"n{i}/\u65e5" * 20: trace(rng.uniform(0, 9, (4, 2))) for i in range(10_000)}
    assert near(pixels(draw(episode(**{"r/s": many}))), (255, 255, 255)).mean() < 0.9


def test_the_background_lies_under_the_ways() -> None:
    floor = np.full((60, 100, 3), 255, np.uint8)
    floor[:30] = (255, 160, 160)
    scene = Scene(background=floor, extent=EXTENT, units="m", places={"dock": (50.0, 15.0)})
    image = pixels(draw(episode(scene, r={"a": trace([(10, 45), (90, 45)])})))
    row, column = at(image, 30, 52)
    assert image[row, column, 0] > image[row, column, 1] + 20
    row, column = at(image, 50, 45)
    assert near(image, BLUE)[row - 1 : row + 2, column].any()
    assert (image[at(image, 30, 8)] >= 248).all()


def test_a_dark_background_is_faded() -> None:
    scene = Scene(background=np.zeros((6, 10, 3), np.uint8), extent=EXTENT)
    image = pixels(draw(episode(scene, r={"a": trace([(10, 45), (90, 45)])})))
    assert (image[at(image, 50, 20)] > 190).all()


ODD = {
    "utm": np.array([(500_000.0, 5_000_000.0), (500_800.0, 5_000_400.0)]),
    "tiny": np.array([(0.0, 0.0), (1e-9, 2e-9)]),
    "denormal": np.array([(0.0, 0.0), (5e-324, 5e-324)]),
    "huge": np.array([(-1e308, 0.0), (1e308, 1e308)]),
    "point": np.array([(3.0, 4.0)]),
    "same": np.full((9, 2), 7.0),
    "far point": np.full((2, 2), 1e15),
    "rounding": np.array([(1e9, 1e9), (np.nextafter(1e9, 2e9), 1e9)]),
    "road": np.column_stack([np.linspace(0, 400, 50), np.sin(np.arange(50)) * 5]),
    "tower": np.column_stack([np.sin(np.arange(50)), np.linspace(0, 4000, 50)]),
    "vertical": np.array([(0.0, 0.0), (0.0, 9.0)]),
    "noisy line": np.array([(0.0, 0.0), (5.0, 1e-13), (9.0, 0.0)]),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_coordinates_are_drawn_without_a_warning(name: str) -> None:
    image = pixels(draw(episode(r={"a": trace(ODD[name])})))
    assert image.shape == (480, 640, 3)
    if name != "huge":
        assert near(image, BLUE).sum() > 60


def test_a_road_is_stretched_over_the_picture() -> None:
    image = pixels(draw(episode(r={"a": trace(ODD["road"])})))
    _, top, _, bottom = axes_of(image)
    rows = np.nonzero(near(image, BLUE).any(1))[0]
    assert rows.max() - rows.min() > 0.7 * (bottom - top)


def test_dangerous_names_are_drawn_without_a_warning() -> None:
    names = [
        "$x_",
        "a^b",
        "\\frac{1}",
        "日本語",
        "\U0001f600",
        "\ud800",
        "",
        "n" * 5000,
        "a\nb",
        "%s{}",
    ]
    scene = Scene(units="$", axes=("$x_", "a^b"), places=dict.fromkeys(names, (1.0, 1.0)))
    groups = {name: {name: walk(i, 20)} for i, name in enumerate(names)}
    image = pixels(draw(episode(scene, **groups), Paths(name="$")))
    assert (image[:2] == 255).all()
    assert (image[-2:] == 255).all()


def test_threads_draw_the_same_pictures_at_the_same_time() -> None:
    told = [episode(robots={str(i): walk(i)}) for i in range(12)]
    context = Context()
    context.observe(told)
    alone = [Paths().draw([one], context) for one in told]
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lambda one: Paths().draw([one], context), told)) == alone


def test_a_thousand_entities_are_drawn() -> None:
    told = episode(robots={str(i): walk(i, 50) for i in range(1000)})
    assert near(pixels(draw(told)), (255, 255, 255)).mean() < 0.9


def test_an_episode_is_drawn_in_its_own_scene() -> None:
    way = {"a": trace([(20, 10), (60, 50)])}
    own = episode(Scene(extent=EXTENT, places={"goal": (80, 20)}), robots=way)
    later = episode(Scene(extent=EXTENT, places={"goal": (20, 50)}), robots=way)
    without = episode(robots=way)
    context = Context()
    alone = draw(own, context=context).png
    run_wide = draw(later, context=context).png
    assert run_wide != alone
    assert draw(own, context=context).png == alone
    # An episode that gives no scene is drawn in the run's last one.
    context.observe([later])
    assert draw(without, context=context).png == run_wide


def test_limits_follow_the_picture_s_scene() -> None:
    context = Context()
    context.observe([episode(Scene(extent=EXTENT))])
    small = Scene(extent=(0.0, 1.0, 0.0, 1.0))
    assert context.limits() == EXTENT
    assert context.limits(scene=small) == (0.0, 1.0, 0.0, 1.0)
