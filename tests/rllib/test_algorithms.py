"""Other algorithms than PPO: what arrives is exact, for asynchronous and off-policy ones, too."""

from __future__ import annotations

import functools
import time
from pathlib import Path
from typing import Any

import pytest
from brute_force import assert_equal, expected_metrics
from counting_env import Auditor, CountingEnv, audited
from ray.rllib.algorithms import APPOConfig, DQNConfig, IMPALAConfig, PPOConfig, SACConfig
from scripted import emitted
from test_matrix import assert_exact

import tbtrace
from tbtrace.rllib.parcel import PARCEL


def _sampling(config: Any) -> Any:
    """Off-policy learning takes long and sends nothing."""
    config.training(num_steps_sampled_before_learning_starts=10**9)
    return config.reporting(min_sample_timesteps_per_iteration=60)


CONFIGS: dict[str, Any] = {
    "APPO": lambda: APPOConfig().reporting(min_time_s_per_iteration=1),
    "IMPALA": lambda: IMPALAConfig().reporting(min_time_s_per_iteration=1),
    "DQN": lambda: _sampling(DQNConfig()),
    "SAC": lambda: _sampling(SACConfig()),
}
SLOW = [
    pytest.param(name, env_runners, marks=pytest.mark.slow)
    for name, env_runners in [("APPO", 1), ("IMPALA", 1), ("APPO", 0), ("DQN", 4), ("SAC", 1)]
]


@pytest.mark.parametrize(("name", "env_runners"), [("DQN", 0), *SLOW])
def test_each_episode_that_rllib_counts_is_counted_once_and_whole(
    name: str, env_runners: int, ray_session: None, tmp_path: Path
) -> None:
    config = (
        CONFIGS[name]()
        .environment(CountingEnv, env_config={"log": str(tmp_path), "length": (5, 11)})
        .env_runners(num_env_runners=env_runners, num_envs_per_env_runner=2)
        .rl_module(model_config={"fcnet_hiddens": [4], "head_fcnet_hiddens": [4]})
        .callbacks([functools.partial(tbtrace.EpisodeRecorder, strict=True), Auditor])
        .debugging(log_level="ERROR")
    )
    algorithm = config.build_algo()
    results = []
    deadline = time.monotonic() + 90.0
    try:
        # Asynchronous env runners take a while to begin; RLlib gives results without them.
        while len(results) < 4 and time.monotonic() < deadline:
            result = algorithm.train()
            if results or audited(result["env_runners"]):
                results.append(result)
    finally:
        algorithm.stop()
    written = emitted(tmp_path)
    uids: list[str] = []
    for result in results:
        counted = audited(result["env_runners"])
        uids += counted
        truth = {uid: written[key] for uid, key in counted.items()}
        assert_equal(result["env_runners"]["custom_metrics"], expected_metrics(truth.values()))
        assert_exact(result[PARCEL].contents, "train", truth)
    assert len(set(uids)) == len(uids) > 5
    assert set(results[-1]["tbtrace"]["dropped"].values()) == {0}


@pytest.mark.slow
def test_checkpoints_do_not_grow_by_what_is_recorded(ray_session: None, tmp_path: Path) -> None:
    def state(*callbacks: Any) -> int:
        folder = tmp_path / str(len(callbacks))
        config = (
            PPOConfig()
            .environment(CountingEnv, env_config={"log": str(tmp_path), "length": (50, 60)})
            .env_runners(num_env_runners=0, num_envs_per_env_runner=2)
            .training(train_batch_size_per_learner=600, minibatch_size=300, num_epochs=1)
            .evaluation(evaluation_interval=1, evaluation_duration=2)
            .callbacks([*callbacks, Auditor])
            .debugging(log_level="ERROR")
        )
        algorithm = config.build_algo()
        try:
            for _ in range(2):
                algorithm.train()
            algorithm.save_to_path(folder)
        finally:
            algorithm.stop()
        return sum(path.stat().st_size for path in folder.rglob("*.pkl"))

    # The values of an iteration alone are 14 kB; what stays is the callback's own pickle.
    assert state(tbtrace.EpisodeRecorder) - state() < 1_000
