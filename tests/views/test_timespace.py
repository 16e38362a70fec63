from __future__ import annotations

import math
import pickle

import numpy as np
import pytest
from pictured import BLUE, GREEN, NAMES, NAN, VERMILLION, Frame, along_x, drawn, moving, near, trace
from pictured import picture_of as picture

from tbtrace.episode import Episode, Scene, Trace
from tbtrace.errors import ContractError, TbtraceWarning
from tbtrace.views import Context, TimeSpace

WIDE = Scene(extent=(0.0, 100.0, 0.0, 60.0), units="m", axes=("east", "north"))


def in_scene(scene: Scene, **ways: Trace) -> Episode:
    return Episode("e", 100, 1.0, traces={"robots": ways}, scene=scene)


def test_a_known_position_is_where_it_must_be() -> None:
    x = np.r_[np.linspace(10, 50, 41), np.full(20, NAN), np.full(40, 80.0)]
    frame = Frame(drawn(TimeSpace(), in_scene(WIDE, a=along_x(x))), (0, 100, 0, 100))
    assert frame.is_near(20, 30, BLUE)
    assert frame.is_near(90, 80, BLUE)
    assert not frame.is_near(50, 65, BLUE, 8), "a line across the gap"
    assert not frame.is_near(50, 50, BLUE, 8)
    assert not frame.is_near(30, 20, BLUE, 4), "time and space are swapped"
    assert not frame.is_near(90, 20, BLUE, 8), "y is upside down"


def test_a_point_that_is_half_finite_is_a_gap() -> None:
    points = np.column_stack([np.full(101, 50.0), np.zeros(101)])
    points[30:70, 1] = NAN
    frame = Frame(drawn(TimeSpace(axis="x"), in_scene(WIDE, a=trace(points))), (0, 100, 0, 100))
    assert frame.is_near(20, 50, BLUE)
    assert not frame.is_near(50, 50, BLUE, 5)


def test_the_axis_is_the_longer_one_of_the_scene_or_the_asked_one() -> None:
    way = trace(np.column_stack([np.full(101, 20.0), np.full(101, 45.0)]))
    by_default = Frame(drawn(TimeSpace(), in_scene(WIDE, a=way)), (0, 100, 0, 100))
    assert by_default.is_near(50, 20, BLUE)
    y = Frame(drawn(TimeSpace(axis="y"), in_scene(WIDE, a=way)), (0, 100, 0, 60))
    assert y.is_near(50, 45, BLUE)
    high = Scene(extent=(0.0, 30.0, 0.0, 60.0))
    upwards = Frame(drawn(TimeSpace(), in_scene(high, a=way)), (0, 100, 0, 60))
    assert upwards.is_near(50, 45, BLUE)


def test_the_way_is_cumulated_and_not_counted_across_a_gap() -> None:
    # 40 there and back again, then away, then 20 more from far off.
    x = np.r_[np.linspace(0, 40, 41), np.linspace(39, 0, 40), [NAN], np.linspace(500, 520, 19)]
    told = moving(100, cars={"a": along_x(x)})
    context = Context()
    context.observe([told])
    low, high = context.span("way", "cars")
    assert low == 0
    assert 100 < high < 115
    frame = Frame(drawn(TimeSpace(axis="way"), told, context=context), (0, 100, low, high))
    assert frame.is_near(20, 20, BLUE)
    assert frame.is_near(60, 60, BLUE)
    assert frame.is_near(91, 89.5, BLUE, 4)


def test_heights_are_drawn_and_flat_entities_named_once() -> None:
    deep = trace(np.column_stack([np.zeros((101, 2)), np.linspace(-5, 5, 101)]))
    told = moving(100, drones={"a": deep})
    low, high = -5.5, 5.5
    frame = Frame(drawn(TimeSpace(axis="z"), told), (0, 100, low, high))
    assert frame.is_near(80, 3, BLUE)
    flat, context = moving(100, cars={"a": along_x([0, 1]), "b": along_x([0, 1])}), Context()
    with pytest.warns(TbtraceWarning, match=r"draws z, but the points of 'a' in 'cars'") as said:
        assert TimeSpace(axis="z").draw([flat], context) is None
    assert len(said) == 1


def test_axes_and_colours_stay_when_a_shorter_episode_follows() -> None:
    context = Context()
    first = drawn(
        TimeSpace(), moving(200, r={"a": along_x(range(201)), "b": along_x([3])}), context=context
    )
    second = drawn(TimeSpace(), moving(20, r={"b": along_x(range(21))}), context=context)
    one, other = Frame(first, (0, 200, 0, 1)), Frame(second, (0, 200, 0, 1))
    assert (one.left, one.right, one.bottom) == (other.left, other.right, other.bottom)
    assert (first[one.bottom + 6 :] == second[one.bottom + 6 :]).all(), "steps"
    assert (first[one.top :, : one.left - 6] == second[one.top :, : one.left - 6]).all()
    columns = np.nonzero(near(second[one.top + 1 : one.bottom], VERMILLION).any(0))[0]
    assert columns.min() >= one.left, "b is still vermillion"
    assert not near(second, BLUE).any()


