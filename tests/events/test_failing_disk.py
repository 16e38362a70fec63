"""A disk that is full, gone or replaced: training goes on, what is lost is counted, it recovers."""

from __future__ import annotations

import errno
import itertools
import json
import os
import shutil
import stat
import struct
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorboard_server import serve

from tbtrace import Reporting, RunReporter
from tbtrace.errors import Problems, TbtraceWarning
from tbtrace.events import log as event_log
from tbtrace.events import summary
from tbtrace.events.file import EventFile
from tbtrace.events.log import MOST_WAITING, EventLog

_write, _ftruncate = os.write, os.ftruncate


@dataclass
class Disk:
    """What regular files of this process are written to: `free` bytes, then it is full."""

    free: float = float("inf")
    truncates: bool = True

    def write(self, descriptor: int, data: bytes) -> int:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return _write(descriptor, data)
        size = int(min(len(data), self.free))
        if not size and len(data):
            raise OSError(errno.ENOSPC, "No space left on device")
        self.free -= size
        return _write(descriptor, data[:size])

    def ftruncate(self, descriptor: int, length: int) -> None:
        if not self.truncates:
            raise OSError(errno.EIO, "Input/output error")
        freed = os.fstat(descriptor).st_size - length
        _ftruncate(descriptor, length)
        self.free += freed


@contextmanager
def _disk(retry_seconds: float = 0.0) -> Iterator[Disk]:
    disk = Disk()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "write", disk.write)
        patch.setattr(os, "ftruncate", disk.ftruncate)
        patch.setattr(event_log, "_RETRY_SECONDS", retry_seconds)
        yield disk


@pytest.fixture
def disk() -> Iterator[Disk]:
    with _disk() as disk:
        yield disk


def files_in(directory: Path) -> list[Path]:
    return sorted(directory.glob("events.out.tfevents.*"))


def records_in(path: Path, torn_tail: bool = False) -> list[bytes]:
    """The records of a file but its version; it holds nothing else."""
    content, position, records = path.read_bytes(), 0, []
    while position < len(content):
        (length,) = struct.unpack_from("<Q", content, position)
        if len(content) < position + length + 16:
            assert torn_tail, f"a torn record in {path}"
            break
        records.append(content[position + 12 : position + 12 + length])
        position += length + 16
    assert b"brain.Event:2" in records[0]
    return records[1:]


def all_records(directory: Path, torn_tail: bool = False) -> list[bytes]:
    return [record for path in files_in(directory) for record in records_in(path, torn_tail)]


def numbered(count: int, size: int = 100, first: int = 0) -> list[bytes]:
    return [f"{number:08d}".encode().ljust(size) for number in range(first, first + count)]


def put(log: EventLog, records: list[bytes]) -> None:
    for record in records:
        log.add(record)
    log.flush()


# One event file


@pytest.mark.parametrize("free", [0, 1, 13, 150, 399])
def test_a_flush_that_fails_leaves_nothing_of_itself(tmp_path: Path, disk: Disk, free: int) -> None:
    file = EventFile(tmp_path)
    before, after = numbered(3), numbered(5, first=3)
    for record in before:
        file.add(record)
    file.flush()
    for record in after:
        file.add(record)
    disk.free = free
    with pytest.raises(OSError, match="No space left"):
        file.flush()
    assert records_in(file.path) == before
    assert file.path.stat().st_size == file.size
    disk.free = 1e9
    file.close()
    assert records_in(file.path) == before + after


def test_a_first_flush_that_fails_shows_no_file(tmp_path: Path, disk: Disk) -> None:
    file = EventFile(tmp_path)
    disk.free = 30
    with pytest.raises(OSError, match="No space left"):
        file.flush()
    assert files_in(tmp_path) == []
    file.abandon()
    assert os.listdir(tmp_path) == []


def test_nothing_follows_what_cannot_be_cut_off(tmp_path: Path, disk: Disk) -> None:
    file = EventFile(tmp_path)
    file.flush()
    file.add(numbered(1)[0])
    disk.free, disk.truncates = 50, False
    with pytest.raises(OSError, match="No space left"):
        file.flush()
    disk.free = 1e9
    assert file.closed
    size = file.path.stat().st_size
    file.close()
    assert file.path.stat().st_size == size


# The log, on a disk that is full for a while


