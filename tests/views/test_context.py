from __future__ import annotations

import math
import pickle

import numpy as np
import pytest

from tbtrace.episode import Episode, Scene, Series, Tally, Trace
from tbtrace.errors import TbtraceWarning
from tbtrace.views.colours import PALETTE
from tbtrace.views.context import Context
from tbtrace.views.extent import extent_of, joined
from tbtrace.views.memory import MOST_NAMES


def trace(*points: tuple[float, ...]) -> Trace:
    return Trace(np.arange(len(points), dtype=np.int32), np.array(points, float))


def episode(scene: Scene | None = None, **groups: dict[str, Trace]) -> Episode:
    return Episode("e", 1, 0.0, traces=groups, scene=scene)


def seen(*episodes: Episode) -> Context:
    context = Context()
    context.observe(episodes)
    return context


def test_a_new_context_knows_nothing() -> None:
    context = Context()
    assert context.limits() is None
    assert context.limits("robots") is None
    assert context.scene is None


def test_extents_grow_and_never_shrink() -> None:
    context = seen(episode(robots={"a": trace((0, 0), (10, 5))}))
    before = context.limits("robots")
    context.observe([episode(robots={"a": trace((2, 2), (3, 3))})])
    assert context.limits("robots") == before
    context.observe([episode(robots={"b": trace((-40, 2))})])
    x0, x1, _, _ = context.limits("robots")
    assert x0 < -40
    assert x1 >= 10


def test_groups_have_their_own_extents_and_one_together() -> None:
    context = seen(episode(near={"a": trace((0, 0), (1, 1))}, far={"b": trace((90, 90), (99, 99))}))
    assert context.limits("near")[1] < 2
    assert context.limits("far")[0] > 80
    x0, x1, y0, y1 = context.limits()
    assert x0 < 0 < 99 < x1
    assert y0 < 0 < 99 < y1


def test_points_to_be_seen_too_are_seen_but_not_remembered() -> None:
    context = seen(episode(robots={"a": trace((0, 0), (10, 5))}))
    before = context.limits("robots")
    assert context.limits("robots", [np.array([(50.0, 0.0)])])[1] > 50
    assert context.limits("robots") == before


def test_gaps_do_not_count() -> None:
    context = seen(
        episode(robots={"a": trace((0, 0), (math.nan, 90), (math.inf, 1), (10, 5))}),
        episode(robots={"b": trace((math.nan, math.nan))}),
        episode(robots={}),
    )
    assert context.limits("robots") == seen(episode(robots={"a": trace((0, 0), (10, 5))})).limits(
        "robots"
    )


def test_colours_come_by_order_of_first_sight_and_stay() -> None:
    context = seen(episode(robots={"b": trace((0, 0)), "a": trace((0, 0))}))
    assert [context.colour("robots", name) for name in "ba"] == list(PALETTE[:2])
    context.observe([episode(cars={"b": trace((0, 0))}, robots={"a": trace((0, 0))})])
    assert context.colour("cars", "b") == PALETTE[2]
    assert context.colour("robots", "a") == PALETTE[1]


def test_unknown_entities_have_a_stable_colour_of_the_palette() -> None:
    colour = Context().colour("robots", "never \ud800 seen")
    assert colour in PALETTE
    assert Context().colour("robots", "never \ud800 seen") == colour
    assert len({Context().colour("robots", str(i)) for i in range(200)}) == len(PALETTE)


def test_memory_is_bounded() -> None:
    point = trace((0, 0))
    context = Context()
    for start in range(0, 3 * MOST_NAMES, 1000):
        names = range(start, start + 1000)
        context.observe([episode(robots={str(i): point for i in names})])
        context.observe([episode(**{f"g{i}": {"a": trace((i, 0))} for i in names})])
    assert len(pickle.dumps(context)) < 800_000
    assert context.colour("robots", "0") == PALETTE[0]
    assert context.limits("g9000") is not None
    assert context.limits()[1] > 3 * MOST_NAMES - 1000


