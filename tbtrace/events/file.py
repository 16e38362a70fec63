"""Event files: the record files that TensorBoard reads.

An event file is a sequence of TFRecords: the length of the data (uint64, little endian), its masked
CRC-32C, the data (one serialised `Event`), and the masked CRC-32C of that. A run has one writer and
one live event file: TensorBoard's Python reader goes through a run's files in the order of their
names and never returns to an earlier one, so a new file's name sorts after all that are there.
"""

from __future__ import annotations

import itertools
import os
import re
import socket
import struct
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from crc32c import crc32c
from tensorboard.compat.proto.event_pb2 import Event, SessionLog

from tbtrace.errors import TbtraceError

_NAME = re.compile(r"events\.out\.tfevents\.(\d{1,10})")
_files_of_this_process = itertools.count()


class ClosedFileError(TbtraceError):
    """An event was given to an event file that has been closed."""


def newest_seconds(directory: str | os.PathLike[str]) -> int:
    """Returns the latest time that a name of an event file in `directory` begins with.

    Only the names count, as only they decide in which order TensorBoard reads: the first ten digits
    after `events.out.tfevents.`, fewer ones as if zeros followed. Sub-directories are runs of their
    own and do not count.

    Args:
        directory: An existing directory.

    Returns:
        Seconds since the epoch, or 0 where there is no event file.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     _ = Path(directory, "events.out.tfevents.1700000000.host").touch()
        ...     newest_seconds(directory)
        1700000000
    """
    matches = (_NAME.match(name) for name in os.listdir(directory))
    return max((int(match[1].ljust(10, "0")) for match in matches if match), default=0)


class EventFile:
    """A new event file in `directory`, which is created where it is missing.

    The file begins with the format's version and a session start at `start_step`. TensorBoard's
    Python server takes the first start of a run as its beginning; at each later one it forgets what
    the run had at that step and above. Its data server ignores them: there a stale point stays
    until its tag is written at that step or below. So the first file of a run starts at step 0, and
    a file that goes on after a restore at the step of its first result.

    All methods may be called from several threads.

    Args:
        directory: The run's directory.
        start_step: The step from which on this file replaces what earlier files of the run hold.

    Attributes:
        path: The file, `events.out.tfevents.<seconds>.<host>.<pid>.<number>`. It sorts after every
            event file that was in the directory, also after those from a clock ahead of ours.
        start_step: As given.

    Raises:
        FileExistsError: The file is there already; it is never appended to.
        OSError: The file cannot be created.

    Example:
        >>> import tempfile
        >>> from tbtrace.events import summary
        >>> with tempfile.TemporaryDirectory() as directory, EventFile(directory) as file:
        ...     file.add(summary.scalars(1, {"loss": 0.5}))
        ...     file.path.name.startswith("events.out.tfevents.")
        True
    """

    def __init__(self, directory: str | os.PathLike[str], *, start_step: int = 0) -> None:
        Path(directory).mkdir(parents=True, exist_ok=True)
        now = time.time()
        seconds = max(int(now), newest_seconds(directory) + 1)
        number = next(_files_of_this_process)
        name = f"{seconds:010d}.{socket.gethostname()}.{os.getpid():010d}.{number:06d}"
        self.path = Path(directory, f"events.out.tfevents.{name}")
        self.start_step = start_step
        self._lock = threading.Lock()
        self._file = open(self.path, "xb")  # noqa: SIM115
        start = SessionLog(status=SessionLog.START)
        self.add(Event(wall_time=now, file_version="brain.Event:2").SerializeToString())
        self.add(Event(wall_time=now, step=start_step, session_log=start).SerializeToString())

    @property
    def closed(self) -> bool:
        """Whether `close` has been called."""
        return self._file.closed

    def add(self, event: bytes) -> None:
        """Adds one event, as a whole record.

        Args:
            event: A serialised `Event`; the functions in `summary` build them.

        Raises:
            ClosedFileError: The file has been closed.
            OSError: The file cannot be written.
        """
        record = _record(event)
        with self._lock:
            if self._file.closed:
                raise ClosedFileError(f"{self.path} is closed; open a new EventFile to write more")
            self._file.write(record)

    def flush(self) -> None:
        """Brings everything that was added before into the file; nothing after `close`.

        Other processes can read it then. It is not forced onto the disk (no fsync): it survives the
        death of this process, not a loss of power.

        Raises:
            OSError: The file cannot be written.
        """
        with self._lock:
            if not self._file.closed:
                self._file.flush()

    def close(self) -> None:
        """Flushes and closes the file; nothing when it is closed already.

        Raises:
            OSError: The file cannot be written; it is closed all the same.
        """
        with self._lock:
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _record(data: bytes) -> bytes:
    length = struct.pack("<Q", len(data))
    return b"".join((length, _masked_crc(length), data, _masked_crc(data)))


def _masked_crc(data: bytes) -> bytes:
    # TFRecord's mask: the CRC of a string that holds CRCs would otherwise be weak.
    crc = crc32c(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)
