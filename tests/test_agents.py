from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from infos import SETTINGS

from tbtrace.agents import AgentNames, AgentsTape, agent_name, total_reward
from tbtrace.episode import Episode
from tbtrace.errors import Problems, TbtraceWarning
from tbtrace.info import Contract
from tbtrace.recording import AgentsRecording


def record(*steps: Mapping[Any, Any], **options: Any) -> Episode:
    """The episode of `{agent: what it says}`, one a step; nothing is refused."""
    problems = Problems()
    recording = AgentsRecording(Contract(**options), problems, strict=True)
    for number, said in enumerate(steps):
        infos = {agent: {"tbtrace": parts} for agent, parts in said.items()}
        if number:
            recording.step(None, infos, {}, done=number == len(steps) - 1)
        else:
            recording.reset(None, infos)
    episode = recording.take("uid")
    assert episode is not None
    assert problems.take() == {}
    return episode


def traced(*steps: Mapping[Any, Any]) -> dict[str, dict[str, list[Any]]]:
    """`{group: {entity: [point or None]}}` of what agents say in `traces`."""
    episode = record(*({agent: {"traces": said} for agent, said in s.items()} for s in steps))
    return {
        group: {
            entity: [None if np.isnan(point).any() else tuple(point) for point in trace.points]
            for entity, trace in entities.items()
        }
        for group, entities in episode.traces.items()
    }


# names


@pytest.mark.parametrize(
    ("agent", "name"),
    [("a", "a"), (3, "3"), (("a", 1), "a-1"), ("team/a", "team-a"), (np.int64(3), "3")],
)
def test_agents_are_called_by_a_text(agent: Any, name: str) -> None:
    assert agent_name(agent) == name


def test_two_agents_of_one_name_are_told_apart_in_words() -> None:
    problems = Problems()
    with pytest.warns(TbtraceWarning, match="two agents are called '3'") as said:
        recording = AgentsRecording(Contract(), problems, strict=True, agents=[3, "3"])
        for _ in range(2):
            recording.reset(None, {id_: {"tbtrace": {"final": {"w": 1.0}}} for id_ in ("3", 3)})
            episode = recording.take("uid")
    assert len(said) == 1
    assert episode is not None
    assert set(episode.agents) == {"3", "3 (str)"}
    assert problems.take() == {}


@pytest.mark.parametrize(
    ("rewards", "total"),
    [
        ({}, 0.0),
        ({"a": 1, "b": np.float32(0.5)}, 1.5),
        ({"a": None, "b": np.array(2.0)}, 2.0),
        ({"a": 1.0, "__all__": 7.0}, 1.0),
        (3.0, 3.0),
        (None, 0.0),
    ],
)
def test_rewards_are_summed_over_agents(rewards: Any, total: float) -> None:
    assert total_reward(rewards) == total


# numbers

VALUES = st.dictionaries(st.sampled_from("vw"), st.floats(-1e6, 1e6), max_size=2)
SAID = st.fixed_dictionaries({}, optional={"running": VALUES, "final": VALUES})
AGENT = st.sampled_from(["a", 3, ("b", 1), "__common__"])


@SETTINGS
@given(steps=st.lists(st.dictionaries(AGENT, SAID), min_size=1, max_size=6))
def test_numbers_equal_a_naive_model(steps: list[dict[Any, Any]]) -> None:
    episode = record(*steps)
    names = {"a": "a", 3: "3", ("b", 1): "b-1", "__common__": "__common__"}
    order = list(episode.agents)
    for name in "vw":
        heard = [
            (step, names[agent], parts["running"][name])
            for step, said in enumerate(steps)
            for agent, parts in said.items()
            if name in parts.get("running", {})
        ]
        series = episode.running.get(name)
        assert (series is None) == (not heard)
        if series is not None:
            assert series.agents is not None
            whose = [order[index] for index in series.agents]
            told = zip(series.steps.tolist(), whose, series.values.tolist(), strict=True)
            assert sorted(told) == sorted(heard)
            assert series.steps.tolist() == sorted(series.steps.tolist())
        last = {
            names[agent]: parts["final"][name]
            for said in steps
            for agent, parts in said.items()
            if name in parts.get("final", {})
        }
        assert last == {a: said[name] for a, said in episode.agents.items() if name in said}
        if last:
            mean = sum(last.values()) / len(last)
            assert episode.final[name] == pytest.approx(mean, rel=1e-9, abs=1e-6)
        else:
            assert name not in episode.final


