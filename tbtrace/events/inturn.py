"""InTurn: an event log for a caller whose events must not overtake what was handed over before."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tbtrace.events.file import ClosedFileError
from tbtrace.events.log import EventLog

_FLUSH_SECONDS = 30.0


class InTurn:
    """Hands events to the thread that writes to `log`, so that `add` neither waits nor overtakes.

    Args:
        log: The event log.
        put: Takes a job for the thread that writes.
        drain: Waits up to so many seconds until that has done what it was given.
    """

    def __init__(
        self,
        log: EventLog,
        put: Callable[[Callable[[], None]], None],
        drain: Callable[[float], bool],
    ) -> None:
        self._log = log
        self._put = put
        self._drain = drain

    @property
    def directory(self) -> Path:
        """The run's directory."""
        return self._log.directory

    @property
    def closed(self) -> bool:
        """Whether the log is closed."""
        return self._log.closed

    @property
    def start_step(self) -> int:
        """The step of the last restart that was written."""
        return self._log.start_step

    def add(self, event: bytes) -> None:
        """Adds one event, behind everything that was handed over before.

        Raises:
            ClosedFileError: The log has been closed.
        """
        if self._log.closed:
            raise ClosedFileError(f"the event log of {self.directory} is closed")
        self._put(lambda: self._log.add(event))

    def flush(self, sync: bool = False) -> None:
        """Brings everything that was handed over before into the file, within 30 seconds."""
        self._drain(_FLUSH_SECONDS)
        self._log.flush(sync)

    def close(self) -> None:
        """Flushes; the log is closed by who owns it."""
        if not self._log.closed:
            self.flush()

    def carry(self, log: EventLog) -> None:
        """As `EventLog.carry`."""
        self._log.carry(log)
