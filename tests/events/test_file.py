"""One event file: what is in it, what it is called, and what a server shows of it."""

from __future__ import annotations

import itertools
import os
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from boards import empty_board
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c
from tensorboard_server import Board

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


def test_begins_with_the_version_alone(tmp_path: Path) -> None:
    before = time.time()
    with EventFile(tmp_path) as file:
        file.add(scalars(7, {"a": 1.0}))
    version, first = events_in(file.path)
    assert version.file_version == "brain.Event:2"
    assert version.step == 0
    assert before <= version.wall_time <= time.time()
    assert first.summary.value[0].tag == "a"


def test_flush_is_exact(tmp_path: Path) -> None:
    with EventFile(tmp_path) as file:
        for number in range(1, 51):
            file.add(scalars(number, {"a": 1.0}))
            file.add(scalars(number, {"b": 1.0}))
            file.flush(sync=number == 7)
            assert len(list(records_in(file.path))) == 1 + 2 * number
            assert file.size == file.path.stat().st_size


def test_there_is_no_file_before_the_first_flush(tmp_path: Path) -> None:
    file = EventFile(tmp_path)
    file.add(scalars(1, {"a": 1.0}))
    # TensorBoard takes everything for an event file that has this in its name.
    assert not [name for name in os.listdir(tmp_path) if "tfevents" in name]
    assert file.size == 0
    file.flush()
    assert os.listdir(tmp_path) == [file.path.name]
    file.close()


def test_what_is_added_waits_for_flush(tmp_path: Path) -> None:
    file = EventFile(tmp_path)
    file.flush()
    size = file.path.stat().st_size
    file.add(bytes(1_000_000))
    assert file.path.stat().st_size == file.size == size
    file.close()
    assert file.path.stat().st_size > size + 1_000_000


def test_an_abandoned_file_that_holds_nothing_is_gone(tmp_path: Path) -> None:
    file = EventFile(tmp_path)
    file.add(scalars(1, {"a": 1.0}))
    file.abandon()
    assert file.closed
    assert os.listdir(tmp_path) == []


def test_an_abandoned_file_keeps_what_was_flushed(tmp_path: Path) -> None:
    file = EventFile(tmp_path)
    file.add(scalars(1, {"a": 1.0}))
    file.flush()
    file.add(scalars(2, {"a": 1.0}))
    file.abandon()
    assert [event.step for event in events_in(file.path)] == [0, 1]


def test_close_brings_the_rest_into_the_file(tmp_path: Path) -> None:
    file = EventFile(tmp_path)
    file.add(scalars(1, {"a": 1.0}))
    file.close()
    assert len(events_in(file.path)) == 2


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
    for file in files:
        file.flush()
    names = [file.path.name for file in files]
    assert sorted(os.listdir(tmp_path)) == [there, *names]
    for file in files:
        file.close()


def test_sorts_after_what_lies_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "events.out.tfevents.4000000000.host").touch()
    with EventFile(tmp_path, after=4_000_000_007) as file:
        assert newest_seconds([file.path.name]) == 4_000_000_008
    with EventFile(tmp_path, after=5) as file:
        assert newest_seconds([file.path.name]) == 4_000_000_009


def test_other_names_do_not_count() -> None:
    names = ["result.json", "events.out.tfevents.none.host", "x.events.out.tfevents.5", ""]
    assert newest_seconds(names) == newest_seconds([]) == 0


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
    monkeypatch.setattr(event_files, "newest_seconds", lambda names: 4_000_000_000)
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


def test_imports_nothing_that_is_slow() -> None:
    code = (
        "import sys, tbtrace.events.log\n"
        "slow = ('ray', 'torch', 'tensorboard', 'tensorboardX', 'tensorflow', 'google.protobuf')\n"
        "print([name for name in slow if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"


board = empty_board


def test_what_is_flushed_shows_while_the_file_is_open(board: Board) -> None:
    with EventFile(board.logdir / "live") as file:
        for step in (1, 2):
            file.add(scalars(step, {"a": float(step)}))
            file.flush()
            board.wait_for(lambda step=step: len(board.scalars("live", "a")) == step)
    assert board.scalars("live", "a") == [(1, 1.0), (2, 2.0)]
