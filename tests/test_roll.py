from __future__ import annotations

import numpy as np

from tbtrace.episode import Episode, Series
from tbtrace.roll import Roll, with_own


def test_the_first_agents_are_on_the_roll_for_good() -> None:
    roll = Roll(2)
    assert [roll.admit(agent) for agent in "abcabd"] == [True, True, False, True, True, False]
    assert roll.refused == "c"
    assert list(roll.agents) == ["a", "b"]


def test_the_environment_is_no_agent_and_a_roll_of_none_refuses_in_silence() -> None:
    roll = Roll(1)
    assert not roll.admit("__common__")
    none = Roll(0)
    assert not none.admit("a")
    assert roll.refused == none.refused == ""


def test_agents_on_the_roll_have_quantities_of_their_own() -> None:
    steps, agents = np.array([0, 0, 1], np.int32), np.array([0, 1, 0], np.int32)
    pooled = Episode(
        "uid",
        1,
        0.0,
        running={"v": Series(steps, np.array([1.0, 2.0, 3.0]), agents)},
        final={"w": 1.5},
        agents={"a": {"w": 1.0}, "__common__": {"w": 2.0}},
    )
    own = with_own(pooled, Roll(16))
    assert list(own.running) == ["v", "agents/a/v"]
    assert own.running["agents/a/v"].values.tolist() == [1.0, 3.0]
    assert own.running["agents/a/v"].steps.tolist() == [0, 1]
    assert own.final == {"w": 1.5, "agents/a/w": 1.0}
    assert list(pooled.running) == ["v"]


def test_what_the_environment_calls_like_an_agents_quantity_stays() -> None:
    episode = Episode("uid", 1, 0.0, final={"agents/a/w": 7.0}, agents={"a": {"w": 1.0}})
    assert with_own(episode, Roll(1)).final == {"agents/a/w": 7.0}


def test_an_episode_without_agents_is_the_same_object() -> None:
    episode = Episode("uid", 1, 0.0, final={"w": 1.0})
    assert with_own(episode, Roll(16)) is episode
