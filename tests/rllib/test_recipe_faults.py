"""The faults of the recipe from Ray's forum, one test each: tbtrace does not have them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.env.multi_agent_env import MultiAgentEnv
from ray.rllib.env.multi_agent_env_runner import MultiAgentEnvRunner
from ray.rllib.env.single_agent_env_runner import SingleAgentEnvRunner

import tbtrace
from tbtrace.errors import Problems, TbtraceWarning
from tbtrace.rllib.ledger import Ledger
from tbtrace.rllib.parcel import RECORDS, Record
from tbtrace.select import Best, Last, Worst

KEEP = (Best(), Worst(), Last())


class Env(gym.Env[np.ndarray, np.int64]):
    """Three steps; says what the option `say(number of the environment, step)` returns."""

    observation_space = gym.spaces.Box(-1.0, 1.0, (2,), np.float32)
    action_space = gym.spaces.Discrete(2)
    made = 0

    def __init__(self, config: Any) -> None:
        self._say: Callable[[int, int], dict[str, Any]] = config["say"]
        self._number = Env.made % 2
        Env.made += 1

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, Any]:
        self._step = 0
        return np.zeros(2, np.float32), self._say(self._number, 0)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, Any]:
        self._step += 1
        info = self._say(self._number, self._step)
        return np.zeros(2, np.float32), 1.0, self._step == 3, False, info


class Team(MultiAgentEnv):
    """Three steps of two agents; an agent says what `say(its number, step)` returns, or nothing."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.agents = self.possible_agents = ["red", "blue"]
        self.observation_spaces = dict.fromkeys(self.agents, Env.observation_space)
        self.action_spaces = dict.fromkeys(self.agents, Env.action_space)
        self._say: Callable[[int, int], dict[str, Any] | None] = config["say"]

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, Any]:
        self._step = 0
        return self._observations(), self._infos()

    def step(self, action_dict: Any) -> tuple[Any, Any, Any, Any, Any]:
        self._step += 1
        ended = {"__all__": self._step == 3}
        rewards = dict.fromkeys(self.agents, 1.0)
        return self._observations(), rewards, ended, {"__all__": False}, self._infos()

    def _observations(self) -> dict[str, Any]:
        return {agent: np.zeros(2, np.float32) for agent in self.agents}

    def _infos(self) -> dict[str, Any]:
        said = {agent: self._say(number, self._step) for number, agent in enumerate(self.agents)}
        return {agent: info for agent, info in said.items() if info is not None}


def sampled(
    say: Callable[[int, int], dict[str, Any] | None], steps: int = 16, env: Any = Env
) -> list[Record]:
    """Returns the records of one sample of two environments."""
    Env.made = 0
    parameters = (
        PPOConfig()
        .environment(env, env_config={"say": say})
        .env_runners(num_env_runners=0, num_envs_per_env_runner=2)
        .rl_module(model_config={"fcnet_hiddens": [4]})
        .callbacks(tbtrace.EpisodeRecorder)
    )
    env_runner: Any
    if env is Team:
        parameters.multi_agent(policies={"p"}, policy_mapping_fn=lambda *args, **kwargs: "p")
        env_runner = MultiAgentEnvRunner(config=parameters)
    else:
        env_runner = SingleAgentEnvRunner(config=parameters)
    env_runner.sample(num_timesteps=steps, random_actions=True)
    metrics = env_runner.get_metrics()
    return list(metrics[RECORDS].peek(compile=False)) if RECORDS in metrics else []


def episodes(records: Sequence[Record]) -> list[tbtrace.Episode]:
    return [episode for record in records for episode in record.load.episodes]


def ledger() -> Ledger:
    return Ledger((), KEEP, Problems())


def trained(book: Ledger, records: Sequence[Record], iteration: int = 1) -> Any:
    return book.trained(records, iteration=iteration, env_steps=16 * iteration)


def recipe(number: int, step: int) -> dict[str, Any]:
    return {
        "data": {"running": {"speed": float(step)}},
        "media": {"ways": {"car": (number, step)}, "map": np.full((2, 2), step)},
    }


def by_turns(number: int, step: int) -> dict[str, Any] | None:
    return recipe(number, step) if step % 2 == number else None


def test_o1_infos_of_agents_are_read_whoever_has_one() -> None:
    records = sampled(by_turns, env=Team)
    recorded = episodes(records)
    assert len(recorded) >= 2
    for episode in recorded:
        assert sorted(episode.running["speed"].values) == [0.0, 1.0, 2.0, 3.0]
        assert (episode.length, episode.episode_return) == (3, 6.0)
    assert not any(record.counts for record in records)


def test_o2_the_first_media_value_is_no_key_error() -> None:
    first = episodes(sampled(recipe))[0]
    assert first.traces["ways"]["car"].points[:, 1].tolist() == [0.0, 1.0, 2.0, 3.0]
    assert [value[0, 0] for value in first.media["map"].values] == [0, 1, 2, 3]


