"""Recordings made by RLlib itself, on both stacks, and what a replay makes of them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from brute_force import assert_equal, expected_metrics
from old_stack_scripted import SeenAgentsEnv, old_config
from ray.rllib.algorithms.ppo import PPOConfig
from scripted import ScriptedEnv, config, emitted
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import tbtrace
from tbtrace.errors import TbtraceWarning
from tbtrace.replay import run as replay_run
from tbtrace.replay.run import Replayed, replay
from tbtrace.rllib.results import PREFIX

pytestmark = [pytest.mark.usefixtures("ray_session"), pytest.mark.slow]


class Reported:
    """What replays have handed to their reporter, before TensorBoard rounds it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.results: list[dict[str, Any]] = []
        self.histograms: list[Mapping[str, Any]] = []
        report = replay_run.RunReporter.report

        def spy(reporter: Any, step: int, result: Any, *rest: Any, **more: Any) -> None:
            self.results.append({"step": step, **result})
            self.histograms.append(more["histograms"]["train"])
            report(reporter, step, result, *rest, **more)

        monkeypatch.setattr(replay_run.RunReporter, "report", spy)

    @property
    def metrics(self) -> dict[str, float]:
        (result,) = self.results
        return dict(result["env_runners"]["custom_metrics"])


@pytest.fixture
def reported(monkeypatch: pytest.MonkeyPatch) -> Reported:
    return Reported(monkeypatch)


def _train(settings: PPOConfig, iterations: int = 1) -> list[dict[str, Any]]:
    algorithm = settings.build_algo()
    try:
        return [algorithm.train() for _ in range(iterations)]
    finally:
        algorithm.stop()


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    """Two iterations of two env runners, recorded as episodes while our recorder looks on."""
    pytest.importorskip("msgpack_numpy", reason="RLlib writes episodes with it")
    folder = tmp_path_factory.mktemp("episodes")
    (folder / "log").mkdir()
    recorder = partial(tbtrace.EpisodeRecorder, consume=())
    settings = config(folder / "log", [recorder], length=(3, 12))
    settings.env_runners(batch_mode="complete_episodes")
    settings.evaluation(evaluation_interval=None)
    settings.offline_data(output=str(folder / "out"), output_write_episodes=True)
    return folder, _train(settings, iterations=2)


def test_a_replay_says_what_the_live_run_said(
    recorded: tuple[Path, list[dict[str, Any]]], reported: Reported, tmp_path: Path
) -> None:
    folder, live = recorded
    done = replay(folder / "out", tmp_path, every="100000 steps")
    counted = sum(result["env_runners"]["num_episodes"] for result in live)
    assert done.episodes == counted
    assert done.dropped == {}
    ours = [result["env_runners"]["custom_metrics"] for result in live]
    for name in ours[-1]:
        if name.endswith("_min"):
            assert reported.metrics[name] == min(one[name] for one in ours)
        elif name.endswith("_max"):
            assert reported.metrics[name] == max(one[name] for one in ours)
        else:
            numbers = [result["env_runners"]["num_episodes"] for result in live]
            pooled = sum(n * one[name] for n, one in zip(numbers, ours, strict=True)) / counted
            assert math.isclose(reported.metrics[name], pooled, rel_tol=1e-12), name
    assert reported.metrics.keys() == ours[-1].keys()


def test_each_episode_has_every_value_that_its_environment_emitted(
    recorded: tuple[Path, list[dict[str, Any]]], reported: Reported, tmp_path: Path
) -> None:
    folder, _ = recorded
    logged = {tuple(e["running"]["speed"]): e for e in emitted(folder / "log").values()}
    views = [tbtrace.views.Paths(pick=tbtrace.select.Every(1))]
    reporting = tbtrace.Reporting(views=views)
    done = replay(folder / "out", tmp_path, every="100000 steps", reporting=reporting)
    archived = list(tbtrace.open_archive(tmp_path).episodes())
    assert len(archived) == done.episodes > 10
    told = [logged[tuple(episode.running["speed"].values.tolist())] for episode in archived]
    assert_equal(reported.metrics, expected_metrics(told))
    for episode, said in zip(archived, told, strict=True):
        assert episode.length == said["length"]
        assert math.isclose(episode.episode_return, said["return"], rel_tol=1e-12)
        for name, values in said["running"].items():
            assert episode.running[name].values.tolist() == values
        assert dict(episode.final) == said["final"]
        assert len(episode.traces["traces"]["robot"].points) == said["length"] + 1
        assert episode.traces["walkers"]["3"].points.shape == (said["length"] + 1, 2)


