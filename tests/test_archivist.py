"""The archivist: off the caller's thread, bounded, and nothing lost in silence."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from archive_shapes import walkers
from killing import live_and_be_killed
from moody_storage import Storage
from stand import episode

import tbtrace
from tbtrace import archivist as archivists
from tbtrace.archive.retention import Retention
from tbtrace.archivist import Archivist
from tbtrace.errors import Problems, TbtraceWarning

SECONDS = 60.0
PROMPT = 9.0
"""Seconds; what waits for a storage that hangs takes more."""
TESTS = str(Path(__file__).parent)


@pytest.fixture
def storage() -> Iterator[Storage]:
    storage = Storage()
    yield storage
    storage.goes_on.set()


def archivist(storage: Any, folder: Path, problems: Problems, **options: Any) -> Archivist:
    retention = Retention(**options)
    return Archivist(storage, str(folder), "parquet", retention, problems)


def iterations(folder: Path) -> list[int]:
    return [stored.iteration for stored in tbtrace.open_archive(folder).find()]


def test_what_is_handed_over_is_stored_in_order(storage: Storage, tmp_path: Path) -> None:
    problems = Problems()
    archive = archivist(storage, tmp_path, problems, last=2)
    for iteration in (1, 2, 3):
        archive.put(iteration, [walkers(str(iteration))])
    archive.stop(SECONDS)
    assert iterations(tmp_path) == [2, 3]
    assert problems.take() == {}


def test_a_raising_storage_is_named_once_and_every_lost_episode_counted(
    storage: Storage, tmp_path: Path
) -> None:
    problems = Problems()
    archive = archivist(storage, tmp_path, problems, last=1)
    storage.broken = True
    with pytest.warns(TbtraceWarning, match="the storage is away") as said:
        archive.forget_from(1)
        for iteration in (1, 2):
            archive.put(iteration, [walkers(), walkers()])
        assert archive.drain(SECONDS)
    assert len(said) == 1
    assert problems.take() == {"records": 4}
    storage.broken = False
    archive.put(3, [walkers()])
    archive.stop(SECONDS)
    assert iterations(tmp_path) == [3]
    assert problems.take() == {}


def test_what_lasts_is_kept_and_recalled(storage: Storage, tmp_path: Path) -> None:
    problems = Problems()
    archive = archivist(storage, tmp_path, problems)
    assert archive.recall(100) is None
    archive.put(1, [walkers()], lambda: b"first")
    archive.put(2, [], lambda: b"never asked for")
    assert archive.recall(100) == b"first"
    archive.put(2, [walkers()], lambda: b"second")
    archive.stop(SECONDS)
    assert archivist(storage, tmp_path, problems).recall(100) == b"second"
    assert archivist(storage, tmp_path, problems).recall(3) == b"seco"  # and no more


def test_a_storage_that_recalls_nothing_is_named(
    storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    problems = Problems()
    archive = archivist(storage, tmp_path, problems)
    storage.broken = True
    with pytest.warns(TbtraceWarning, match="the storage is away"):
        assert archive.recall(100) is None
    storage.broken = False
    storage.goes_on.clear()
    archive.put(1, [walkers()])
    monkeypatch.setattr(archivists, "_PATIENCE_SECONDS", 0.01)
    assert archive.recall(100) is None  # and nobody waited for long
    storage.goes_on.set()
    archive.stop(SECONDS)
    assert problems.take() == {}


def test_a_hanging_storage_holds_nobody_up(storage: Storage, tmp_path: Path) -> None:
    problems = Problems()
    archive = archivist(storage, tmp_path, problems)
    storage.goes_on.clear()
    began = time.monotonic()
    for iteration in (1, 2):
        archive.put(iteration, [walkers()] * iteration)
    with pytest.warns(TbtraceWarning, match="not written in time") as said:
        archive.stop(0.2)
    assert time.monotonic() - began < PROMPT
    assert len(said) == 1
    assert problems.take() == {"records": 3}
    archive.put(3, [walkers()])
    assert problems.take() == {"records": 1}


def test_what_waits_is_bounded(
    storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archivists, "MOST_BYTES", 10_000)
    problems = Problems()
    archive = archivist(storage, tmp_path, problems)
    storage.goes_on.clear()
    with pytest.warns(TbtraceWarning, match="is behind: the episodes of iteration") as said:
        for iteration in range(1, 11):
            archive.put(iteration, [walkers()])  # 3,500 bytes each
    assert len(said) == 1
    assert problems.take() == {"records": 8}
    storage.goes_on.set()
    assert archive.drain(SECONDS)
    archive.put(11, [walkers(steps=10_000)])  # more than fits, but nothing else waits
    archive.stop(SECONDS)
    assert iterations(tmp_path) == [1, 2, 11]


def test_a_reporter_on_a_hanging_archive_closes_in_time(
    storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pyarrow.fs.LocalFileSystem", lambda: storage)
    reporter = tbtrace.RunReporter(tmp_path, tbtrace.Reporting(views=()))
    storage.goes_on.clear()
    began = time.monotonic()
    reporter.report(1, {"loss": 1.0}, [episode("a"), episode("b")])
    assert time.monotonic() - began < PROMPT
    assert reporter._writer.drain(SECONDS)
    began = time.monotonic()
    with pytest.warns(TbtraceWarning, match="not written in time"):
        reporter.close(timeout=1.0)
    assert time.monotonic() - began < PROMPT
    assert reporter.dropped == {"records": 2}
    assert [path.name[:6] for path in tmp_path.iterdir()] == ["events"]


def test_the_disk_is_bounded_where_the_context_cannot_be_kept(tmp_path: Path) -> None:
    archive = Archivist(None, str(tmp_path), "parquet", Retention(last=1), Problems())

    def context() -> bytes:
        raise ValueError("no context")

    with pytest.warns(TbtraceWarning, match="no context"):
        for iteration in (1, 2):
            archive.put(iteration, [walkers()], context)
        archive.stop(SECONDS)
    assert iterations(tmp_path) == [2]


def test_a_run_that_goes_back_replaces_what_was_there(tmp_path: Path) -> None:
    for steps, uid in (((1, 2, 3, 4), "old"), ((3,), "new")):  # the second in a restored process
        reporter = tbtrace.RunReporter(tmp_path, tbtrace.Reporting(views=()))
        for step in steps:
            reporter.report(step, {}, [episode(uid)])
        reporter.close()
    found = [(s.iteration, s.summary.uid) for s in tbtrace.open_archive(tmp_path).find()]
    assert found == [(1, "old"), (2, "old"), (3, "new")]


_REPORTS = """
import sys
sys.path.insert(0, sys.argv[3])
from archive_shapes import walkers
from tbtrace import Media, Reporting, RunReporter
import numpy as np
reporter = RunReporter(sys.argv[1], Reporting(views=()))
media = {"m": Media(np.arange(1, dtype=np.int32), (np.random.default_rng(0).random(20_000),))}
for step in range(int(sys.argv[2]), 1_000_000):
    reporter.report(step, {}, [walkers(str(step), seed=step, steps=5_000, media=media)])
    assert reporter.flush(300)
    print(step, flush=True)
"""


@pytest.mark.parametrize("kills", [2, pytest.param(30, marks=pytest.mark.slow)])
def test_a_killed_run_leaves_whole_files_alone(tmp_path: Path, kills: int) -> None:
    chance, first = random.Random(3), 1
    for _ in range(kills):
        left = set((tmp_path / "run").glob("traces/*.unfinished"))
        arguments = (tmp_path / "run", first, TESTS)
        last = live_and_be_killed(_REPORTS, tmp_path / "said", chance.uniform(0.0, 0.3), *arguments)
        assert not any(path.exists() for path in left)
        found = {}
        for one in tbtrace.open_archive(tmp_path).find():  # a warning is an error here
            assert one.load().final == {"shipped": float(one.summary.uid)}
            found[one.iteration] = one.summary.uid
        assert list(found) == list(range(1, len(found) + 1))
        assert len(found) in (last, last + 1)
        first = max(1, last - chance.randrange(3))
