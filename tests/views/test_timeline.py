from __future__ import annotations

import pickle
from collections.abc import Sequence

import numpy as np
import pytest
from pictured import BLUE, GREEN, NAMES, NAN, VERMILLION, Frame, drawn, moving, near, picture_of

from tbtrace.draw.figure import SMALLEST
from tbtrace.episode import Episode, Trace
from tbtrace.errors import ContractError, TbtraceWarning
from tbtrace.views import Context, Timeline
from tbtrace.views.colours import PALETTE

OTHER, SILENT, WHITE = (154, 154, 154), (216, 216, 216), (255, 255, 255)
State = str | None


def states(said: Sequence[State], away: Sequence[int] = (), first: int = 0) -> Trace:
    points = np.zeros((len(said), 2))
    points[list(away)] = NAN
    steps = np.arange(first, first + len(said), dtype=np.int32)
    return Trace(steps, points, labels={"state": tuple(said)})


def frame_of(told: Episode, rows: int, view: Timeline | None = None, horizon: int = 100) -> Frame:
    return Frame(drawn(view or Timeline(), told), (0, horizon + 1, rows, 0))


def test_known_states_are_where_they_must_be() -> None:
    one = states(["busy"] * 30 + ["idle"] * 20 + [None] + ["idle"] * 50, away=[50])
    two = states(["idle"] * 60, first=41)
    frame = frame_of(moving(100, robots={"a": one, "b": two}), 2)
    assert frame.is_near(15, 0.5, BLUE, 0)
    assert frame.is_near(29.6, 0.5, BLUE, 0)
    assert frame.is_near(30.4, 0.5, VERMILLION, 0)
    assert not near(frame.image, BLUE)[frame.at(50, 1.5)]
    assert not frame.is_near(50.5, 0.5, VERMILLION, 0), "a bar across the gap"
    assert frame.is_near(100.5, 0.5, VERMILLION, 0), "the last state lasts a step"
    assert not frame.is_near(20, 1.5, VERMILLION, 3), "nobody was there yet"
    assert frame.is_near(70, 1.5, VERMILLION, 0)
    assert not frame.is_near(15, 1.0, BLUE, 3), "rows stand apart"


def test_rows_come_in_the_order_of_first_sight() -> None:
    late, early = states(["x"] * 21, first=80), states(["y"] * 101)
    frame = frame_of(moving(100, robots={"late": late, "early": early}), 2)
    assert frame.is_near(90, 1.5, BLUE, 0)
    assert frame.is_near(50, 0.5, VERMILLION, 0)


def test_colours_stay_over_iterations() -> None:
    context = Context()
    drawn(Timeline(), moving(9, r={"a": states(["x"] * 5 + ["y"] * 5)}), context=context)
    second = drawn(Timeline(), moving(9, r={"a": states(["y"] * 5 + ["z"] * 5)}), context=context)
    assert not near(second, BLUE).any()
    assert near(second, VERMILLION).sum() > 500
    assert near(second, GREEN).sum() > 500


def test_the_time_axis_stays_when_a_shorter_episode_follows() -> None:
    context = Context()
    drawn(Timeline(), moving(100, r={"a": states(["x"] * 101)}), context=context)
    short = drawn(Timeline(), moving(20, r={"a": states(["x"] * 21)}), context=context)
    frame = Frame(short, (0, 101, 1, 0))
    assert frame.is_near(20.5, 0.5, BLUE, 0)
    assert not frame.is_near(25, 0.5, BLUE, 3)


def test_a_point_without_a_state_is_pale() -> None:
    said: list[State] = [None] * 50 + ["x"] * 51
    frame = frame_of(moving(100, r={"a": states(said), "b": states([None] * 101)}), 2)
    assert frame.is_near(25, 0.5, SILENT, 0)
    assert frame.is_near(75, 0.5, BLUE, 0)
    assert frame.is_near(75, 1.5, SILENT, 0)


def test_many_changes_in_a_pixel_show_the_longest() -> None:
    said = (["x"] * 7 + ["y"] * 3) * 2000  # 20,000 steps on some 500 columns
    image = frame_of(moving(19_999, r={"a": states(said)}), 1, horizon=20_000)
    row, left = image.at(10, 0.5)
    bar = image.image[row, left + 2 : image.at(19_900, 0.5)[1]]
    assert near(bar, BLUE).all()


def test_a_short_visit_in_a_long_episode_is_seen() -> None:
    quiet, visit = states(["x"] * 1000), states(["y"], first=10_000)
    frame = frame_of(moving(20_000, r={"a": quiet, "b": visit}), 2, horizon=20_000)
    assert frame.is_near(10_000, 1.5, VERMILLION, 1)


def test_a_state_lasts_until_the_next_step_of_the_trace() -> None:
    steps = np.arange(0, 101, 20, dtype=np.int32)
    sparse = Trace(steps, np.zeros((6, 2)), labels={"state": tuple("xyxyxy")})
    frame = frame_of(moving(100, r={"a": sparse}), 1)
    for start, colour in zip(range(0, 100, 20), [BLUE, VERMILLION] * 3, strict=False):
        assert frame.is_near(start + 1, 0.5, colour, 0)
        assert frame.is_near(start + 19, 0.5, colour, 0)


def test_of_many_entities_the_first_are_drawn() -> None:
    told = {str(i): states(["x" if i < 40 else "y"] * 101) for i in range(41)}
    frame = frame_of(moving(100, r=told), 40)
    assert not near(frame.image, VERMILLION).any()
    assert all(frame.is_near(50, i + 0.5, BLUE, 1) for i in range(40))
    fewer = {name: told[name] for name in list(told)[:40]}
    heading = drawn(Timeline(), moving(100, r=fewer))[:25]
    assert (frame.image[:25] != heading).any(), "the title says how many there are"


