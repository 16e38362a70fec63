"""Multi-agent environments in a real env runner and a real algorithm, against brute force."""

from __future__ import annotations

import copy
import functools
import pickle
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from agents_scripted import NAMES, AgentsEnv
from brute_force import assert_equal, expected_metrics
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.env.multi_agent_env import MultiAgentEnv
from ray.rllib.env.multi_agent_env_runner import MultiAgentEnvRunner
from ray.rllib.env.wrappers.group_agents_wrapper import GroupAgentsWrapper
from ray.rllib.env.wrappers.pettingzoo_env import ParallelPettingZooEnv, PettingZooEnv
from scripted import Witness, emitted, witnessed

import tbtrace
from tbtrace.envs.tap import AgentsTap
from tbtrace.errors import Problems, TbtraceWarning
from tbtrace.info import Contract
from tbtrace.recording import AgentsRecording
from tbtrace.rllib.ledger import Ledger
from tbtrace.rllib.parcel import PARCEL, RECORDS, Record
from tbtrace.select import Last

Recorder = functools.partial(tbtrace.EpisodeRecorder, strict=True)


def config(env: Any, env_config: dict[str, Any], callbacks: Any = Recorder) -> PPOConfig:
    return (
        PPOConfig()
        .environment(env, env_config=env_config)
        .env_runners(num_env_runners=0, num_envs_per_env_runner=2, rollout_fragment_length=8)
        .multi_agent(policies={"p"}, policy_mapping_fn=lambda *args, **kwargs: "p")
        .training(train_batch_size_per_learner=128, minibatch_size=64, num_epochs=1)
        .rl_module(model_config={"fcnet_hiddens": [4]})
        .callbacks(callbacks)
        .debugging(log_level="ERROR")
    )


def records(env_runner: MultiAgentEnvRunner) -> list[Record]:
    metrics = env_runner.get_metrics()
    return list(metrics[RECORDS].peek(compile=False)) if RECORDS in metrics else []


def test_statistics_equal_brute_force_over_fragments(tmp_path: Path) -> None:
    env_runner = MultiAgentEnvRunner(config=config(AgentsEnv, {"log": str(tmp_path)}))
    said: list[Record] = []
    for _ in range(20):
        env_runner.sample(num_timesteps=14, random_actions=True)
        said += records(env_runner)
    ledger = Ledger((), (Last(),), Problems(), per_agent=16)
    metrics, _, parcel = ledger.trained(said, 1, 0)
    written = emitted(tmp_path)
    assert len(written) >= 12
    assert_equal(metrics, expected_metrics(written.values()))
    assert sum(len(record.load.episodes) for record in said) == len(written)
    assert not any(record.counts for record in said)
    by_return = {episode["return"]: episode for episode in written.values()}
    for record in said:
        for episode in record.load.episodes:
            told = by_return[min(by_return, key=lambda r: abs(r - episode.episode_return))]
            assert episode.episode_return == pytest.approx(told["return"], rel=1e-9)
            assert episode.length == told["length"]
            assert set(episode.agents) <= {*NAMES.values(), "__common__"}
    counted = parcel.contents.histograms["train"]  # type: ignore[union-attr]
    each = sum(len(episode["each"]) for episode in written.values())
    assert counted["shipped"][:, 2].sum() == each
    (kept,) = parcel.contents.load.episodes  # type: ignore[union-attr]
    assert set(kept.traces) <= {"traces", "sky"}
    assert "walker" in kept.traces["traces"]
    assert set(kept.traces["traces"]) <= set(NAMES.values())


def test_names_of_agents_are_told_while_their_first_episode_runs(tmp_path: Path) -> None:
    env_runner = MultiAgentEnvRunner(config=config(AgentsEnv, {"log": str(tmp_path)}))
    env_runner.sample(num_timesteps=6, random_actions=True)
    said = records(env_runner)
    assert not any(record.load.episodes for record in said)
    metrics, _, _ = Ledger((), (), Problems(), per_agent=16).trained(said, 1, 0)
    assert np.isnan(metrics["agents/walker/speed_avg_mean"])
    assert "agents/walker/shipped_mean" in metrics
    assert "speed_sum_max" in metrics


def test_infos_reach_rllib_without_what_is_addressed_to_tbtrace(tmp_path: Path) -> None:
    env_runner = MultiAgentEnvRunner(config=config(AgentsEnv, {"log": str(tmp_path)}))
    forwarded = []
    for _ in range(20):
        env_runner.sample(num_timesteps=2, random_actions=True)
        forwarded += list(env_runner.env._infos)
    assert any(infos.get("__common__") == {"weather": "fair"} for infos in forwarded)
    assert {str(info) for infos in forwarded for info in infos.values()} == {
        "{}",
        "{'weather': 'fair'}",
    }


