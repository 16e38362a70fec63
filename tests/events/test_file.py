from __future__ import annotations

import itertools
import os
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c
from tensorboard_server import Board, serve

from tbtrace.errors import TbtraceError
from tbtrace.events import file as event_files
from tbtrace.events.file import ClosedFileError, EventFile, newest_seconds
from tbtrace.events.summary import scalars


def events_in(path: Path) -> list[Event]:
    return list(EventFileLoader(str(path)).Load())


def records_in(path: Path) -> Iterator[tuple[bytes, bytes, bytes, bytes]]:
    content = path.read_bytes()
    while content:
        (length,) = struct.unpack_from("<Q", content)
        size = 8 + 4 + length + 4
        record, content = content[:size], content[size:]
        assert len(record) == size, "a torn record"
        yield record[:8], record[8:12], record[12:-4], record[-4:]


@pytest.mark.parametrize("size", [0, 1, 7, 8, 9000, 1_000_000])
def test_records_are_framed_as_tensorboard_frames_them(tmp_path: Path, size: int) -> None:
    data = bytes(range(256)) * (size // 256) + b"\xff" * (size % 256)
    with EventFile(tmp_path) as file:
        file.add(data)
    *_, (length, length_crc, body, body_crc) = records_in(file.path)
    assert body == data
    assert length_crc == struct.pack("<I", masked_crc32c(length))
    assert body_crc == struct.pack("<I", masked_crc32c(data))


@pytest.mark.parametrize("start_step", [0, 7])
def test_begins_with_version_and_session_start(tmp_path: Path, start_step: int) -> None:
    before = time.time()
    with EventFile(tmp_path, start_step=start_step) as file:
        file.add(scalars(start_step, {"a": 1.0}))
    version, start, first = events_in(file.path)
    assert version.file_version == "brain.Event:2"
    assert start.session_log.status == SessionLog.START
    assert start.step == start_step
    assert before <= version.wall_time == start.wall_time <= time.time()
    assert first.summary.value[0].tag == "a"


def test_flush_is_exact_from_several_threads(tmp_path: Path) -> None:
    missing: list[str] = []
    file = EventFile(tmp_path)

    def write(thread: int) -> None:
        for number in range(50):
            tag = f"thread {thread} value {number};"
            file.add(scalars(number, {tag: 1.0}))
            file.flush()
            if tag.encode() not in file.path.read_bytes():
                missing.append(tag)

    threads = [threading.Thread(target=write, args=(thread,)) for thread in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert missing == []
    tags = [event.summary.value[0].tag for event in events_in(file.path)[2:]]
    assert len(tags) == len(set(tags)) == 200
    file.close()


def test_close_brings_the_rest_into_the_file(tmp_path: Path) -> None:
    file = EventFile(tmp_path)
    file.add(scalars(1, {"a": 1.0}))
    file.close()
    assert len(events_in(file.path)) == 3


def test_a_closed_file_takes_nothing_more(tmp_path: Path) -> None:
    file = EventFile(tmp_path)
    assert not file.closed
    file.close()
    file.close()
    file.flush()
    assert file.closed
    size = file.path.stat().st_size
    with pytest.raises(ClosedFileError, match=r"is closed; open a new EventFile") as raised:
        file.add(b"")
    assert isinstance(raised.value, TbtraceError)
    assert file.path.stat().st_size == size


@pytest.mark.parametrize(
    "there",
    [
        "events.out.tfevents.1600000000.host",
        "events.out.tfevents.4000000000.host",
        "events.out.tfevents.4000000000.zzz.999999999.99.v2",
        "events.out.tfevents.4000000000",
        "events.out.tfevents.4000000000123.milliseconds",
        "events.out.tfevents.42.short",
        "events.out.tfevents.9.short",
    ],
)
def test_sorts_after_every_event_file_in_the_directory(tmp_path: Path, there: str) -> None:
    (tmp_path / there).write_bytes(b"")
    files = [EventFile(tmp_path) for _ in range(3)]
    names = [file.path.name for file in files]
    assert sorted(os.listdir(tmp_path)) == [there, *names]
    for file in files:
        file.close()


def test_other_files_and_runs_below_do_not_count(tmp_path: Path) -> None:
    (tmp_path / "result.json").touch()
    (tmp_path / "events.out.tfevents.none.host").touch()
    EventFile(tmp_path / "below").close()
    assert newest_seconds(tmp_path) == 0


def test_name_has_fixed_widths(tmp_path: Path) -> None:
    before = int(time.time())
    with EventFile(tmp_path) as file:
        prefix, seconds, rest = file.path.name[:20], file.path.name[20:30], file.path.name[30:]
    _, pid, number = rest.rsplit(".", 2)
    assert prefix == "events.out.tfevents."
    assert before <= int(seconds) <= int(time.time())
    assert pid == f"{os.getpid():010d}"
    assert len(number) == 6


def test_never_appends_to_a_file_that_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_files, "newest_seconds", lambda directory: 4_000_000_000)
    monkeypatch.setattr(event_files, "_files_of_this_process", itertools.repeat(5))
    with EventFile(tmp_path) as file:
        file.add(scalars(1, {"a": 1.0}))
    content = file.path.read_bytes()
    with pytest.raises(FileExistsError):
        EventFile(tmp_path)
    assert file.path.read_bytes() == content


def test_makes_the_directory(tmp_path: Path) -> None:
    with EventFile(str(tmp_path / "experiment" / "trial")) as file:
        assert file.path.parent == tmp_path / "experiment" / "trial"


def test_imports_neither_numpy_nor_what_is_slow() -> None:
    code = (
        "import sys, tbtrace.events.file\n"
        "print('numpy' in sys.modules)\n"
        "import tbtrace.events.summary\n"
        "print([n for n in ('ray', 'torch', 'tensorboardX', 'tensorflow') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.split("\n")[:2] == ["False", "[]"]


@pytest.fixture(scope="module", params=[False, True], ids=["slow", "fast"])
def board(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Board]:
    with serve(tmp_path_factory.mktemp("logdir"), fast=request.param) as board:
        yield board


def write(directory: Path, start_step: int, steps: range, tags: str, factor: float) -> None:
    with EventFile(directory, start_step=start_step) as file:
        for step in steps:
            file.add(scalars(step, dict.fromkeys(tags, step * factor)))


def test_a_session_that_goes_back_gives_clean_curves(board: Board) -> None:
    write(board.logdir / "resumed", 0, range(1, 7), "ab", 1.0)
    write(board.logdir / "resumed", 4, range(4, 9), "ab", 10.0)
    clean = [(1, 1.0), (2, 2.0), (3, 3.0), *((step, step * 10.0) for step in range(4, 9))]
    board.wait_for(lambda: board.scalars("resumed", "b")[-1][0] == 8)
    assert board.scalars("resumed", "a") == clean
    assert board.scalars("resumed", "b") == clean


def test_points_of_the_old_session_without_new_ones(board: Board) -> None:
    write(board.logdir / "stale", 0, range(1, 7), "ab", 1.0)
    write(board.logdir / "stale", 4, range(4, 6), "a", 10.0)
    board.wait_for(lambda: board.scalars("stale", "a")[-1] == (5, 50.0))
    assert [step for step, _ in board.scalars("stale", "a")] == [1, 2, 3, 4, 5]
    # The data server ignores the session start: b's points stay until b is written again.
    kept = [1, 2, 3, 4, 5, 6] if board.fast else [1, 2, 3]
    assert [step for step, _ in board.scalars("stale", "b")] == kept


def test_a_first_file_with_a_later_start_keeps_what_is_before(board: Board) -> None:
    write(board.logdir / "restored", 4, range(4, 7), "a", 1.0)
    board.wait_for(lambda: len(board.scalars("restored", "a")) == 3)
    write(board.logdir / "restored", 6, range(6, 8), "a", 10.0)
    board.wait_for(lambda: board.scalars("restored", "a")[-1][0] == 7)
    assert board.scalars("restored", "a") == [(4, 4.0), (5, 5.0), (6, 60.0), (7, 70.0)]


def test_what_is_flushed_shows_while_the_file_is_open(board: Board) -> None:
    with EventFile(board.logdir / "live") as file:
        for step in (1, 2):
            file.add(scalars(step, {"a": float(step)}))
            file.flush()
            board.wait_for(lambda step=step: len(board.scalars("live", "a")) == step)
    assert board.scalars("live", "a") == [(1, 1.0), (2, 2.0)]
