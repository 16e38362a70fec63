from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tbtrace.episode import Trace
from tbtrace.track import Track, tidy
from tbtrace.tracks import Group
from tbtrace.turns import Turns

NAN = float("nan")


class Cars(Group):
    """A group and its turns."""

    def __init__(self) -> None:
        super().__init__()
        self.turns = Turns()

    def traces(self) -> dict[str, Trace]:
        return self.finish(np.array(self.turns.steps, np.int32))


def group() -> Cars:
    return Cars()


def points_of(group: Cars, entity: str) -> list[Any]:
    """`[(step, point)]` of an entity; a gap is None."""
    trace = group.traces()[entity]
    return [
        (step, None if np.isnan(point).all() else tuple(point.tolist()))
        for step, point in zip(trace.steps.tolist(), trace.points, strict=True)
    ]


def add(group: Cars, step: int, points: Any) -> list[str]:
    """Adds `{entity: point}`; returns the rules that were broken."""
    return [rule for _, _, rule in group.add(group.turns.at(step), points.items())]


def test_a_turn_is_a_step_that_spoke() -> None:
    turns = Turns()
    assert [turns.at(step) for step in (0, 0, 3, 3, 9)] == [0, 0, 1, 1, 2]


def test_steps_that_say_nothing_make_no_gap() -> None:
    cars = group()
    for step in (0, 5, 6):
        add(cars, step, {"car": (step, 0)})
    assert points_of(cars, "car") == [(0, (0.0, 0.0)), (5, (5.0, 0.0)), (6, (6.0, 0.0))]


def test_a_turn_without_the_entity_is_one_gap_where_it_left() -> None:
    cars = group()
    add(cars, 0, {"a": (0, 0), "b": (9, 9)})
    for step in (1, 2, 3):
        add(cars, step, {"b": (9, 9)})
    add(cars, 4, {"a": (1, 1)})
    assert points_of(cars, "a") == [(0, (0.0, 0.0)), (1, None), (4, (1.0, 1.0))]
    assert len(points_of(cars, "b")) == 4


@pytest.mark.parametrize(
    "away", [None, (NAN, 0.0), (0.0, np.inf), (None, None), {"x": 0, "y": NAN}]
)
def test_none_and_non_finite_points_are_gaps_too(away: Any) -> None:
    cars = group()
    for step, point in enumerate([away, (0, 0), away, away, (1, 1), away]):
        assert add(cars, step, {"car": point}) == []
    assert points_of(cars, "car") == [(1, (0.0, 0.0)), (2, None), (4, (1.0, 1.0))]


def test_an_entity_without_a_finite_point_has_no_trace() -> None:
    cars = group()
    add(cars, 0, {"car": None, "bus": (NAN, NAN)})
    assert cars.traces() == {}


def test_points_have_three_coordinates_when_they_are_given() -> None:
    drones = group()
    add(drones, 0, {"a": (0, 1, 2), "b": {"x": 0, "y": 1, "z": 2}, "c": np.array([0, 1, 2])})
    assert {trace.points.tolist()[0] == [0.0, 1.0, 2.0] for trace in drones.traces().values()} == {
        True
    }


@pytest.mark.parametrize(
    ("point", "rule"),
    [
        (5, "a point is 2 or 3 numbers, or a mapping with x and y"),
        ("ab", "a point is 2 or 3 numbers, or a mapping with x and y"),
        ((1,), "a point is 2 or 3 numbers, or a mapping with x and y"),
        (np.zeros(4), "a point is 2 or 3 numbers, or a mapping with x and y"),
        ({"x": 1}, "a point given as a mapping has x and y"),
        ((1, "2"), "coordinates are numbers or None"),
        ((1, 10**400), "coordinates are numbers or None"),
        ((np.complex128(1), 2), "coordinates are numbers or None"),
        (np.zeros((2, 2)), "coordinates are numbers or None"),
        ((1, 2, 3), "this entity's points had 2 coordinates before"),
    ],
)
def test_a_broken_point_leaves_the_track_as_it_was(point: Any, rule: str) -> None:
    cars = group()
    add(cars, 0, {"car": (0, 0)})
    assert add(cars, 1, {"car": point}) == [rule]
    add(cars, 2, {"car": (1, 1)})
    assert points_of(cars, "car") == [(0, (0.0, 0.0)), (1, None), (2, (1.0, 1.0))]


def test_a_broken_first_point_says_nothing_of_the_dimension() -> None:
    track = Track()
    assert track.add(0, (1, "2")) == "coordinates are numbers or None"
    assert track.add(1, (1, 2, 3)) is None


def test_channels_and_labels_stand_beside_their_points() -> None:
    cars = group()
    add(cars, 0, {"car": {"x": 0, "y": 0, "state": "idle"}})
    add(cars, 1, {"car": {"x": 1, "y": 0, "load": np.float32(2), "state": None}})
    add(cars, 2, {})
    add(cars, 3, {"car": {"x": 3, "y": 0, "load": True, "state": "busy"}})
    trace = cars.traces()["car"]
    assert trace.steps.tolist() == [0, 1, 2, 3]
    np.testing.assert_equal(trace.channels["load"], [NAN, 2.0, NAN, 1.0])
    assert trace.labels["state"] == ("idle", None, None, "busy")


def test_a_broken_channel_is_left_out_alone() -> None:
    cars = group()
    point = {"x": 0, "y": 0, "broken": [1, 2], "load": 2}
    assert add(cars, 0, {"car": point}) == ["channel 'broken' is a number or a str"]
    trace = cars.traces()["car"]
    assert {name: values.tolist() for name, values in trace.channels.items()} == {"load": [2.0]}


def test_arrays_are_copied() -> None:
    cars = group()
    points = np.zeros((2, 2))
    for step in range(3):
        points[:] = step
        assert cars.add_array(cars.turns.at(step), points)
    assert points_of(cars, "1") == [(step, (float(step), float(step))) for step in range(3)]


def test_arrays_may_grow_and_shrink() -> None:
    cars = group()
    for step, length in enumerate([1, 3, 0, 2]):
        assert cars.add_array(cars.turns.at(step), np.full((length, 2), float(step)))
    assert points_of(cars, "0") == [(0, (0.0, 0.0)), (1, (1.0, 1.0)), (2, None), (3, (3.0, 3.0))]
    assert points_of(cars, "2") == [(1, (1.0, 1.0))]


def test_a_group_may_turn_from_arrays_to_names_and_stays_with_them() -> None:
    cars = group()
    assert cars.add_array(cars.turns.at(0), np.zeros((2, 2)))
    assert add(cars, 1, {1: (1, 1)}) == []
    assert not cars.add_array(cars.turns.at(2), np.full((2, 2), 2.0))
    assert points_of(cars, "1") == [(0, (0.0, 0.0)), (1, (1.0, 1.0))]


def test_arrays_of_another_width_are_refused() -> None:
    cars = group()
    assert cars.add_array(cars.turns.at(0), np.zeros((2, 2)))
    assert not cars.add_array(cars.turns.at(1), np.zeros((2, 3)))


def test_of_rows_in_one_turn_the_last_stands() -> None:
    points = np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]])
    trace = tidy(np.array([5, 7], np.int32), np.array([0, 0, 1], np.int32), points, {}, {})
    assert trace is not None
    assert trace.steps.tolist() == [5, 7]
    assert trace.points.tolist() == [[1.0, 1.0], [2.0, 2.0]]
