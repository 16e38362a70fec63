"""The recorder on RLlib's old API stack, against what RLlib itself counts there."""

from __future__ import annotations

import functools
import json
import math
import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import ray
from brute_force import assert_equal, expected_metrics
from counting_env import CountingEnv, recorded
from old_stack_scripted import SeenAgentsEnv, Witness, old_config, witnessed
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.env.base_env import convert_to_base_env
from ray.rllib.evaluation.metrics import RolloutMetrics
from ray.rllib.evaluation.rollout_worker import RolloutWorker
from ray.tune.registry import register_env
from scripted import MARK, ScriptedEnv, emitted

import tbtrace
from tbtrace.errors import TbtraceWarning
from tbtrace.recording import HANDED_OVER
from tbtrace.rllib.old_stack import Packet, take_records
from tbtrace.rllib.parcel import PARCEL, RECORDS, Contents, Record

Recorder = functools.partial(tbtrace.EpisodeRecorder, strict=True)
Results = Sequence[Mapping[str, Any]]


def config(
    log: Path, env: Any = CountingEnv, callbacks: Sequence[Any] = (Witness, Recorder), **more: Any
) -> PPOConfig:
    return old_config(log, env, callbacks, **more)


def trained(settings: PPOConfig, iterations: int = 5) -> list[dict[str, Any]]:
    """Trains and returns the results."""
    algorithm = settings.build_algo()
    try:
        return [algorithm.train() for _ in range(iterations)]
    finally:
        algorithm.stop()


def own_taken_out(metrics: Mapping[str, float], due: bool) -> dict[str, float]:
    """Returns the metrics without the user's own ones, which must be there where they are due.

    They may be there without being due: where no episode ended, RLlib reports the old ones again.
    """
    assert "own_mean" in metrics or not due
    return {name: value for name, value in metrics.items() if not name.startswith("own_")}


def assert_counted(result: Mapping[str, Any], log: Path) -> None:
    """Holds when a result's metrics and parcel are those of the episodes that RLlib counted."""
    written = emitted(log)
    contents: Contents = result[PARCEL].contents
    evaluation = result.get("evaluation", {}).get("env_runners", {})
    ran = "episodes_this_iter" in evaluation
    assert ran == (result["training_iteration"] % 2 == 0)
    for split, runners in (("train", result["env_runners"]), ("evaluation", evaluation)):
        keys = witnessed(runners) if split == "train" or ran else []
        truth = [written[key] for key in keys]
        assert all(episode["split"] == split for episode in truth)
        told = runners["custom_metrics"]
        assert_equal(own_taken_out(told, due=bool(keys)), expected_metrics(truth))
        media = runners.get("episode_media", {})
        assert RECORDS not in media
        assert not any("tbtrace" in (info or {}) for info in media.get("last info", ()))
        summaries = contents.summaries[split]
        assert sorted(one.episode_return for one in summaries) == pytest.approx(
            sorted(episode["return"] for episode in truth), rel=1e-9
        )
        for name, buckets in contents.histograms[split].items():
            values = [v for episode in truth for v in episode["running"].get(name, ())]
            for episode in truth:  # of each agent where there are agents
                one = [episode["final"][name]] if name in episode["final"] else []
                values += episode.get("each", one) if name == "shipped" else one
            assert np.asarray(buckets)[:, 2].sum() == len(values), name
    assert result["tbtrace"]["dropped"] == dict.fromkeys(result["tbtrace"]["dropped"], 0)
    assert result["tbtrace"]["aborted"] == result["tbtrace"]["uncounted"] == 0


def assert_no_uid_twice(results: Results) -> None:
    """Holds when every summary and every whole episode is in one result only."""
    told = [
        one.uid
        for result in results
        for split in result[PARCEL].contents.summaries.values()
        for one in split
    ]
    assert told
    assert len(set(told)) == len(told)
    whole = [e.uid for result in results for e in result[PARCEL].contents.load.episodes]
    assert len(set(whole)) == len(whole)
    assert set(whole) <= set(told)