def test_agents_that_say_no_number_are_not_listed() -> None:
    assert record({"a": {"traces": (0, 0)}, "b": {}}).agents == {}


def test_a_mean_of_final_values_leaves_non_finite_ones_out_and_counts_them() -> None:
    problems = Problems()
    tape = AgentsTape(problems, AgentNames(problems))
    for agent, value in (("a", 1.0), ("b", np.nan), ("c", 4.0)):
        tape.of(agent).add({"final": {"w": value, "x": np.nan}})
    with pytest.warns(TbtraceWarning, match="NaN or infinite"):
        episode = tape.finish("uid")
    assert episode.final["w"] == 2.5
    assert np.isnan(episode.final["x"])
    assert problems.take() == {"values": 4}


def test_names_are_known_while_the_episode_runs() -> None:
    tape = AgentsTape(Problems(), AgentNames(Problems()))
    tape.of(3).add({"running": {"v": 1.0}})
    tape.add({"final": {"w": 1.0}, "running": {"u": 1.0}})
    assert (sorted(tape.running_names), tape.final_names) == (["u", "v"], ["w"])
    assert tape.names_by_agent() == {"3": (["v"], [])}


# traces


@pytest.mark.parametrize(
    ("said", "group", "entities"),
    [
        ((1, 2), "traces", {"a": (1, 2)}),
        ({"x": 1, "y": 2}, "traces", {"a": (1, 2)}),
        (np.array([1.0, 2.0]), "traces", {"a": (1, 2)}),
        ({"robots": (1, 2)}, "robots", {"a": (1, 2)}),
        ({"robots": {"x": 1, "y": 2}}, "robots", {"a": (1, 2)}),
        ({"robots": {"arm": (1, 2)}}, "robots", {"a/arm": (1, 2)}),
        ({"robots": np.array([[1, 2], [3, 4]])}, "robots", {"a/0": (1, 2), "a/1": (3, 4)}),
        ({"robots": [(1, 2), (3, 4)]}, "robots", {"a/0": (1, 2), "a/1": (3, 4)}),
        (np.array([[1.0, 2.0]]), "traces", {"a/0": (1, 2)}),
    ],
    ids=str,
)
def test_traces_belong_to_the_agent(said: Any, group: str, entities: dict[str, Any]) -> None:
    assert traced({"a": said}) == {group: {name: [p] for name, p in entities.items()}}


def test_an_agent_that_is_silent_while_others_are_not_has_a_gap() -> None:
    points = traced(
        {"a": (0, 0), "b": {"g": (0, 0)}},
        {"b": {"g": (1, 1)}},
        {},
        {"a": (3, 3), "b": {"g": (3, 3)}},
    )
    assert points["traces"] == {"a": [(0, 0), None, (3, 3)]}
    assert points["g"] == {"b": [(0, 0), (1, 1), (3, 3)]}


def test_what_belongs_to_the_environment_keeps_its_own_names() -> None:
    points = traced({"a": (0, 0), "__common__": {"b": (1, 1), "sky": {"sun": (2, 2)}}})
    assert points == {"traces": {"a": [(0, 0)], "b": [(1, 1)]}, "sky": {"sun": [(2, 2)]}}
    with pytest.warns(TbtraceWarning, match="both say 'a'"):
        points = traced({"a": (0, 0), "__common__": {"a": (1, 1)}})
    assert points["traces"] == {"a": [(0, 0)], "a (__common__)": [(1, 1)]}


