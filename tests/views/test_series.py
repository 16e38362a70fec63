from __future__ import annotations

import pickle
from collections.abc import Sequence

import numpy as np
import pytest
from pictured import BLUE, NAMES, NAN, Frame, drawn, near, picture_of, series

from tbtrace.draw.figure import SMALLEST
from tbtrace.episode import Episode
from tbtrace.episode import Series as Values
from tbtrace.errors import ContractError, TbtraceWarning
from tbtrace.sample import sampled
from tbtrace.views import Context, Series

LIGHT, DARK, MEDIAN = (228, 228, 228), (202, 202, 202), (112, 112, 112)


def running(uid: str = "e", length: int = 100, **values: object) -> Episode:
    told = {name: one if isinstance(one, Values) else series(one) for name, one in values.items()}
    return Episode(uid, length, 1.0, running=told, split="train", iteration=2)


def levels(*values: float, length: int = 100) -> list[Episode]:
    """Episodes whose value never changes."""
    return [running(f"e{i}", length, v=np.full(length + 1, one)) for i, one in enumerate(values)]


def frame_of(episodes: Sequence[Episode], view: Series | None = None) -> Frame:
    context = Context()
    context.observe(episodes)
    low, high = context.span("running", "v")
    image = drawn(view or Series(), *episodes, context=context)
    return Frame(image, (0.0, context.horizon(), low, high))


def test_known_values_are_where_they_must_be() -> None:
    frame = frame_of([running(v=[0.0] * 51 + [NAN] * 20 + [8.0] * 30)])
    assert frame.is_near(25, 0, BLUE)
    assert frame.is_near(90, 8, BLUE)
    assert not frame.is_near(60, 4, BLUE, 9), "a line across the gap"
    assert not frame.is_near(25, 8, BLUE, 9)


def test_values_stand_at_their_steps_and_a_sample_says_so() -> None:
    steps = np.r_[np.zeros(4000), np.full(1001, 9.0)]
    (short,) = sampled([running(length=5000, v=steps)])
    assert len(short.running["v"].values) == 2000
    frame = frame_of([short])
    assert frame.is_near(2000, 0, BLUE)
    assert frame.is_near(4500, 9, BLUE)
    assert not frame.is_near(3000, 9, BLUE, 8)
    whole = frame_of([running(length=5000, v=steps)])
    assert (frame.image[:25] != whole.image[:25]).any(), "the heading tells"


def test_a_sample_s_extremes_are_within_the_axes() -> None:
    values = np.zeros(9001)
    values[4321] = 1e3
    (short,) = sampled([running(length=9000, v=values)])
    assert short.running["v"].values.max() == 0
    context = Context()
    context.observe([short])
    assert context.span("running", "v")[1] > 1e3


def test_the_band_is_that_of_the_others() -> None:
    frame = frame_of(levels(9.0, 0.0, 1.0, 2.0, 3.0, 4.0))
    assert frame.is_near(47, 9, BLUE, 1)
    assert frame.is_near(47, 0.5, LIGHT, 0)
    assert frame.is_near(47, 3.5, LIGHT, 0)
    assert frame.is_near(47, 1.5, DARK, 0)
    assert frame.is_near(47, 2.5, DARK, 0)
    assert frame.is_near(47, 2, MEDIAN, 1)
    assert not frame.is_near(47, 6.25, LIGHT, 2), "the picked one is not in the band"


def test_a_single_other_is_a_grey_line() -> None:
    frame = frame_of(levels(9.0, 4.0))
    assert frame.is_near(50, 4, MEDIAN, 1)
    assert not frame.is_near(47, 6.25, LIGHT, 2)


def test_the_band_is_of_those_that_still_run() -> None:
    told = [*levels(9.0, 0.0), *levels(5.0, 6.0, length=40)[:1]]
    frame = frame_of(told)
    assert frame.is_near(17, 3.5, LIGHT, 0)
    assert not frame.is_near(67, 3.5, LIGHT, 0)
    assert frame.is_near(67, 0, MEDIAN, 1)


def test_axes_stay_when_smaller_values_follow() -> None:
    context = Context()
    first = drawn(Series(), running(v=range(101)), context=context)
    second = drawn(Series(), running(length=9, v=[3.0] * 10), context=context)
    one, other = Frame(first, (0, 1, 0, 1)), Frame(second, (0, 1, 0, 1))
    assert (one.left, one.top, one.right) == (other.left, other.top, other.right)
    assert (first[one.bottom + 6 :] == second[one.bottom + 6 :]).all()
    assert (first[one.top :, : one.left - 6] == second[one.top :, : one.left - 6]).all()


def test_agents_of_one_step_are_averaged() -> None:
    steps = np.repeat(np.arange(101, dtype=np.int32), 2)
    frame = frame_of([running(v=Values(steps, np.tile([2.0, 6.0], 101)))])
    assert frame.is_near(50, 4, BLUE)
    assert not frame.is_near(50, 2.2, BLUE, 4)