def test_a_context_can_be_pickled() -> None:
    context = seen(episode(Scene(units="m"), robots={"a": trace((0, 0), (10, 5))}))
    again = pickle.loads(pickle.dumps(context))
    assert again.limits("robots") == context.limits("robots")
    assert again.colour("robots", "a") == context.colour("robots", "a")
    assert again.scene.units == "m"


def test_the_last_scene_is_remembered() -> None:
    context = seen(episode(Scene(units="m")), episode())
    assert context.scene.units == "m"
    context.observe([episode(Scene(units="km"))])
    assert context.scene.units == "km"


def test_a_scene_fixes_the_axes() -> None:
    context = seen(episode(Scene(extent=(0.0, 100.0, 0.0, 60.0)), robots={"a": trace((3, 3))}))
    assert context.limits() == context.limits("robots") == (0.0, 100.0, 0.0, 60.0)


def test_only_the_crossed_side_of_a_scene_grows() -> None:
    context = seen(episode(Scene(extent=(0.0, 100.0, 0.0, 60.0)), robots={"a": trace((130, 3))}))
    x0, x1, y0, y1 = context.limits()
    assert (x0, y0, y1) == (0.0, 0.0, 60.0)
    assert 130 < x1 < 150


def test_a_backward_scene_turns_the_axes() -> None:
    context = seen(episode(Scene(extent=(0.0, 8.0, 8.0, 0.0)), robots={"a": trace((3, 12))}))
    x0, x1, y0, y1 = context.limits()
    assert (x0, x1, y1) == (0.0, 8.0, 0.0)
    assert y0 > 12


def test_a_background_without_an_extent_is_named() -> None:
    with pytest.warns(TbtraceWarning, match="extent"):
        seen(episode(Scene(background=np.zeros((2, 2, 3), np.uint8))))


def test_extents_of_nothing() -> None:
    assert extent_of([]) is None
    assert extent_of([np.empty((0, 2)), np.full((3, 2), np.nan)]) is None
    assert joined([None, None]) is None
    assert joined([None, (0, 1, 2, 3), (-1, 0, 2, 9)]) == (-1, 1, 2, 9)


def test_diverged_coordinates_stay_drawable() -> None:
    limits = seen(episode(robots={"a": trace((-1e308, 0), (1e308, 5))})).limits()
    assert np.isfinite(limits).all()
    assert np.isfinite(limits[1] - limits[0])


def contrast_with_white(colour: str) -> float:
    parts = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return 1.05 / (float(linear @ (0.2126, 0.7152, 0.0722)) + 0.05)


def test_the_palette_is_dark_enough_on_white() -> None:
    assert len(set(PALETTE)) == 12
    assert min(map(contrast_with_white, PALETTE)) > 2.2


def test_time_axes_end_with_the_longest_episode() -> None:
    context = seen(Episode("a", 300, 0.0), Episode("b", 20, 0.0))
    assert context.longest == 300
    assert context.horizon() == 300
    assert context.horizon(20) == 300
    assert context.horizon(1003) == 1100
    assert Context().horizon() == 1
    for steps in (1, 7, 19, 99, 101, 12_345, 10**6, 10**7 + 1):
        assert steps <= Context().horizon(steps) <= 1.1 * steps


def test_ranges_of_running_values_hold_what_a_sample_lacks() -> None:
    steps = np.arange(3, dtype=np.int32)
    whole = Series(steps, np.array([1.0, np.nan, 3.0]))
    part = Series(steps, np.array([1.0, 2.0, 3.0]), tally=Tally(9, 2.0, 18.0, 50.0, -5.0, 90.0))
    context = seen(Episode("a", 3, 0.0, running={"v": whole, "w": part}))
    assert context.running_names == ("v", "w")
    low, high = context.span("running", "v")
    assert (low < 1, 3 < high < 4) == (True, True)
    low, high = context.span("running", "w")
    assert (low < -5, high > 90) == (True, True)
    before = context.span("running", "v", [np.array([99.0])])
    assert before[1] > 99
    assert context.span("running", "v")[1] < 4
    assert context.span("running", "never seen") is None
    assert context.span("running", "never seen", [np.array([np.nan])]) is None


