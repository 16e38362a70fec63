"""Footers: what the files of archives say of their episodes, kept until the files change."""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from typing import NamedTuple

from tbtrace.archive.files import ArchiveError
from tbtrace.archive.notes import Note
from tbtrace.board.found import File
from tbtrace.board.opened import Parquet, opened
from tbtrace.board.payload import finite

_KEPT_LETTERS = 64_000_000
_YOUNG_SECONDS = 10.0
_LONGEST_UID = 1000
_MOST_NUMBER = 1 << 53
_MOST_LETTERS = 300

Row = tuple[str, float | None, int, int, int]
"""Of an episode: uid, return, length, env steps, entities."""


class Told(NamedTuple):
    """What a file's footer tells: rows, or why there are none (empty: it is gone)."""

    rows: tuple[Row, ...]
    fault: str | None = None


class Footers:
    """Reads footers; used by many threads at once. What is kept takes some 64 MB at the most."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, int, int], Told] = OrderedDict()
        self._letters = 0
        self._lock = threading.Lock()

    def told(self, file: File, root: str) -> Told:
        """Returns what a file tells; nothing is raised.

        Args:
            file: As a scan found it.
            root: The folder that it must lie in.
        """
        key = (file.path, file.mtime_ns, file.size)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        told, lasting = _read_file(file, root)
        if lasting:
            with self._lock:
                if key not in self._kept:
                    self._kept[key] = told
                    self._letters += _letters(told)
                while self._letters > _KEPT_LETTERS:
                    _, gone = self._kept.popitem(last=False)
                    self._letters -= _letters(gone)
        return told


def _read_file(file: File, root: str) -> tuple[Told, bool]:
    """Returns what a file tells, and whether it will tell the same until it changes."""
    name = os.path.basename(file.path)
    try:
        with opened(file.path, root) as stream:
            rows = tuple(row(note) for note in Parquet(stream).notes(name))
            told = os.fstat(stream.fileno())
            return Told(rows), (told.st_mtime_ns, told.st_size) == file[3:]
    except FileNotFoundError:
        return Told((), ""), False
    except ArchiveError as error:
        return Told((), sentence(str(error))), True
    except Exception as error:
        return Told((), unreadable(name, error)), _is_old(file) and not _is_passing(error)


def _letters(told: Told) -> int:
    """Returns about how much memory what a file tells takes."""
    return 500 + sum(300 + len(uid) for uid, *_ in told.rows)


def _is_old(file: File) -> bool:
    """Tells whether a file is whole: one that is young may just be written."""
    return abs(time.time() - file.mtime_ns / 1e9) > _YOUNG_SECONDS


def _is_passing(error: Exception) -> bool:
    """Tells whether the machine is to blame (a right, too many open files), and not the file."""
    # Arrow raises an OSError without a number, where a file is damaged.
    return isinstance(error, MemoryError) or getattr(error, "errno", None) is not None


def row(note: Note) -> Row:
    """Returns what a listing says of an episode.

    Raises:
        Exception: Of any kind, where the note is none that tbtrace writes.
    """
    numbers = (note["length"], note["env_steps"], sum(note["groups"].values()))
    if not all(0 <= number < _MOST_NUMBER for number in numbers):
        raise ValueError("a number is too large")
    if len(note["uid"]) > _LONGEST_UID:
        raise ValueError("an episode's uid is too long")
    return (note["uid"], finite(note["return"]), *numbers)


def unreadable(name: str, error: Exception) -> str:
    """Returns a sentence on a file."""
    return sentence(f"{name} cannot be read ({type(error).__name__}: {error})")


def sentence(text: str) -> str:
    """Returns a text as one line that is not too long."""
    said = " ".join(text.split())
    return said if len(said) <= _MOST_LETTERS else f"{said[:_MOST_LETTERS]}..."