def test_a_tapped_environment_is_still_the_users_own(tmp_path: Path) -> None:
    env_runner = MultiAgentEnvRunner(config=config(AgentsEnv, {"log": str(tmp_path)}))
    env_runner.sample(num_timesteps=4, random_actions=True)
    tapped = env_runner.env.envs[0]
    assert isinstance(tapped, AgentsTap)
    assert isinstance(tapped.unwrapped, AgentsEnv)
    assert tapped.has_reset  # of gymnasium's wrapper inside
    tapped.mood = "good"
    assert tapped.env.mood == "good"
    for copied in (copy.deepcopy(tapped), pickle.loads(pickle.dumps(tapped))):
        assert not isinstance(copied, AgentsTap)
        *_, infos = copied.step({})
        assert all("tbtrace" in info for info in infos.values())
    env_runner.sample(num_timesteps=100, random_actions=True)
    recorded = [e for record in records(env_runner) for e in record.load.episodes]
    assert len(recorded) == len(emitted(tmp_path)) > 3


def test_two_env_runners_and_evaluation(ray_session: None, tmp_path: Path) -> None:
    env_config = {"log": str(tmp_path)}
    algorithm = (
        config(AgentsEnv, env_config, [Recorder, Witness])
        .env_runners(num_env_runners=2)
        .evaluation(
            evaluation_interval=2,
            evaluation_duration=3,
            evaluation_config={"env_config": {**env_config, "split": "evaluation"}},
        )
        .build_algo()
    )
    heard: list[int] = []
    try:
        for iteration in range(4):
            result = algorithm.train()
            written = emitted(tmp_path)
            keys = witnessed(result["env_runners"])
            heard += keys
            told = result["env_runners"]["custom_metrics"]
            assert_equal(told, expected_metrics(written[key] for key in keys))
            evaluated = result["evaluation"]["env_runners"]["custom_metrics"]
            if iteration % 2:
                eval_keys = witnessed(result["evaluation"]["env_runners"])
                assert len(eval_keys) >= 3
                assert_equal(evaluated, expected_metrics(written[key] for key in eval_keys))
            else:
                assert all(np.isnan(value) for value in evaluated.values())
            assert set(result["tbtrace"]["dropped"].values()) == {0}
            assert result[PARCEL].contents.load.episodes
    finally:
        algorithm.stop()
    assert len(heard) == len(set(heard)) > 10


class EveryoneDoneEnv(MultiAgentEnv):
    """Its one agent is done every fourth step, but `__all__` is never set: it is never reset."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.agents = self.possible_agents = ["a"]
        self.observation_spaces = {"a": gym.spaces.Box(-1.0, 1.0, (2,), np.float32)}
        self.action_spaces = {"a": gym.spaces.Discrete(2)}
        self._step = 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        self._step = 0  # only RLlib's own check of the environment comes here with another step
        return {"a": np.zeros(2, np.float32)}, self._infos()

    def step(self, action_dict: Any) -> Any:
        self._step += 1
        ended = {"a": self._step % 5 == 4, "__all__": False}
        return {"a": np.zeros(2, np.float32)}, {"a": 1.0}, ended, {"__all__": False}, self._infos()

    def _infos(self) -> Any:
        return {"a": {"tbtrace": {"running": {"step": self._step}}}}


def test_an_episode_that_rllib_ends_by_itself_is_taken_and_the_next_one_begins() -> None:
    env_runner = MultiAgentEnvRunner(config=config(EveryoneDoneEnv, {}))
    sampled = env_runner.sample(num_timesteps=24, random_actions=True)
    ended = [episode for episode in sampled if episode.is_done]
    recorded = [e for record in records(env_runner) for e in record.load.episodes]
    assert [e.uid for e in recorded] == [e.id_ for e in ended]
    assert [(e.length, e.episode_return) for e in recorded] == [(4, 4.0)] * len(ended)
    for number, recording in enumerate(recorded):
        first = number // 2 * 5  # two environments
        assert recording.running["step"].values.tolist() == list(range(first, first + 5))
    assert len(recorded) > 2


def agents_of_pettingzoo(env: Any, info: Any) -> dict[str, Any]:
    """Says who spoke, in how many agents' infos."""
    return {"running": {"speakers": len(info)}, "final": {"agents": len(env.unwrapped.agents)}}