def test_tensorboard_shows_it_at_environment_steps(
    recorded: tuple[Path, list[dict[str, Any]]], reported: Reported, tmp_path: Path
) -> None:
    folder, _ = recorded
    done = replay(folder / "out", tmp_path, every="5")
    assert done.iterations == -(-done.episodes // 5)
    board = EventAccumulator(str(tmp_path), size_guidance={"images": 0, "tensors": 0})
    board.Reload()
    scalars = board.Scalars(f"{PREFIX}env_runners/custom_metrics/speed_avg_mean")
    assert [event.step for event in scalars] == [result["step"] for result in reported.results]
    assert scalars[-1].step == done.steps
    tensors = board.Tags()["tensors"]
    assert f"{PREFIX}env_runners/hist_stats/speed" in tensors
    assert "traces/paths/train/best" in tensors
    assert sum(rows[:, 2].sum() for rows in (h["shipped"] for h in reported.histograms)) == (
        done.episodes
    )


class _Walker(gym.Env[np.ndarray, np.int64]):
    """Its observation says where it is; it has nothing to say in its infos."""

    observation_space = gym.spaces.Box(-1e3, 1e3, (3,), np.float32)
    action_space = gym.spaces.Discrete(2)

    def __init__(self, config: Any = None) -> None:
        self._step = 0
        self._episode = 0

    def _seen(self) -> np.ndarray:
        return np.array([self._step, 0.5 * self._step, self._episode], np.float32)

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        self._step, self._episode = 0, self._episode + 1
        return self._seen(), {}

    def step(self, action: Any) -> Any:
        self._step += 1
        return self._seen(), 1.0, self._step == 4 + self._episode, False, {}


@pytest.mark.parametrize("rows_per_file", [None, 7])
def test_columns_give_positions_and_returns(
    rows_per_file: int | None, reported: Reported, tmp_path: Path
) -> None:
    from ray.rllib.offline.offline_env_runner import OfflineSingleAgentEnvRunner

    settings = (
        PPOConfig()
        .environment(_Walker)
        .env_runners(num_envs_per_env_runner=1, rollout_fragment_length=7)
        .offline_data(
            output=str(tmp_path / "out"),
            output_write_episodes=False,
            output_compress_columns=[],
            output_max_rows_per_file=rows_per_file,
        )
    )
    runner = OfflineSingleAgentEnvRunner(config=settings)
    for _ in range(4):
        runner.sample(num_timesteps=7, random_actions=True)
    runner.stop()
    views = [tbtrace.views.Paths(pick=tbtrace.select.Every(1))]
    with pytest.warns(TbtraceWarning, match="lacks the end"):
        done = replay(
            tmp_path / "out",
            tmp_path / "run",
            traces=["walker=obs[0:2]"],
            extract=lambda moment, info: {"running": {"third": moment.observation[2]}},
            reporting=tbtrace.Reporting(views=views),
        )
    assert (done.episodes, done.steps) == (4, 5 + 6 + 7 + 8)
    assert done.incomplete == {"end": 1}
    found = tbtrace.open_archive(tmp_path / "run").episodes()
    archived = sorted(found, key=lambda episode: episode.length)
    for number, episode in enumerate(archived, 1):
        steps = np.arange(5 + number)
        assert episode.episode_return == episode.length == 4 + number
        points = episode.traces["traces"]["walker"].points
        assert points.tolist() == np.column_stack([steps, 0.5 * steps]).tolist()
        assert episode.running["third"].values.tolist() == [number] * (5 + number)


def test_a_recording_that_says_nothing_is_told_so(tmp_path: Path) -> None:
    from ray.rllib.offline.offline_env_runner import OfflineSingleAgentEnvRunner

    settings = PPOConfig().environment(_Walker)
    settings.offline_data(output=str(tmp_path / "out"), output_write_episodes=False)
    runner = OfflineSingleAgentEnvRunner(config=settings)
    runner.sample(num_episodes=1, random_actions=True)
    with pytest.warns(TbtraceWarning, match="consume"):
        assert replay(tmp_path / "out", tmp_path / "run").episodes == 1


def _old(folder: Path, env: Any, **offline: Any) -> Path:
    (folder / "log").mkdir()
    options = {"recipe": True} if env is ScriptedEnv else {}
    settings = old_config(folder / "log", env, [], **options)
    settings.evaluation(evaluation_interval=None)
    settings.offline_data(output_write_episodes=False, **offline)
    _train(settings, iterations=2)
    return folder / "out"


def _without_last_infos(episode: Mapping[str, Any]) -> dict[str, Any]:
    """What an episode emitted but at its last step."""
    running = {name: values[:-1] for name, values in episode["running"].items()}
    running["seldom"] = list(episode["running"].get("seldom", []))
    if episode["length"] % 3 == 1:
        running["seldom"].pop()
    return {"running": {name: v for name, v in running.items() if v}, "final": {}}


@pytest.mark.filterwarnings("ignore::tbtrace.errors.TbtraceWarning")
def test_the_old_stack_holds_all_but_the_last_info(reported: Reported, tmp_path: Path) -> None:
    out = _old(tmp_path, ScriptedEnv, output=str(tmp_path / "out"))  # observations are compressed
    views = [tbtrace.views.Paths(pick=tbtrace.select.Every(1))]
    done = replay(out, tmp_path / "run", reporting=tbtrace.Reporting(views=views))
    logged = {tuple(e["running"]["speed"][:-1]): e for e in emitted(tmp_path / "log").values()}
    archived = list(tbtrace.open_archive(tmp_path / "run").episodes())
    assert len(archived) == done.episodes > 4
    assert done.dropped.keys() <= {"episodes"}
    said = [logged[tuple(episode.running["speed"].values.tolist())] for episode in archived]
    # RLlib had not yet written the rest of what ran when training ended.
    assert len(said) >= len(logged) - 2
    assert_equal(reported.metrics, expected_metrics(map(_without_last_infos, said)))
    for episode, its in zip(archived, said, strict=True):
        assert episode.length == its["length"]
        assert math.isclose(  # float32; what it is a sum of is about 1
            episode.episode_return, its["return"], rel_tol=1e-5, abs_tol=1e-5
        )


def _by_hand(batches: list[Any]) -> tuple[list[dict[str, Any]], list[float]]:
    """Reads what agents said out of sample batches, row by row; returns episodes and returns."""
    episodes: dict[Any, dict[Any, Any]] = {}
    for batch in batches:
        for columns in batch["policy_batches"].values():
            for i, uid in enumerate(columns["eps_id"]):
                row = {name: column[i] for name, column in columns.items()}
                episodes.setdefault(uid, {})[row["agent_index"], row["t"]] = row
    told, returns = [], []
    for rows in episodes.values():
        last = max(step for _, step in rows)
        if not all(row["terminateds"] for (_, step), row in rows.items() if step == last):
            continue
        running: dict[str, list[float]] = {}
        finals: dict[int, float] = {}
        for (agent, step), row in sorted(rows.items(), key=lambda one: one[0][1]):
            said = row["infos"].get("tbtrace")
            if said is None or (step == 0 and "tbtrace" not in row["infos"]):
                continue
            for name, value in said["running"].items():
                running.setdefault(name, []).append(value)
                running.setdefault(f"agents/{agent}/{name}", []).append(value)
            finals[agent] = said["final"]["shipped"]
        own = {f"agents/{agent}/shipped": value for agent, value in finals.items()}
        shipped = {"shipped": sum(finals.values()) / len(finals)} if finals else {}
        told.append({"running": running, "final": {**shipped, **own}})
        returns.append(sum(row["rewards"] for row in rows.values()))
    return told, returns


@pytest.mark.filterwarnings("ignore::tbtrace.errors.TbtraceWarning")
def test_agents_of_the_old_stack(reported: Reported, tmp_path: Path) -> None:
    out = _old(tmp_path, SeenAgentsEnv, output=str(tmp_path / "out"), output_compress_columns=[])
    done = replay(out, tmp_path / "run", traces=["eye=obs[0:2]"])
    (file,) = out.glob("*.json")
    told, returns = _by_hand([json.loads(line) for line in file.read_text().splitlines()])
    assert done.episodes == len(told) > 4
    assert_equal(reported.metrics, expected_metrics(told))
    (result,) = reported.results
    assert math.isclose(
        result["env_runners"]["episode_return_mean"], sum(returns) / len(returns), rel_tol=1e-9
    )
    some = next(tbtrace.open_archive(tmp_path / "run").episodes())
    assert {"0/eye", "1/eye"} <= some.traces["traces"].keys()


@pytest.mark.filterwarnings("ignore::tbtrace.errors.TbtraceWarning")
@pytest.mark.parametrize("format_", ["json", "parquet"])
def test_data_sets_of_the_old_stack(format_: str, reported: Reported, tmp_path: Path) -> None:
    out = _old(
        tmp_path,
        SeenAgentsEnv,
        output="dataset",
        output_config={
            "format": format_,
            "path": str(tmp_path / "out"),
            "max_num_samples_per_file": 2,
        },
        output_compress_columns=[],
    )
    if format_ == "parquet":  # Ray Data pickles what Arrow cannot hold
        with pytest.raises(tbtrace.replay.pickles.UntrustedError, match="whole batches"):
            replay(out, tmp_path / "refused")
    done: Replayed = replay(out, tmp_path / "run", trust=format_ == "parquet")
    assert done.episodes > 2
    assert reported.metrics["speed_avg_mean"] == pytest.approx(1e3, abs=2.0)
    assert "agents/1/speed_avg_mean" in reported.metrics


def test_tags_begin_as_those_of_a_live_run() -> None:
    assert replay_run.PREFIX == PREFIX