def assert_named(results: Results) -> None:
    """Holds when every name is there from the first result on, in both splits."""
    told = results[0]["env_runners"]["custom_metrics"]
    assert {"key_avg_mean", "at_sum_max", "never_mean"} <= told.keys()
    assert math.isnan(told["never_mean"])
    for result in results:
        for runners in (result["env_runners"], result["evaluation"]["env_runners"]):
            # The user's own are RLlib's to report, where there are any.
            missing = told.keys() - runners["custom_metrics"].keys()
            assert missing <= {"own_mean", "own_min", "own_max"}


@pytest.mark.parametrize(
    ("env_runners", "batch", "length"),
    [
        (0, "truncate_episodes", (5, 9)),
        (0, "complete_episodes", (5, 9)),
        (2, "truncate_episodes", (28, 30)),
    ],
)
def test_what_rllib_counts_is_reported_once(
    env_runners: int, batch: str, length: tuple[int, int], tmp_path: Path, ray_session: None
) -> None:
    callbacks = [Witness, functools.partial(Recorder, names=["never"])]
    results = trained(
        config(tmp_path, callbacks=callbacks, env_runners=env_runners, batch=batch, length=length)
    )
    for result in results:
        assert_counted(result, tmp_path)
    assert_no_uid_twice(results)
    assert_named(results)
    # With long episodes, none ends in the first and the third iteration of 16 steps.
    none = [result["env_runners"]["episodes_this_iter"] == 0 for result in results[:3]]
    assert none == ([True, False, True] if length == (28, 30) else [False] * 3)
    for result in results:
        episodes = result[PARCEL].contents.load.episodes
        assert {episode.iteration for episode in episodes} <= {result["training_iteration"]}
        for episode in episodes:  # the picked ones are whole, from the reset to the last step
            way = episode.traces["traces"]["way"].points
            (key,) = set(way[:, 0])
            assert way[:, 1].tolist() == list(range(episode.length + 1))
            assert episode.running["key"].values.tolist() == [key] * len(way)
            assert episode.final == {"one": 1.0}


def test_smoothing_reports_no_episode_again(tmp_path: Path, ray_session: None) -> None:
    settings = config(tmp_path).reporting(metrics_num_episodes_for_smoothing=1_000)
    results = trained(settings, 4)
    reported = [len(one["env_runners"]["episode_media"]["witness"]) for one in results]
    counted = [one["env_runners"]["episodes_this_iter"] for one in results]
    assert reported == np.cumsum(counted).tolist()  # RLlib does
    for result in results:
        assert_counted(result, tmp_path)
    assert_no_uid_twice(results)


@pytest.mark.parametrize(
    ("env_runners", "batch"), [(0, "truncate_episodes"), (1, "complete_episodes")]
)
def test_agents(env_runners: int, batch: str, tmp_path: Path, ray_session: None) -> None:
    results = trained(
        config(tmp_path, SeenAgentsEnv, env_runners=env_runners, batch=batch), iterations=3
    )
    for result in results:
        assert_counted(result, tmp_path)
    assert_no_uid_twice(results)
    assert {"agents/team-1/speed_avg_mean", "agents/3/shipped_mean"} <= set(
        results[-1]["env_runners"]["custom_metrics"]
    )
    for result in results:
        for episode in result[PARCEL].contents.load.episodes:
            assert {"__common__", "walker"} <= set(episode.agents)
            assert "sky" in episode.traces
            last = max(trace.steps[-1] for g in episode.traces.values() for trace in g.values())
            assert last == episode.length  # __common__ has an info at the last step, always


def test_environments_that_record_themselves(tmp_path: Path, ray_session: None) -> None:
    register_env("old-recorded", recorded)
    results = trained(config(tmp_path, "old-recorded"), iterations=2)
    for result in results:
        assert_counted(result, tmp_path)
        # Else the episode would go on with the samples to whoever learns from them.
        infos = result["env_runners"]["episode_media"]["last info"]
        assert infos
        assert not any(HANDED_OVER in info for info in infos)
    assert_no_uid_twice(results)


class FailingEnv(CountingEnv):
    """Breaks down once, in its third episode."""

    _broken = False

    def step(self, action: Any) -> Any:
        if self._episodes == 3 and self._step == 2 and not FailingEnv._broken:
            FailingEnv._broken = True
            raise ValueError("the environment breaks down")
        return super().step(action)


