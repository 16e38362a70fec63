"""Archivist: writes a run's archive on a thread of its own, within bounds."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tbtrace.archive.retention import Retention
from tbtrace.episode import Episode
from tbtrace.errors import Problems
from tbtrace.worker import Worker

if TYPE_CHECKING:
    from tbtrace.archive.store import Store

MOST_WAITING = 64
"""Iterations that wait for a slow storage; beyond, the newest is not archived."""


class Archivist:
    """Takes each iteration's whole episodes and returns; nothing here raises.

    What cannot be stored is named once and counted (`"records"`, one for each episode).

    Args:
        filesystem: A `pyarrow.fs.FileSystem`; None for the local one.
        path: The run's folder on it.
        kind: `"parquet"` or `"json"`; None: nothing is archived.
        retention: What is kept.
        problems: Where lost episodes are counted.
    """

    def __init__(
        self, filesystem: Any, path: str, kind: str | None, retention: Retention, problems: Problems
    ) -> None:
        self._filesystem = filesystem
        self._path = path
        self._kind = kind
        self._retention = retention
        self._problems = problems
        self._store: Store | None = None
        self._waiting = 0
        self._counting = threading.Lock()
        self._worker = Worker("tbtrace-archivist", self._failed)

    def put(self, iteration: int, episodes: Sequence[Episode]) -> None:
        """Hands one iteration over."""
        if not episodes or self._kind is None:
            return
        with self._counting:
            behind = self._waiting >= MOST_WAITING
            self._waiting += not behind
        if behind:
            self._problems.add_quietly(
                "records",
                f"archive behind {self._path}",
                f"storing the archive in {self._path} is behind: the episodes of iteration "
                f"{iteration} are not archived",
                count=len(episodes),
            )
            return
        self._worker.put(lambda: self._write(iteration, episodes))

    def forget_from(self, iteration: int) -> None:
        """Deletes what the run wrote of `iteration` and later ones, since it went back to it."""
        if self._kind is not None:
            self._worker.put(lambda: self._opened().forget_from(iteration))

    def drain(self, timeout: float) -> bool:
        """Waits up to `timeout` seconds until all is stored; returns whether it is."""
        return self._worker.drain(timeout)

    def stop(self, timeout: float) -> None:
        """Drains; what is left after `timeout` seconds is counted."""
        if not self._worker.stop(timeout):
            self._problems.count("records", self._waiting)

    def _write(self, iteration: int, episodes: Sequence[Episode]) -> None:
        try:
            self._opened().write(iteration, episodes)
        except Exception:
            self._problems.count("records", len(episodes) - 1)  # and one by `_failed`
            raise
        finally:
            with self._counting:
                self._waiting -= 1

    def _opened(self) -> Store:
        assert self._kind is not None
        if self._store is None:
            # Here, on the thread: importing pyarrow takes a while.
            from pyarrow.fs import LocalFileSystem

            from tbtrace.archive.store import Store

            filesystem = self._filesystem or LocalFileSystem()
            self._store = Store(filesystem, self._path, self._kind, self._retention)
        return self._store

    def _failed(self, error: Exception) -> None:
        self._problems.add_error("records", f"archiving in {self._path}", error)