def test_ways_begin_at_zero_and_are_those_of_the_group_or_of_all() -> None:
    context = seen(episode(near={"a": trace((5, 5), (8, 9))}, far={"b": trace((0, 0), (0, 70))}))
    low, high = context.span("way", "near")
    assert (low, 5 <= high < 6) == (0, True)
    assert context.span("way", None)[1] > 70
    assert context.span("z", "near") is None
    deep = seen(episode(near={"a": trace((5, 5, -3), (8, 9, 4))}))
    assert deep.span("z", "near")[0] < -3


def test_states_keep_their_order() -> None:
    steps, points = np.arange(3, dtype=np.int32), np.zeros((3, 2))
    one = Trace(steps, points, labels={"state": ("queued", None, "moving")})
    context = seen(episode(robots={"a": one}))
    other = Trace(steps, points, labels={"state": ("broken", "moving", "idle")})
    context.observe([episode(cars={"b": other})])
    assert context.states("state") == ("queued", "moving", "broken", "idle")
    assert context.states("colour") == ()


def test_groups_have_colours_by_order_of_first_sight() -> None:
    context = seen(episode(near={}, far={"a": trace((0, 0))}))
    assert [context.group_colour(name) for name in ("near", "far")] == list(PALETTE[:2])
    context.observe([episode(new={}, far={})])
    assert context.group_colour("far") == PALETTE[1]
    assert context.group_colour("new") == PALETTE[2]
    assert context.group_colour("never \ud800 seen") in PALETTE


def test_it_knows_the_episodes_that_it_observed_last() -> None:
    context = Context()
    one, two, three = (Episode(uid, 1, 0.0) for uid in "abc")
    assert not context.knows([one])
    context.observe(iter([one, two]))
    assert context.knows([two, one])
    assert not context.knows([one, three])
    context.observe([three])
    assert not context.knows([one])


def test_channels_have_one_range_over_the_run() -> None:
    def fast(speed: float) -> Episode:
        way = Trace(np.arange(1, dtype=np.int32), np.zeros((1, 2)), {"speed": np.array([speed])})
        return episode(robots={"a": way})

    context = seen(fast(3.0), fast(math.nan))
    context.observe([fast(1.0)])
    assert context.seen("channel", "speed") == (1.0, 3.0)
    assert context.seen("channel", "power") is None


def test_the_first_heat_is_that_of_the_first_iteration() -> None:
    context = seen(episode(near={"a": trace((0, 0), (0, 0))}, far={"b": trace((9, 9))}))
    before = context.first_heat("", "near")
    assert before is not None
    assert before.shares.sum() == pytest.approx(1)
    context.observe([episode(near={"a": trace((5, 5))})])
    assert context.first_heat("", "near") is before
    both = context.first_heat("")
    assert both is not None
    assert sorted(both.shares[both.shares > 0].tolist()) == pytest.approx([1 / 3, 2 / 3])


def test_an_iteration_that_shows_nobody_is_not_the_first() -> None:
    context = seen(episode(near={}), episode(near={"a": trace((math.nan, 0))}))
    assert context.first_heat("") is None
    context.observe([episode(near={"a": trace((1, 1))})])
    assert context.first_heat("") is not None


def test_a_first_heat_of_very_many_points_looks_at_some_ways() -> None:
    def cells(steps: int) -> int:
        at = [np.full((steps, 2), float(i)) for i in range(20)]
        ways = {str(i): Trace(np.arange(steps, dtype=np.int32), way) for i, way in enumerate(at)}
        heat = seen(episode(near=ways)).first_heat("", "near")
        assert heat is not None
        return int((heat.shares > 0).sum())

    assert cells(49_000) == 20
    assert cells(51_000) == 10
