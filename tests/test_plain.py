"""What waits to be sorted in makes the same episode as what is read at once."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tbtrace.agents import AgentNames, AgentsTape
from tbtrace.episode import Episode, Series, Trace
from tbtrace.errors import Problems, TbtraceWarning
from tbtrace.plain import MOST_WAITING
from tbtrace.tape import Tape
from tbtrace.turns import Turns
from tests.infos import SETTINGS

Said = dict[str, Any]


class Env:
    """Says much the same at every step, and now and then something else."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self._forms = [self._form() for _ in range(self._pick(1, 1, 2, 5))]
        self._reused = np.zeros((3, 2))

    def _pick(self, *choices: Any) -> Any:
        return choices[self._random.integers(len(choices))]

    def _form(self) -> list[str]:
        names = [
            "few",
            "many",
            "one",
            "int",
            "array",
            "floats",
            "dict",
            "lists",
            "rows",
            "states",
            "single",
        ]
        names += ["singles", "changing", "final", "odd number", "odd points", "media", "huge"]
        return [name for name in names if self._random.random() < 0.25]

    def infos(self, steps: int) -> Iterator[Said]:
        for step in range(steps):
            form = self._forms[step * len(self._forms) // steps]
            if self._random.random() < 0.02:
                form = self._form()
            yield self._said(form, float(step) + float(self._random.random()))

    def _said(self, form: list[str], x: float) -> Said:
        running: Said = {}
        traces: Said = {}
        said: Said = {"running": running, "traces": traces}
        for name in form:
            if name == "few":
                running.update(a=x, b=np.float32(x), c=True)
            elif name == "many":
                running.update({f"v{i}": x + i for i in range(20)})
            elif name == "one":
                running["lonely"] = x
            elif name == "int":
                running[self._pick(1, "1")] = 3
            elif name == "array":
                self._reused += 1.0
                traces["arrays"] = self._reused[: self._pick(0, 2, 3, 3)]
            elif name == "floats":
                traces["floats"] = (self._reused + x).astype(self._pick(*"fdiB"))
            elif name == "dict":
                traces["arrays" if x % 30 < 1 else "dicts"] = {"a": (x, 1), 1: (2, np.int8(3))}
            elif name == "lists":
                traces["lists"] = {"a": [x, 1.0, 2.0], "b": [float("nan"), 0.0, 0.0]}
            elif name == "rows":
                traces["rows"] = {"a": self._reused[0], "b": self._reused[1]}
            elif name == "states":
                traces["states"] = {"a": {"x": x, "y": 0.0, "load": 1, "state": "busy"}}
            elif name == "single":
                traces["car"] = (x, 2.0)
            elif name == "singles":
                traces.update(bus=(x, 2.0), traces={"car": (0.0, 0.0)})
            elif name == "changing":
                traces["crowd"] = {f"e{int(x) // 3 + i}": (x, i) for i in range(3)}
            elif name == "final":
                said["final"] = {"last": x}
            elif name == "odd number":
                running["odd"] = self._pick(np.array(x), "fast", None, {"in": {"side": x}})
            elif name == "odd points":
                traces["odd"] = self._pick(None, {"a": None}, {"a": (x,)}, [(x, x)], {"a": "there"})
            elif name == "media":
                said["media"] = {"arrays": np.ones((2, 2)) * x}
            elif name == "huge":
                running["huge"] = self._pick(10**400, 1.0, 1.0)
        return said


def comparable(episode: Episode) -> Any:
    """The episode in plain lists; bytes of the numbers, as a NaN equals nothing."""

    def series(of: Series) -> Any:
        return of.steps.tolist(), of.values.tobytes()

    def trace(of: Trace) -> Any:
        channels = {name: values.tobytes() for name, values in of.channels.items()}
        return of.steps.tolist(), of.points.tobytes(), channels, dict(of.labels)

    return (
        (episode.length, episode.episode_return, dict(episode.final), dict(episode.agents)),
        {name: series(of) for name, of in episode.running.items()},
        {name: {e: trace(of) for e, of in group.items()} for name, group in episode.traces.items()},
    )


def told(tape: Tape, infos: Iterator[Said], at_once: bool) -> tuple[Any, dict[str, int]]:
    problems = tape._problems
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TbtraceWarning)
        for step, said in enumerate(infos):
            tape.length = step
            if at_once or not tape.note(said):
                tape.add(said)
        return comparable(tape.finish("uid")), problems.take()