def test_an_environment_made_anew_is_recorded_too(tmp_path: Path, ray_session: None) -> None:
    FailingEnv._broken = False
    settings = config(tmp_path, FailingEnv).fault_tolerance(restart_failed_sub_environments=True)
    settings.reporting(metrics_num_episodes_for_smoothing=1)  # this iteration's alone
    results = trained(settings, 4)
    assert FailingEnv._broken
    assert [result["tbtrace"]["aborted"] for result in results][-1] == 1
    written = emitted(tmp_path)
    for result in results:
        truth = [written[key] for key in result["env_runners"]["episode_media"]["witness"]]
        assert_equal(
            own_taken_out(result["env_runners"]["custom_metrics"], due=True),
            expected_metrics(truth),
        )


@pytest.mark.slow
def test_a_killed_worker(tmp_path: Path, ray_session: None) -> None:
    settings = config(tmp_path, env_runners=2).fault_tolerance(restart_failed_env_runners=True)
    algorithm = settings.build_algo()
    results = []
    try:
        results.append(algorithm.train())
        manager = algorithm.env_runner_group._worker_manager
        killed = algorithm.env_runner_group.healthy_env_runner_ids()[0]
        ray.kill(manager.actors()[killed], no_restart=False)
        restarted = False
        for _ in range(12):
            results.append(algorithm.train())
            if restarted and len(results) % 2 == 0:
                break
            healthy = algorithm.env_runner_group.healthy_env_runner_ids()
            restarted = len(results) > 2 and len(healthy) == 2
    finally:
        algorithm.stop()
    assert restarted
    for result in results:
        assert_counted(result, tmp_path)
    assert_no_uid_twice(results)


def test_nothing_stays_in_results_and_checkpoints(tmp_path: Path, ray_session: None) -> None:
    mark = np.float64(MARK).tobytes()
    sizes = []
    for name, callbacks in (("bare", [Witness]), ("ours", [Witness, Recorder])):
        algorithm = config(tmp_path, ScriptedEnv, callbacks, batch="complete_episodes").build_algo()
        for _ in range(3):
            result = algorithm.train()
        parcel = result.pop(PARCEL, None)  # as Tune sends it on
        folder = tmp_path / name
        algorithm.save(str(folder))
        history = pickle.dumps([one._replace(media={}) for one in algorithm._episode_history])
        kept = [one.media.get(RECORDS) for one in algorithm._episode_history]
        algorithm.stop()
        assert mark not in history
        assert not [packet for packet in kept if packet and packet.take()]
        files = [file for file in folder.rglob("*") if file.is_file()]
        sizes.append(sum(file.stat().st_size for file in files))
        assert not any(mark in file.read_bytes() for file in files)
    assert mark in pickle.dumps(parcel.contents)
    settings = len(pickle.dumps(Recorder))  # is in the state of the algorithm, and of its policy
    assert sizes[1] - sizes[0] < 4 * (settings + 100)
    bare_keys = {"witness", "last info"}
    for runners in (result["env_runners"], result["evaluation"]["env_runners"]):
        assert runners.get("episode_media", {}).keys() <= bare_keys
    assert "tbtrace" not in json.dumps(result["env_runners"], default=str)


class Unreachable(RolloutWorker):
    """Stands for any worker; only what the recorder reads."""

    def __init__(self, env: Any, **options: Any) -> None:
        self.env = env
        self.config = PPOConfig().env_runners(num_envs_per_env_runner=2)
        for name, value in options.items():
            setattr(self.config, name, value)

    def get_metrics(self) -> list[Any]:
        return []


@pytest.mark.parametrize(
    ("env", "options", "named"),
    [
        (object(), {}, "object is no gymnasium.Env"),
        (None, {"remote_worker_envs": True}, "remote_worker_envs=True"),
        (gym.Env(), {"custom_vector_env": convert_to_base_env}, "custom_vector_env makes"),
    ],
)
def test_environments_out_of_reach_are_named(env: Any, options: dict[str, Any], named: str) -> None:
    worker = Unreachable(env, **options)
    recorder = Recorder()
    with pytest.warns(TbtraceWarning, match=named):
        recorder.on_sub_environment_created(worker=worker, sub_environment=env, env_context=None)
    assert worker.env is env
    record = recorder._deck.record()
    assert record is not None
    assert record.counts == {"records": 1}


