"""Store and reader together: what is written is what is read."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from archive_shapes import assert_same, episodes, walkers
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow.fs import LocalFileSystem

import tbtrace
from tbtrace.archive.retention import Retention
from tbtrace.archive.store import Store
from tbtrace.episode import Episode, Media, Scene, Trace
from tbtrace.errors import Problems, TbtraceWarning
from tbtrace.stats import summarise


def store(folder: Path | str, **options: Any) -> Store:
    return Store(LocalFileSystem(), str(folder), **options)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "traces").iterdir())


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(episodes(), max_size=3))
def test_what_is_written_is_read(given_episodes: list[Episode]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store(folder).write(7, given_episodes)
        stored = [*tbtrace.open_archive(folder).find()]
        found = [one.load() for one in stored]
    ordered = sorted(given_episodes, key=lambda episode: episode.split == "evaluation")
    assert len(found) == len(ordered)
    for one, episode, other in zip(stored, found, ordered, strict=True):
        assert_same(episode, other)
        assert_same(one.summary, summarise(other))
        assert one.groups == {group: len(traces) for group, traces in other.traces.items()}


def test_a_name_is_never_a_path(tmp_path: Path) -> None:
    trace = {"../x": {"../../y": Trace(np.zeros(1, np.int32), np.zeros((1, 2)))}}
    media = {"../z": Media(np.zeros(1, np.int32), (np.zeros(2),))}
    given_episode = Episode("../uid", 1, 0.0, traces=trace, media=media)
    store(tmp_path / "run").write(1, [given_episode])
    assert {path.name for path in tmp_path.rglob("*")} == {
        "run",
        "traces",
        "train-000001.parquet",
        "train-000001.npz",
    }


def test_an_episode_from_outside_of_rllib_takes_the_reported_iteration(tmp_path: Path) -> None:
    store(tmp_path).write(3, [Episode("a", 1, 0.0)])
    (found,) = tbtrace.open_archive(tmp_path).episodes()
    assert (found.split, found.iteration) == ("train", 3)


def test_the_reported_iteration_names_the_file(tmp_path: Path) -> None:
    archive = store(tmp_path)
    for iteration in (1, 2):
        archive.write(iteration, [walkers(iteration=1)])
    assert names(tmp_path) == ["train-000001.parquet", "train-000002.parquet"]


def test_numbers_of_numpy_are_numbers(tmp_path: Path) -> None:
    number: Any = np.int64(3)
    store(tmp_path).write(1, [Episode("a", number, np.float32(0.5), final={"n": number})])
    (found,) = tbtrace.open_archive(tmp_path).episodes()
    assert (found.length, found.episode_return, found.final) == (3, 0.5, {"n": 3.0})


def test_points_that_are_ints_are_points(tmp_path: Path) -> None:
    points: Any = np.arange(4).reshape(2, 2)
    trace = Trace(np.arange(2, dtype=np.int32), points)
    store(tmp_path).write(1, [Episode("a", 1, 0.0, traces={"g": {"e": trace}})])
    (found,) = tbtrace.open_archive(tmp_path).episodes()
    assert_same(found.traces["g"]["e"].points, points.astype(np.float64))


@pytest.mark.parametrize(("centre", "exact"), [(0.0, False), (10.0, False), (5e6, True)])
def test_float32_moves_no_point_by_a_millionth_of_the_span(
    tmp_path: Path, centre: float, exact: bool
) -> None:
    chance = np.random.default_rng(0)
    points = centre + chance.random((100, 2)) * 50
    trace = Trace(np.arange(100, dtype=np.int32), points)
    store(tmp_path).write(1, [Episode("a", 100, 0.0, traces={"g": {"e": trace}})])
    (found,) = tbtrace.open_archive(tmp_path).episodes()
    assert np.abs(found.traces["g"]["e"].points - points).max() < 50e-6
    (row,) = pq.read_table(tmp_path / "traces/train-000001.parquet").to_pylist()
    assert row["x"] == points[:, 0].astype(np.float32).tolist()
    assert row["values"] == (points.ravel().tolist() if exact else None)


@pytest.mark.parametrize("far", [(math.inf, 5e6 + 0.3), (-1.7e308, 1.7e308)])
def test_points_of_a_group_without_a_span_are_exact(
    tmp_path: Path, far: tuple[float, float]
) -> None:
    trace = Trace(np.arange(2, dtype=np.int32), np.array([(far[0], 0.1), (far[1], 0.2)]))
    store(tmp_path).write(1, [Episode("a", 2, 0.0, traces={"g": {"e": trace}})])
    (found,) = tbtrace.open_archive(tmp_path).episodes()
    assert_same(found.traces["g"]["e"].points, trace.points)


def test_objects_in_media_are_named_counted_and_left_out(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> Any:
            raise AssertionError("pickled")

    arrays = (np.array([Bomb()], object), np.ones(2), np.array([{}], object))
    media = {"a": Media(np.arange(3, dtype=np.int32), arrays), "b": Media(np.zeros(1), arrays[:1])}
    problems = Problems()
    with pytest.warns(TbtraceWarning, match=r"media '[ab]' holds") as said:
        store(tmp_path, problems=problems).write(1, [Episode("a", 1, 0.0, media=media)])
    assert len(said) == 2
    assert problems.take() == {"values": 3}
    (found,) = tbtrace.open_archive(tmp_path).episodes()
    assert list(found.media) == ["a"]
    assert_same(found.media["a"], Media(np.array([1], np.int32), (np.ones(2),)))


def test_a_background_is_written_once_and_goes_with_the_last_that_needs_it(tmp_path: Path) -> None:
    scenes = [Scene(np.full((2, 2, 3), value, np.uint8)) for value in (1, 2)]
    keep = Retention(last=2)
    for iteration, scene in enumerate([scenes[0], scenes[0], scenes[1]], 1):
        # Each time another process: none knows what the others wrote.
        archive = store(tmp_path, retention=keep)
        archive.write(iteration, [walkers(scene=scene), walkers("b", scene=scene)])
        archive.tidy()
        assert len([name for name in names(tmp_path) if "scene" in name]) == 1 + (iteration == 3)
    archive = store(tmp_path, retention=keep)
    archive.write(4, [walkers(scene=scenes[1])])
    archive.tidy()
    assert len([name for name in names(tmp_path) if "scene" in name]) == 1
    for episode in tbtrace.open_archive(tmp_path).episodes():
        assert episode.scene is not None
        assert_same(episode.scene, scenes[1])


def test_a_background_that_comes_again_is_written_again(tmp_path: Path) -> None:
    scene = Scene(np.zeros((2, 2, 3), np.uint8))
    archive = store(tmp_path, retention=Retention(last=1))
    for iteration, its in enumerate([scene, None, scene], 1):
        archive.write(iteration, [walkers(scene=its)])
        archive.tidy()
        (found,) = tbtrace.open_archive(tmp_path).episodes()
        assert (found.scene is None) == (its is None)
    assert_same(found.scene, scene)


def test_an_iteration_that_runs_again_replaces_its_file(tmp_path: Path) -> None:
    archive = store(tmp_path)
    for iteration in (1, 2, 3):
        archive.write(iteration, [walkers("old"), walkers("old", split="evaluation")])
    again = store(tmp_path)  # a restored process
    again.forget_from(2)
    assert names(tmp_path) == ["evaluation-000001.parquet", "train-000001.parquet"]
    again.write(2, [walkers("new")])
    found = [
        (one.iteration, one.split, one.summary.uid) for one in tbtrace.open_archive(tmp_path).find()
    ]
    assert found == [(1, "train", "old"), (1, "evaluation", "old"), (2, "train", "new")]


@pytest.mark.parametrize("kind", ["parquet", "json"])
def test_what_was_left_unfinished_goes_when_the_run_goes_on(tmp_path: Path, kind: str) -> None:
    archive = store(tmp_path, kind=kind)
    archive.write(1, [walkers()])
    (whole,) = (path for path in tmp_path.rglob("*") if path.is_file())
    left = whole.with_name(f"{whole.name}.unfinished")
    left.write_bytes(b"half")
    other = whole.with_name("mine.unfinished")
    other.write_bytes(b"not ours")
    store(tmp_path, kind=kind).forget_from(2)
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == {whole, other}


class Full(LocalFileSystem):
    """A disk that is full now and then."""

    full = False

    def open_output_stream(self, *args: Any, **options: Any) -> Any:
        stream = super().open_output_stream(*args, **options)
        if self.full:
            stream.write(b"half")
            stream.close()
            raise OSError("no space left")
        return stream

    def delete_file(self, path: str) -> None:
        if self.full and not path.endswith(".unfinished"):
            raise OSError("busy")
        super().delete_file(path)


def test_a_full_disk_leaves_the_old_file_and_no_half_one(tmp_path: Path) -> None:
    disk = Full()
    archive = Store(disk, str(tmp_path))
    archive.write(1, [walkers("old")])
    disk.full = True
    with pytest.raises(OSError, match="no space"):
        archive.write(1, [walkers("new")])
    assert names(tmp_path) == ["train-000001.parquet"]
    assert [one.summary.uid for one in tbtrace.open_archive(tmp_path).find()] == ["old"]


def test_what_could_not_be_forgotten_is_before_the_next_write(tmp_path: Path) -> None:
    disk = Full()
    archive = Store(disk, str(tmp_path))
    for iteration in (1, 2, 3):
        archive.write(iteration, [walkers("old")])
    disk.full = True
    with pytest.raises(OSError, match="busy"):
        archive.forget_from(2)
    disk.full = False
    archive.write(2, [walkers("new")])
    found = [(one.iteration, one.summary.uid) for one in tbtrace.open_archive(tmp_path).find()]
    assert found == [(1, "old"), (2, "new")]
