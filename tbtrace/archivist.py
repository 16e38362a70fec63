"""Archivist: writes a run's archive on a thread of its own, within bounds."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from tbtrace.archive.retention import Retention
from tbtrace.episode import Episode
from tbtrace.errors import Problems
from tbtrace.worker import Job, Worker

if TYPE_CHECKING:
    from tbtrace.archive.store import Store

MOST_BYTES = 256_000_000
"""Of episodes that wait for a slow storage; beyond, the newest are not archived."""


_PATIENCE_SECONDS = 10.0


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
        self._waiting: dict[Job, tuple[int, int]] = {}
        """Episodes and bytes of each job that is not done."""
        self._counting = threading.Lock()
        self._worker = Worker("tbtrace-archivist", self._failed, dropped=self._lose)

    def put(
        self,
        iteration: int,
        episodes: Sequence[Episode],
        context: Callable[[], bytes] | None = None,
    ) -> None:
        """Hands one iteration over.

        Args:
            iteration: Its number.
            episodes: Whole episodes; none: nothing is stored.
            context: Returns what lasts over the run's iterations, to be kept beside them; called on
                the archivist's thread.
        """
        if not episodes or self._kind is None:
            return
        size = sum(_bytes(episode) for episode in episodes)

        def job() -> None:
            try:
                store = self._opened()
                store.write(iteration, episodes)
            except Exception as error:
                self._failed(error)
                self._problems.count("records", self._done(job))
            else:
                self._done(job)
                store.tidy()  # first: it bounds the disk, whatever becomes of the context
                if context is not None and self._kind == "parquet":
                    store.keep_context(context())

        with self._counting:
            waiting = sum(known for _, known in self._waiting.values())
            behind = bool(waiting) and waiting + size > MOST_BYTES
            if not behind:
                self._waiting[job] = len(episodes), size
        if behind:
            self._problems.add_quietly(
                "records",
                f"archive behind {self._path}",
                f"storing the archive in {self._path} is behind: the episodes of iteration "
                f"{iteration} are not archived",
                count=len(episodes),
            )
        else:
            self._worker.put(job)

    def recall(self, most_bytes: int) -> bytes | None:
        """Returns what an earlier life of the run kept of `put`'s `context`.

        Args:
            most_bytes: So many are read, and one more of a larger file.

        Returns:
            None where there is nothing, it cannot be read, or the storage takes ten seconds.
        """
        if self._kind != "parquet":
            return None
        found: SimpleQueue[bytes | None] = SimpleQueue()

        def job() -> None:
            try:
                found.put(self._opened().context(most_bytes))
            except Exception as error:
                self._failed(error)
                found.put(None)

        self._worker.put(job)
        try:
            return found.get(timeout=_PATIENCE_SECONDS)
        except Empty:
            return None

    def forget_from(self, iteration: int) -> None:
        """Deletes what the run wrote of `iteration` and later ones, since it went back to it."""
        if self._kind is not None:
            self._worker.put(lambda: self._opened().forget_from(iteration))

    def drain(self, timeout: float) -> bool:
        """Waits up to `timeout` seconds until all is stored; returns whether it is."""
        return self._worker.drain(timeout)

    def stop(self, timeout: float) -> None:
        """Drains; what is left after `timeout` seconds is named and counted."""
        if self._worker.stop(timeout):
            return
        with self._counting:
            under_way = [*self._waiting]
        for job in under_way:
            self._lose(job)

    def _done(self, job: Job) -> int:
        """Returns how many episodes a job is answerable for; it is none after that."""
        with self._counting:
            return self._waiting.pop(job, (0, 0))[0]

    def _lose(self, job: Job) -> None:
        """Counts the episodes of a job that will not be done, or not in time."""
        count = self._done(job)
        if count:
            self._problems.add_quietly(
                "records",
                f"archive left {self._path}",
                f"the archive in {self._path} was not written in time; its last episodes are lost",
                count=count,
            )

    def _opened(self) -> Store:
        assert self._kind is not None
        if self._store is None:
            # Here, on the thread: importing pyarrow takes a while.
            from pyarrow.fs import LocalFileSystem

            from tbtrace.archive.store import Store

            filesystem = self._filesystem or LocalFileSystem()
            self._store = Store(filesystem, self._path, self._kind, self._retention, self._problems)
        return self._store

    def _failed(self, error: Exception) -> None:
        """Names an error; only episodes that it cost are counted."""
        Problems().add_error("records", f"archiving in {self._path}", error)


def _bytes(episode: Episode) -> int:
    """Returns about how much memory an episode takes."""
    total = 1_000
    for series in episode.running.values():
        total += series.steps.nbytes + series.values.nbytes
    for traces in episode.traces.values():
        for trace in traces.values():
            total += trace.steps.nbytes + trace.points.nbytes
            total += sum(values.nbytes for values in trace.channels.values())
            total += sum(8 * len(labels) for labels in trace.labels.values())
    for media in episode.media.values():
        total += sum(array.nbytes for array in media.values)
    return total
