"""Real Tune runs: what is in the storage path afterwards, and what Tune has to copy on the way.

Tune copies its staging folder after every step here, so that it is always at it when a file is
sealed.
"""

from __future__ import annotations

import itertools
import json
import logging
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import ray
from bucket import bucket
from pyarrow import fs
from ray import tune
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard_server import serve

import tbtrace
from tbtrace import report
from tbtrace.shelf import POINTER

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

LOSS = "ray/tune/loss"
ROTATE_BYTES = 20_000
LARGEST_REPORT = 10_000
"""Bytes; of one iteration below, without pictures."""


def train(config: dict[str, Any]) -> None:
    """Reports `{"loss": iteration}` and some kilobytes beside it; goes on from a checkpoint."""
    checkpoint = tune.get_checkpoint()
    first = int(Path(checkpoint.path, "iteration").read_text()) + 1 if checkpoint else 1
    rng = np.random.default_rng(0)
    for iteration in range(first, config["iterations"] + 1):
        result: dict[str, Any] = {"loss": float(iteration), "values": rng.random(100)}
        result["many"] = {f"number_{i}": float(i) for i in range(100)}
        if config.get("pictures"):
            result["picture"] = rng.integers(0, 255, (64, 64, 3), np.uint8)
        time.sleep(config.get("seconds", 0.0))
        if config.get("checkpoints") and iteration % 10 == 0:
            folder = Path(f"checkpoint_of_{iteration}").absolute()
            folder.mkdir(exist_ok=True)
            (folder / "iteration").write_text(str(iteration))
            tune.report(result, checkpoint=tune.Checkpoint(str(folder)))
        else:
            tune.report(result)


class Watch(tune.Callback):
    """What Tune would copy, at each result: the sizes of the event files in staging."""

    def __init__(self) -> None:
        self.sizes: list[list[int]] = []

    def on_trial_result(
        self, iteration: int, trials: Any, trial: Any, result: Any, **info: Any
    ) -> None:
        sizes = []
        for path in Path(trial.local_path).glob("events*"):
            try:
                sizes.append(path.stat().st_size)
            except FileNotFoundError:
                continue  # sealed just now: it is not there any more
        self.sizes.append(sizes)


