"""Event files: the record files that TensorBoard reads.

An event file is a sequence of TFRecords: the length of the data (uint64, little endian), its masked
CRC-32C, the data (one serialised `Event`), and the masked CRC-32C of that. A run has one writer and
one live event file: TensorBoard's Python reader goes through a run's files in the order of their
names and never returns to an earlier one, so a new file's name sorts after all that are there. It
stays for ever with a file that it has seen and that is gone, so a file gets its name once it holds
something that will stay.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import socket
import struct
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from crc32c import crc32c

from tbtrace.errors import TbtraceError
from tbtrace.events import summary

FRAME = 16
"""Bytes that a record takes besides its data."""

_NAME = re.compile(r"events\.out\.tfevents\.(\d{1,10})")
_files_of_this_process = itertools.count()


class ClosedFileError(TbtraceError):
    """An event was given to an event file that has been closed."""


def newest_seconds(names: Iterable[str]) -> int:
    """Returns the latest time that a name of an event file among `names` begins with.

    Only the names count, as only they decide in which order TensorBoard reads: the first ten digits
    after `events.out.tfevents.`, fewer ones as if zeros followed.

    Args:
        names: Names of the files of a run.

    Returns:
        Seconds since the epoch, or 0 where there is no event file.

    Example:
        >>> newest_seconds(["params.json", "events.out.tfevents.1700000000.host"])
        1700000000
    """
    matches = (_NAME.match(name) for name in names)
    return max((int(match[1].ljust(10, "0")) for match in matches if match), default=0)


class EventFile:
    """A new event file in `directory`, which is created where it is missing.

    It begins with the format's version. What `add` takes is written by `flush`: all of it or, where
    the disk fails, none of it, so that the file holds whole records only. It appears under its name
    with the first `flush` that succeeds.

    Args:
        directory: The run's directory.
        after: Seconds since the epoch that the name sorts after, besides the event files that are
            in the directory: those of the run that lie elsewhere.

    Attributes:
        path: The file, `events.out.tfevents.<seconds>.<host>.<pid>.<number>`. It sorts after every
            event file that was in the directory, also after those from a clock ahead of ours.
        size: Bytes in the file, without those that wait for `flush`; 0 as long as there is none.

    Raises:
        FileExistsError: The file is there already; it is never appended to.
        OSError: The file cannot be created.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as directory, EventFile(directory) as file:
        ...     file.add(summary.scalars(1, {"loss": 0.5}))
        ...     file.path.name.startswith("events.out.tfevents.")
        True
    """

    def __init__(self, directory: str | os.PathLike[str], *, after: int = 0) -> None:
        Path(directory).mkdir(parents=True, exist_ok=True)
        newest = max(after, newest_seconds(os.listdir(directory)))
        seconds = max(int(time.time()), newest + 1)
        number = next(_files_of_this_process)
        name = f"{seconds:010d}.{socket.gethostname()}.{os.getpid():010d}.{number:06d}"
        self.path = Path(directory, f"events.out.tfevents.{name}")
        if self.path.exists():
            raise FileExistsError(f"{self.path} is there already")
        self.size = 0
        self._unfinished = Path(directory, f"tbtrace.unfinished.{name}")
        self._waiting = [_record(summary.version())]
        self._file = open(self._unfinished, "xb", buffering=0)  # noqa: SIM115

    @property
    def closed(self) -> bool:
        """Whether `close` has been called."""
        return self._file.closed

    def add(self, event: bytes) -> None:
        """Adds one event, as a whole record, to what `flush` will write.

        Args:
            event: A serialised `Event`; the functions in `summary` build them.

        Raises:
            ClosedFileError: The file has been closed.
        """
        if self._file.closed:
            raise ClosedFileError(f"{self.path} is closed; open a new EventFile to write more")
        self._waiting.append(_record(event))

    def flush(self, sync: bool = False) -> None:
        """Brings everything that was added before into the file; nothing after `close`.

        Other processes can read it then.

        Args:
            sync: Force it onto the disk as well (fsync). Without, it survives the death of this
                process, not a loss of power.

        Raises:
            OSError: The file cannot be written, or was removed (writing would go nowhere). What was
                added since the last flush is not in it; where the disk does not even let it be cut
                off, it is, with a torn record at its end, and the file is closed.
        """
        if self._file.closed:
            return
        records = b"".join(self._waiting)
        try:
            if os.fstat(self._file.fileno()).st_nlink == 0:
                raise FileNotFoundError(f"{self.path} was removed")
            _write(self._file.fileno(), records)
            if sync:
                os.fsync(self._file.fileno())
            if not self.size:
                os.rename(self._unfinished, self.path)
        except OSError:
            self._cut_off()
            raise
        self._waiting.clear()
        self.size += len(records)

    def close(self) -> None:
        """Flushes and closes the file; nothing when it is closed already.

        Raises:
            OSError: The file cannot be written; it is closed all the same.
        """
        try:
            self.flush()
        finally:
            self._file.close()

    def abandon(self) -> None:
        """Closes the file without what waits; where nothing was written, there is none."""
        with contextlib.suppress(OSError):
            self._file.close()
        if not self.size:
            with contextlib.suppress(OSError):
                self._unfinished.unlink()

    def _cut_off(self) -> None:
        try:
            os.ftruncate(self._file.fileno(), self.size)
            os.lseek(self._file.fileno(), self.size, os.SEEK_SET)
        except OSError:
            # Nothing may follow a torn record: TensorBoard reads no further.
            with contextlib.suppress(OSError):
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


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _record(data: bytes) -> bytes:
    length = struct.pack("<Q", len(data))
    return b"".join((length, _masked_crc(length), data, _masked_crc(data)))


def _masked_crc(data: bytes) -> bytes:
    # TFRecord's mask: the CRC of a string that holds CRCs would otherwise be weak.
    crc = crc32c(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)
