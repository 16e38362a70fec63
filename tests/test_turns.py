"""Long episodes are thinned evenly, and within their bound."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tbtrace.episode import Trace
from tbtrace.errors import TbtraceWarning
from tbtrace.track import Track
from tbtrace.tracks import Group
from tbtrace.turns import Turns


def drive(turns: Turns, steps: int, say: Any, *groups: Group) -> None:
    """Tells every group the same."""
    for step in range(steps):
        said = say(step)
        turns.thin(groups)
        turn = turns.at(step)
        for group in groups if turn >= 0 else ():
            if isinstance(said, np.ndarray):
                assert group.add_array(turn, said)
            else:
                assert not list(group.add(turn, said.items()))


def finish(turns: Turns, group: Group) -> dict[str, Trace]:
    return group.finish(np.array(turns.steps, np.int32))


def test_short_episodes_are_left_alone() -> None:
    group, turns = Group(), Turns(most_points=1000)
    drive(turns, 1000, lambda step: {"a": (step, 0)}, group)
    assert finish(turns, group)["a"].steps.tolist() == list(range(1000))


@pytest.mark.parametrize("kind", ["array", "mapping"])
def test_a_long_episode_keeps_every_kth_step_within_the_bound(kind: str) -> None:
    group, turns = Group(), Turns(most_points=4000)

    def say(step: int) -> Any:
        rows = np.array([(step, 0.0), (step, 1.0), (0.0, step)])
        return rows if kind == "array" else {str(i): tuple(row) for i, row in enumerate(rows)}

    with pytest.warns(TbtraceWarning, match="more than 4000 points: they are thinned evenly"):
        drive(turns, 20_000, say, group)
    traces = finish(turns, group)
    assert turns.stride == 16
    assert sum(len(trace.steps) for trace in traces.values()) <= 4000
    for entity, trace in traces.items():
        assert trace.steps.tolist() == list(range(0, 20_000, 16))
        moving = 1 if entity == "2" else 0
        assert trace.points[:, moving].tolist() == list(range(0, 20_000, 16))


def test_the_bound_is_that_of_all_groups_together() -> None:
    turns = Turns(most_points=2000)
    first, second = Group(), Group()
    with pytest.warns(TbtraceWarning, match="thinned"):
        drive(turns, 5000, lambda step: {"a": (0, 0), "b": (0, 0, 0)}, first, second)
    assert first.points + second.points <= 2000 + 4 * 256
    first_steps = finish(turns, first)["a"].steps.tolist()
    assert first_steps == finish(turns, second)["b"].steps.tolist()
    assert first_steps == list(range(0, 5000, turns.stride))


def test_numbers_given_at_once_are_those_given_one_by_one() -> None:
    at_once, one_by_one = Turns(most_points=600), Turns(most_points=600)
    groups = Group(), Group()
    with pytest.warns(TbtraceWarning, match="thinned"):
        for first in range(0, 3000, 50):
            steps = list(range(first, first + 50))
            for turns, group in zip((at_once, one_by_one), groups, strict=True):
                turns.thin([group])
                numbers = (
                    turns.take(steps).tolist()
                    if turns is at_once
                    else [turns.at(step) for step in steps]
                )
                for step, turn in zip(steps, numbers, strict=True):
                    assert turn < 0 or turns.steps[turn] == step
                    assert turn < 0 or not list(group.add(turn, [("a", (step, 0))]))
    assert at_once.stride == one_by_one.stride == 8
    assert at_once.steps == one_by_one.steps


def test_a_step_that_is_asked_for_again_keeps_its_number() -> None:
    turns = Turns()
    assert [turns.at(0), turns.at(4)] == [0, 1]
    assert turns.take([4, 4, 5, 5]).tolist() == [1, 1, 2, 2]
    assert turns.take([5, 9]).tolist() == [2, 3]
    assert turns.at(9) == 3


def test_gaps_channels_and_labels_stay_with_their_points() -> None:
    group, turns = Group(), Turns(most_points=500)

    def say(step: int) -> dict[str, Any]:
        if 400 <= step < 800:
            return {}
        return {"a": {"x": step, "y": 0, "speed": step * 2.0, "state": f"s{step}"}}

    with pytest.warns(TbtraceWarning, match="thinned"):
        drive(turns, 2000, say, group)
    trace = finish(turns, group)["a"]
    gaps = np.isnan(trace.points).all(axis=1)
    assert gaps.sum() == 1
    assert 400 <= trace.steps[gaps][0] < 800
    here = trace.steps[~gaps]
    assert trace.points[~gaps, 0].tolist() == here.tolist()
    assert trace.channels["speed"][~gaps].tolist() == (here * 2.0).tolist()
    assert [label for label in trace.labels["state"] if label] == [f"s{step}" for step in here]


def test_many_short_lived_entities_are_bounded_too() -> None:
    group, turns = Group(), Turns(most_points=1000)
    with pytest.warns(TbtraceWarning, match="thinned"):
        drive(turns, 20_000, lambda step: {f"e{step}": (step, 0)}, group)
    assert group.points <= 1000 + 256
    assert len(group.tracks) == group.points


def test_a_thinned_track_goes_on() -> None:
    track = Track()
    for turn in range(5):
        assert track.add(turn, {"x": turn, "y": 0, **({"v": 1} if turn < 3 else {})}) is None
    track.thin()
    assert track.add(3, (9, 9)) is None
    finished = track.finish(np.array([0, 20, 40, 60], np.int32))
    assert finished is not None
    assert finished.steps.tolist() == [0, 20, 40, 60]
    assert finished.points[:, 0].tolist() == [0, 2, 4, 9]
    assert np.isnan(finished.channels["v"]).tolist() == [False, False, True, True]
