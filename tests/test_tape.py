from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tbtrace.episode import Episode
from tbtrace.errors import Problems, TbtraceWarning
from tbtrace.tape import Tape


def record(*steps: Any) -> Episode:
    """The episode of these sources, one a step, the first at the reset; nothing is refused."""
    problems = Problems()
    episode = tape_of(problems, *steps).finish("uid")
    assert problems.take() == {}
    return episode


def tape_of(problems: Problems, *steps: Any) -> Tape:
    tape = Tape(problems)
    for number, said in enumerate(steps):
        if number:
            tape.length += 1
        if not tape.note(said):
            tape.add(said)
    return tape


def refused(message: str, *steps: Any) -> dict[str, int]:
    """The counts of what these sources hold that cannot be used."""
    problems = Problems()
    with pytest.warns(TbtraceWarning, match=message):
        tape_of(problems, *steps).finish("uid")
    return problems.take()


def traced(*steps: Any) -> dict[str, dict[str, list[Any]]]:
    """`{group: {entity: [point or None]}}` of steps that speak of traces."""
    return points_of(record(*({"traces": said} for said in steps)))


def points_of(episode: Episode) -> dict[str, dict[str, list[Any]]]:
    return {
        group: {
            entity: [None if np.isnan(point).any() else tuple(point) for point in trace.points]
            for entity, trace in entities.items()
        }
        for group, entities in episode.traces.items()
    }


# running and final


def test_every_running_value_counts_and_the_last_final_one() -> None:
    episode = record(
        {"running": {"v": 1}, "final": {"w": 1.0}},
        {"running": {"v": 2.5}},
        {"running": {"v": np.int8(3)}, "final": {"w": np.float32(2)}},
        {"final": {"w": 7.0}},
    )
    assert episode.running["v"].steps.tolist() == [0, 1, 2]
    assert episode.running["v"].values.tolist() == [1.0, 2.5, 3.0]
    assert episode.final == {"w": 7.0}


def test_a_name_may_appear_late_vanish_and_come_back() -> None:
    steps = [{"running": {"late": float(i)} if i in (2, 5) else {}} for i in range(7)]
    assert record(*steps).running["late"].steps.tolist() == [2, 5]


def test_a_name_that_changes_its_type_goes_on_after_it() -> None:
    problems = Problems()
    values = [1.0, "fast", np.ones(2), 2, None, 10**400, np.ones(1)]
    with pytest.warns(TbtraceWarning, match=r"running 'v' is a str; expected a number"):
        tape = tape_of(problems, *({"running": {"v": value}} for value in values))
    series = tape.finish("uid").running["v"]
    assert series.steps.tolist() == [0, 3, 6]
    assert series.values.tolist() == [1.0, 2.0, 1.0]
    assert problems.take() == {"values": 4}


def test_a_name_that_changes_into_a_mapping_nests() -> None:
    episode = record({"running": {"v": 1.0}}, {"running": {"v": {"w": 2.0}}})
    assert {name: series.values.tolist() for name, series in episode.running.items()} == {
        "v": [1.0],
        "v/w": [2.0],
    }


def test_the_same_name_nested_and_written_out_is_one() -> None:
    episode = record({"running": {"a": {"b": 1.0}}}, {"running": {"a/b": 2.0}})
    assert episode.running["a/b"].values.tolist() == [1.0, 2.0]


def test_names_are_known_as_soon_as_they_are_mentioned() -> None:
    tape = tape_of(Problems(), {"running": {"v": 1.0}, "final": {"w": {"x": 1}}})
    assert (tape.running_names, tape.final_names) == (["v"], ["w/x"])


def test_non_finite_values_stand_in_the_series_and_are_counted() -> None:
    said = [{"running": {"v": value}} for value in (1.0, np.nan, np.inf)]
    assert refused(r"running 'v' was NaN or infinite", *said) == {"values": 2}


def test_a_final_value_counts_as_non_finite_only_when_it_is_the_last() -> None:
    said = [{"final": {"v": np.nan, "w": 1.0}}, {"final": {"v": 1.0, "w": np.inf}}]
    assert refused(r"final 'w' was NaN or infinite", *said) == {"values": 1}


