"""The catalogue: which episodes a run has, from its files' footers, and one episode of them."""

from __future__ import annotations

import json
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Any

import pyarrow as pa

from tbtrace.archive.files import ArchiveError
from tbtrace.archive.notes import Note
from tbtrace.archive.schema import SCHEMA
from tbtrace.board.backdrop import backdrop
from tbtrace.board.faults import Fault, NotFound, TooLarge
from tbtrace.board.footers import Footers, Told, row, sentence, unreadable
from tbtrace.board.found import Archive, File
from tbtrace.board.opened import Parquet, opened
from tbtrace.board.payload import payload
from tbtrace.board.turns import Turns

MOST_EPISODES = 50_000
"""So many a listing has at the most; beyond, only every k-th iteration is listed."""

_KEPT_LISTINGS = 4
_LONG_UID = 100
_LONGEST_LISTING = 16_000_000
_MOST_FILES = 20_000
_MOST_SAID = 5
_READERS = 8
_TRIES = 3
_PAUSE_SECONDS = 0.05


class Catalogue:
    """Lists and reads episodes; what footers said is kept until their files change.

    Used by many threads at once; two of them decode at the same time.

    Args:
        most_episodes: A listing has at the most; one with a very long uid counts as several.

    Attributes:
        turns: Answers of `episode` and `background` are on their way until it is told.
    """

    def __init__(self, most_episodes: int = MOST_EPISODES) -> None:
        self._most_episodes = most_episodes
        self._footers = Footers()
        self._listings: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._lock = threading.Lock()
        self.turns = Turns()

    def warm_up(self) -> None:
        """Has pyarrow import what it imports at its first conversion, which takes a while."""
        pa.array([True]).to_numpy(zero_copy_only=False)

    def listing(self, archive: Archive, known: str = "") -> str:
        """Returns the answer to `episodes`, JSON text.

        Args:
            archive: A run's, as the last scan found it.
            known: The version that the page has.
        """
        if known == archive.version:
            return json.dumps({"version": known, "unchanged": True})
        text = self._kept(archive)
        if text is None:
            with self.turns.turn():
                text = self._kept(archive)  # somebody else may have asked for the same
                if text is None:
                    text = self._listed(archive)
        return text

    def _kept(self, archive: Archive) -> str | None:
        with self._lock:
            return self._listings.get((archive.run, archive.version))

    def episode(self, archive: Archive, split: str, iteration: int, uid: str) -> bytes:
        """Returns the answer to `episode`.

        Raises:
            NotFound: There is none, or it cannot be read.
            TooLarge: It is beyond the bounds.
        """
        file = archive.file(split, iteration)
        if file is None:
            raise NotFound(f"there is no {split} iteration {iteration} in this run (any more)")
        name = os.path.basename(file.path)

        def read() -> bytes:
            with opened(file.path, archive.root) as stream:
                parquet = Parquet(stream)
                told = parquet.notes(name)
                note, row_group = _find(told, uid)
                note = {**note, "split": split, "iteration": iteration}
                if row_group is None:
                    return payload(SCHEMA.empty_table(), note, archive.run)
                return payload(parquet.rows(row_group, note), note, archive.run)

        return self._tried(name, read)

    def background(self, archive: Archive, key: str) -> bytes:
        """Returns the answer to `background`, a PNG file.

        Raises:
            NotFound: There is none, or it cannot be read.
            TooLarge: It is beyond the bounds.
        """
        path = archive.scenes.get(key)
        if path is None:
            raise NotFound("there is no such background in this run (any more)")

        def read() -> bytes:
            with opened(path, archive.root) as stream:
                return backdrop(stream, key)

        return self._tried(os.path.basename(path), read)

    def _tried(self, name: str, read: Callable[[], bytes]) -> bytes:
        """Makes an answer of a file, again where it may just be written by someone else."""
        with self.turns.turn(makes_answer=True):
            for attempt in range(_TRIES):
                try:
                    content = read()
                    self.turns.leaves(len(content))
                    return content
                except (Fault, MemoryError):
                    raise
                except FileNotFoundError:
                    raise NotFound(f"{name} is gone") from None
                except ArchiveError as error:
                    raise NotFound(sentence(str(error))) from error
                except Exception as error:
                    if attempt == _TRIES - 1:
                        raise NotFound(unreadable(name, error)) from error
                    time.sleep(_PAUSE_SECONDS)
        raise AssertionError

    def _listed(self, archive: Archive) -> str:
        """Returns the listing, and keeps it where it stays right as long as the version does."""
        numbers = sorted({file.iteration for file in archive.files})
        thinned = 1 + len(archive.files) // _MOST_FILES
        while True:
            wanted = {*numbers[::-thinned]}  # the newest is among them
            files = [file for file in archive.files if file.iteration in wanted]
            read = self._read(archive, files)
            if read is not None:
                break
            if len(wanted) == 1:
                raise TooLarge("the newest iteration has more episodes than the board lists")
            thinned *= 2
        lasting = not any(told.fault is not None for told in read)
        # A version that no archive has: whoever has this listing will get another one.
        version = archive.version if lasting else f"{archive.version}?"
        text = _columns(version, thinned, files, read)
        if lasting and len(text) <= _LONGEST_LISTING:
            with self._lock:
                self._listings[archive.run, archive.version] = text
                while len(self._listings) > _KEPT_LISTINGS:
                    self._listings.popitem(last=False)
        return text

    def _read(self, archive: Archive, files: list[File]) -> list[Told] | None:
        """Returns what the files tell, or None where there are too many episodes."""
        found: list[Told] = []
        episodes = 0
        with ThreadPoolExecutor(_READERS) as readers:
            for first in range(0, len(files), _READERS * _READERS):
                part = files[first : first + _READERS * _READERS]
                found += readers.map(lambda file: self._footers.told(file, archive.root), part)
                rows = chain.from_iterable(told.rows for told in found[first:])
                episodes += sum(1 + len(uid) // _LONG_UID for uid, *_ in rows)
                if episodes > self._most_episodes:
                    return None
        return found


def _find(told: list[Note], uid: str) -> tuple[Note, int | None]:
    """Returns the note of an episode, and its row group where it has rows."""
    row_group = 0
    for note in told:
        if note["uid"] == uid:
            row(note)
            return note, row_group if note["rows"] else None
        row_group += bool(note["rows"])
    raise NotFound("there is no such episode in this iteration (any more)")


def _columns(version: str, thinned: int, files: list[File], read: list[Told]) -> str:
    counts = [len(told.rows) for told in read]
    rows = [*chain.from_iterable(told.rows for told in read)]
    uids, returns, lengths, steps, entities = zip(*rows, strict=True) if rows else ((),) * 5
    faults = [told.fault for told in read if told.fault]
    answer: dict[str, Any] = {
        "version": version,
        "unchanged": False,
        "thinned": thinned,
        "unreadable": faults[:_MOST_SAID],
        "iteration": _repeated([file.iteration for file in files], counts),
        "split": _repeated([file.split for file in files], counts),
        "uid": uids,
        "return": returns,
        "length": lengths,
        "envSteps": steps,
        "entities": entities,
    }
    return json.dumps(answer, allow_nan=False, separators=(",", ":"))


def _repeated(values: list[int], counts: list[int]) -> list[int]:
    return [
        value for value, count in zip(values, counts, strict=True) for value in (value,) * count
    ]