@pytest.mark.parametrize("free", [0, 1, 13, 150, 399])
def test_it_recovers_in_a_new_file_and_nothing_is_lost(
    tmp_path: Path, disk: Disk, free: int
) -> None:
    problems, sealed = Problems(), []
    log = EventLog(tmp_path, problems, sealed=sealed.append)
    records = numbered(40)
    put(log, records[:10])
    with pytest.warns(TbtraceWarning, match="cannot be written.*No space left") as caught:
        disk.free = free
        for record in records[10:20]:
            put(log, [record] * 1)
        disk.free = 1e9
        put(log, records[20:30])
        disk.free = 0
        put(log, records[30:])
        disk.free = 1e9
        log.close()
    assert len(caught) == 1
    assert [record for path in files_in(tmp_path) for record in records_in(path)] == records
    assert sealed == files_in(tmp_path)[:-1]
    assert len(sealed) == 2
    assert problems.take() == {}


def test_a_new_file_is_tried_once_a_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[float] = []
    now = 100.0

    def refuse(*args: object, **kwargs: object) -> EventFile:
        tried.append(now)
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(event_log, "EventFile", refuse)
    monkeypatch.setattr(event_log, "time", SimpleNamespace(monotonic=lambda: now))
    log = EventLog(tmp_path, Problems())
    with pytest.warns(TbtraceWarning, match="Read-only file system"):
        while now < 102.3:
            put(log, numbered(1))
            now += 0.001
    assert len(tried) == 3
    assert all(0.99 < later - sooner < 1.01 for sooner, later in itertools.pairwise(tried))
    log.close()
    assert len(tried) == 4


def test_tensorboard_shows_all_around_a_torn_record(tmp_path: Path, disk: Disk) -> None:
    log = EventLog(tmp_path / "run", Problems())
    with serve(tmp_path, fast=False) as slow, serve(tmp_path, fast=True) as fast:
        for free, truncates in ((1e9, True), (30, False), (1e9, False), (30, True), (1e9, True)):
            disk.free, disk.truncates = free, truncates
            step = 1 + int(log.start_step)
            log.restart(step)
            put(log, [summary.scalars(step, {"loss": float(step)})])
            if free > 30:
                expected = [(s, float(s)) for s in range(1, step + 1)]
                for board in (slow, fast):
                    board.wait_for(lambda: board.scalars("run", "loss") == expected)  # noqa: B023
    log.close()
    assert len(files_in(tmp_path / "run")) == 3


def test_what_is_whole_before_a_torn_record_is_written_twice(tmp_path: Path, disk: Disk) -> None:
    log = EventLog(tmp_path, Problems())
    records = numbered(6)
    put(log, records[:2])
    disk.free, disk.truncates = 250, False
    with pytest.warns(TbtraceWarning, match="cannot be written"):
        put(log, records[2:])
    disk.free = 1e9
    log.close()
    first, second = (records_in(path, torn_tail=True) for path in files_in(tmp_path))
    assert first == records[:4]
    assert second == records[2:]


# A disk that stays full


def test_what_waits_is_bounded_and_what_is_lost_is_counted(tmp_path: Path, disk: Disk) -> None:
    problems = Problems()
    log = EventLog(tmp_path, problems)
    small = numbered(10)
    put(log, small)
    disk.free = 0
    picture = 500_000
    tracemalloc.start()
    try:
        with pytest.warns(TbtraceWarning, match="cannot be written"):
            for number in range(100):
                put(log, [f"{number:08d}".encode().ljust(picture), *numbered(3, first=number)])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1.3 * MOST_WAITING
    assert sum(len(event) for _, event in log._waiting) <= MOST_WAITING
    disk.free = 1e9
    log.close()
    written = all_records(tmp_path)
    assert len(written) + problems.take()["records"] == 10 + 400
    assert sum(len(record) == 100 for record in written) == 10 + 300, "pictures go first"
    pictures = [int(record[:8]) for record in written if len(record) > 100]
    assert pictures == list(range(100 - len(pictures), 100)), "the oldest goes first"
    assert len(pictures) >= 25


def test_the_oldest_go_when_there_are_no_pictures_and_it_stays_quick(
    tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_log, "_RETRY_SECONDS", 1.0)
    problems = Problems()
    log = EventLog(tmp_path, problems)
    disk.free = 0
    started = time.monotonic()
    log.restart(7)
    with pytest.warns(TbtraceWarning, match="cannot be written"):
        count = 60_000
        for number in range(count):
            put(log, [f"{number:08d}".encode().ljust(400)])
    assert time.monotonic() - started < 60
    disk.free = 1e9
    log.close()
    start, *written = all_records(tmp_path)
    assert len(start) < 30, "the session start stays: without it the curves would be wrong"
    numbers = [int(record[:8]) for record in written]
    assert numbers == list(range(count - len(numbers), count))
    assert len(numbers) * 416 > MOST_WAITING * 0.85
    assert len(numbers) + problems.take()["records"] == count


