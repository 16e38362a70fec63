"""Positions from observations and actions."""

from __future__ import annotations

import numpy as np
import pytest

from tbtrace.errors import ContractError, Problems, TbtraceWarning
from tbtrace.replay.fragments import Moment
from tbtrace.replay.positions import Position, Positions, by_agent


def _at(text: str, **moment: object) -> list[float] | None:
    return Position.parse(text).at(Moment(**moment))


def test_slices_indices_keys_and_actions() -> None:
    seen = np.arange(6.0)
    assert _at("robot=obs[0:2]", observation=seen) == [0.0, 1.0]
    assert _at("robot=obs[-3:]", observation=seen) == [3.0, 4.0, 5.0]
    assert _at("cart=obs[0], obs[2]", observation=seen) == [0.0, 2.0]
    assert _at("x=obs['pose'][1:3]", observation={"pose": seen}) == [1.0, 2.0]
    assert _at('x=obs["a=b,c"]', observation={"a=b,c": (7, 8)}) == [7.0, 8.0]
    assert _at("x=action,obs[0]", observation=seen, action=5) == [5.0, 0.0]
    assert _at("x=obs[1][0:2]", observation=[3, seen]) == [0.0, 1.0]


def test_what_is_not_there_is_a_gap() -> None:
    assert _at("x=action[0:2]", observation=np.zeros(2)) is None
    assert _at("x=obs[0:2]") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "robot",
        "=obs[0]",
        "robot=",
        "robot=obs[0:2],",
        "robot=obs[__import__('os')]",
        "robot=obs.shape",
        "robot=state[0]",
        "robot=obs[0:2] + 1",
        "robot=obs[0:2:1]",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ContractError, match="write NAME=obs"):
        Position.parse(text)


@pytest.mark.parametrize("seen", [np.zeros(1), np.zeros((2, 5)), {"a": 1}, ["x", "y"]])
def test_what_cannot_be_read_is_named_once_and_counted(seen: object) -> None:
    problems = Problems()
    positions = Positions((Position.parse("robot=obs[0:2]"),), problems)
    with pytest.warns(TbtraceWarning, match="'robot' cannot be read") as warned:
        assert positions.of(Moment(observation=seen)) == {}
        assert positions.of(Moment(observation=seen)) == {}
    assert len(warned) == 1
    assert problems.take() == {"points": 2}


def test_each_agent_has_one() -> None:
    positions = Positions(
        (Position.parse("at=obs[0:2]"), Position.parse("to=action[0:2]")), Problems()
    )
    seen, done = by_agent(), by_agent()
    seen.update({0: [1.0, 2.0]})
    done.update({1: [3.0, 4.0]})
    assert positions.of(Moment(observation=seen, action=done)) == {
        "0/at": [1.0, 2.0],
        "1/to": [3.0, 4.0],
    }
