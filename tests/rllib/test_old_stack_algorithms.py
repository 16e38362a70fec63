"""Other algorithms than PPO on the old API stack: off-policy and asynchronous ones.

DQN is missing: with Ray 2.60 it cannot be built there, whatever its replay buffer ("argument of
type 'ABCMeta' is not iterable").
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from counting_env import CountingEnv
from old_stack_scripted import Witness, old_config
from ray.rllib.algorithms import APPOConfig, IMPALAConfig, SACConfig
from test_old_stack import assert_counted, assert_no_uid_twice

import tbtrace


def _off_policy() -> Any:
    """Learning takes long and sends nothing."""
    config = SACConfig().training(
        num_steps_sampled_before_learning_starts=10**9,
        replay_buffer_config={"type": "MultiAgentPrioritizedReplayBuffer", "capacity": 1_000},
    )
    return config.reporting(min_sample_timesteps_per_iteration=60)


def _asynchronous(kind: Callable[[], Any]) -> Any:
    """Asks for a GPU unless told otherwise; a batch is of whole fragments."""
    config = kind().training(train_batch_size=48).resources(num_gpus=0)
    return config.reporting(min_time_s_per_iteration=1)


CONFIGS: dict[str, Callable[[], Any]] = {
    "SAC": _off_policy,
    "IMPALA": lambda: _asynchronous(IMPALAConfig),
    "APPO": lambda: _asynchronous(APPOConfig),
}
SLOW = [
    pytest.param(name, env_runners, marks=pytest.mark.slow)
    for name, env_runners in [("SAC", 0), ("SAC", 1), ("IMPALA", 1), ("APPO", 0), ("APPO", 1)]
]


@pytest.mark.parametrize(("name", "env_runners"), [("IMPALA", 0), *SLOW])
def test_what_rllib_counts_is_reported_once(
    name: str, env_runners: int, tmp_path: Path, ray_session: None
) -> None:
    recorder = functools.partial(tbtrace.EpisodeRecorder, strict=True)
    algorithm = old_config(
        tmp_path,
        CountingEnv,
        [Witness, recorder],
        env_runners=env_runners,
        algorithm=CONFIGS[name](),
    ).build_algo()
    results: list[dict[str, Any]] = []
    deadline = time.monotonic() + 90.0
    try:
        # Asynchronous workers take a while to begin; RLlib gives results without them.
        while sum(map(_ended, results)) < 4 and time.monotonic() < deadline:
            results.append(algorithm.train())
    finally:
        algorithm.stop()
    assert sum(map(_ended, results)) >= 4
    for result in results:
        assert_counted(result, tmp_path)
    assert_no_uid_twice(results)


def _ended(result: dict[str, Any]) -> bool:
    return bool(result["env_runners"]["episodes_this_iter"])
