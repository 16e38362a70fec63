"""The recorder in a real env runner and a real algorithm, in this process."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
import pytest
from brute_force import assert_equal, expected_metrics
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.callbacks.callbacks import RLlibCallback
from ray.rllib.env.single_agent_env_runner import SingleAgentEnvRunner
from scripted import Witness, config, emitted, witnessed

import tbtrace
from tbtrace.errors import ContractError, TbtraceWarning
from tbtrace.rllib.parcel import PARCEL, RECORDS, Record
from tbtrace.tape import Tape

Recorder = functools.partial(tbtrace.EpisodeRecorder, strict=True)


class TinyEnv(gym.Env[np.ndarray, np.int64]):
    """Three steps; `info` is what the option `infos(step)` returns."""

    steps_of_all = 0

    observation_space = gym.spaces.Box(-1.0, 1.0, (2,), np.float32)
    action_space = gym.spaces.Discrete(2)

    def __init__(self, config: Any) -> None:
        self._infos: Callable[[int], Any] = config["infos"]
        self._fails_at: int = config.get("fails_at", 0)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, Any]:
        self._step = 0
        return np.zeros(2, np.float32), self._infos(0)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, Any]:
        self._step += 1
        TinyEnv.steps_of_all += 1
        if TinyEnv.steps_of_all == self._fails_at:
            raise ValueError("the environment breaks down")
        return np.zeros(2, np.float32), 1.0, self._step == 3, False, self._infos(self._step)


def runner(
    infos: Callable[[int], Any], recorder: Any = Recorder, envs: int = 2, **options: Any
) -> SingleAgentEnvRunner:
    parameters = (
        PPOConfig()
        .environment(TinyEnv, env_config={"infos": infos, **options})
        .env_runners(num_env_runners=0, num_envs_per_env_runner=envs)
        .rl_module(model_config={"fcnet_hiddens": [4]})
        .callbacks(recorder)
        .debugging(log_level="ERROR")
    )
    TinyEnv.steps_of_all = 0
    if options.get("fails_at"):
        parameters.fault_tolerance(restart_failed_sub_environments=True)
    if options.get("mode"):
        parameters.env_runners(gym_env_vectorize_mode=options["mode"])
    return SingleAgentEnvRunner(config=parameters)


def records(env_runner: SingleAgentEnvRunner) -> list[Record]:
    metrics = env_runner.get_metrics()
    items = metrics[RECORDS].peek(compile=False) if RECORDS in metrics else []
    assert all(isinstance(item, Record) for item in items)
    return list(items)


def episodes(env_runner: SingleAgentEnvRunner) -> list[tbtrace.Episode]:
    return [episode for record in records(env_runner) for episode in record.load.episodes]


def test_one_record_a_sample_with_names_and_episodes() -> None:
    env_runner = runner(lambda step: {"tbtrace": {"running": {"speed": float(step)}}})
    env_runner.sample(num_timesteps=2, random_actions=True)
    (first,) = records(env_runner)
    assert first.load.episodes == ()
    assert first.running == ("speed",)
    env_runner.sample(num_timesteps=12, random_actions=True)
    (second,) = records(env_runner)
    assert second.running == ()
    assert second.load.episodes
    for episode in second.load.episodes:
        assert episode.running["speed"].values.tolist() == [0.0, 1.0, 2.0, 3.0]
        assert episode.running["speed"].steps.tolist() == [0, 1, 2, 3]
        assert (episode.length, episode.episode_return) == (3, 3.0)


def test_uids_are_rllibs_own() -> None:
    env_runner = runner(lambda step: {"tbtrace": {"running": {"speed": 1.0}}})
    sampled = env_runner.sample(num_episodes=4, random_actions=True)
    done = {episode.id_ for episode in sampled if episode.is_done}
    assert {episode.uid for episode in episodes(env_runner)} == done


def test_only_the_picked_episodes_keep_their_traces() -> None:
    env_runner = runner(
        lambda step: {"tbtrace": {"traces": {"car": (step, 0.0)}, "running": {"v": 1.0}}}
    )
    env_runner.sample(num_timesteps=40, random_actions=True)
    recorded = episodes(env_runner)
    assert len(recorded) > 3
    assert all(episode.running for episode in recorded)
    # All have the same return: best and worst are the first one, last is the last one.
    assert [bool(episode.traces) for episode in recorded] == [
        index in (0, len(recorded) - 1) for index in range(len(recorded))
    ]


def test_what_is_addressed_to_tbtrace_never_reaches_rllib() -> None:
    env_runner = runner(lambda step: {"tbtrace": {"running": {"speed": 1.0}}, "other": step})
    for episode in env_runner.sample(num_timesteps=8, random_actions=True):
        for info in episode.get_infos():
            assert "tbtrace" not in info
            assert "other" in info


@pytest.mark.parametrize(
    ("info", "kind", "named"),
    [
        ({"tbtrace": {"running": {"speed": "fast"}}}, "values", "speed.*a str.*a number"),
        ({"tbtrace": {"traces": {"car": (1.0,)}}}, "points", "car.*tuple of length 1"),
        ({"tbtrace": 3.0}, "records", "tbtrace.*a float.*dict"),
        ({"tbtrace": {"runing": {}}}, "values", "runing.*did you mean 'running'"),
        (None, "records", "info is None"),
    ],
)
def test_bad_input_is_named_counted_and_sampling_goes_on(info: Any, kind: str, named: str) -> None:
    # gymnasium itself checks the first reset and the first step, and dies of an info of None there.
    env_runner = runner(lambda step: info if step > 1 else {}, envs=1)
    with pytest.warns(TbtraceWarning, match=named) as caught:
        sampled = env_runner.sample(num_timesteps=9, random_actions=True)
    assert sum(len(episode) for episode in sampled) == 9
    assert len([w for w in caught if w.category is TbtraceWarning]) == 1
    (record,) = records(env_runner)
    assert record.counts == {kind: 6}  # two of three steps in three episodes


def test_an_error_of_the_environment_aborts_what_ran() -> None:
    env_runner = runner(lambda step: {"tbtrace": {"running": {"step": step}}}, fails_at=5, envs=2)
    env_runner.sample(num_timesteps=24, random_actions=True)
    taken = records(env_runner)
    for record in taken:
        for episode in record.load.episodes:
            assert episode.running["step"].values.tolist() == [0, 1, 2, 3]
    assert sum(record.counts.get("aborted", 0) for record in taken) >= 1


def test_ends_that_rllib_does_not_count_are_uncounted() -> None:
    env_runner = runner(lambda step: {"tbtrace": {"running": {"step": step}}}, envs=4)
    counted = 0
    uncounted = 0
    for number in (1, 2, 3):
        env_runner.sample(num_episodes=number, random_actions=True)
        for record in records(env_runner):
            counted += len(record.load.episodes)
            uncounted += record.counts.get("uncounted", 0)
    assert counted == 1 + 2 + 3
    # Four environments end in every round; the last round's are dropped by the next reset.
    assert uncounted == (4 - 1) + (4 - 2)


def test_without_sub_environments_at_hand_infos_are_read_as_they_arrive() -> None:
    env_runner = runner(
        lambda step: {"tbtrace": {"running": {"speed": float(step)}}}, mode="async", envs=2
    )
    try:
        env_runner.sample(num_timesteps=16, random_actions=True)
        recorded = episodes(env_runner)
    finally:
        env_runner.stop()
    assert recorded
    for episode in recorded:
        assert episode.running["speed"].values.tolist() == [0.0, 1.0, 2.0, 3.0]
        assert (episode.length, episode.episode_return) == (3, 3.0)


class Broken(tbtrace.EpisodeRecorder):
    """Fails in a hook."""

    def on_environment_created(self, **kwargs: Any) -> None:
        super().on_environment_created(env=object())
        self._deck.end = None  # type: ignore[method-assign,assignment]


def test_an_error_in_a_hook_is_named_and_sampling_goes_on() -> None:
    env_runner = runner(lambda step: {}, recorder=Broken, envs=1)
    with pytest.warns(TbtraceWarning, match="on_episode_end raised TypeError"):
        env_runner.sample(num_timesteps=6, random_actions=True)


@pytest.mark.parametrize(
    "options",
    [
        {"consume": ("info",)},
        {"info_keys": {"traces": ["a"]}},
        {"info_keys": {"final": "won"}},
        {"per_agent": -1},
    ],
)
def test_wrong_options_raise(options: dict[str, Any]) -> None:
    with pytest.raises(ContractError):
        tbtrace.EpisodeRecorder(**options)


class Also(RLlibCallback):
    """A callback beside ours, with metrics of its own at the same place."""

    def on_train_result(self, *, result: dict[str, Any], **kwargs: Any) -> None:
        result["env_runners"].setdefault("custom_metrics", {})["mine"] = 1.0


@pytest.fixture(scope="module")
def algorithm(ray_session: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    log = tmp_path_factory.mktemp("log")
    named = functools.partial(Recorder, names=["never"])
    built = config(log, [Also, named, Witness], env_runners=0).build_algo()
    built.log = log
    yield built
    built.stop()


def test_without_tune_results_hold_metrics_and_an_inert_parcel(algorithm: Any) -> None:
    for _ in range(2):
        result = algorithm.train()
    written = emitted(algorithm.log)
    told = result["env_runners"]["custom_metrics"]
    assert told.pop("mine") == 1.0
    train = [written[key] for key in witnessed(result["env_runners"])]
    assert_equal(told, expected_metrics(train))
    assert np.isnan(told["never_mean"])
    contents = result[PARCEL].contents
    assert {episode.iteration for episode in contents.load.episodes} == {2}
    assert {episode.split for episode in contents.load.episodes} == {"train", "evaluation"}
    steps = result["num_env_steps_sampled_lifetime"]
    assert {episode.env_steps for episode in contents.load.episodes} == {steps}
    assert steps >= 2 * 192
    assert RECORDS not in result["env_runners"]
    assert RECORDS not in result["evaluation"]["env_runners"]


def test_a_manual_evaluation_is_an_evaluation_and_counted_once(
    algorithm: Any, tmp_path: Path
) -> None:
    algorithm.train()
    told = algorithm.evaluate()["env_runners"]
    result = algorithm.train()
    written = emitted(algorithm.log)
    evaluated = [written[key] for key in witnessed(told)]
    assert evaluated
    assert_equal(told["custom_metrics"], expected_metrics(evaluated))
    # The result covers that one and the algorithm's own evaluation of this iteration.
    own = [written[key] for key in witnessed(result["evaluation"]["env_runners"])]
    keys = {episode["key"] for episode in (*evaluated, *own)}
    both = [written[key] for key in keys]
    assert_equal(result["evaluation"]["env_runners"]["custom_metrics"], expected_metrics(both))
    later = algorithm.train()
    for value in later["evaluation"]["env_runners"]["custom_metrics"].values():
        assert np.isnan(value)


def test_nothing_is_left_in_the_metrics_logger(algorithm: Any) -> None:
    algorithm.train()
    state = algorithm.metrics.get_state()
    assert not [key for key in state["stats"] if RECORDS in key.split("--")]


class Own(tbtrace.EpisodeRecorder):
    """Has hooks of its own."""

    calls: ClassVar[list[str]] = []

    def on_episode_created(self, **kwargs: Any) -> None:
        Own.calls.append("created")

    def on_episode_start(self, **kwargs: Any) -> None:
        Own.calls.append("start")

    def on_episode_step(self, **kwargs: Any) -> None:
        Own.calls.append("step")


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_hooks_of_a_subclass_are_called(mode: str) -> None:
    Own.calls.clear()
    env_runner = runner(
        lambda step: {"tbtrace": {"running": {"v": 1.0}}}, recorder=Own, mode=mode, envs=1
    )
    try:
        env_runner.sample(num_timesteps=6, random_actions=True)
        assert [len(episode.running["v"].values) for episode in episodes(env_runner)] == [4, 4]
    finally:
        env_runner.stop()
    assert Own.calls.count("step") == 6
    assert Own.calls.count("start") == 2
    assert Own.calls.count("created") == 3


def test_traces_that_cannot_be_worked_out_cost_one_episode_its_traces(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    env_runner = runner(
        lambda step: {"tbtrace": {"running": {"v": step}, "traces": {"a": (step, 0)}}},
        recorder=tbtrace.EpisodeRecorder,
    )
    monkeypatch.setattr(Tape, "finish_traces", lambda *arguments: 1 / 0)
    with pytest.warns(TbtraceWarning, match="working out traces raised ZeroDivisionError"):
        env_runner.sample(num_timesteps=24, random_actions=True)
    (record,) = records(env_runner)
    assert len(record.load.episodes) >= 6
    assert not any(episode.traces for episode in record.load.episodes)
    assert record.counts == {"episodes": 2}
