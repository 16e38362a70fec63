"""The same run in TensorBoard and in MLflow, pictures included; MLflow in a local file.

Needs `pip install mlflow`. Run it, then `tbtrace view` and the `mlflow ui` that it prints.
"""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from PIL import Image
from ray import tune
from ray.air.integrations.mlflow import MLflowLoggerCallback
from ray.rllib.algorithms.ppo import PPOConfig

import tbtrace
from tbtrace.envs.plant import PlantEnv

NAME = "plant"


class Pictures:
    """Logs each picture to the MLflow run of its trial, in a folder of the picture's tag."""

    def __init__(self, tracking_uri: str) -> None:
        self.tracking_uri = tracking_uri

    def __call__(self, logdir: str, tag: str, step: int, file: bytes) -> None:
        client = MlflowClient(self.tracking_uri)
        experiment = client.get_experiment_by_name(NAME)
        for run in client.search_runs([experiment.experiment_id]):
            # Ray's callback tags the run with the name that the trial's folder begins with.
            if Path(logdir).name.startswith(run.data.tags["trial_name"]):
                image, path = Image.open(io.BytesIO(file)), f"{tag}/{step:06d}.png"
                client.log_image(run.info.run_id, image, artifact_file=path)


def main(iterations: int) -> None:
    folder = tempfile.mkdtemp(prefix="mlflow-")
    uri = f"sqlite:///{folder}/mlflow.db"
    MlflowClient(uri).create_experiment(NAME, artifact_location=f"file://{folder}/artifacts")
    callbacks: list[Any] = [
        tbtrace.TraceLoggerCallback(on_picture=Pictures(uri)),  # before the others
        MLflowLoggerCallback(tracking_uri=uri, experiment_name=NAME),
    ]
    config = (
        PPOConfig()
        .environment(PlantEnv, env_config={"steps": 100})
        .env_runners(num_env_runners=0, num_envs_per_env_runner=2)
        .training(train_batch_size_per_learner=400, minibatch_size=200, num_epochs=3)
        .callbacks(tbtrace.EpisodeRecorder)
    )
    run_config = tune.RunConfig(stop={"training_iteration": iterations}, callbacks=callbacks)
    result = tune.Tuner("PPO", param_space=config, run_config=run_config).fit()[0]
    print(f"Look at it: tbtrace view {result.path}")
    print(f"In MLflow: mlflow ui --backend-store-uri {uri}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
