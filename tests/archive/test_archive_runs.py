"""The archive of real Tune runs, in a folder and in a bucket."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from archive_shapes import assert_same, walkers
from bucket import bucket
from pyarrow import fs
from ray import tune
from scripted import MARK, Witness, config, emitted

import tbtrace
from tbtrace.archive.reader import Archive, ArchiveError
from tbtrace.archive.store import Store
from tbtrace.episode import Media, Scene
from tbtrace.shelf import POINTER

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

ITERATIONS = 3


def fit(log: Path, storage: str, filesystem: Any = None) -> tune.Result:
    log.mkdir()
    parameters = config(log, [tbtrace.EpisodeRecorder, Witness], env_runners=0)
    grid = tune.Tuner(
        "PPO",
        param_space=parameters,
        run_config=tune.RunConfig(
            name="run",
            storage_path=storage,
            storage_filesystem=filesystem,
            stop={"training_iteration": ITERATIONS},
            verbose=0,
            callbacks=[tbtrace.TraceLoggerCallback(views=[])],
        ),
    ).fit()
    assert not grid.errors
    return grid[0]


def assert_holds_what_ended(archive: Archive, log: Path) -> None:
    returns = {
        (episode["split"], round(episode["return"], 6), episode["length"])
        for episode in emitted(log).values()
    }
    found = [*archive.find()]
    assert {(one.split, one.iteration) for one in found} == {
        *(("train", iteration) for iteration in range(1, ITERATIONS + 1)),
        ("evaluation", 2),
    }
    for one in found:
        episode = one.load()
        assert episode.iteration == one.iteration
        assert (one.split, round(episode.episode_return, 6), episode.length) in returns
        assert (episode.traces["traces"]["robot"].points[:, 0] == np.float32(MARK)).all()


def test_the_archive_of_a_tune_run_is_in_the_storage_path(
    ray_session: None, tmp_path: Path
) -> None:
    result = fit(tmp_path / "log", str(tmp_path / "storage"))
    staging = Path(json.loads(Path(result.path, POINTER).read_text())["staging"])
    assert not (staging / "traces").exists()
    assert_holds_what_ended(tbtrace.open_archive(result.path), tmp_path / "log")
    (run,) = tbtrace.open_archive(tmp_path / "storage").files()
    assert run == f"run/{Path(result.path).name}"


def test_the_archive_of_a_tune_run_is_in_a_bucket(ray_session: None, tmp_path: Path) -> None:
    with bucket() as (storage, _):
        result = fit(tmp_path / "log", "bucket/folder", storage)
        archive = tbtrace.open_archive(result.path, filesystem=storage)
        assert_holds_what_ended(archive, tmp_path / "log")


def test_a_uri_of_a_bucket_is_opened(tmp_path: Path) -> None:
    media = {"f": Media(np.zeros(1, np.int32), (np.ones((2, 2)),))}
    episode = walkers(media=media, scene=Scene(np.zeros((2, 2, 3), np.uint8)))
    with bucket() as (storage, address):
        for iteration in (1, 2):
            Store(storage, "bucket/exp/run").write(iteration, [episode])
        Store(storage, "bucket/exp/run").forget_from(2)
        uri = f"s3://x:x@bucket/exp?endpoint_override={address}&scheme=http&region=us-east-1"
        archive = tbtrace.open_archive(uri)
        assert list(archive.files()) == ["run"]
        (found,) = archive.episodes()
        assert_same(found, episode)
        names = storage.get_file_info(fs.FileSelector("bucket/exp/run/traces"))
        assert len(names) == 3
        with pytest.raises(ArchiveError, match="no such folder"):
            tbtrace.open_archive("bucket/none", filesystem=storage)