@pytest.fixture
def busy(ray_session: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files rotate often, and Tune copies all the time."""
    monkeypatch.setattr(report, "ROTATE_BYTES", ROTATE_BYTES)
    monkeypatch.setenv("TUNE_GLOBAL_CHECKPOINT_S", "0")


def fit(storage: Path | str, watch: Watch, filesystem: Any = None, **config: Any) -> tune.Result:
    grid = tune.Tuner(
        train,
        param_space={**config, "lr": tune.grid_search([0.5])},
        run_config=tune.RunConfig(
            name="run",
            storage_path=str(storage),
            storage_filesystem=filesystem,
            verbose=0,
            callbacks=[tbtrace.TraceLoggerCallback(views=[]), watch],
        ),
    ).fit()
    assert not grid.errors
    return grid[0]


def event_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("events*"))


def written(folder: Path, tag: str = LOSS) -> list[tuple[int, float]]:
    """Returns every `(step, value)` of a tag, in the order in which TensorBoard reads them."""
    return [
        (event.step, value.tensor.float_val[0] if value.HasField("tensor") else value.simple_value)
        for path in event_files(folder)
        for event in EventFileLoader(str(path)).Load()
        for value in event.summary.value
        if value.tag == tag
    ]


def whole_curve(iterations: int) -> list[tuple[int, float]]:
    return [(iteration, float(iteration)) for iteration in range(1, iterations + 1)]


def assert_small(watch: Watch, bound: int) -> None:
    """Staging never held more than the live file, and that file was never larger than `bound`."""
    assert max(map(len, watch.sizes)) == 1
    assert max(max(sizes, default=0) for sizes in watch.sizes) <= bound


def copied(folder: Path) -> list[Path]:
    """Returns the event files that are in both staging and the storage path, checked bytewise."""
    pointer = json.loads((folder / POINTER).read_text())
    staged = event_files(Path(pointer["staging"]))
    for path in staged:
        assert (folder / path.name).read_bytes() == path.read_bytes()
    return staged


@pytest.mark.slow  # as in a bucket, which is the harder one
def test_every_event_is_in_the_storage_path_once(busy: None, tmp_path: Path) -> None:
    watch = Watch()
    folder = Path(fit(tmp_path, watch, iterations=150).path)
    assert len(event_files(folder)) > 15
    assert written(folder) == whole_curve(150)
    assert len(copied(folder)) == 1
    assert_small(watch, ROTATE_BYTES + LARGEST_REPORT)
    with serve(folder, fast=True) as board:
        assert board.wait_for(lambda: board.scalars(".", LOSS) == whole_curve(150))


@pytest.fixture
def s3(ray_session: None) -> Iterator[fs.FileSystem]:
    """A bucket on a server of our own."""
    with bucket() as (storage, _):
        yield storage


def test_every_event_is_in_a_bucket_once(s3: fs.FileSystem, busy: None, tmp_path: Path) -> None:
    watch = Watch()
    result = fit("bucket/folder", watch, s3, iterations=150)
    fs.copy_files(result.path, str(tmp_path), source_filesystem=s3)
    assert len(event_files(tmp_path)) > 15
    assert written(tmp_path) == whole_curve(150)
    assert len(copied(tmp_path)) == 1
    assert_small(watch, ROTATE_BYTES + LARGEST_REPORT)


@pytest.mark.slow
def test_what_tune_copies_again_is_bounded_over_2000_iterations_with_pictures(
    ray_session: None, tmp_path: Path
) -> None:
    watch = Watch()
    folder = Path(fit(tmp_path, watch, iterations=2000, pictures=True).path)
    assert written(folder) == whole_curve(2000)
    assert sum(path.stat().st_size for path in event_files(folder)) > report.ROTATE_BYTES
    assert_small(watch, report.ROTATE_BYTES)


class Process:
    """`main` below in a process of its own; results come until it is told to stop."""

    def __init__(self, folder: Path, address: str, **options: Any) -> None:
        self._said = folder / "handed_over"
        self._said.unlink(missing_ok=True)
        tests = str(Path(__file__).parent)  # where Ray's workers find this module, too
        told = {"folder": str(folder), "address": address, **options}
        command = "import json, sys, test_storage; test_storage.main(**json.loads(sys.argv[1]))"
        self.process = subprocess.Popen(
            [sys.executable, "-c", command, json.dumps(told)],
            env={**os.environ, "TUNE_GLOBAL_CHECKPOINT_S": "1", "PYTHONPATH": tests},
            stdout=(folder / "said.txt").open("a"),
            stderr=subprocess.STDOUT,
        )

    def handed_over(self) -> int:
        """The last iteration that our logger was given."""
        text = self._said.read_text() if self._said.exists() else ""
        return int(text or 0)

    def end(self, sent: signal.Signals, at: int) -> None:
        deadline = time.monotonic() + 180
        while self.handed_over() < at:
            assert self.process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        self.process.send_signal(sent)
        self.process.wait(180)


class Said(tune.Callback):
    """Writes down what has been handed over; listed after our logger."""

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)

    def on_trial_result(
        self, iteration: int, trials: Any, trial: Any, result: Any, **info: Any
    ) -> None:
        new = self._folder / "handed_over.new"
        new.write_text(str(result["training_iteration"]))
        new.replace(self._folder / "handed_over")


def main(folder: str, address: str, iterations: int, restore: bool = False) -> None:
    """A training script."""
    ray.init(address=address, logging_level=logging.ERROR, log_to_driver=False)
    report.ROTATE_BYTES = ROTATE_BYTES
    if restore:
        tune.Tuner.restore(f"{folder}/run", train).fit()
        return
    config = {"iterations": iterations, "seconds": 0.02, "checkpoints": True}
    tune.Tuner(
        train,
        param_space={**config, "lr": tune.grid_search([0.5])},
        run_config=tune.RunConfig(
            name="run",
            storage_path=folder,
            verbose=0,
            callbacks=[tbtrace.TraceLoggerCallback(views=[]), Said(folder)],
        ),
    ).fit()


def trial_folder(storage: Path) -> Path:
    (folder,) = (path for path in (storage / "run").iterdir() if path.is_dir())
    return folder


def tags(folder: Path) -> set[str]:
    return {
        value.tag
        for path in event_files(folder)
        for event in EventFileLoader(str(path)).Load()
        for value in event.summary.value
    }


def test_after_ctrl_c_everything_that_was_handed_over_is_there(
    ray_session: None, tmp_path: Path
) -> None:
    address = ray.get_runtime_context().gcs_address
    process = Process(tmp_path, address, iterations=100_000)
    process.end(signal.SIGINT, at=60)
    folder = trial_folder(tmp_path)
    assert len(event_files(folder)) > 5
    assert written(folder) == whole_curve(process.handed_over())
    assert "_hparams_/session_end_info" in tags(folder)
    assert len(copied(folder)) == 1


@pytest.mark.slow
def test_a_run_that_is_killed_and_restored_again_and_again_is_whole(tmp_path: Path) -> None:
    stagings, handed_over, chance = set(), [], random.Random(5)
    for kill in range(4):
        process = Process(tmp_path, "local", iterations=200, restore=kill > 0)
        process.end(signal.SIGKILL, at=30 + 40 * kill + chance.randrange(20))
        handed_over.append(process.handed_over())
        pointer = json.loads((trial_folder(tmp_path) / POINTER).read_text())
        stagings.add(pointer["staging"])
    assert Process(tmp_path, "local", iterations=200, restore=True).process.wait(120) == 0
    folder = trial_folder(tmp_path)
    # Each session of Ray has a staging folder: what Tune had not copied was fetched from there.
    assert len({*stagings, json.loads((folder / POINTER).read_text())["staging"]}) == 5
    values = written(folder)
    backs = [i for i in range(1, len(values)) if values[i][0] <= values[i - 1][0]]
    assert len(backs) == 4
    for first, end in itertools.pairwise([0, *backs, len(values)]):
        assert values[first:end] == whole_curve(200)[values[first][0] - 1 : values[end - 1][0]]
    # What was written when it was killed; the last ones may have been on their way to the writer.
    for back, handed in zip(backs, handed_over, strict=True):
        assert values[back - 1][0] >= handed - 3
    for fast in (True, False):
        with serve(folder, fast=fast) as board:
            assert board.wait_for(lambda b=board: b.scalars(".", LOSS) == whole_curve(200))
