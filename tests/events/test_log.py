"""The event log: lazy opening, session starts, rotation; what TensorBoard's servers show of it."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from boards import empty_board
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard_server import Board

from tbtrace.errors import Problems, TbtraceWarning
from tbtrace.events import summary
from tbtrace.events.file import ClosedFileError, newest_seconds
from tbtrace.events.log import EventLog


def files_in(directory: Path) -> list[Path]:
    return sorted(directory.glob("events.out.tfevents.*"))


def events_in(directory: Path) -> list[Event]:
    """The events of all event files in order of their names, without the versions."""
    events = [event for path in files_in(directory) for event in EventFileLoader(str(path)).Load()]
    return [event for event in events if not event.file_version]


def starts_in(events: list[Event]) -> list[int]:
    return [event.step for event in events if event.session_log.status == SessionLog.START]


def add(log: EventLog, steps: range, tags: str = "a", factor: float = 1.0) -> None:
    for step in steps:
        log.add(summary.scalars(step, dict.fromkeys(tags, step * factor)))


def test_nothing_is_there_before_the_first_flush(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "run", Problems())
    log.flush()
    log.restart(1)
    add(log, range(1, 10))
    assert log.path is None
    assert os.listdir(tmp_path) == []
    log.flush()
    assert files_in(tmp_path / "run") == [log.path]
    assert [event.step for event in events_in(tmp_path / "run")] == [1, *range(1, 10)]
    log.close()


def test_a_log_without_events_leaves_nothing(tmp_path: Path) -> None:
    EventLog(tmp_path / "run", Problems()).close()
    assert os.listdir(tmp_path) == []


def test_close_writes_what_waits_and_ends_it(tmp_path: Path) -> None:
    log = EventLog(tmp_path, Problems())
    add(log, range(1, 4))
    assert not log.closed
    log.close()
    assert log.closed
    log.close()
    log.flush()
    with pytest.raises(ClosedFileError, match="is closed"):
        add(log, range(4, 5))
    with pytest.raises(ClosedFileError, match="is closed"):
        log.restart(4)
    assert len(events_in(tmp_path)) == 3


def test_flush_is_exact_from_several_threads(tmp_path: Path) -> None:
    missing: list[str] = []
    log = EventLog(tmp_path, Problems(), rotate_bytes=2000)

    def write(thread: int) -> None:
        for number in range(50):
            tag = f"thread {thread} value {number};"
            log.add(summary.scalars(number, {tag: 1.0}))
            log.flush()
            if not any(tag.encode() in path.read_bytes() for path in files_in(tmp_path)):
                missing.append(tag)

    threads = [threading.Thread(target=write, args=(thread,)) for thread in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.close()
    assert missing == []
    tags = [event.summary.value[0].tag for event in events_in(tmp_path)]
    assert len(tags) == len(set(tags)) == 200
    for thread in range(4):
        own = [tag for tag in tags if tag.startswith(f"thread {thread} ")]
        assert own == [f"thread {thread} value {number};" for number in range(50)]


def test_much_is_written_without_flush(tmp_path: Path) -> None:
    log = EventLog(tmp_path, Problems())
    for step in range(30):
        log.add(summary.text(step, "a", "x" * 100_000))
    assert log.path is not None
    assert log.path.stat().st_size > 2_000_000
    log.close()


def test_sync_forces_it_onto_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    log = EventLog(tmp_path, Problems())
    log.flush(sync=True)
    add(log, range(1, 2))
    log.flush()
    assert synced == []
    log.flush(sync=True)  # also what was flushed before
    assert len(synced) == 1
    log.close()


def test_the_directory_stays_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    log = EventLog("run", Problems())
    assert log.directory == tmp_path / "run"
    monkeypatch.chdir(tmp_path / "elsewhere")
    add(log, range(1, 2))
    log.close()
    assert len(events_in(tmp_path / "run")) == 1


def test_restart_is_a_session_start_in_the_file(tmp_path: Path) -> None:
    log = EventLog(tmp_path, Problems())
    assert log.start_step == 0
    log.restart(1)
    add(log, range(1, 7))
    log.restart(4)
    assert log.start_step == 4
    log.close()
    assert starts_in(events_in(tmp_path)) == [1, 4]
    assert len(files_in(tmp_path)) == 1


# Rotation


def test_rotated_files_stay_below_the_bound_and_lose_nothing(tmp_path: Path) -> None:
    sealed: list[Path] = []

    def seal(path: Path) -> None:
        assert files_in(tmp_path)[-1] == path, "the next one is there already"
        sealed.append(path)

    log = EventLog(tmp_path, Problems(), rotate_bytes=1000, sealed=seal)
    log.restart(1)
    for step in range(1, 201):
        add(log, range(step, step + 1), "ab")
        log.flush()
    log.close()
    files = files_in(tmp_path)
    assert sealed == files[:-1]
    assert log.path == files[-1]
    assert len(files) > 10
    assert all(500 < path.stat().st_size <= 1000 for path in sealed)
    events = events_in(tmp_path)
    assert starts_in(events) == [1]
    assert [event.step for event in events[1:]] == list(range(1, 201))


def test_small_events_do_not_outgrow_the_bound(tmp_path: Path) -> None:
    # The frames of tiny records are most of their file.
    log = EventLog(tmp_path, Problems(), rotate_bytes=400)
    for _ in range(50):
        for _ in range(8):
            log.add(b"")
        log.flush()
    log.close()
    assert all(path.stat().st_size <= 400 for path in files_in(tmp_path))


def test_one_flush_beyond_the_bound_stays_together(tmp_path: Path) -> None:
    log = EventLog(tmp_path, Problems(), rotate_bytes=1000)
    for steps in (range(1, 3), range(3, 103), range(103, 105), range(105, 107)):
        add(log, steps)
        log.flush()
    log.close()
    counts = [len(list(EventFileLoader(str(path)).Load())) - 1 for path in files_in(tmp_path)]
    assert counts == [2, 100, 4]
    assert [event.step for event in events_in(tmp_path)] == list(range(1, 107))


def test_without_a_bound_there_is_one_file(tmp_path: Path) -> None:
    log = EventLog(tmp_path, Problems())
    for step in range(500):
        add(log, range(step, step + 1))
        log.flush()
    log.close()
    assert len(files_in(tmp_path)) == 1


def test_a_seal_that_raises_is_named_and_the_log_goes_on(tmp_path: Path) -> None:
    def seal(path: Path) -> None:
        raise ValueError("no shelf")

    problems = Problems()
    log = EventLog(tmp_path, problems, rotate_bytes=1000, sealed=seal)
    with pytest.warns(TbtraceWarning, match="storing .* raised ValueError: no shelf"):
        for step in range(1, 30):
            add(log, range(step, step + 1))
            log.flush()
    log.close()
    assert [event.step for event in events_in(tmp_path)] == list(range(1, 30))
    assert problems.take() == {"records": len(files_in(tmp_path)) - 1}


def test_each_new_file_sorts_after_what_lies_elsewhere(tmp_path: Path) -> None:
    elsewhere = iter((4_000_000_000, 4_000_000_500))
    log = EventLog(tmp_path, Problems(), rotate_bytes=200, after=lambda: next(elsewhere))
    for step in (1, 2):
        log.add(summary.text(step, "a", "x" * 150))
        log.flush()
    log.close()
    seconds = [newest_seconds([path.name]) for path in files_in(tmp_path)]
    assert seconds == [4_000_000_001, 4_000_000_501]


# What the servers show


board = empty_board


def session(directory: Path, start: int, steps: range, tags: str, factor: float) -> None:
    log = EventLog(directory, Problems())
    log.restart(start)
    add(log, steps, tags, factor)
    log.close()


CLEAN = [(1, 1.0), (2, 2.0), (3, 3.0), *((step, step * 10.0) for step in range(4, 9))]


def test_going_back_in_a_live_file_gives_clean_curves(board: Board) -> None:
    log = EventLog(board.logdir / "back", Problems())
    log.restart(1)
    add(log, range(1, 7), "ab")
    log.flush()
    board.wait_for(lambda: len(board.scalars("back", "b")) == 6)
    log.restart(4)
    add(log, range(4, 9), "ab", 10.0)
    log.flush()
    board.wait_for(lambda: board.scalars("back", "b")[-1][0] == 8)
    assert board.scalars("back", "a") == board.scalars("back", "b") == CLEAN
    assert len(files_in(log.directory)) == 1
    log.close()


def test_a_session_that_goes_back_gives_clean_curves(board: Board) -> None:
    session(board.logdir / "resumed", 0, range(1, 7), "ab", 1.0)
    session(board.logdir / "resumed", 4, range(4, 9), "ab", 10.0)
    board.wait_for(lambda: board.scalars("resumed", "b")[-1][0] == 8)
    assert board.scalars("resumed", "a") == board.scalars("resumed", "b") == CLEAN


def test_points_of_the_old_session_without_new_ones(board: Board) -> None:
    session(board.logdir / "stale", 1, range(1, 7), "ab", 1.0)
    session(board.logdir / "stale", 4, range(4, 6), "a", 10.0)
    board.wait_for(lambda: board.scalars("stale", "a")[-1] == (5, 50.0))
    assert [step for step, _ in board.scalars("stale", "a")] == [1, 2, 3, 4, 5]
    # The data server ignores the session start: b's points stay until b is written again.
    kept = [1, 2, 3, 4, 5, 6] if board.fast else [1, 2, 3]
    assert [step for step, _ in board.scalars("stale", "b")] == kept


def test_a_first_session_with_a_later_start_keeps_what_is_before(board: Board) -> None:
    session(board.logdir / "restored", 4, range(4, 7), "a", 1.0)
    board.wait_for(lambda: len(board.scalars("restored", "a")) == 3)
    session(board.logdir / "restored", 6, range(6, 8), "a", 10.0)
    board.wait_for(lambda: board.scalars("restored", "a")[-1][0] == 7)
    assert board.scalars("restored", "a") == [(4, 4.0), (5, 5.0), (6, 60.0), (7, 70.0)]


def test_curves_stay_complete_while_files_rotate(board: Board) -> None:
    log = EventLog(board.logdir / "rotated", Problems(), rotate_bytes=600)
    log.restart(1)
    for first in (1, 21, 41):
        for step in range(first, first + 20):
            add(log, range(step, step + 1))
            log.flush()
        expected = [(step, float(step)) for step in range(1, first + 20)]
        board.wait_for(lambda: board.scalars("rotated", "a")[-1][0] == first + 19)  # noqa: B023
        assert board.scalars("rotated", "a") == expected
    assert len(files_in(log.directory)) > 4
    log.close()


def test_going_back_after_rotation_gives_clean_curves(board: Board) -> None:
    log = EventLog(board.logdir / "both", Problems(), rotate_bytes=300)
    for first, last, factor in ((1, 6, 1.0), (4, 8, 10.0)):
        log.restart(first)
        for step in range(first, last + 1):
            add(log, range(step, step + 1), "ab", factor)
            log.flush()
    board.wait_for(lambda: board.scalars("both", "b")[-1][0] == 8)
    assert board.scalars("both", "a") == board.scalars("both", "b") == CLEAN
    assert len(files_in(log.directory)) > 2
    log.close()
