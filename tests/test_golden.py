"""Ray's own TensorBoard logger and ours on the same results of real algorithms."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from ray.rllib.algorithms import APPOConfig, DQNConfig, PPOConfig
from ray.rllib.core.rl_module.default_model_config import DefaultModelConfig
from ray.rllib.examples.envs.classes.multi_agent import MultiAgentCartPole
from ray.tune.logger import TBXLoggerCallback
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util import tensor_util
from test_tune_callback import FakeTrial

import tbtrace

# No recorder: these are Ray's results alone.
pytestmark = pytest.mark.filterwarnings("ignore:3 results of a trial count episodes")

ITERATIONS = 3
SMALL = DefaultModelConfig(fcnet_hiddens=[8])


def ppo() -> Any:
    return PPOConfig().environment("CartPole-v1").training(train_batch_size_per_learner=200)


def dqn() -> Any:
    config = DQNConfig().environment("CartPole-v1").training(train_batch_size_per_learner=16)
    config.training(num_steps_sampled_before_learning_starts=64)
    return config.reporting(min_sample_timesteps_per_iteration=128)


def appo() -> Any:
    config = APPOConfig().environment("CartPole-v1").training(train_batch_size_per_learner=100)
    return config.reporting(min_time_s_per_iteration=1)


def multi_agent() -> Any:
    config = PPOConfig().environment(MultiAgentCartPole, env_config={"num_agents": 2})
    config.multi_agent(
        policies={"p0", "p1"}, policy_mapping_fn=lambda agent, episode, **kwargs: f"p{agent}"
    )
    return config.training(train_batch_size_per_learner=200)


def results_of(config: Any) -> list[dict[str, Any]]:
    config.env_runners(num_env_runners=0).evaluation(evaluation_interval=2, evaluation_duration=2)
    config.rl_module(model_config=SMALL).debugging(log_level="ERROR")
    algorithm = config.build_algo()
    try:
        return [algorithm.train() for _ in range(ITERATIONS)]
    finally:
        algorithm.stop()


def written(callback: Any, folder: Path, results: list[dict[str, Any]]) -> EventAccumulator:
    folder.mkdir()
    trial = FakeTrial(folder)
    callback.log_trial_start(trial)
    for iteration, result in enumerate(results, 1):
        callback.log_trial_result(iteration, trial, copy.deepcopy(result))
    callback.log_trial_end(trial)
    callback.on_experiment_end([trial])
    sizes = {"tensors": 0, "images": 0, "scalars": 0, "histograms": 0}
    return EventAccumulator(str(folder), size_guidance=sizes).Reload()


@pytest.mark.parametrize("config", [ppo, dqn, appo, multi_agent])
def test_everything_that_rays_logger_writes_is_there(
    ray_session: None, tmp_path: Path, config: Any
) -> None:
    results = results_of(config())
    theirs = written(TBXLoggerCallback(), tmp_path / "theirs", results)
    ours = written(tbtrace.TraceLoggerCallback(), tmp_path / "ours", results)
    their_tags, our_tags = theirs.Tags(), ours.Tags()
    assert len(their_tags["scalars"]) > 40
    for tag in their_tags["scalars"]:
        expected = [(event.step, event.value) for event in theirs.Scalars(tag)]
        assert [(event.step, event.value) for event in ours.Scalars(tag)] == expected, tag
    for tag in their_tags["histograms"]:
        expected_counts = [(e.step, e.histogram_value.num) for e in theirs.Histograms(tag)]
        counts = [
            (e.step, tensor_util.make_ndarray(e.tensor_proto)[:, 2].sum())
            for e in ours.Tensors(tag)
        ]
        assert counts == expected_counts, tag
    assert set(their_tags["tensors"]) <= set(our_tags["tensors"])
    # Ours has no tag of its own but what it is meant to add.
    added = set(our_tags["scalars"]) - set(their_tags["scalars"])
    assert added == set(), added
    more = set(our_tags["tensors"]) - {*their_tags["tensors"], *their_tags["histograms"]}
    told = {tag for tag in more if not tag.startswith("_hparams_/")}
    assert told == {"tbtrace/about", "custom_scalars__config__"}, told
    plugins = {*theirs.PluginTagToContent("hparams")}
    assert {*ours.PluginTagToContent("hparams")} == plugins
