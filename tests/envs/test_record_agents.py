"""RecordTraces round RLlib's multi-agent environments."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from agents_scripted import AgentsEnv
from hypothesis import given, settings
from hypothesis import strategies as st
from infos import SAID_NUMBERS, SETTINGS, turns
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.env.multi_agent_env import MultiAgentEnv
from ray.rllib.env.multi_agent_env_runner import MultiAgentEnvRunner

import tbtrace
from tbtrace.agents import ENVIRONMENT, AgentNames, AgentsTape
from tbtrace.errors import Problems, TbtraceWarning
from tbtrace.recording import HANDED_OVER


class Replay(MultiAgentEnv):
    """Says what it is told to say; each agent that speaks earns 0.5."""

    def __init__(self, *steps: Mapping[Any, Any]) -> None:
        super().__init__()
        self.possible_agents = ["a", 3]
        self.steps = steps

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        self.at = 0
        return {}, self.infos()

    def step(self, action_dict: Any) -> Any:
        self.at += 1
        rewards = dict.fromkeys(self.steps[min(self.at, len(self.steps) - 1)], 0.5)
        done = self.at == len(self.steps) - 1
        return {}, rewards, {"__all__": done}, {"__all__": False}, self.infos()

    def infos(self) -> Any:
        return self.steps[min(self.at, len(self.steps) - 1)]


def play(env: Any, steps: int) -> list[dict[Any, Any]]:
    return [env.reset()[1], *(env.step({})[-1] for _ in range(steps))]


def saying(**parts: Any) -> dict[str, Any]:
    return {"tbtrace": parts, "plain": 1}


PARTS = st.tuples(SAID_NUMBERS, st.none() | turns()).map(
    lambda said: said[0] | ({} if said[1] is None else {"traces": said[1].raw})
)
STEPS = st.lists(
    st.dictionaries(st.sampled_from(["a", 3, ("b", 1), ENVIRONMENT]), PARTS),
    min_size=2,
    max_size=5,
)


@settings(SETTINGS, max_examples=40)
@given(steps=STEPS)
@pytest.mark.filterwarnings("ignore::tbtrace.errors.TbtraceWarning")
def test_the_episode_equals_that_of_the_tape_driven_directly(steps: list[dict[Any, Any]]) -> None:
    env = tbtrace.RecordTraces(
        Replay(*({agent: {"tbtrace": parts} for agent, parts in said.items()} for said in steps))
    )
    infos = play(env, len(steps) - 1)
    problems = Problems()
    names = AgentNames(problems)
    assert [names[agent] for agent in ("a", 3)] == ["a", "3"]
    tape = AgentsTape(problems, names)
    for at, said in enumerate(steps):
        if at:
            tape.length += 1
            tape.episode_return += 0.5 * len(said.keys() - {ENVIRONMENT})
        for agent, parts in said.items():
            (tape if agent == ENVIRONMENT else tape.of(agent)).add(parts)
    (episode,) = env.drain()
    direct = tape.finish(episode.uid)
    assert list(episode.agents) == list(direct.agents)
    np.testing.assert_equal(dataclasses.asdict(episode), dataclasses.asdict(direct))
    assert infos[-1][ENVIRONMENT][HANDED_OVER].counts == problems.take()


def test_episodes_equal_what_the_environment_wrote_down(tmp_path: Path) -> None:
    env = tbtrace.RecordTraces(AgentsEnv({"log": str(tmp_path)}), strict=True)
    for _ in range(5):
        env.reset()
        while not env.step({})[2]["__all__"]:
            pass
    (log,) = tmp_path.glob("*.jsonl")
    written = [json.loads(line) for line in log.read_text().splitlines()]
    drained = env.drain()
    assert len(drained) == len(written) == 5
    for episode, told in zip(drained, written, strict=True):
        assert episode.length == told["length"]
        assert episode.episode_return == pytest.approx(told["return"], rel=1e-9)
        assert episode.final["shipped"] == pytest.approx(told["final"]["shipped"], rel=1e-9)
        own = {name: said["shipped"] for name, said in episode.agents.items()}
        assert sorted(own.values()) == sorted(told["each"])
        assert own["walker"] == told["final"]["agents/walker/shipped"]
        assert sorted(episode.running["speed"].values) == sorted(told["running"]["speed"])


def test_an_episode_is_handed_over_once_beside_what_the_environment_says() -> None:
    said = {"a": saying(final={"w": 1.0}), ENVIRONMENT: {"weather": "fair"}}
    before = copy.deepcopy(said)
    env = tbtrace.RecordTraces(Replay(said, said, said), strict=True)
    infos = play(env, 2)
    assert said == before
    assert [len(tbtrace.collect(step)) for step in infos] == [0, 0, 1]
    assert [set(step[ENVIRONMENT]) for step in infos] == [
        {"weather", HANDED_OVER},
        {"weather"},
        {"weather", HANDED_OVER},
    ]
    assert all(step["a"] == {"plain": 1} for step in infos)
    assert tbtrace.collect(infos[-1]) == env.drain()
    assert env.drain() == []


def test_a_last_step_without_infos_hands_over() -> None:
    env = tbtrace.RecordTraces(Replay({"a": saying(final={"w": 2.0})}, {}), strict=True)
    (episode,) = tbtrace.collect(play(env, 1)[-1])
    assert episode.agents == {"a": {"w": 2.0}}


def test_a_reset_in_the_middle_is_counted() -> None:
    env = tbtrace.RecordTraces(Replay({}, {}, {}), strict=True)
    play(env, 1)
    last = play(env, 2)[-1]
    assert last[ENVIRONMENT][HANDED_OVER].counts == {"aborted": 1}
    assert [episode.length for episode in env.drain()] == [2]


def test_steps_after_the_end_belong_to_no_episode() -> None:
    env = tbtrace.RecordTraces(Replay({}, {}), strict=True)
    assert [len(tbtrace.collect(step)) for step in play(env, 3)] == [0, 1, 0, 0]
    again = play(env, 1)[-1]
    assert again[ENVIRONMENT][HANDED_OVER].counts == {}
    assert [episode.length for episode in env.drain()] == [1, 1]


def test_only_the_inner_of_two_records() -> None:
    said = {"a": saying(running={"v": 1.0})}
    inner = tbtrace.RecordTraces(Replay(said, said), strict=True)
    outer = tbtrace.RecordTraces(inner, strict=True)
    for _ in range(2):
        (episode,) = tbtrace.collect(play(outer, 1)[-1])
        assert inner.drain() == [episode]
        assert outer.drain() == []


def test_extract_hears_all_agents_at_once() -> None:
    said = {"a": {"x": 1.0}, "b": {"x": 3.0}}
    env = tbtrace.RecordTraces(
        Replay(said, said),
        info_keys={"final": ["x"]},
        extract=lambda env, infos: {"final": {"at": env.at, "speakers": len(infos)}},
        strict=True,
    )
    (episode,) = tbtrace.collect(play(env, 1)[-1])
    assert episode.final == {"x": 2.0, "at": 1.0, "speakers": 2.0}


def test_agents_that_may_come_get_their_names_first() -> None:
    said = {"3": saying(final={"w": 1.0}), 3: saying(final={"w": 2.0})}
    env = tbtrace.RecordTraces(Replay(said, {}))
    with pytest.warns(TbtraceWarning, match="two agents are called '3'"):
        (episode,) = tbtrace.collect(play(env, 1)[-1])
    assert episode.agents == {"3 (str)": {"w": 1.0}, "3": {"w": 2.0}}


def test_it_is_still_the_users_own_and_copies_do_not_record() -> None:
    env = tbtrace.RecordTraces(Replay({}, {}))
    assert isinstance(env, tbtrace.RecordTraces)
    assert isinstance(env, gym.Env)
    assert isinstance(env.unwrapped, Replay)
    assert env.possible_agents == ["a", 3]
    for clone in (copy.copy(env), copy.deepcopy(env), pickle.loads(pickle.dumps(env))):
        assert isinstance(clone, Replay)


def test_broken_infos_end_no_step() -> None:
    env = tbtrace.RecordTraces(Replay(3.0, {"a": None}))  # type: ignore[arg-type]
    with pytest.warns(TbtraceWarning, match="info"):
        last = play(env, 1)[-1]
    assert last[ENVIRONMENT][HANDED_OVER].counts == {"records": 2}
    assert last["a"] == {}


def test_rllib_runs_it_without_a_recorder(tmp_path: Path) -> None:
    made: list[tbtrace.RecordTraces] = []

    def make(context: Any) -> tbtrace.RecordTraces:
        made.append(tbtrace.RecordTraces(AgentsEnv(context), strict=True))
        return made[-1]

    config = (
        PPOConfig()
        .environment(make, env_config={"log": str(tmp_path)})
        .env_runners(num_env_runners=0, num_envs_per_env_runner=2)
        .multi_agent(policies={"p"}, policy_mapping_fn=lambda *args, **kwargs: "p")
        .rl_module(model_config={"fcnet_hiddens": [4]})
        .debugging(log_level="ERROR")
    )
    env_runner = MultiAgentEnvRunner(config=config)
    sampled = env_runner.sample(num_timesteps=100, random_actions=True)
    lengths = [episode.env_t for episode in sampled if episode.is_done]
    recorded = [episode for env in made for episode in env.drain()]
    assert sorted(episode.length for episode in recorded) == sorted(lengths)
    assert len(lengths) > 3