@pytest.mark.parametrize("kind", ["aec", "parallel"])
def test_pettingzoo_through_rllibs_wrappers(kind: str) -> None:
    simple = pytest.importorskip("mpe2.simple_spread_v3")

    def speaking(env: Any) -> Any:
        parallel = kind == "parallel"
        reset, step = env.reset, env.step
        if parallel:

            def parallel_step(actions: Any) -> Any:
                *rest, infos = step(actions)
                for index, info in enumerate(infos.values()):
                    info["tbtrace"] = {"running": {"index": index}, "traces": (index, 0.0)}
                return *rest, infos

            env.step = parallel_step
            return env

        def aec_reset(**options: Any) -> None:
            reset(**options)
            for info in env.unwrapped.infos.values():
                info["tbtrace"] = {"running": {"index": 1.0}}

        env.reset = aec_reset
        return env

    def make(_: Any) -> Any:
        if kind == "aec":
            return PettingZooEnv(speaking(simple.env(N=3, max_cycles=4)))
        return ParallelPettingZooEnv(speaking(simple.parallel_env(N=3, max_cycles=4)))

    from ray.tune.registry import register_env

    register_env(f"pettingzoo-{kind}", make)
    recorder = functools.partial(Recorder, extract=agents_of_pettingzoo)
    env_runner = MultiAgentEnvRunner(config=config(f"pettingzoo-{kind}", {}, recorder))
    sampled = env_runner.sample(num_timesteps=60, random_actions=True)
    ended = [episode for episode in sampled if episode.is_done]
    recorded = [e for record in records(env_runner) for e in record.load.episodes]
    assert [e.uid for e in recorded] == [e.id_ for e in ended]
    assert recorded
    for mine, theirs in zip(recorded, ended, strict=True):
        assert mine.length == theirs.env_t
        assert mine.episode_return == pytest.approx(
            theirs.get_return(include_hanging_rewards=True), rel=1e-6
        )
        assert {"agent_0", "agent_1", "agent_2", "__common__"} == set(mine.agents)
        assert "index" in mine.running


def test_agents_beyond_the_first_are_pooled_only_and_said_once(tmp_path: Path) -> None:
    env_runner = MultiAgentEnvRunner(config=config(AgentsEnv, {"log": str(tmp_path)}))
    env_runner.sample(num_timesteps=100, random_actions=True)
    said = records(env_runner)
    with pytest.warns(TbtraceWarning, match="metrics of their own, 1 others have"):
        metrics, _, _ = Ledger((), (), Problems(), per_agent=1).trained(said, 1, 0)
    assert len({name.split("/")[1] for name in metrics if name.startswith("agents/")}) == 1
    pooled = {k: v for k, v in metrics.items() if not k.startswith("agents/")}
    none = Ledger((), (), Problems(), per_agent=0).trained(said, 1, 0)[0]
    assert none == pooled
    assert "speed_avg_mean" in pooled


class Pair(MultiAgentEnv):
    """Two agents that always speak."""

    def __init__(self) -> None:
        super().__init__()
        self._agent_ids: set[Any] = set()  # the wrapper adds to it
        self._step = 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        self._step = 0
        return {"a": 0, "b": 0}, self._infos()

    def step(self, action_dict: Any) -> Any:
        self._step += 1
        ends = {"a": False, "b": False, "__all__": self._step == 3}
        return {"a": 0, "b": 0}, {"a": 1.0, "b": 0.5}, ends, dict(ends), self._infos()

    def _infos(self) -> dict[str, Any]:
        return {
            name: {"tbtrace": {"running": {"v": v}, "traces": (v, 0.0)}, "seed": 7}
            for name, v in (("a", 1.0 + self._step), ("b", 10.0))
        }


def test_agents_that_rllib_groups_are_heard_one_by_one() -> None:
    grouped = GroupAgentsWrapper(Pair(), {"team": ["a", "b"]})
    recording = AgentsRecording(Contract(), Problems(), strict=True)
    tap = AgentsTap(grouped, recording)
    infos = [tap.reset()[1], *(tap.step({"team": [0, 0]})[-1] for _ in range(3))]
    assert infos[-1]["team"]["_group_info"] == [{"seed": 7}, {"seed": 7}]
    assert infos[-1]["team"]["_group_rewards"] == [1.0, 0.5]
    episode = recording.take("uid")
    assert episode is not None
    assert episode.episode_return == 4.5
    assert set(episode.traces["traces"]) == set(episode.agents) == {"a", "b"}
    assert sorted(episode.running["v"].values) == [1.0, 2.0, 3.0, 4.0, 10.0, 10.0, 10.0, 10.0]
