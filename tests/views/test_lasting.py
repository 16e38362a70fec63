from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from archive_shapes import walkers
from hypothesis import given
from hypothesis import strategies as st

from tbtrace.episode import Episode, Scene, Series, Trace
from tbtrace.errors import ContractError
from tbtrace.views import Context, Heatmap, Paths, TimeSpace
from tbtrace.views import Series as Curves
from tbtrace.views.lasting import MOST_BYTES, Span, dumped, resume


def again(context: Context) -> Context:
    other = Context()
    assert resume(other, dumped(context, Span(2, 5))) == (2, 5)
    return other


def machine(states: list[str | None], **channels: Any) -> Episode:
    steps = np.arange(len(states), dtype=np.int32)
    points = np.array([(float(step), 7.0, -3.0) for step in steps])
    trace = Trace(steps, points, channels=channels, labels={"state": states})
    return Episode("m", len(states), 0.0, traces={"machines": {"drill": trace}})


def test_everything_but_the_scene_lasts() -> None:
    context = Context()
    load = np.array([0.25, math.nan, 1e300])
    context.observe([walkers(), machine(["idle", None, "busy"], load=load)])
    context.scene = Scene(units="m")
    other = again(context)
    assert other.scene is None
    assert other.longest == context.longest == 50
    for group in (None, "articles", "machines", "never"):
        assert other.limits(group) == context.limits(group, scene=Scene())
        first, before = other.first_heat("train", group), context.first_heat("train", group)
        assert (first is None) == (before is None)
        if first is not None and before is not None:
            assert first.grid == before.grid
            assert np.array_equal(first.shares, before.shares)
    for kind, name in (("running", "speed"), ("channel", "load"), ("way", "articles"), ("z", None)):
        assert other.seen(kind, name) == context.seen(kind, name) is not None
    assert other.running_names == ("speed",)
    assert other.states("state") == ("idle", "busy")
    assert other.group_colour("machines") == context.group_colour("machines")
    for entity in ("a8", "drill"):
        for group in ("articles", "machines"):
            assert other.colour(group, entity) == context.colour(group, entity)


@pytest.mark.parametrize("view", [Paths(), Heatmap(), TimeSpace(), Curves()], ids=lambda v: v.name)
def test_pictures_are_those_of_a_run_that_went_on(view: Any) -> None:
    early = walkers("early", seed=1, steps=400)
    late = walkers("late", seed=2)
    context = Context()
    context.observe([early])
    other, anew = again(context), Context()
    for each in (context, other, anew):
        each.observe([late])
    drawn = [view.draw([late], each, title="late") for each in (context, other, anew)]
    assert drawn[0].png == drawn[1].png != drawn[2].png


names = st.text(max_size=5)  # lone surrogates, too


@given(
    entities=st.dictionaries(st.tuples(names, names), st.floats(), max_size=5),
    values=st.dictionaries(names, st.lists(st.floats(), min_size=1, max_size=3), max_size=3),
)
def test_any_names_and_numbers(
    entities: dict[tuple[str, str], float], values: dict[str, list[float]]
) -> None:
    traces: dict[str, dict[str, Trace]] = {}
    for (group, entity), at in entities.items():
        trace = Trace(np.zeros(1, np.int32), np.array([(at, -at)]))
        traces.setdefault(group, {})[entity] = trace
    running = {
        name: Series(np.arange(len(given), dtype=np.int32), np.array(given))
        for name, given in values.items()
    }
    context = Context()
    context.observe([Episode("e", 3, 0.0, running, traces=traces)])
    other = again(context)
    assert json.dumps(other.told()) == json.dumps(context.told())
    assert all(other.limits(group) == context.limits(group) for group in [*traces, None])


def spoilt(**changes: Any) -> bytes:
    context = Context()
    context.observe([walkers()])
    return json.dumps({**json.loads(dumped(context, Span(1, 3))), **changes}).encode()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff\x00",
        b"[" * 100_000,
        b" " * (MOST_BYTES + 1),
        spoilt(tbtrace_context=2),
        spoilt(iterations=None),
        spoilt(iterations=[3]),
        spoilt(longest=math.nan),
        spoilt(extents={"a": [0, 1, 2]}),
        spoilt(extents={"a": [1, 0, 0, 1]}),
        spoilt(extents={"a": [0, math.inf, 0, 1]}),
        spoilt(entities=[["a"]]),
        spoilt(ranges={}),
        spoilt(ranges={"running": {"a": ["x", "y"]}, "channel": {}, "way": {}, "z": {}}),
        spoilt(heats=[["train", None, 0, 0, 1, 1, 2, 2, "AAAA"]]),
        spoilt(heats=[["train", None, 0, 0, 1, 1, 10**9, 10**9, ""]]),
        spoilt(heats=[["train", None, 0, 0, 0, 1, 1, 1, "AAAAAA=="]]),
        spoilt(heats=[["train", None, 0, 0, 1, 1, 1, 1, "AADAfw=="]]),
    ],
    ids=range(20),
)
def test_a_strangers_file_changes_nothing(content: bytes) -> None:
    context = Context()
    context.observe([walkers()])
    before = context.told()
    with pytest.raises(ContractError, match="holds no context"):
        resume(context, content)
    assert context.told() == before


def test_numbers_without_end_stay_drawable() -> None:
    context = Context()
    resume(context, spoilt(longest=10**400))
    assert context.horizon() < 1e17


def test_what_lasts_is_for_a_run_that_goes_on_behind_its_first_iteration() -> None:
    context = Context()
    context.observe([walkers()])
    kept = dumped(context, Span(4, 8))
    for at, longest in ((3, 0), (4, 0), (5, 50), (9, 50)):
        other = Context()
        assert resume(other, kept, at=at) == (4, 8)
        assert other.longest == longest