def test_the_way_s_axis_stays_too() -> None:
    context = Context()
    view = TimeSpace(axis="way")
    far, short = moving(50, r={"a": along_x(range(51))}), moving(50, r={"a": along_x([0, 1])})
    first = drawn(view, far, context=context)
    second = drawn(view, short, context=context)
    frame = Frame(first, (0, 1, 0, 1))
    assert (first[frame.top :, : frame.left - 6] == second[frame.top :, : frame.left - 6]).all()


def test_only_the_asked_group_is_drawn() -> None:
    told = moving(9, robots={"a": along_x(range(10))}, cars={"b": along_x(range(10))})
    assert not near(drawn(TimeSpace(group="cars"), told), BLUE).any()
    both = drawn(TimeSpace(), moving(9, r={"a": along_x(range(10)), "b": along_x(range(5))}))
    assert near(both, BLUE).any()
    assert near(both, VERMILLION).any()


def test_a_single_point_is_a_dot() -> None:
    frame = Frame(drawn(TimeSpace(), in_scene(WIDE, a=along_x([NAN] * 50 + [40.0]))), (0, 100) * 2)
    rows, columns = np.nonzero(near(frame.image, BLUE))
    assert (rows.size, columns.size) > (3, 3)
    assert frame.is_near(50, 40, BLUE)


def test_a_backward_axis_runs_downwards() -> None:
    image = Scene(extent=(0.0, 30.0, 60.0, 0.0))  # as pixels count
    way = trace(np.column_stack([np.zeros(101), np.full(101, 50.0)]))
    frame = Frame(drawn(TimeSpace(), in_scene(image, a=way)), (0, 100, 60, 0))
    assert frame.is_near(50, 50, BLUE)


def test_nothing_to_draw_is_none() -> None:
    context, empty = Context(), Trace(np.empty(0, np.int32), np.empty((0, 2)))
    for view in (TimeSpace(), TimeSpace(axis="way")):
        assert view.draw([], context) is None
        assert view.draw([moving(0)], context) is None
        assert view.draw([moving(3, cars={})], context) is None
        assert view.draw([moving(3, cars={"a": empty})], context) is None
        assert (
            view.draw([moving(3, cars={"a": trace([(NAN, NAN), (math.inf, 1)])})], context) is None
        )
    cars = TimeSpace(group="cars")
    assert cars.draw([moving(3, robots={"a": along_x([1, 2])})], context) is None


@pytest.mark.parametrize("axis", ["x", "way"])
@pytest.mark.parametrize(
    "x", [[3.0], [7.0] * 9, [-1e308, 1e308], [0, 1e-300], [1e15] * 2, [-3, -2], [1e9, 1e9 + 1e-6]]
)
def test_odd_coordinates_are_drawn_without_a_warning(x: list[float], axis: str) -> None:
    assert drawn(TimeSpace(axis=axis), moving(len(x) - 1, r={"a": along_x(x)})).shape == (
        480,
        640,
        3,
    )


def test_steps_beyond_the_length_are_seen() -> None:
    frame = Frame(drawn(TimeSpace(), moving(1, r={"a": along_x([4.0] * 101)})), (0, 100, 3.5, 4.5))
    assert frame.is_near(90, 4, BLUE)


@pytest.mark.parametrize("count", [20, 400])
def test_lines_have_the_colours_of_the_run_however_many_there_are(count: int) -> None:
    ways = {f"{i}": along_x([0.0, 0.0]) for i in range(count - 1)}
    told = moving(1, robots={"first": along_x([5.0, 5.0]), **ways})
    assert near(drawn(TimeSpace(axis="x"), told), BLUE).sum() > 500


def test_dangerous_names_are_drawn_without_a_warning() -> None:
    groups = {name: {name: along_x(range(9))} for name in NAMES}
    scene = Scene(units="$", axes=("\ud800", "n" * 999))
    drawn(TimeSpace(name="$"), Episode("e", 8, 0.0, traces=groups, scene=scene))


def test_ten_thousand_entities_are_drawn() -> None:
    rng = np.random.default_rng(0)
    told = moving(4, r={str(i): trace(rng.uniform(0, 9, (5, 2))) for i in range(10_000)})
    assert near(drawn(TimeSpace(), told), (255, 255, 255), 3).mean() < 0.9


def test_drawing_is_deterministic_and_pure() -> None:
    told, context = moving(9, r={"a": along_x(range(10))}), Context()
    context.observe([told])
    before = pickle.dumps(context)
    assert TimeSpace().draw([told], context) == TimeSpace().draw([told], context)
    assert pickle.dumps(context) == before
    assert pickle.loads(pickle.dumps(TimeSpace(axis="way"))) == TimeSpace(axis="way")


def test_the_picture_has_its_size_and_key() -> None:
    told = moving(9, r={"a": along_x(range(10)), "c": along_x([4.0])})
    one = picture(TimeSpace(size=(500, 400)), told)
    assert (one.width, one.height, one.title) == (500, 400, "best")
    assert "overtake" in one.description
    assert not near(drawn(TimeSpace(), told), GREEN).any()


def test_another_axis_is_refused() -> None:
    with pytest.raises(ContractError, match="axis='v'"):
        TimeSpace(axis="v")
    with pytest.raises(ContractError):
        TimeSpace(name="")