def test_what_was_written_does_not_count_as_waiting(tmp_path: Path, disk: Disk) -> None:
    problems = Problems()
    log = EventLog(tmp_path, problems)
    records = [*numbered(18, size=1_000_000), *numbered(3, first=18)]
    put(log, records[:18])
    disk.free = 0
    with pytest.warns(TbtraceWarning, match="cannot be written"):
        put(log, records[18:])
    disk.free = 1e9
    log.close()
    assert all_records(tmp_path) == records
    assert problems.take() == {}


def test_close_returns_and_counts_what_still_waits(tmp_path: Path, disk: Disk) -> None:
    problems = Problems()
    log = EventLog(tmp_path, problems)
    put(log, numbered(5))
    disk.free = 250
    with pytest.warns(TbtraceWarning, match="cannot be written") as caught:
        put(log, numbered(7))
        log.add(numbered(1)[0])
        started = time.monotonic()
        log.close()
    assert time.monotonic() - started < 30
    assert len(caught) == 1
    assert log.closed
    assert all_records(tmp_path) == numbered(5)
    assert problems.take() == {"records": 8}


_steps = st.one_of(
    st.tuples(st.just("add"), st.integers(8, 600)),
    st.tuples(st.just("flush"), st.just(0)),
    st.tuples(st.just("free"), st.integers(0, 1500)),
    st.tuples(st.just("heal"), st.just(0)),
)


@settings(max_examples=150, deadline=None)
@given(steps=st.lists(_steps, max_size=60), rotate=st.sampled_from([None, 500, 2000]))
def test_what_is_added_is_written_in_order_or_counted(
    steps: list[tuple[str, int]], rotate: int | None
) -> None:
    problems, added = Problems(), 0
    with (
        tempfile.TemporaryDirectory() as directory,
        pytest.MonkeyPatch.context() as patch,
        _disk() as disk,
    ):
        patch.setattr(event_log, "MOST_WAITING", 3000)
        patch.setattr(event_log, "_SHED_AT_ONCE", 300)
        patch.setattr(event_log, "_BATCH", 1500)
        patch.setattr(event_log, "_PICTURE", 400)
        log = EventLog(directory, problems, rotate_bytes=rotate)
        for what, amount in steps:
            if what == "add":
                log.add(f"{added:08d}".encode().ljust(amount))
                added += 1
            elif what == "flush":
                log.flush()
            else:
                disk.free = amount if what == "free" else 1e9
        log.close()
        numbers = [int(record[:8]) for record in all_records(Path(directory))]
        assert [name for name in os.listdir(directory) if "unfinished" in name] == []
    assert numbers == sorted(set(numbers))
    assert len(numbers) + problems.take().get("records", 0) == added


# Folders


def test_a_removed_folder_is_made_again(tmp_path: Path) -> None:
    problems, sealed = Problems(), []
    log = EventLog(tmp_path / "run", problems, sealed=sealed.append)
    put(log, numbered(5))
    shutil.rmtree(tmp_path / "run")
    with pytest.warns(TbtraceWarning, match="was removed") as caught:
        put(log, numbered(5, first=5))
        log.close()
    assert len(caught) == 1
    assert all_records(tmp_path / "run") == numbered(5, first=5)
    assert sealed == [], "there is nothing to seal"
    assert problems.take() == {}


def test_a_folder_replaced_by_a_file(tmp_path: Path, disk: Disk) -> None:
    problems, run = Problems(), tmp_path / "run"
    log = EventLog(run, problems)
    put(log, numbered(5))
    shutil.rmtree(run)
    run.write_text("mine")
    with pytest.warns(TbtraceWarning, match="cannot be written") as caught:
        put(log, numbered(5, first=5))
        put(log, numbered(5, first=10))
        assert run.read_text() == "mine"
        run.unlink()
        put(log, numbered(5, first=15))
        log.close()
    assert len(caught) == 1
    assert all_records(run) == numbered(15, first=5)
    assert problems.take() == {}


