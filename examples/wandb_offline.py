"""The same run in TensorBoard and in Weights & Biases, pictures included; W&B offline.

Needs `pip install wandb`. Run it, then `tbtrace view` and the `wandb sync` that it prints.
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
from collections import defaultdict, deque
from typing import Any

import wandb
from PIL import Image
from ray import tune
from ray.air.integrations.wandb import WandbLoggerCallback
from ray.rllib.algorithms.ppo import PPOConfig

import tbtrace
from tbtrace.envs.plant import PlantEnv


class Wandb(WandbLoggerCallback):
    """Ray's callback with pictures: they go with the next result, the last ones at the end."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.arrived: dict[str, deque[tuple[str, wandb.Image]]] = defaultdict(deque)
        self.over: dict[Any, bool] = {}

    def take(self, logdir: str, tag: str, step: int, file: bytes) -> None:
        picture = wandb.Image(Image.open(io.BytesIO(file)), caption=f"step {step}")
        self.arrived[logdir].append((tag, picture))

    def log_trial_result(self, iteration: int, trial: Any, result: dict[str, Any]) -> None:
        arrived, pictures = self.arrived[trial.local_path], defaultdict(list)
        while arrived:
            tag, picture = arrived.popleft()
            pictures[tag].append(picture)
        super().log_trial_result(iteration, trial, {**result, **pictures})

    def log_trial_end(self, trial: Any, failed: bool = False) -> None:
        self.over[trial] = failed  # its last pictures are still drawn

    def on_experiment_end(self, trials: list[Any], **info: Any) -> None:
        for trial, failed in self.over.items():
            last = trial.last_result.get("training_iteration")
            self.log_trial_result(0, trial, {"training_iteration": last} if last else {})
            super().log_trial_end(trial, failed)
        super().on_experiment_end(trials, **info)


def main(iterations: int) -> None:
    os.environ["WANDB_MODE"] = "offline"
    os.environ["WANDB_DIR"] = folder = tempfile.mkdtemp(prefix="wandb-")
    trackers = Wandb(project="plant")
    logger = tbtrace.TraceLoggerCallback(on_picture=trackers.take)
    config = (
        PPOConfig()
        .environment(PlantEnv, env_config={"steps": 100})
        .env_runners(num_env_runners=0, num_envs_per_env_runner=2)
        .training(train_batch_size_per_learner=400, minibatch_size=200, num_epochs=3)
        .callbacks(tbtrace.EpisodeRecorder)
    )
    stop = {"training_iteration": iterations}
    run_config = tune.RunConfig(stop=stop, callbacks=[logger, trackers])  # ours first
    result = tune.Tuner("PPO", param_space=config, run_config=run_config).fit()[0]
    print(f"Look at it: tbtrace view {result.path}")
    print(f"In W&B: wandb sync {folder}/wandb/offline-run-*")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