def blue_in(image: np.ndarray, columns: int, rows: int) -> list[bool]:
    """Whether there is a blue line in each panel."""
    below = image[52:]
    return [
        bool(near(part, BLUE).sum() > 50)
        for strip in np.array_split(below, rows)
        for part in np.array_split(strip, columns, axis=1)
    ]


@pytest.mark.parametrize(
    ("count", "columns", "rows", "shown"),
    [(1, 1, 1, 1), (2, 1, 2, 2), (3, 2, 2, 3), (4, 2, 2, 4), (9, 2, 2, 4)],
)
def test_every_name_has_a_panel(count: int, columns: int, rows: int, shown: int) -> None:
    told = running(**{f"v{i}": np.arange(101) * 10.0**i for i in range(count)})
    panels = blue_in(drawn(Series(), told), columns, rows)
    assert panels == [i < shown for i in range(columns * rows)]


def test_families_come_before_their_members() -> None:
    names = ["queue/a", "queue/b", "queue/c", "speed", "queue/d", "power"]
    by_default = drawn(Series(), running(**{name: range(9) for name in names}))
    asked = Series(names=("queue/a", "speed", "power", "queue/b"))
    chosen = drawn(asked, running(**{name: range(9) for name in names}))
    assert (by_default[52:] == chosen[52:]).all()


def test_panels_keep_their_places_where_an_episode_lacks_a_name() -> None:
    context = Context()
    drawn(Series(), running(a=range(101), b=range(101)), context=context)
    image = drawn(Series(), running(b=range(101)), context=context)
    assert blue_in(image, 1, 2) == [False, True]


def test_names_without_values_are_named_once() -> None:
    view, told, context = Series(names=("sped",)), running(speed=[1.0, 2.0]), Context()
    context.observe([told])
    with pytest.warns(TbtraceWarning, match="draws 'sped', of which no episode.*'speed'") as said:
        assert view.draw([told], context) is None
        assert view.draw([told], context) is None
    assert len(said) == 1


def test_nothing_to_draw_is_none() -> None:
    context = Context()
    assert Series().draw([], context) is None
    assert Series().draw([running()], context) is None
    assert Series().draw([running(v=[])], context) is None
    assert Series().draw([running(v=[NAN, np.inf])], context) is None
    context.observe(levels(3.0))
    assert Series().draw([running(w=[NAN])], context) is None


@pytest.mark.parametrize(
    "values",
    [[3.0], [0.0] * 9, [-7.0] * 9, [1e300, -1e300], [1e308] * 3, [1e-300, 0], [1e15, 1e15 + 1]],
)
def test_odd_values_are_drawn_without_a_warning(values: list[float]) -> None:
    told = [running(f"e{i}", len(values) - 1, v=values, w=values) for i in range(5)]
    assert drawn(Series(), *told).shape == (480, 640, 3)
    assert drawn(Series(names=("v",)), told[0]).shape == (480, 640, 3)


def test_dangerous_names_are_drawn_without_a_warning() -> None:
    for i in range(0, len(NAMES), 4):
        names = tuple(NAMES[i : i + 4])
        drawn(Series(names=names), running(**dict.fromkeys(names, range(9))))
    drawn(Series(), running(**dict.fromkeys(NAMES, range(9))))


def test_a_thousand_episodes_and_names_are_drawn() -> None:
    rng = np.random.default_rng(0)
    told = [running(f"e{i}", 20, v=rng.normal(size=21)) for i in range(1000)]
    drawn(Series(), *told)
    drawn(Series(), running(length=2, **{f"v{i}": [1.0, 2.0] for i in range(1000)}))


@pytest.mark.parametrize("size", [SMALLEST, (640, 480), (400, 900), (1280, 960)])
def test_pictures_have_their_size(size: tuple[int, int]) -> None:
    told = running(a=range(9), b=range(9), c=range(9), d=range(9))
    one = picture_of(Series(size=size), told)
    assert drawn(Series(size=size), told).shape == (size[1], size[0], 3)
    assert (one.width, one.height, one.title) == (*size, "best")
    assert "median" in one.description


@pytest.mark.parametrize(
    "options",
    [
        {"names": ()},
        {"names": "speed"},
        {"names": ("a", "a")},
        {"names": tuple("abcde")},
        {"names": ("a", "b"), "size": (300, 200)},
        {"name": ""},
    ],
)
def test_wrong_options_are_refused(options: dict) -> None:
    with pytest.raises(ContractError):
        Series(**options)


def test_drawing_is_deterministic_and_pure() -> None:
    told, context = levels(1.0, 2.0, 5.0), Context()
    context.observe(told)
    before = pickle.dumps(context)
    assert Series().draw(told, context) == Series().draw(told, context)
    assert pickle.dumps(context) == before
    assert pickle.loads(pickle.dumps(Series(names=("a",)))) == Series(names=("a",))