# Disks that are really full


_FSIZE = """
import json, resource, sys, time, warnings
from tbtrace.errors import Problems
from tbtrace.events import summary
from tbtrace.events.log import EventLog
problems = Problems()
log = EventLog(sys.argv[1], problems)
slowest = 0.0
def steps(first, last, pause=0.0):
    global slowest
    for step in range(first, last):
        started = time.monotonic()
        log.add(summary.scalars(step, {"a": float(step)}))
        log.flush()
        slowest = max(slowest, time.monotonic() - started)
        time.sleep(pause)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, resource.RLIM_INFINITY))
    steps(1, 300)
    time.sleep(1.0)
    steps(300, 302)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
    steps(302, 310, 0.15)
    log.close()
print(json.dumps([slowest, len(caught), problems.take()]))
"""


def test_a_limit_of_the_file_size_that_is_raised_again(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _FSIZE, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=True)
    slowest, warned, lost = json.loads(done.stdout)
    assert slowest < 10
    assert warned == 1
    assert lost == {}
    first, *_, last = files_in(tmp_path)
    assert first.stat().st_size <= 2000 < last.stat().st_size
    told = [summary.scalars(step, {"a": float(step)}, 0.0)[9:] for step in range(1, 310)]
    assert [record[9:] for record in all_records(tmp_path)] == told


def test_a_small_tmpfs(tmp_path: Path) -> None:
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(tmp_path)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        ballast = tmp_path / "ballast"
        problems, records = Problems(), numbered(400)
        log = EventLog(tmp_path / "run", problems)
        with _disk(), pytest.warns(TbtraceWarning, match="No space left") as caught:
            put(log, records[:100])
            ballast.write_bytes(bytes(40_000))
            for record in records[100:]:
                put(log, [record])
            ballast.unlink()
            put(log, numbered(1, first=400))
            log.close()
        assert len(caught) == 1
        assert all_records(tmp_path / "run") == numbered(401)
        assert problems.take() == {}
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


_TENSORBOARDX = """
import resource, sys
import tensorboardX
writer = tensorboardX.SummaryWriter(sys.argv[1], flush_secs=0)
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, resource.RLIM_INFINITY))
print("begins", flush=True)
for step in range(1000):
    writer.add_scalar("a", step, step)
print("ends", flush=True)
"""


def test_tensorboardx_itself_hangs_on_a_full_disk(tmp_path: Path) -> None:
    # Why its writer is not used: its thread dies, and then nobody empties its queue.
    command = [sys.executable, "-c", _TENSORBOARDX, str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"begins\n"
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=2)
    finally:
        process.kill()
        process.communicate()


# The reporter


def test_a_reporter_goes_on_and_counts(
    tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    added: list[bytes] = []
    add = EventLog._add

    def spy(log: EventLog, rank: int, event: bytes) -> None:
        added.append(event)
        add(log, rank, event)

    monkeypatch.setattr(EventLog, "_add", spy)
    reporter = RunReporter(tmp_path, Reporting(views=()))
    slowest = 0.0
    with pytest.warns(TbtraceWarning, match="cannot be written") as caught:
        for step in range(1, 201):
            if step == 20:
                assert reporter.flush()
                disk.free = 1000
            started = time.monotonic()
            reporter.report(step, {"loss": float(step), "many": [1.0, 2.0]})
            slowest = max(slowest, time.monotonic() - started)
        assert reporter.flush(120.0)
        assert reporter.dropped == {}, "they wait"
        reporter.close()
    assert slowest < 10
    assert len(caught) == 1
    written = all_records(tmp_path)
    assert written == added[: len(written)]
    assert len(written) > 19 * 2
    assert reporter.dropped == {"records": len(added) - len(written)}


def test_a_reporter_recovers(tmp_path: Path, disk: Disk) -> None:
    reporter = RunReporter(tmp_path, Reporting(views=()))
    with pytest.warns(TbtraceWarning, match="cannot be written"):
        for step in range(1, 101):
            disk.free = 40 if 30 <= step < 60 else 1e9
            reporter.report(step, {"loss": float(step)})
            assert reporter.flush(120.0)
        reporter.close()
    assert reporter.dropped == {}
    losses = [record for record in all_records(tmp_path) if b"\x04loss" in record]
    told = [summary.scalars(step, {"loss": float(step)}, 0.0)[9:] for step in range(1, 101)]
    assert [record[9:] for record in losses] == told