@SETTINGS
@given(seed=st.integers(0, 2**32), steps=st.sampled_from([1, 7, 100, 300]))
def test_waiting_changes_nothing(seed: int, steps: int) -> None:
    at_once = told(Tape(Problems()), Env(seed).infos(steps), at_once=True)
    assert told(Tape(Problems()), Env(seed).infos(steps), at_once=False) == at_once


@SETTINGS
@given(seed=st.integers(0, 2**32))
def test_waiting_changes_nothing_of_what_agents_say(seed: int) -> None:
    def run(at_once: bool) -> Any:
        problems = Problems()
        tape = AgentsTape(problems, AgentNames(problems))
        envs = {agent: Env(seed + index).infos(150) for index, agent in enumerate(["a", 1, None])}
        chance = np.random.default_rng(seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", TbtraceWarning)
            for step in range(100):
                tape.length = step
                for agent, infos in envs.items():
                    if chance.random() < 0.8:
                        own = tape if agent is None else tape.of(agent)
                        said = next(infos)
                        if agent is not None and chance.random() < 0.1:
                            said["traces"] = (float(step), 2.0)
                        if at_once or not own.note(said):
                            own.add(said)
            return comparable(tape.finish("uid")), problems.take()

    assert run(at_once=False) == run(at_once=True)


def waits(said: Said) -> bool:
    tape = Tape(Problems())
    taken = tape.note(said)
    assert taken == bool(tape._running.waiting) == bool(tape._traces.waiting)
    return taken


def test_most_steps_of_a_usual_environment_wait() -> None:
    tape = Tape(Problems())
    points = np.zeros((2, 2))
    for step in range(205):
        tape.length = step
        points += 1.0
        assert tape.note({"running": {"v": 1.0, "w": 2}, "traces": {"g": points, "car": (0, 0)}})
    assert 0 < len(tape._running.waiting) < MOST_WAITING
    trace = tape.finish("uid").traces["g"]["1"]
    assert trace.points[:, 0].tolist() == list(range(1, 206))


def test_what_waits_is_thinned_evenly() -> None:
    tape = Tape(Problems())
    turns = tape._traces._turns = Turns(most_points=1000)
    with pytest.warns(TbtraceWarning, match="thinned"):
        for step in range(5000):
            tape.length = step
            assert tape.note({"traces": {"g": np.full((2, 2), float(step))}})
        trace = tape.finish("uid").traces["g"]["1"]
    assert turns.stride > 4
    assert trace.steps.tolist() == list(range(0, 5000, turns.stride))
    assert trace.points[:, 1].tolist() == trace.steps.tolist()


def test_names_that_wait_are_known() -> None:
    tape = Tape(Problems())
    assert tape.note({"running": {"v": 1.0}})
    assert tape.running_names == ["v"]


@pytest.mark.parametrize(
    "value",
    [np.array(1.0), "1", None, 1j, np.str_("1"), np.complex64(1), [1], {"a": 1.0}, object()],
)
def test_a_value_that_may_change_or_is_no_number_does_not_wait(value: Any) -> None:
    assert not waits({"running": {"v": 1.0, "w": value}, "traces": {"car": (0.0, 0.0)}})


@pytest.mark.parametrize(
    "points",
    [
        np.zeros((2, 4)),
        np.zeros((2, 2), complex),
        np.zeros((2, 2), object),
        np.zeros(2),
        np.array(1.0),
        [(0.0, 0.0)],
        {"a": (0.0, None)},
        {"a": (0.0, "1")},
        {"a": (0.0, np.array(1.0))},
        {"a": [0.0, [1.0]]},
        {"a": np.array(1.0)},
        {"a": np.zeros((2, 2))},
        {"a": (0.0, 0.0), "b": None},
        {"a": {"x": 0.0, "y": np.array(1.0)}},
        {"x": 0.0, "y": 1.0},
        None,
        3.0,
    ],
)
def test_points_that_may_change_or_are_odd_do_not_wait(points: Any) -> None:
    assert not waits({"running": {"v": 1.0}, "traces": {"car": (0.0, 0.0), "g": points}})
