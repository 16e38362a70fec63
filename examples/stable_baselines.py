"""Stable-Baselines3's PPO in the plant: its values and ours in one TensorBoard run, without Ray.

Needs `pip install stable-baselines3`. Run it, then `tbtrace view` on the directory that it prints.
"""

from __future__ import annotations

import sys
import tempfile

from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.logger import Logger, TensorBoardOutputFormat

import tbtrace
from tbtrace.envs.plant import PlantEnv


class Traces(BaseCallback):
    """Reports the episodes that ended in each rollout."""

    def __init__(self, reporter: tbtrace.RunReporter) -> None:
        super().__init__()
        self.reporter = reporter
        self.episodes: list[tbtrace.Episode] = []

    def _on_step(self) -> bool:
        self.episodes += tbtrace.collect(self.locals["infos"])
        return True

    def _on_rollout_end(self) -> None:
        self.reporter.report(self.num_timesteps, {}, self.episodes)
        self.episodes = []


class SameRun(TensorBoardOutputFormat):
    """SB3's TensorBoard output through our writer: two event files in one folder get stuck."""

    def __init__(self, reporter: tbtrace.RunReporter) -> None:
        self.writer, self._is_closed = reporter.writer, False


def main(iterations: int) -> None:
    envs = make_vec_env(lambda: tbtrace.RecordTraces(PlantEnv({"steps": 200})), n_envs=4, seed=7)
    reporter = tbtrace.RunReporter(tempfile.mkdtemp(prefix="sb3-"))
    model = PPO("MlpPolicy", envs, n_steps=256, batch_size=256, seed=7, device="cpu")
    model.set_logger(Logger(folder=None, output_formats=[SameRun(reporter)]))
    model.learn(total_timesteps=iterations * 4 * 256, callback=Traces(reporter))
    envs.close()
    reporter.close()
    print(f"Look at it: tbtrace view {reporter.path.parent}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
