"""The old API stack: a witness of what RLlib counts there, and an environment that it accepts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from agents_scripted import NAMES, AgentsEnv
from ray.rllib.algorithms.algorithm_config import AlgorithmConfig
from ray.rllib.algorithms.callbacks import make_multi_callbacks
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.callbacks.callbacks import RLlibCallback
from ray.rllib.env.multi_agent_env import MultiAgentEnv
from ray.rllib.policy.policy import PolicySpec


class Witness(RLlibCallback):
    """Reports through RLlib alone which of the environment's episodes it counts."""

    def on_episode_end(self, *, base_env: Any, episode: Any, env_index: int, **kwargs: Any) -> None:
        if isinstance(episode, Exception):
            return
        key = base_env.get_sub_environments()[env_index].unwrapped.key
        episode.media["witness"] = key
        episode.media["last info"] = episode.last_info_for()
        episode.custom_metrics["own"] = float(key)


def witnessed(env_runners: Mapping[str, Any]) -> list[int]:
    """Reads what RLlib counted in this iteration: it reports old episodes again, new ones last."""
    number = env_runners["episodes_this_iter"]
    keys: list[int] = env_runners["episode_media"]["witness"][-number:] if number else []
    assert len(keys) == number
    return keys


class SeenAgentsEnv(AgentsEnv):
    """Says what the old stack lets through: infos of agents that have an observation."""

    def _infos(self, done: bool) -> dict[Any, Any]:
        here: list[Any] = ["walker", 3] if self._step == 0 else ["walker", ("team", 1)]
        if self._step:
            here.append(3 if self._step <= 3 else "late")
        silent = done and self._episodes % 2
        speakers = [agent for agent in here if self._random.random() < 0.7 and not silent]
        if self._step == 0 and "walker" not in speakers:
            speakers.append("walker")  # in every episode it says something
        infos = {agent: self._info(NAMES[agent], done) for agent in speakers}
        infos["__common__"] = {**self._info("__common__", done), "weather": "fair"}
        return infos


def _small_ppo(env_runners: int) -> PPOConfig:
    batch = 32 * max(env_runners, 1)
    return PPOConfig().training(train_batch_size=batch, minibatch_size=16, num_epochs=1)


def old_config(
    log: Path,
    env: Any,
    callbacks: Sequence[Any],
    env_runners: int = 0,
    batch: str = "truncate_episodes",
    algorithm: AlgorithmConfig | None = None,
    **options: Any,
) -> Any:
    """Returns an algorithm on the old stack: 2 environments a worker, evaluated every second time.

    Args:
        log: Folder for what the environments emit.
        env: The environment's class or registered name.
        callbacks: RLlib callback classes.
        env_runners: Remote rollout workers.
        batch: RLlib's `batch_mode`.
        algorithm: The algorithm's own settings; a small PPO by default.
        **options: For the environment.
    """
    env_config = {"log": str(log), "length": (5, 9), **options}
    settings = (
        (algorithm or _small_ppo(env_runners))
        .api_stack(enable_rl_module_and_learner=False, enable_env_runner_and_connector_v2=False)
        .environment(env, env_config=env_config)
        .env_runners(
            num_env_runners=env_runners,
            num_envs_per_env_runner=2,
            rollout_fragment_length=8,
            batch_mode=batch,
        )
        .training(model={"fcnet_hiddens": [4]})
        .evaluation(
            evaluation_interval=2,
            evaluation_duration=3,
            evaluation_config={"env_config": {**env_config, "split": "evaluation"}},
        )
        .callbacks(make_multi_callbacks(list(callbacks)))
        .debugging(log_level="ERROR")
    )
    if isinstance(env, type) and issubclass(env, MultiAgentEnv):
        spec = PolicySpec(
            observation_space=gym.spaces.Box(-1.0, 1.0, (2,), np.float32),
            action_space=gym.spaces.Discrete(2),
        )
        settings.multi_agent(policies={"p": spec}, policy_mapping_fn=lambda *args, **kwargs: "p")
    return settings
