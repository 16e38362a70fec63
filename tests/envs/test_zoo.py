"""RecordTraces round PettingZoo's environments, real ones and ones in their shape."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.env.multi_agent_env_runner import MultiAgentEnvRunner
from ray.rllib.env.wrappers.pettingzoo_env import ParallelPettingZooEnv, PettingZooEnv

import tbtrace
from tbtrace.envs.handover import handovers
from tbtrace.errors import ContractError


class Walkers:
    """In the shape of a `ParallelEnv`: agent "b" ends after 2 steps, "a" after 3."""

    possible_agents = ("a", "b")

    def __init__(self) -> None:
        self.agents: list[str] = []

    def action_space(self, agent: str) -> gym.Space[Any]:
        return gym.spaces.Discrete(2)

    def observation_space(self, agent: str) -> gym.Space[Any]:
        return gym.spaces.Box(-1.0, 1.0, (1,), np.float32)

    def reset(self, seed: Any = None, options: Any = None) -> Any:
        self.at = 0
        self.agents = ["a", "b"]
        return self._zeros(), self._infos()

    def step(self, actions: Any) -> Any:
        self.at += 1
        infos, zeros = self._infos(), self._zeros()
        rewards = dict.fromkeys(self.agents, 0.5)
        ends = {agent: self.at == {"a": 3, "b": 2}[agent] for agent in self.agents}
        cut = dict.fromkeys(self.agents, False)
        self.agents = [agent for agent in self.agents if not ends[agent]]
        return zeros, rewards, ends, cut, infos

    def _zeros(self) -> Any:
        return {agent: np.zeros(1, np.float32) for agent in self.agents}

    def _infos(self) -> Any:
        return {agent: say(agent, self.at) for agent in self.agents}


def say(agent: str, at: int) -> dict[str, Any]:
    return {
        "tbtrace": {
            "running": {"at": at},
            "final": {"last": at},
            "traces": (at, float(agent == "b")),
        },
        "plain": at,
    }


class Players:
    """In the shape of an `AECEnv`: both act `rounds` times, "b" one time less."""

    possible_agents = ("a", "b")

    def __init__(self, rounds: int = 3) -> None:
        self.rounds = rounds

    def action_space(self, agent: str) -> gym.Space[Any]:
        return gym.spaces.Discrete(2)

    def observe(self, agent: str) -> Any:
        return np.zeros(1, np.float32)

    def last(self, observe: bool = True) -> Any:
        agent = self.agent_selection
        reward = self._cumulative_rewards[agent]
        return None, reward, self.terminations[agent], self.truncations[agent], self.infos[agent]

    def reset(self, seed: Any = None, options: Any = None) -> None:
        self.agents = ["a", "b"]
        self.acted = dict.fromkeys(self.agents, 0)
        self.terminations = dict.fromkeys(self.agents, False)
        self.truncations = dict.fromkeys(self.agents, False)
        self._cumulative_rewards = dict.fromkeys(self.agents, 0.0)
        self.infos = {agent: say(agent, 0) for agent in self.agents}
        self.agent_selection = "a"

    def step(self, action: Any) -> None:
        agent = self.agent_selection
        if self.terminations[agent]:
            assert action is None
            self.agents.remove(agent)
            for said in (self.infos, self.terminations, self.truncations, self._cumulative_rewards):
                del said[agent]  # type: ignore[attr-defined]
        else:
            self.acted[agent] += 1
            self._cumulative_rewards[agent] = 0.0
            for other in self.agents:
                self._cumulative_rewards[other] += 0.25
            self.infos[agent] = say(agent, self.acted[agent])
            turns = self.rounds - (agent == "b")
            self.terminations[agent] = self.acted[agent] >= turns
        ended = [other for other in self.agents if self.terminations[other]]
        others = [other for other in self.agents if other != agent]
        self.agent_selection = (ended or others or self.agents or [""])[0]


def walk(env: Any) -> list[Any]:
    infos = [env.reset()[1]]
    while env.agents:
        infos.append(env.step(dict.fromkeys(env.agents, 0))[-1])
    return infos


def take_turns(env: Any, steps: int = 99) -> tuple[list[Any], float, int]:
    """Plays as PettingZoo's manual says: what `last()` says, the sum of rewards, who acted."""
    env.reset()
    infos, total, acted = [], 0.0, 0
    while env.agents and acted < steps:
        _, reward, terminated, truncated, info = env.last()
        total += reward
        infos.append(info)
        action = None if terminated or truncated else 0
        acted += action is not None
        env.step(action)
    return infos, total, acted


