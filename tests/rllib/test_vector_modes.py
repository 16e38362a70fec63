"""Every vectorisation mode against what the environment emitted and what RLlib counted."""

from __future__ import annotations

import functools
import math
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from brute_force import assert_equal, expected_metrics
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.callbacks.callbacks import RLlibCallback
from ray.rllib.env.single_agent_env_runner import SingleAgentEnvRunner
from ray.tune.registry import register_env
from scripted import ScriptedEnv, Witness, config, emitted, witnessed

import tbtrace
from tbtrace.recording import HANDED_OVER
from tbtrace.rllib.parcel import RECORDS, Record

Recorder = functools.partial(tbtrace.EpisodeRecorder, strict=True)
ENVS = 3


class Keyed(ScriptedEnv):
    """Says which episode it is, in an info of its own; with `fails_at`, breaks down once."""

    def _info(self, done: bool = False) -> dict[str, Any]:
        return {**super()._info(done), "key": self.key}

    def step(self, action: Any) -> Any:
        broken = Path(self._config["log"], "broken")
        if self._step + 1 == self._config.get("fails_at") and not broken.exists():
            broken.touch()
            raise ValueError("the environment breaks down")
        return super().step(action)


class KeyWitness(RLlibCallback):
    """Reports which of the environments' episodes RLlib counted, from the infos alone."""

    def on_episode_end(self, *, episode: Any, metrics_logger: Any, **kwargs: Any) -> None:
        info = episode.get_infos(-1)
        key = info.get("final_info", info)["key"]
        metrics_logger.log_value("witness", int(key), reduce="item_series")


def make(context: Any, wrapped: bool) -> Any:
    env = Keyed(context)
    return tbtrace.RecordTraces(env, strict=True) if wrapped else env


def same_step(context: Any, wrapped: bool, processes: bool) -> Any:
    vector_env = AsyncVectorEnv if processes else SyncVectorEnv
    makers = [functools.partial(make, context, wrapped)] * context["num_envs"]
    return vector_env(makers, autoreset_mode=AutoresetMode.SAME_STEP)


CUSTOM = "vector_entry_point"
MODES: dict[str, tuple[str, Any]] = {
    "sync": ("sync", functools.partial(make, wrapped=False)),
    "sync+record": ("sync", functools.partial(make, wrapped=True)),
    "async": ("async", functools.partial(make, wrapped=False)),
    "async+record": ("async", functools.partial(make, wrapped=True)),
    "same": (CUSTOM, functools.partial(same_step, wrapped=False, processes=False)),
    "same+record": (CUSTOM, functools.partial(same_step, wrapped=True, processes=False)),
    "same async": (CUSTOM, functools.partial(same_step, wrapped=False, processes=True)),
    "same async+record": (CUSTOM, functools.partial(same_step, wrapped=True, processes=True)),
}


class Run:
    """One env runner in this process, and what came of it."""

    def __init__(self, log: Path, mode: str, **options: Any) -> None:
        vectorize, maker = MODES[mode]
        batch_mode = options.pop("batch_mode", "truncate_episodes")
        parameters = (
            PPOConfig()
            .environment(maker, env_config={"log": str(log), **options})
            .env_runners(
                num_env_runners=0,
                num_envs_per_env_runner=ENVS,
                gym_env_vectorize_mode=vectorize,
                rollout_fragment_length=4,
                batch_mode=batch_mode,
            )
            .rl_module(model_config={"fcnet_hiddens": [4]})
            .callbacks([KeyWitness, Recorder])
            .debugging(log_level="ERROR")
            .fault_tolerance(restart_failed_sub_environments="fails_at" in options)
        )
        self.log = log
        self.mode = mode
        self.env_runner = SingleAgentEnvRunner(config=parameters)
        self.sampled: list[Any] = []
        self.episodes: list[tbtrace.Episode] = []
        self.keys: list[int] = []
        self.counts: Counter[str] = Counter()

    def sample(self, **options: Any) -> None:
        self.sampled += self.env_runner.sample(random_actions=True, **options)
        metrics = self.env_runner.get_metrics()
        for record in _items(metrics, RECORDS):
            assert isinstance(record, Record)
            self.episodes += record.load.episodes
            self.counts.update(record.counts)
        self.keys += _items(metrics, "witness")

    def assert_exact(self) -> None:
        """Holds when exactly what RLlib counted was recorded, exactly as it was emitted."""
        # Of SAME_STEP infos read as they arrive two things are wrong before anybody can see them:
        # RLlib takes the first step for the reset, and loses its reward; and the reset has already
        # changed the one array that this environment puts into all of its infos.
        whole = self.mode != "same async"
        written = emitted(self.log)
        assert len(self.episodes) == len(self.keys)
        for episode, key in zip(self.episodes, self.keys, strict=True):
            truth = written[key]
            running = {name: series.values.tolist() for name, series in episode.running.items()}
            assert running == truth["running"]
            assert episode.final == truth["final"]
            assert episode.length == truth["length"]
            if whole:
                assert math.isclose(episode.episode_return, truth["return"])
            for trace in episode.traces.get("traces", {}).values():
                steps = trace.points[:, 1].tolist()
                assert steps[: None if whole else -1] == list(range(truth["length"] + whole))
        done = [chunk.id_ for chunk in self.sampled if chunk.is_done]
        assert [episode.uid for episode in self.episodes] == done

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *error: Any) -> None:
        self.env_runner.stop()


def _items(metrics: Any, key: str) -> list[Any]:
    return list(metrics[key].peek(compile=False)) if key in metrics else []