def test_states_after_the_twelfth_share_a_colour() -> None:
    said = [f"s{i // 5:02}" for i in range(100)]
    frame = frame_of(moving(99, r={"a": states(said)}), 1)
    first, *_ = PALETTE
    assert frame.is_near(2, 0.5, tuple(bytes.fromhex(first[1:])), 0)
    assert frame.is_near(57, 0.5, tuple(bytes.fromhex(PALETTE[11][1:])), 0)
    assert frame.is_near(62, 0.5, OTHER, 0)
    assert frame.is_near(97, 0.5, OTHER, 0)


def test_numbers_are_states_where_they_are_asked_for() -> None:
    gears = np.r_[np.full(50, 2.0), np.full(30, NAN), np.zeros(21)]
    steps = np.arange(101, dtype=np.int32)
    told = moving(100, r={"a": Trace(steps, np.zeros((101, 2)), {"gear": gears})})
    frame = frame_of(told, 1, Timeline(channel="gear"))
    assert frame.is_near(25, 0.5, GREEN, 0), "2 is 2 whatever came first"
    assert frame.is_near(65, 0.5, SILENT, 0)
    assert frame.is_near(90, 0.5, BLUE, 0)
    with pytest.warns(TbtraceWarning, match=r"finds no str with the points.*'gear'") as said:
        assert Timeline().draw([told], Context()) is None
        assert Timeline().draw([told], Context()) is None
    assert len(said) == 1


def test_only_groups_with_the_channel_are_drawn() -> None:
    steps = np.arange(101, dtype=np.int32)
    lamp = Trace(steps, np.zeros((101, 2)), labels={"lamp": ("on",) * 101})
    told = moving(100, robots={"a": states(["x"] * 101)}, lamps={"b": lamp})
    frame = frame_of(told, 1, Timeline(channel="lamp"))
    assert frame.is_near(50, 0.5, BLUE, 0)
    assert frame_of(told, 1, Timeline(group="robots")).is_near(50, 0.5, BLUE, 0)
    assert near(drawn(Timeline(), told), BLUE).sum() < near(frame.image, BLUE).sum() + 500
    with pytest.warns(TbtraceWarning, match="finds no 'lamp'.*'state'"):
        assert Timeline(group="robots", channel="lamp").draw([told], Context()) is None


def test_nothing_to_draw_is_none() -> None:
    context, empty = Context(), Trace(np.empty(0, np.int32), np.empty((0, 2)))
    assert Timeline().draw([], context) is None
    assert Timeline().draw([moving(0)], context) is None
    assert Timeline().draw([moving(0, r={})], context) is None
    assert Timeline().draw([moving(0, r={"a": empty})], context) is None
    told = moving(0, r={"a": states(["x"])})
    assert Timeline(group="cars").draw([told], context) is None


def test_an_entity_that_is_always_away_has_an_empty_row() -> None:
    told = moving(100, r={"a": states(["x"] * 101), "b": states(["y"] * 9, away=range(9))})
    frame = frame_of(told, 2)
    assert frame.is_near(50, 0.5, BLUE, 0)
    assert not near(frame.image, VERMILLION).any()
    nowhere = moving(100, r={"b": states(["y"] * 9, away=range(9))})
    assert Timeline().draw([nowhere], Context()) is None


def test_one_step_is_a_bar() -> None:
    frame = frame_of(moving(0, r={"a": states(["x"])}), 1, horizon=1)
    assert frame.is_near(0.5, 0.5, BLUE, 0)
    assert not frame.is_near(1.5, 0.5, BLUE, 3)


def test_dangerous_names_are_drawn_without_a_warning() -> None:
    groups = {name: {name: states([name] * 5 + NAMES)} for name in NAMES}
    drawn(Timeline(name="$"), moving(13, **groups))


def test_ten_thousand_entities_are_drawn() -> None:
    told = {str(i): states(["x", "y"], first=i) for i in range(10_000)}
    assert near(drawn(Timeline(), moving(10_001, r=told)), BLUE).any()


@pytest.mark.parametrize("size", [SMALLEST, (1280, 960)])
def test_pictures_have_their_size_and_a_clear_margin(size: tuple[int, int]) -> None:
    told = {f"robot {i}": states([f"s{i % 15}"] * 9) for i in range(50)}
    image = drawn(Timeline(size=size), moving(8, r=told))
    assert image.shape == (size[1], size[0], 3)
    for edge in (image[:2], image[-2:], image[:, :2], image[:, -2:]):
        assert (edge == 255).all()


def test_the_legend_covers_no_bar() -> None:
    frame = frame_of(moving(100, r={str(i): states(["x"] * 101) for i in range(40)}), 40)
    outside = frame.image.copy()
    outside[frame.top : frame.bottom, frame.left : frame.right] = 255
    assert near(outside, BLUE).sum() > 20
    assert all(frame.is_near(x, i + 0.5, BLUE, 0) for i in range(40) for x in (1, 99))


def test_drawing_is_deterministic_and_pure() -> None:
    told, context = moving(9, r={"a": states(list("xxyyzzxxyy"))}), Context()
    context.observe([told])
    before = pickle.dumps(context)
    one = Timeline().draw([told], context)
    assert one == Timeline().draw([told], context)
    assert "Gantt" in one.description
    assert one == picture_of(Timeline(), told).__class__(
        one.png, one.width, one.height, "", one.description
    )
    assert pickle.dumps(context) == before
    with pytest.raises(ContractError):
        Timeline(name="")
