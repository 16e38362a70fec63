"""Shelf on a local folder, and on storage that fails, hangs or is behind."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from moody_storage import Storage

from tbtrace import shelf as shelves
from tbtrace.errors import Problems, TbtraceWarning
from tbtrace.events import summary
from tbtrace.events.file import EventFile, newest_seconds
from tbtrace.shelf import POINTER, Shelf

SECONDS = 60.0


class Trial:
    """The folders of one trial, and a shelf between them."""

    def __init__(self, folder: Path, session: str = "first") -> None:
        self.staging = folder / session / "driver_artifacts" / "trial"
        self.sealed = folder / session / "tbtrace_sealed" / "trial"
        self.stored = folder / "storage" / "trial"
        self.staging.mkdir(parents=True)
        self.storage = Storage()
        self.problems = Problems()
        self.shelf = Shelf(
            self.staging, self.storage, str(self.stored), "s3://bucket/trial", self.problems
        )

    def write(self, events: int = 3) -> EventFile:
        file = EventFile(self.staging, after=self.shelf.prepare())
        for step in range(events):
            file.add(summary.scalars(step, {"loss": 0.5}))
        file.flush()
        return file

    def seal(self) -> tuple[Path, bytes]:
        file = self.write()
        file.close()
        content = file.path.read_bytes()
        self.shelf.seal(file.path)
        return self.stored / file.path.name, content

    def settle(self) -> None:
        assert self.shelf._uploader.drain(SECONDS)

    def end(self, live: Path | None) -> None:
        self.shelf.complete(live)
        self.shelf.close(SECONDS)


def events_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("events*"))


@pytest.fixture
def trial(tmp_path: Path) -> Iterator[Trial]:
    trial = Trial(tmp_path)
    yield trial
    trial.storage.goes_on.set()


def test_a_sealed_file_leaves_staging_at_once_and_is_stored_whole_and_once(trial: Trial) -> None:
    stored, content = trial.seal()
    assert not events_in(trial.staging)
    trial.settle()
    assert stored.read_bytes() == content
    trial.seal()
    trial.settle()
    assert trial.storage.written.count(stored.name) == 1


def test_a_hanging_storage_keeps_nobody_from_sealing(trial: Trial) -> None:
    trial.shelf.prepare()
    trial.storage.goes_on.clear()
    stored, content = trial.seal()
    assert not stored.exists()
    trial.storage.goes_on.set()
    trial.settle()
    assert stored.read_bytes() == content


@pytest.mark.parametrize("by", ["next seal", "complete"])
def test_a_shorter_copy_that_comes_late_is_written_over(trial: Trial, by: str) -> None:
    stored, content = trial.seal()
    trial.settle()
    stored.write_bytes(content[:20])  # Tune was copying what it was before
    if by == "complete":
        trial.end(trial.write().path)
    else:
        trial.seal()
        trial.settle()
    assert stored.read_bytes() == content


def test_sealed_files_are_removed_from_this_machine_when_all_are_stored(trial: Trial) -> None:
    trial.seal()
    trial.seal()
    live = trial.write()
    assert len(events_in(trial.sealed)) == 2
    trial.end(live.path)
    assert not events_in(trial.sealed)
    assert events_in(trial.staging) == [live.path.name]
    assert len(events_in(trial.stored)) == 3


def test_sealed_files_are_removed_in_time(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelves, "_KEPT_SECONDS", 0.0)
    trial.seal()
    trial.settle()
    trial.seal()
    trial.settle()
    assert len(events_in(trial.sealed)) == 1


def test_complete_brings_the_live_file_up_to_date(trial: Trial) -> None:
    file = trial.write()
    trial.end(file.path)
    assert (trial.stored / file.path.name).read_bytes() == file.path.read_bytes()


def test_complete_leaves_a_live_file_alone_that_tune_has_copied(trial: Trial) -> None:
    file = trial.write()
    trial.settle()
    (trial.stored / file.path.name).write_bytes(file.path.read_bytes())
    trial.end(file.path)
    assert file.path.name not in trial.storage.written


def test_a_trial_without_a_file_asks_nothing_of_the_storage(trial: Trial) -> None:
    trial.storage.broken = True
    trial.end(None)
    assert not trial.problems.take()


def test_a_storage_that_is_away_for_a_while_is_named_once_and_tried_again(trial: Trial) -> None:
    trial.shelf.prepare()
    trial.settle()
    trial.storage.broken = True
    with pytest.warns(TbtraceWarning, match="the storage is away") as warned:
        files = [trial.seal() for _ in range(3)]
        trial.settle()
    assert len(warned) == 1
    assert trial.problems.take() == {"records": 3}
    trial.storage.broken = False
    files.append(trial.seal())
    trial.settle()
    for stored, content in files:
        assert stored.read_bytes() == content


def test_one_file_that_cannot_be_stored_does_not_stop_the_others(trial: Trial) -> None:
    trial.seal()
    trial.settle()
    cursed, _ = trial.seal()
    trial.settle()
    cursed.unlink()
    cursed.mkdir()
    with pytest.warns(TbtraceWarning, match="storing event files"):
        stored, content = trial.seal()
        trial.settle()
    assert stored.read_bytes() == content


def test_what_could_not_be_stored_at_the_end_stays_and_is_said(trial: Trial) -> None:
    trial.shelf.prepare()
    trial.settle()
    trial.storage.broken = True
    with pytest.warns(TbtraceWarning) as warned:
        stored, _ = trial.seal()
        live = trial.write()
        trial.end(live.path)
    assert str(trial.sealed) in str(warned[-1].message)
    assert str(trial.staging) in str(warned[-1].message)
    assert events_in(trial.sealed) == [stored.name]


def test_a_storage_that_hangs_does_not_hold_up_the_end(trial: Trial) -> None:
    trial.shelf.prepare()
    trial.settle()
    trial.storage.goes_on.clear()
    stored, _ = trial.seal()
    trial.shelf.complete(None)
    with pytest.warns(TbtraceWarning, match="has not taken") as warned:
        trial.shelf.close(0.2)
    assert str(trial.sealed) in str(warned[0].message)
    assert events_in(trial.sealed) == [stored.name]


def test_a_storage_that_hangs_from_the_start_holds_up_the_first_file_alone(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial.shelf, "_patience", 0.1)
    trial.storage.goes_on.clear()
    with pytest.warns(TbtraceWarning, match="does not answer"):
        assert trial.shelf.prepare() == 0
    assert trial.shelf._patience == 0
    stored, content = trial.seal()
    trial.storage.goes_on.set()
    trial.settle()
    assert stored.read_bytes() == content
    assert trial.shelf.prepare() == newest_seconds([stored.name])


def test_a_storage_that_raises_at_the_start_is_asked_again(trial: Trial) -> None:
    trial.stored.mkdir(parents=True)
    (trial.stored / "events.out.tfevents.4000000000.host").touch()
    trial.storage.broken = True
    with pytest.warns(TbtraceWarning, match="is away"):
        assert trial.shelf.prepare() == 0
        trial.settle()
    trial.storage.broken = False
    assert trial.shelf.prepare() == 4_000_000_000


def test_names_sort_after_what_is_stored_and_after_what_was_sealed(trial: Trial) -> None:
    trial.stored.mkdir(parents=True)
    (trial.stored / "events.out.tfevents.4000000000.host").touch()
    for _ in range(3):
        trial.seal()
    last = trial.write()
    trial.end(last.path)
    names = events_in(trial.stored)
    assert len(names) == 5
    assert names[0].endswith("4000000000.host")
    assert names[-1] == last.path.name
    assert len({newest_seconds([name]) for name in names}) == 5


def test_the_pointer_says_where_everything_is(trial: Trial) -> None:
    trial.shelf.prepare()
    trial.settle()
    pointer = json.loads((trial.staging / POINTER).read_text())
    assert (trial.stored / POINTER).read_bytes() == (trial.staging / POINTER).read_bytes()
    assert pointer["storage"] == "s3://bucket/trial"
    assert pointer["staging"] == str(trial.staging)
    assert pointer["sealed"] == str(trial.sealed)


def killed(trial: Trial) -> tuple[Path, Path]:
    """Leaves one file that is sealed and one that is live, neither of them stored whole."""
    trial.shelf.prepare()
    trial.settle()
    trial.storage.goes_on.clear()
    sealed, _ = trial.seal()
    live = trial.write(events=40)
    (trial.stored / live.path.name).write_bytes(live.path.read_bytes()[:100])
    return trial.sealed / sealed.name, live.path


def test_what_a_killed_process_left_is_stored_by_the_next_session(
    trial: Trial, tmp_path: Path
) -> None:
    left = killed(trial)
    after = Trial(tmp_path, "second")
    newest = after.shelf.prepare()
    after.settle()
    for path in left:
        assert (after.stored / path.name).read_bytes() == path.read_bytes()
        assert newest >= newest_seconds([path.name])


def test_what_two_killed_processes_left_is_stored_by_the_third(
    trial: Trial, tmp_path: Path
) -> None:
    left = killed(trial)
    second = Trial(tmp_path, "second")

    def fail(path: Path) -> None:
        if path.name != POINTER:
            raise OSError("quota")
        Shelf._upload(second.shelf, path)

    second.shelf._upload = fail  # type: ignore[method-assign]
    with pytest.warns(TbtraceWarning, match="quota"):
        left += killed(second)
    third = Trial(tmp_path, "third")
    third.shelf.prepare()
    third.settle()
    for path in left:
        assert (third.stored / path.name).read_bytes() == path.read_bytes()


def test_nothing_is_taken_from_folders_of_another_machine(trial: Trial, tmp_path: Path) -> None:
    sealed, live = killed(trial)
    pointer = trial.stored / POINTER
    places = json.loads(pointer.read_text())
    pointer.write_text(json.dumps({**places, "host": "another"}))
    after = Trial(tmp_path, "second")
    after.shelf.prepare()
    after.settle()
    assert not (after.stored / sealed.name).exists()
    assert (after.stored / live.name).stat().st_size == 100


def test_what_is_longer_in_storage_is_not_replaced(trial: Trial, tmp_path: Path) -> None:
    _, live = killed(trial)
    longer = live.read_bytes() + b"more"
    (trial.stored / live.name).write_bytes(longer)
    after = Trial(tmp_path, "second")
    after.shelf.prepare()
    after.settle()
    assert (after.stored / live.name).read_bytes() == longer


def test_a_pointer_that_cannot_be_read_is_named_and_the_run_goes_on(
    trial: Trial, tmp_path: Path
) -> None:
    trial.stored.mkdir(parents=True)
    (trial.stored / POINTER).write_text("{")
    with pytest.warns(TbtraceWarning, match="JSONDecodeError"):
        stored, content = trial.seal()
        trial.settle()
    assert stored.read_bytes() == content
    assert json.loads((trial.stored / POINTER).read_text())["staging"] == str(trial.staging)


def test_sealing_from_one_thread_and_ending_from_another_loses_nothing(trial: Trial) -> None:
    sealed: list[tuple[Path, bytes]] = []
    thread = threading.Thread(target=lambda: sealed.extend(trial.seal() for _ in range(50)))
    thread.start()
    thread.join()
    live = trial.write()
    trial.end(live.path)
    assert len(sealed) == 50
    for stored, content in sealed:
        assert stored.read_bytes() == content
    assert sorted(set(trial.storage.written)) == sorted(trial.storage.written)