@pytest.mark.parametrize("batch_mode", ["truncate_episodes", "complete_episodes"])
@pytest.mark.parametrize("mode", MODES)
def test_what_rllib_counts_is_recorded_exactly(mode: str, batch_mode: str, tmp_path: Path) -> None:
    with Run(tmp_path, mode, batch_mode=batch_mode, length=(2, 13)) as run:
        for _ in range(10 if batch_mode == "truncate_episodes" else 4):
            run.sample()
    assert len(run.episodes) >= 9
    run.assert_exact()
    assert any(episode.traces for episode in run.episodes)
    assert not run.counts.keys() - {"aborted", "uncounted"}


@pytest.mark.parametrize("mode", MODES)
def test_what_is_handed_over_never_reaches_the_learners(mode: str, tmp_path: Path) -> None:
    with Run(tmp_path, mode, length=(2, 5)) as run:
        run.sample(num_timesteps=60)
    assert run.episodes
    for chunk in run.sampled:
        for info in chunk.get_infos() if chunk.is_done else ():
            handed = info.get("final_info", info).get(HANDED_OVER)
            assert handed is None or handed.episode is None


@pytest.mark.parametrize("mode", MODES)
def test_ends_that_rllib_does_not_count(mode: str, tmp_path: Path) -> None:
    with Run(tmp_path, mode, length=(3, 3)) as run:
        for number in (1, 2, 3):
            run.sample(num_episodes=number)
    assert len(run.keys) == 6
    run.assert_exact()
    # Three environments end in every round. RLlib shows nobody the last steps of those that it does
    # not count: where infos are read as they arrive, these episodes look aborted.
    assert run.counts["aborted"] + run.counts["uncounted"] == 2 + 1
    assert run.counts["uncounted"] == (0 if "async" in mode else 3)


@pytest.mark.parametrize("mode", MODES)
def test_a_reset_by_rllib_aborts_what_runs(mode: str, tmp_path: Path) -> None:
    with Run(tmp_path, mode, length=(6, 6)) as run:
        for _ in range(3):
            run.sample(num_timesteps=2 * ENVS, force_reset=True)
        run.sample(num_timesteps=12 * ENVS)
    assert run.counts == {"aborted": 2 * ENVS}
    assert len(run.keys) >= ENVS
    run.assert_exact()


@pytest.mark.parametrize("mode", [mode for mode in MODES if not mode.startswith("same")])
def test_an_error_of_an_environment_aborts_what_runs(mode: str, tmp_path: Path) -> None:
    with Run(tmp_path, mode, length=(5, 9), fails_at=3) as run:
        for _ in range(12):
            run.sample(num_timesteps=3 * ENVS)
    assert (tmp_path / "broken").exists()
    assert run.keys
    run.assert_exact()
    assert run.counts["aborted"] >= ENVS


def test_episodes_of_one_step_with_same_step_autoreset(tmp_path: Path) -> None:
    with Run(tmp_path, "same async", length=(1, 3)) as run:
        for _ in range(10):
            run.sample(num_timesteps=20)
    assert len(run.keys) > 10
    run.assert_exact()
    # RLlib takes the one step of some for a reset: these it never counts.
    assert run.counts["uncounted"] > 0


def _assert_statistics(result: Any, log: Path) -> set[int]:
    keys = witnessed(result["env_runners"])
    written = emitted(log)
    told = result["env_runners"]["custom_metrics"]
    assert_equal(told, expected_metrics([written[key] for key in keys]))
    return set(keys)


def test_a_manual_evaluation_of_processes(ray_session: None, tmp_path: Path) -> None:
    parameters = config(tmp_path, [KeyWitness, Recorder], env_runners=0)
    maker = MODES["async+record"][1]
    env_config = {**parameters.env_config}
    register_env("processes", maker)
    parameters.environment("processes", env_config=env_config)
    parameters.evaluation(evaluation_config={"env_config": {**env_config, "split": "evaluation"}})
    parameters.env_runners(gym_env_vectorize_mode="async", num_envs_per_env_runner=2)
    algorithm = parameters.build_algo()
    try:
        first = _assert_statistics(algorithm.train(), tmp_path)
        told = algorithm.evaluate()["env_runners"]
        second = _assert_statistics(algorithm.train(), tmp_path)
    finally:
        algorithm.stop()
    written = emitted(tmp_path)
    evaluated = [written[key] for key in witnessed(told)]
    assert {episode["split"] for episode in evaluated} == {"evaluation"}
    assert_equal(told["custom_metrics"], expected_metrics(evaluated))
    assert first
    assert second
    assert not first & second
    assert {written[key]["split"] for key in first | second} == {"train"}


def test_a_killed_env_runner(ray_session: None, tmp_path: Path) -> None:
    import ray

    parameters = config(tmp_path, [Witness, Recorder], env_runners=2)
    parameters.evaluation(evaluation_interval=None)
    parameters.fault_tolerance(restart_failed_env_runners=True)
    algorithm = parameters.build_algo()
    seen: list[set[int]] = []
    try:
        seen.append(_assert_statistics(algorithm.train(), tmp_path))
        ids = algorithm.env_runner_group.healthy_env_runner_ids()
        manager = algorithm.env_runner_group._worker_manager
        ray.kill(manager.actors()[ids[0]], no_restart=False)
        for _ in range(6):
            result = algorithm.train()
            seen.append(_assert_statistics(result, tmp_path))
            if len(seen) > 3 and len(algorithm.env_runner_group.healthy_env_runner_ids()) == 2:
                break
    finally:
        algorithm.stop()
    assert result["num_env_steps_sampled_lifetime"] > 192
    assert seen[-1]
    assert sum(map(len, seen)) == len(set().union(*seen))