def test_two_sources_of_one_step_are_both_heard() -> None:
    tape = tape_of(Problems(), {"running": {"v": 1.0}})
    tape.add({"running": {"v": 2.0, "w": 3.0}})
    running = tape.finish("uid").running
    assert running["v"].steps.tolist() == [0, 0]
    assert running["w"].values.tolist() == [3.0]


def test_an_episode_that_says_nothing_is_empty() -> None:
    episode = record({}, {}, {"running": {}, "traces": {}, "media": {}})
    assert (episode.length, episode.running, episode.final) == (2, {}, {})
    assert (episode.traces, episode.media, episode.scene) == ({}, {}, None)


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ({"running": 3}, "values"),
        ({"final": [1]}, "values"),
        ({"traces": "a"}, "points"),
        ({"media": np.zeros(3)}, "values"),
        ({"scene": 3}, "values"),
        ({"runing": {"v": 1.0}}, "values"),
    ],
)
def test_a_part_that_cannot_be_used_is_named_and_the_others_are_taken(
    source: dict[str, Any], kind: str
) -> None:
    problems = Problems()
    with pytest.warns(TbtraceWarning, match=next(iter(source))):
        tape = tape_of(problems, {"running": {"v": 1.0}, "final": {"w": 1.0}, **source})
    assert problems.take() == {kind: 1}
    assert [*tape.running_names, *tape.final_names] == [
        name for part, name in (("running", "v"), ("final", "w")) if part not in source
    ]


def test_a_part_that_is_none_says_nothing() -> None:
    parts = ("running", "final", "traces", "media", "scene")
    assert record(dict.fromkeys(parts), {}).traces == {}


# traces


@pytest.mark.parametrize(
    "said",
    [
        {"g": {"0": (1, 2), 1: [3, 4]}},
        {"g": [(1, 2), (3, 4)]},
        {"g": ((1, 2), np.array([3, 4]))},
        {"g": [{"x": 1, "y": 2}, {"x": 3, "y": 4}]},
        {"g": np.array([[1, 2], [3, 4]])},
        {"g": np.array([[1, 2], [3, 4]], np.float16)},
        {"g": np.array([[1, 2], [3, 4]], object)},
        {"g": [[np.ones(1), np.array(2)], [3, 4]]},
    ],
    ids=lambda said: f"{said['g']!r:.30}",
)
def test_a_group_is_spelled_in_many_ways(said: dict[str, Any]) -> None:
    assert traced(said) == {"g": {"0": [(1.0, 2.0)], "1": [(3.0, 4.0)]}}


@pytest.mark.parametrize(
    "point",
    [
        (1, 2),
        [1, 2],
        np.array([1, 2]),
        {"x": 1, "y": 2},
        (np.ones(1), np.array([2])),
        np.array([1, 2], object),
    ],
    ids=lambda point: f"{point!r:.20}",
)
def test_a_flat_mapping_is_the_group_traces(point: Any) -> None:
    assert traced({"car": point}) == {"traces": {"car": [(1.0, 2.0)]}}


def test_tensors_are_points_and_arrays() -> None:
    torch = pytest.importorskip("torch")
    points = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    expected = {"0": [(1.0, 2.0)], "1": [(3.0, 4.0)]}
    for group in (points, points.detach(), list(points.detach()), dict(enumerate(points))):
        assert traced({"g": group}) == {"g": expected}
    assert traced({"car": points[0]}) == {"traces": {"car": [(1.0, 2.0)]}}


def test_a_list_may_hold_none() -> None:
    said = [(0, 0), None], [None, (1, 1)], [None, None], [None], [(2, 2), (2, 2)]
    points = traced(*({"g": group} for group in said))["g"]
    assert points == {"0": [(0, 0), None, (2, 2)], "1": [(1, 1), None, (2, 2)]}


@pytest.mark.parametrize("nobody", [[], (), np.array([]), np.empty((0, 2)), {}])
def test_a_population_may_die_out_and_come_back(nobody: Any) -> None:
    points = traced({"g": [(0, 0)]}, {"g": nobody}, {"g": [(1, 1)]})
    assert points == {"g": {"0": [(0, 0), None, (1, 1)]}}


def test_a_step_that_names_no_group_is_a_gap_for_all() -> None:
    assert traced({"g": [(0, 0)]}, {}, {"g": [(1, 1)]})["g"]["0"] == [(0, 0), None, (1, 1)]


