"""EventLog: the one live event file of a run, and the next one when it is full or the disk fails.

TensorBoard's Python server takes the first session start of a run as its beginning; at each later
one it forgets what the run had at that step and above. Its data server ignores them: there a stale
point stays until its tag is written at that step or below. So a run that begins, or goes back to an
earlier step, says so with `restart`; a file that follows a full one does not.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from tbtrace.errors import Problems
from tbtrace.events import summary
from tbtrace.events.file import FRAME, ClosedFileError, EventFile

MOST_WAITING = 16_000_000
"""Bytes of events that wait for a failing disk; beyond, pictures go first, then the oldest."""

_BATCH = 1_000_000
_PICTURE = 16_000
_RETRY_SECONDS = 1.0
_SHED_AT_ONCE = MOST_WAITING // 8  # going through all that wait with every event would take ages

# What is lost first. A lost session start would leave all that it replaces in TensorBoard.
_LARGE, _SMALL, _START = range(3)


class EventLog:
    """Takes events and never raises for the disk's sake.

    The first file is opened with the first `flush`. When a file cannot be written (full disk,
    removed folder), it is closed with whole records only, the events wait in memory, up to 16 MB,
    and each later `flush`, at most one a second, tries a new file. It is said once; what does not
    fit, or still waits at `close`, is counted (`"records"`).

    All methods may be called from several threads.

    Args:
        directory: The run's directory.
        problems: Where lost events are counted.
        rotate_bytes: A file that would grow beyond it is sealed, and a new one begun. None: never.
            What one `flush` brings stays together up to 1 MB, in a larger file where it must.
        sealed: Called with each file that will not be written any more, except the last one.
        after: Called before each new file; its name sorts after these seconds since the epoch.

    Attributes:
        directory: As given, made absolute: the process may go elsewhere before the next file.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     log = EventLog(directory, Problems())
        ...     log.restart(1)
        ...     log.add(summary.scalars(1, {"loss": 0.5}))
        ...     log.close()
        ...     len(os.listdir(directory))
        1
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        problems: Problems,
        *,
        rotate_bytes: int | None = None,
        sealed: Callable[[Path], None] = lambda path: None,
        after: Callable[[], int] = lambda: 0,
    ) -> None:
        self.directory = Path(directory).absolute()
        self._problems = problems
        self._rotate_bytes = rotate_bytes
        self._sealed = sealed
        self._after = after
        self._lock = threading.RLock()
        self._file: EventFile | None = None
        self._path: Path | None = None
        self._waiting: list[tuple[int, bytes]] = []
        self._waiting_bytes = 0
        self._start_step = 0
        self._retry_at = 0.0
        self._closed = False
        self._carried: list[EventLog] = []

    @property
    def path(self) -> Path | None:
        """The file that was written last; None before the first `flush`."""
        return self._path

    @property
    def closed(self) -> bool:
        """Whether `close` has been called."""
        return self._closed

    @property
    def start_step(self) -> int:
        """The step of the last `restart`."""
        return self._start_step

    def restart(self, step: int) -> None:
        """Says that what follows replaces everything the run had at `step` and above."""
        with self._lock:
            self._start_step = step
            self._add(_START, summary.start(step))
            for log in self._carried:
                log.restart(step)

    def add(self, event: bytes) -> None:
        """Adds one event; it is in the file after the next `flush`.

        Args:
            event: A serialised `Event`; the functions in `summary` build them.

        Raises:
            ClosedFileError: The log has been closed.
        """
        with self._lock:
            self._add(_SMALL if len(event) < _PICTURE else _LARGE, event)

    def flush(self, sync: bool = False) -> None:
        """Brings everything that was added before into the file, where the disk lets it.

        Args:
            sync: Force it onto the disk as well (fsync).
        """
        with self._lock:
            self._flush(sync)
            for log in self._carried:
                log.flush(sync)

    def carry(self, log: EventLog) -> None:
        """From now on restarts, flushes and closes `log`, of a run below, with this one."""
        with self._lock:
            self._carried.append(log)

    def close(self) -> None:
        """Writes what waits, a last time, and closes the file; nothing when it is closed."""
        with self._lock:
            if self._closed:
                return
            self._retry_at = 0.0
            self._flush()
            self._closed = True
            if self._file is not None:
                self._file.abandon()
            self._lose(len(self._waiting))
            self._waiting, self._waiting_bytes = [], 0
            for log in self._carried:
                log.close()

    def _add(self, rank: int, event: bytes) -> None:
        if self._closed:
            raise ClosedFileError(f"the event log of {self.directory} is closed")
        self._waiting.append((rank, event))
        self._waiting_bytes += len(event) + FRAME
        if self._waiting_bytes > _BATCH:
            self._flush()

    def _flush(self, sync: bool = False) -> None:
        if time.monotonic() < self._retry_at:
            self._shed()
            return
        try:
            while self._waiting:
                self._write_some(sync)
            if sync and self._file is not None:
                self._file.flush(sync)
        except OSError as error:
            self._fail(error)

    def _write_some(self, sync: bool) -> None:
        # All at once, 16 MB after the disk has failed, would be in memory three times.
        count = size = 0
        for _, event in self._waiting:
            count += 1
            size += len(event) + FRAME
            if size >= _BATCH:
                break
        limit = self._rotate_bytes
        if self._file and limit is not None and self._file.size + size > limit:
            self._leave_file()
        if self._file is None:
            self._file = EventFile(self.directory, after=self._after())
        for _, event in self._waiting[:count]:
            self._file.add(event)
        self._file.flush(sync)
        self._path = self._file.path
        del self._waiting[:count]
        self._waiting_bytes -= size

    def _leave_file(self) -> None:
        """Closes the file before the next is there: TensorBoard never returns to an earlier one."""
        file, self._file = self._file, None
        if file is not None:
            file.abandon()
            if file.path.exists():
                self._seal(file.path)

    def _fail(self, error: OSError) -> None:
        self._leave_file()
        self._retry_at = time.monotonic() + _RETRY_SECONDS
        self._problems.add_quietly(
            "records",
            f"disk {self.directory}",
            f"the event file in {self.directory} cannot be written ({error}); training goes on, "
            f"up to {MOST_WAITING // 1_000_000} MB wait for the disk, and a new file is tried "
            "every second; what is lost is counted",
            count=0,
        )
        self._shed()

    def _seal(self, path: Path) -> None:
        try:
            self._sealed(path)
        except Exception as error:
            self._problems.add_error("records", f"storing {path.name}", error)

    def _shed(self) -> None:
        """Makes the events that wait fit, without pictures first."""
        if self._waiting_bytes <= MOST_WAITING:
            return
        surplus = self._waiting_bytes - MOST_WAITING + _SHED_AT_ONCE
        kept = self._waiting
        for rank in (_LARGE, _SMALL):
            waiting, kept = kept, []
            for entry in waiting:
                if surplus > 0 and entry[0] <= rank:
                    surplus -= len(entry[1]) + FRAME
                else:
                    kept.append(entry)
        self._lose(len(self._waiting) - len(kept))
        self._waiting = kept
        self._waiting_bytes = sum(len(event) + FRAME for _, event in kept)

    def _lose(self, count: int) -> None:
        self._problems.count("records", count)
