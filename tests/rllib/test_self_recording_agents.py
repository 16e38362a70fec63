"""Multi-agent environments that record themselves, under RLlib's recorder: nothing counts twice."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import pytest
from agents_scripted import AgentsEnv
from brute_force import assert_equal, expected_metrics
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.env.multi_agent_env_runner import MultiAgentEnvRunner
from ray.rllib.env.wrappers.pettingzoo_env import ParallelPettingZooEnv, PettingZooEnv
from scripted import emitted

import tbtrace
from tbtrace.envs.handover import handovers
from tbtrace.errors import Problems
from tbtrace.rllib.ledger import Ledger
from tbtrace.rllib.parcel import RECORDS, Record
from tbtrace.select import Last


def heard(env: Any, infos: Any) -> dict[str, Any]:
    return {"running": {"heard": len(infos)}}


def runner(make: Any, **env_config: Any) -> MultiAgentEnvRunner:
    recorder = functools.partial(tbtrace.EpisodeRecorder, strict=True, extract=heard)
    config = (
        PPOConfig()
        .environment(make, env_config=env_config)
        .env_runners(num_env_runners=0, num_envs_per_env_runner=2)
        .multi_agent(policies={"p"}, policy_mapping_fn=lambda *args, **kwargs: "p")
        .rl_module(model_config={"fcnet_hiddens": [4]})
        .callbacks(recorder)
        .debugging(log_level="ERROR")
    )
    return MultiAgentEnvRunner(config=config)


def records(env_runner: MultiAgentEnvRunner) -> list[Record]:
    metrics = env_runner.get_metrics()
    return list(metrics[RECORDS].peek(compile=False)) if RECORDS in metrics else []


def handed_on(sampled: list[Any]) -> list[Any]:
    """What is left of handovers in RLlib's episodes, which go on to learners."""
    agents = [agent for episode in sampled for agent in episode.agent_episodes.values()]
    return [handed for agent in agents for handed in handovers(agent.get_infos())]


def test_statistics_equal_brute_force(tmp_path: Path) -> None:
    def make(context: Any) -> Any:
        return tbtrace.RecordTraces(AgentsEnv(context), strict=True)

    env_runner = runner(make, log=str(tmp_path))
    said: list[Record] = []
    for _ in range(20):
        sampled = env_runner.sample(num_timesteps=14, random_actions=True)
        assert handed_on(sampled) == []
        said += records(env_runner)
    metrics, _, parcel = Ledger((), (Last(),), Problems(), per_agent=16).trained(said, 1, 0)
    written = emitted(tmp_path)
    assert len(written) >= 12
    assert_equal(metrics, expected_metrics(written.values()))
    assert sum(len(record.load.episodes) for record in said) == len(written)
    assert not any(record.counts for record in said)
    (kept,) = parcel.contents.load.episodes  # type: ignore[union-attr]
    assert "walker" in kept.traces["traces"]


@pytest.mark.parametrize("kind", ["turns", "parallel"])
def test_pettingzoo(kind: str) -> None:
    simple = pytest.importorskip("mpe2.simple_spread_v3")

    def make(_: Any) -> Any:
        bare = (simple.env if kind == "turns" else simple.parallel_env)(N=3, max_cycles=4)
        env = tbtrace.RecordTraces(bare, extract=heard, strict=True)
        return (PettingZooEnv if kind == "turns" else ParallelPettingZooEnv)(env)

    env_runner = runner(make)
    sampled = env_runner.sample(num_timesteps=60, random_actions=True)
    ended = [episode for episode in sampled if episode.is_done]
    said = records(env_runner)
    recorded = [episode for record in said for episode in record.load.episodes]
    assert recorded
    assert [e.uid for e in recorded] == [e.id_ for e in ended]
    assert [e.length for e in recorded] == [e.env_t for e in ended]
    assert [e.episode_return for e in recorded] == pytest.approx(
        [e.get_return(include_hanging_rewards=True) for e in ended], rel=1e-6
    )
    values = [1.0] * 12 + [3.0] if kind == "turns" else [3.0] * 5
    assert all(e.running["heard"].values.tolist() == values for e in recorded)
    assert handed_on(sampled) == []
    assert not any(record.counts for record in said)