def test_an_entity_called_x_is_no_coordinate() -> None:
    assert traced({"g": {"x": (1, 2), "y": (3, 4)}}) == {"g": {"x": [(1, 2)], "y": [(3, 4)]}}


def test_numbers_in_strings_are_no_points() -> None:
    assert refused(r"trace 'g', entity '0'", {"traces": {"g": [("1", "2"), ("3", "4")]}}) == {
        "points": 2
    }


def test_arrays_that_change_their_width_are_counted_row_by_row() -> None:
    said = [{"traces": {"g": np.zeros((3, width))}} for width in (2, 3, 2)]
    assert refused(r"trace 'g', entity '0'.*had 2 coordinates before", *said) == {"points": 3}


def test_one_warning_names_a_group_of_many_broken_entities() -> None:
    problems = Problems()
    with pytest.warns(TbtraceWarning) as said:
        tape_of(problems, {"traces": {"g": {f"car-{i}": "here" for i in range(50)}}})
    assert len(said) == 1
    assert problems.take() == {"points": 50}


def test_hundreds_of_entities_with_changing_populations() -> None:
    steps = [{"g": {i: (i, step) for i in range(step, step + 300)}} for step in range(5)]
    points = traced(*steps)["g"]
    assert len(points) == 304
    assert points["4"] == [(4.0, float(step)) for step in range(5)]
    assert points["303"] == [(303.0, 4.0)]


# media and scene


def test_frames_are_media_and_float_points_are_traces() -> None:
    frame = np.zeros((4, 4, 3), np.uint8)
    episode = record(
        {"media": {"cam": frame, "cars": np.ones((2, 2)), "bus": {"a": (0, 0)}, "heat": [[1, 2]]}}
    )
    assert {name: media.values[0].shape for name, media in episode.media.items()} == {
        "cam": (4, 4, 3),
        "heat": (1, 2),
    }
    assert points_of(episode) == {
        "cars": {"0": [(1.0, 1.0)], "1": [(1.0, 1.0)]},
        "bus": {"a": [(0.0, 0.0)]},
    }


def test_media_of_whole_numbers_is_no_trace() -> None:
    episode = record({"media": {"grid": np.ones((3, 2), np.int64)}})
    assert list(episode.media) == ["grid"]
    assert episode.traces == {}


def test_a_step_with_frames_alone_makes_no_gap_in_points_from_media() -> None:
    points = {"media": {"cars": np.ones((1, 2))}}
    episode = record(points, {"media": {"cam": np.zeros((2, 2, 3), np.uint8)}}, points)
    assert points_of(episode) == {"cars": {"0": [(1.0, 1.0), (1.0, 1.0)]}}


def test_traces_and_media_may_share_a_name() -> None:
    point = {"traces": {"g": {"a": (0.0, 0.0)}}}
    episode = record(point, point, {"media": {"g": np.ones((1, 2))}, **point})
    assert episode.traces["g"]["0"].steps.tolist() == [2]
    assert episode.traces["g"]["a"].steps.tolist() == [0, 1, 2]


def test_an_entity_of_traces_and_media_is_told_apart() -> None:
    said = {"traces": {"g": {"0": (0.0, 0.0)}}, "media": {"g": np.ones((1, 2))}}
    assert points_of(record(said)) == {"g": {"0": [(0.0, 0.0)], "0 (media)": [(1.0, 1.0)]}}


def test_media_that_is_no_array_is_named_and_counted() -> None:
    assert refused(r"media 'film' is a str", {"media": {"film": "cam.mp4"}}) == {"values": 1}


def test_the_last_scene_stands_and_a_broken_one_does_not_replace_it() -> None:
    problems = Problems()
    with pytest.warns(TbtraceWarning, match="scene is an int"):
        tape = tape_of(
            problems, {"scene": {"units": "m"}}, {"scene": {"units": "km"}}, {"scene": 3}
        )
    scene = tape.finish("uid").scene
    assert scene is not None
    assert scene.units == "km"


def test_a_name_that_never_had_a_number_is_none() -> None:
    tape = Tape(Problems())
    with pytest.warns(TbtraceWarning, match="running 'a' is an int"):
        tape.add({"running": {"a": 10**400}})
    assert tape.running_names == []
    assert not tape.finish("uid").running