def points(episode: tbtrace.Episode) -> dict[str, Any]:
    return {name: trace.points.tolist() for name, trace in episode.traces["traces"].items()}


def test_a_parallel_environment_is_recorded_and_handed_over_once() -> None:
    env = tbtrace.RecordTraces(Walkers(), strict=True)
    for _ in range(2):
        infos = walk(env)
        assert [len(tbtrace.collect(step)) for step in infos] == [0, 0, 0, 1]
        (episode,) = env.drain()
        assert tbtrace.collect(infos[-1]) == [episode]
        assert (episode.length, episode.episode_return) == (3, 2.5)
        assert episode.agents == {"a": {"last": 3.0}, "b": {"last": 2.0}}
        assert episode.final["last"] == 2.5
        assert episode.running["at"].values.tolist() == [0, 0, 1, 1, 2, 2, 3]
        assert points(episode)["a"] == [[0, 0], [1, 0], [2, 0], [3, 0]]
        assert [set(step) for step in infos] == [{"a", "b"}, {"a", "b"}, {"a", "b"}, {"a"}]
        assert not any("tbtrace" in said for step in infos for said in step.values())


def test_turns_are_recorded_and_handed_over_once() -> None:
    env = tbtrace.RecordTraces(Players(), strict=True)
    for _ in range(2):
        infos, total, acted = take_turns(env)
        (episode,) = env.drain()
        assert [e for info in infos for e in tbtrace.collect(info)] == [episode]
        assert (episode.length, episode.episode_return) == (acted, total) == (5, 2.25)
        assert episode.agents == {"a": {"last": 3.0}, "b": {"last": 2.0}}
        # Who is about to act: a, b, a, b, a, then b, which is taken out, and a again.
        assert episode.running["at"].values.tolist() == [0, 0, 1, 1, 2, 2, 3]
        assert [info["plain"] for info in infos] == episode.running["at"].values.tolist()
        assert not any("tbtrace" in info for info in infos)


@pytest.mark.parametrize("rounds", [1, 2, 4])
def test_an_episode_ends_when_nobody_is_alive(rounds: int) -> None:
    env = tbtrace.RecordTraces(Players(rounds), strict=True)
    _, _, acted = take_turns(env)
    while env.agents:  # who is left after the last turn
        env.step(None)
    (episode,) = env.drain()
    assert episode.length == acted
    assert episode.agents["a"] == {"last": float(rounds)}


@pytest.mark.parametrize(
    ("make", "play"),
    [
        (Walkers, lambda env: (env.reset(), env.step({"a": 0, "b": 0}))),
        (Players, lambda env: take_turns(env, steps=2)),
    ],
)
def test_a_reset_in_the_middle_is_counted(make: Any, play: Callable[[Any], Any]) -> None:
    env = tbtrace.RecordTraces(make(), strict=True)
    play(env)
    infos = walk(env) if make is Walkers else take_turns(env)[0]
    counts = [handed.counts for info in infos for handed in handovers(info)]
    assert counts == [{"aborted": 1}, {"aborted": 1}]  # of the reset and of the end
    assert len(env.drain()) == 1


@pytest.mark.parametrize("make", [Walkers, Players])
def test_the_environment_answers_whatever_else_is_asked(make: Any) -> None:
    inner = make()
    env = tbtrace.RecordTraces(inner)
    assert env.possible_agents == ("a", "b")
    assert env.action_space("a") == gym.spaces.Discrete(2)
    env.mood = "good"
    assert inner.mood == "good"
    assert not hasattr(env, "temper")
    for clone in (copy.copy(env), copy.deepcopy(env), pickle.loads(pickle.dumps(env))):
        assert type(clone) is make


