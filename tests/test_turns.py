"""Long episodes are thinned evenly, and within their bound."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tbtrace.errors import TbtraceWarning
from tbtrace.track import Track
from tbtrace.tracks import Group
from tbtrace.turns import Turns


def drive(group: Group, steps: int, say: Any) -> None:
    for step in range(steps):
        said = say(step)
        if isinstance(said, np.ndarray):
            assert group.add_array(step, said)
        else:
            assert not list(group.add(step, said.items()))


def test_short_episodes_are_left_alone() -> None:
    group = Group(Turns(most_points=1000))
    drive(group, 1000, lambda step: {"a": (step, 0)})
    assert group.finish()["a"].steps.tolist() == list(range(1000))


@pytest.mark.parametrize("kind", ["array", "mapping"])
def test_a_long_episode_keeps_every_kth_step_within_the_bound(kind: str) -> None:
    turns = Turns(most_points=4000)
    group = Group(turns)

    def say(step: int) -> Any:
        rows = np.array([(step, 0.0), (step, 1.0), (0.0, step)])
        return rows if kind == "array" else {str(i): tuple(row) for i, row in enumerate(rows)}

    with pytest.warns(TbtraceWarning, match="more than 4000 points: they are thinned evenly"):
        drive(group, 20_000, say)
    traces = group.finish()
    assert turns.stride == 16
    assert sum(len(trace.steps) for trace in traces.values()) <= 4000
    for entity, trace in traces.items():
        assert trace.steps.tolist() == list(range(0, 20_000, 16))
        moving = 1 if entity == "2" else 0
        assert trace.points[:, moving].tolist() == list(range(0, 20_000, 16))


def test_the_bound_is_that_of_all_groups_together() -> None:
    turns = Turns(most_points=2000)
    first, second = Group(turns), Group(turns)
    with pytest.warns(TbtraceWarning, match="thinned"):
        for step in range(5000):
            first.add_array(step, np.zeros((1, 2)))
            assert not list(second.add(step, [("a", (0, 0)), ("b", (0, 0, 0))]))
    assert first.points + second.points <= 2000 + 3 * 256
    assert first.finish()["0"].steps.tolist() == second.finish()["a"].steps.tolist()


def test_gaps_channels_and_labels_stay_with_their_points() -> None:
    turns = Turns(most_points=500)
    group = Group(turns)

    def say(step: int) -> dict[str, Any]:
        if 400 <= step < 800:
            return {}
        return {"a": {"x": step, "y": 0, "speed": step * 2.0, "state": f"s{step}"}}

    with pytest.warns(TbtraceWarning, match="thinned"):
        drive(group, 2000, say)
    trace = group.finish()["a"]
    gaps = np.isnan(trace.points).all(axis=1)
    assert gaps.sum() == 1
    assert 400 <= trace.steps[gaps][0] < 800
    here = trace.steps[~gaps]
    assert trace.points[~gaps, 0].tolist() == here.tolist()
    assert trace.channels["speed"][~gaps].tolist() == (here * 2.0).tolist()
    assert [label for label in trace.labels["state"] if label] == [f"s{step}" for step in here]


def test_many_short_lived_entities_are_bounded_too() -> None:
    turns = Turns(most_points=1000)
    group = Group(turns)
    with pytest.warns(TbtraceWarning, match="thinned"):
        drive(group, 20_000, lambda step: {f"e{step}": (step, 0)})
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