def test_media_and_scenes_of_agents() -> None:
    frame = np.zeros((2, 2, 3), np.uint8)
    parts = {"media": {"cam": frame, "cars": np.ones((1, 2))}, "scene": {"units": "km"}}
    episode = record({"a": parts, "b": parts, "__common__": {**parts, "scene": {"units": "m"}}})
    assert list(episode.media) == ["cam/a", "cam/b", "cam"]
    assert list(episode.traces["cars"]) == ["a/0", "b/0", "0"]
    assert episode.scene is not None
    assert episode.scene.units == "m"


def test_a_broken_point_is_named_and_counted() -> None:
    problems = Problems()
    recording = AgentsRecording(Contract(), problems, strict=True)
    with pytest.warns(TbtraceWarning, match="trace 'traces'.*a str"):
        recording.reset(None, {"a": {"tbtrace": {"traces": "here"}}})
    assert problems.take() == {"points": 1}


# infos


def test_infos_are_read_in_both_spellings_and_forwarded_without_ours() -> None:
    infos = {
        "a": {"tbtrace": {"running": {"v": 1.0}}, "data": {"running": {"v": 2.0}}, "speed": 5.0},
        "b": {"speed": 6.0},
        "c": {},
        "__common__": {"tbtrace": {"final": {"w": 1.0}}, "weather": "fair"},
    }
    before = {agent: dict(info) for agent, info in infos.items()}
    asked: list[Any] = []

    def extract(env: Any, said: Any) -> dict[str, Any]:
        asked.append((env, said))
        return {"final": {"agents": len(said)}}

    contract = Contract(info_keys={"running": ["speed"]}, extract=extract)
    recording = AgentsRecording(contract, Problems(), strict=True)
    rest = recording.reset("env", infos)
    assert infos == before
    assert asked == [("env", infos)]
    assert rest == {
        "a": {"data": {"running": {"v": 2.0}}, "speed": 5.0},
        "b": {"speed": 6.0},
        "c": {},
        "__common__": {"weather": "fair"},
    }
    episode = recording.take("uid")
    assert episode is not None
    assert episode.running["v"].values.tolist() == [1.0, 2.0]
    assert episode.running["speed"].values.tolist() == [5.0, 6.0]
    assert episode.final == {"w": 1.0, "agents": 4.0}


@pytest.mark.parametrize("infos", [None, 3.0, {"a": None}, {"a": {"tbtrace": 3.0}}])
def test_infos_that_are_none_are_named_counted_and_harmless(infos: Any) -> None:
    problems = Problems()
    recording = AgentsRecording(Contract(), problems, strict=True)
    with pytest.warns(TbtraceWarning, match="info"):
        rest = recording.reset(None, infos)
    assert rest == ({"a": {}} if isinstance(infos, dict) else {})
    assert problems.take() == {"records": 1}


def test_one_agent_that_breaks_costs_no_other() -> None:
    class Broken(dict[str, Any]):
        def items(self) -> Any:
            raise RuntimeError("broken down")

    problems = Problems()
    recording = AgentsRecording(Contract(), problems)
    broken, whole = Broken(v=1.0), {"v": 2.0}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TbtraceWarning)
        recording.reset(
            None, {"a": {"tbtrace": {"final": broken}}, "b": {"tbtrace": {"final": whole}}}
        )
    episode = recording.take("uid")
    assert episode is not None
    assert episode.final == {"v": 2.0}
    assert problems.take() == {"records": 1}


def test_after_an_end_without_a_reset_the_next_episode_begins() -> None:
    recording = AgentsRecording(Contract(), Problems(), strict=True)
    said = {"a": {"tbtrace": {"running": {"v": 1.0}}}}
    recording.reset(None, said)
    recording.step(None, said, {"a": 1.0}, done=False)
    first = recording.take("first")
    for _ in range(3):
        recording.step(None, said, {"a": 1.0}, done=False)
    second = recording.take("second")
    assert first is not None
    assert second is not None
    assert (first.length, second.length, second.episode_return) == (1, 2, 2.0)