def test_no_episode_of_a_vector_env_of_the_users_own_is_half_recorded(
    tmp_path: Path, ray_session: None
) -> None:
    settings = config(tmp_path, callbacks=[Witness, tbtrace.EpisodeRecorder])
    settings.custom_vector_env = lambda first: convert_to_base_env(
        first, lambda index: CountingEnv(settings.env_config), num_envs=2
    )
    with pytest.warns(TbtraceWarning, match="custom_vector_env") as warned:
        results = trained(settings, 2)
    assert len([one for one in warned if one.category is TbtraceWarning]) == 1
    for result in results:
        assert witnessed(result["env_runners"])
        assert not result[PARCEL].contents.summaries["train"]
        assert result["tbtrace"]["dropped"]["records"] > 0


def local_worker(log: Path, **more: Any) -> RolloutWorker:
    settings = config(log, **more)
    policy = PPOConfig().algo_class.get_default_policy_class(settings)
    return RolloutWorker(env_creator=CountingEnv, config=settings, default_policy_class=policy)


def in_media(metrics: Sequence[RolloutMetrics]) -> list[Record]:
    """Takes the records out of metrics that RLlib has not summarised."""
    packets = [one.media[RECORDS] for one in metrics if RECORDS in one.media]
    return take_records({"episode_media": {RECORDS: packets}})


def test_an_episode_comes_with_rllibs_metrics_of_it(tmp_path: Path) -> None:
    # Both environments end in the same step. RLlib hands on one episode at a time, so it counts the
    # one and keeps the other one's metrics to itself.
    worker = local_worker(tmp_path, batch="complete_episodes", length=(7, 7))
    counted = []
    for _ in range(3):
        worker.sample()
        metrics = worker.get_metrics()
        (record,) = in_media(metrics)
        keys = [episode.running["key"].values[0] for episode in record.load.episodes]
        assert sorted(keys) == sorted(one.custom_metrics["own"] for one in metrics)
        counted += keys
    assert len(set(counted)) == len(counted) == 3 + 3 + 3
    assert len(emitted(tmp_path)) == 10


def test_metrics_without_media_bring_everything(tmp_path: Path) -> None:
    """RLlib makes those of Atari environments so, from what a wrapper says."""
    worker = local_worker(tmp_path)
    worker.sample()
    worker.sample()
    queue = worker.sampler.metrics_queue
    bare = [queue.get_nowait()._replace(media={}) for _ in range(queue.qsize())]
    queue.put(RolloutMetrics(episode_faulty=True))
    assert not in_media(worker.get_metrics())
    for one in (RolloutMetrics(episode_faulty=True), *bare):
        queue.put(one)
    faulty, first, *rest = worker.get_metrics()
    assert not in_media([faulty, *rest])
    (record,) = in_media([first])
    assert len(record.load.episodes) == len(bare) >= 2


def test_an_error_in_get_metrics_is_named_and_rllib_gets_its_own(tmp_path: Path) -> None:
    worker = local_worker(tmp_path, callbacks=[Witness, tbtrace.EpisodeRecorder])
    worker.sample()
    worker.sample()
    worker.callbacks._callback_list[1]._deck.record = None
    with pytest.warns(TbtraceWarning, match="get_metrics raised TypeError"):
        metrics = worker.get_metrics()
    assert metrics
    assert not in_media(metrics)


def test_a_packet_gives_its_record_once_and_travels() -> None:
    record = Record(running=("speed",))
    packet = pickle.loads(pickle.dumps(Packet(record)))
    metrics = {"episode_media": {RECORDS: [packet, "else"], "mine": [1]}}
    assert take_records(metrics) == [record]
    assert metrics == {"episode_media": {"mine": [1]}}
    assert packet.take() is None
    assert take_records({}) == take_records(None) == []


def test_a_partial_works_and_a_list_does_not(tmp_path: Path, ray_session: None) -> None:
    settings = config(tmp_path).callbacks(functools.partial(tbtrace.EpisodeRecorder, names=["x"]))
    (result,) = trained(settings, 1)
    assert math.isnan(result["env_runners"]["custom_metrics"]["x_mean"])
    with pytest.raises(TypeError, match="'list' object is not callable"):
        config(tmp_path).callbacks([tbtrace.EpisodeRecorder]).build_algo()