def test_o3_an_iteration_without_episodes_reports_none_again() -> None:
    book = ledger()
    metrics, _, parcel = trained(book, sampled(recipe))
    assert metrics["speed_avg_mean"] == 1.5
    assert parcel.contents.load.episodes
    metrics, _, parcel = trained(book, sampled(recipe, steps=2), iteration=2)
    assert np.isnan(metrics["speed_avg_mean"])
    assert parcel.contents.load.episodes == ()


@pytest.mark.parametrize("split", ["train", "evaluation"])
def test_o4_media_of_either_split_alone_is_kept(split: str) -> None:
    book = ledger()
    if split == "evaluation":
        book.evaluated(sampled(recipe))
    _, _, parcel = trained(book, sampled(recipe) if split == "train" else [])
    kept = parcel.contents.load.episodes
    assert {episode.split for episode in kept} == {split}
    assert all(episode.traces and episode.media for episode in kept)


def test_o5_evaluation_episodes_are_labelled_and_apart() -> None:
    book = ledger()
    told = book.evaluated(sampled(lambda number, step: {"data": {"running": {"speed": 9.0}}}))
    train, evaluation, parcel = trained(book, sampled(recipe))
    assert told["speed_avg_mean"] == evaluation["speed_avg_mean"] == 9.0
    assert train["speed_avg_mean"] == 1.5
    speeds = {e.split: e.running["speed"].values.max() for e in parcel.contents.load.episodes}
    assert speeds == {"train": 3.0, "evaluation": 9.0}


def test_o6_episodes_are_named_by_iteration_and_uid_not_by_timesteps_total() -> None:
    book = ledger()
    kept = []
    for iteration in (1, 2):
        _, _, parcel = trained(book, sampled(recipe), iteration)
        kept += [(e.iteration, e.env_steps) for e in parcel.contents.load.episodes]
    assert set(kept) == {(1, 16), (2, 32)}
    uids = [episode.uid for _ in range(2) for episode in episodes(sampled(recipe))]
    assert len(set(uids)) == len(uids)


def test_o7_results_hold_numbers_and_a_parcel_without_its_payload_in_words() -> None:
    metrics, evaluation, parcel = trained(ledger(), sampled(recipe))
    assert all(type(value) is float for value in (*metrics.values(), *evaluation.values()))
    written = json.dumps({"custom_metrics": metrics, "parcel": parcel}, default=repr)
    assert "ways" not in written
    assert len(written) < 1000


def of_each(number: int, step: int) -> dict[str, Any]:
    said = recipe(number, step)
    said["data"]["running"]["speed"] += 10.0 * number
    return said


def test_o8_agents_and_their_entities_have_keys_of_their_own() -> None:
    book = Ledger((), KEEP, Problems(), per_agent=2)
    metrics, _, parcel = trained(book, sampled(of_each, env=Team))
    assert metrics["agents/red/speed_avg_mean"] == 1.5
    assert metrics["agents/blue/speed_avg_mean"] == 11.5
    assert metrics["speed_avg_mean"] == 6.5
    episode = parcel.contents.load.episodes[0]
    ways = {entity: way.points.tolist() for entity, way in episode.traces["ways"].items()}
    assert ways == {
        "red/car": [[0.0, step] for step in range(4)],
        "blue/car": [[1.0, step] for step in range(4)],
    }
    assert {"map/red", "map/blue"} == set(episode.media)


def test_o9_what_is_said_at_reset_is_recorded() -> None:
    for episode in episodes(sampled(recipe)):
        assert episode.running["speed"].steps.tolist() == [0, 1, 2, 3]


def odd(number: int, step: int) -> dict[str, Any]:
    values: list[Any] = [None, "fast", True, np.ones(step + 1)]
    running = {"odd": values[step], "empty": np.zeros(0), "good": step}
    return {"tbtrace": {"running": running, "traces": {"ways": np.zeros((step, 2))}}}


def test_o10_odd_values_are_named_and_counted_and_the_others_are_summed() -> None:
    with pytest.warns(TbtraceWarning) as caught:
        records = sampled(odd)
    assert {str(warning.message).split(" is ")[0] for warning in caught} >= {
        "running 'odd'",
        "running 'empty'",
    }
    metrics, _, _ = trained(ledger(), records)
    assert metrics["good_sum_mean"] == 6.0
    assert metrics["odd_avg_mean"] == 1.0
    assert "empty_avg_mean" not in metrics or np.isnan(metrics["empty_avg_mean"])
    assert records[0].counts["values"] > 0


def numbered(number: int, step: int) -> dict[str, Any]:
    return {"tbtrace": {"running": {"env": number}, "final": {"env": number}}}


def test_every_episode_is_read_from_its_own_sub_environment() -> None:
    recorded = episodes(sampled(numbered))
    for episode in recorded:
        assert set(episode.running["env"].values) == {episode.final["env"]}
    assert {episode.final["env"] for episode in recorded} == {0.0, 1.0}


def test_state_on_the_callback_instance_does_not_mix_episodes() -> None:
    say = lambda number, step: {"tbtrace": {"running": {"at": 10 * number + step}}}  # noqa: E731
    ways = {tuple(episode.running["at"].values) for episode in episodes(sampled(say))}
    assert ways == {(0.0, 1.0, 2.0, 3.0), (10.0, 11.0, 12.0, 13.0)}