def test_infos_of_turns_are_forwarded_and_the_environments_own_stay() -> None:
    inner = Players()
    env = tbtrace.RecordTraces(inner)
    env.reset()
    assert {agent: info["plain"] for agent, info in env.infos.items()} == {"a": 0, "b": 0}
    assert not any("tbtrace" in info for info in env.infos.values())
    assert all("tbtrace" in info for info in inner.infos.values())
    assert env.infos["a"] == env.last()[-1]


@pytest.mark.parametrize("make", [Walkers, Players])
def test_only_the_inner_of_two_records(make: Any) -> None:
    inner = tbtrace.RecordTraces(make(), strict=True)
    outer = tbtrace.RecordTraces(inner, strict=True)
    infos = walk(outer) if make is Walkers else take_turns(outer)[0]
    handed = [episode for info in infos for episode in tbtrace.collect(info)]
    assert len(handed) == 1
    assert inner.drain() == handed
    assert outer.drain() == []
    if make is Players:
        assert [info["plain"] for info in infos] == [0, 0, 1, 1, 2, 2, 3]


def test_a_reset_says_that_the_environment_records_itself() -> None:
    for infos in (
        tbtrace.RecordTraces(Walkers()).reset()[1],
        tbtrace.RecordTraces(Players()).reset(),
    ):
        assert [(handed.episode, handed.ended) for handed in handovers(infos)] == [(None, 0)]


def test_whose_turn_it_is_hands_over_where_all_end_at_once() -> None:
    class Falling(Players):
        def step(self, action: Any) -> None:
            super().step(action)
            if len(self.agents) == 2:
                self.terminations = dict.fromkeys(self.agents, True)
                self.agent_selection = "b"

    env = tbtrace.RecordTraces(Falling(), strict=True)
    infos, total, acted = take_turns(env)
    assert [len(tbtrace.collect(info)) for info in infos] == [0, 1, 0]
    (episode,) = env.drain()
    assert (episode.length, episode.episode_return) == (acted, total) == (1, 0.5)


def test_wrong_options_raise() -> None:
    with pytest.raises(ContractError):
        tbtrace.RecordTraces(Walkers(), info_keys={"traces": ["a"]})
    with pytest.raises(TypeError, match="keeep"):
        tbtrace.RecordTraces(Walkers(), keeep=3)  # type: ignore[call-arg]


# PettingZoo's own


def heard(env: Any, infos: Any) -> dict[str, Any]:
    return {"running": {"heard": len(infos)}}


def spread(kind: str) -> Any:
    simple = pytest.importorskip("mpe2.simple_spread_v3")
    make = simple.env if kind == "turns" else simple.parallel_env
    return tbtrace.RecordTraces(make(N=3, max_cycles=4), extract=heard, strict=True)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_pettingzoos_own_tests_pass() -> None:
    test = pytest.importorskip("pettingzoo.test")
    from pettingzoo.utils import parallel_to_aec

    env = spread("parallel")
    test.parallel_api_test(env, 100)
    assert {episode.length for episode in env.drain()} == {4}
    turns = spread("turns")
    test.api_test(turns, 60)
    assert {episode.length for episode in turns.drain()} == {12}
    inner = spread("parallel")
    test.api_test(parallel_to_aec(inner), 60)
    assert {episode.length for episode in inner.drain()} == {4}


@pytest.mark.parametrize("kind", ["turns", "parallel"])
def test_rllibs_wrappers_run_it(kind: str) -> None:
    made: list[Any] = []

    def make(_: Any) -> Any:
        made.append(spread(kind))
        return (PettingZooEnv if kind == "turns" else ParallelPettingZooEnv)(made[-1])

    config = (
        PPOConfig()
        .environment(make)
        .env_runners(num_env_runners=0)
        .multi_agent(policies={"p"}, policy_mapping_fn=lambda *args, **kwargs: "p")
        .rl_module(model_config={"fcnet_hiddens": [4]})
        .debugging(log_level="ERROR")
    )
    env_runner = MultiAgentEnvRunner(config=config)
    ended = [e for e in env_runner.sample(num_timesteps=40, random_actions=True) if e.is_done]
    recorded = [episode for env in made for episode in env.drain()]
    assert [e.length for e in recorded] == [e.env_t for e in ended]
    assert [e.episode_return for e in recorded] == pytest.approx(
        [e.get_return(include_hanging_rewards=True) for e in ended], rel=1e-6
    )
    assert len(ended) > 2
