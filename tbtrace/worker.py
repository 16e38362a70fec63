"""Worker: a thread that does jobs one after the other, so that nobody waits for them."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable

Job = Callable[[], None]


class Worker:
    """Does what it is given, in order, on a daemon thread that starts with the first job.

    Where no thread can be started (too many of them, Python exits), jobs wait for one: each `put`
    tries again, and at last `drain` does them itself.

    Args:
        name: Name of the thread.
        failed: Called on the thread with the exception that left a job; the next job follows.
        dropped: Called with each job that is dropped, in the thread of `put` or `stop`.

    Example:
        >>> done = []
        >>> worker = Worker("example", failed=print)
        >>> worker.put(lambda: done.append(1))
        >>> worker.stop(timeout=5.0), done
        (True, [1])
    """

    def __init__(
        self,
        name: str,
        failed: Callable[[Exception], None],
        dropped: Callable[[Job], None] = lambda job: None,
    ) -> None:
        self._name = name
        self._failed = failed
        self._dropped = dropped
        self._jobs: deque[Job] = deque()
        self._change = threading.Condition()
        self._thread: threading.Thread | None = None
        self._busy = False
        self._stopping = False

    def put(self, job: Job) -> None:
        """Hands a job over and returns; after `stop` it is dropped."""
        with self._change:
            if not self._stopping:
                self._jobs.append(job)
                self._start()
                self._change.notify_all()
                return
        self._dropped(job)

    def drain(self, timeout: float) -> bool:
        """Waits until everything is done; returns False when `timeout` seconds did not do."""
        deadline = time.monotonic() + timeout
        with self._change:
            if self._jobs:
                self._start()
        while self._thread is None and time.monotonic() < deadline and self._do_next(wait=False):
            pass
        with self._change:
            left = max(0.0, deadline - time.monotonic())
            return self._change.wait_for(lambda: not self._jobs and not self._busy, left)

    def stop(self, timeout: float) -> bool:
        """Drains within `timeout` seconds, drops the jobs that still wait, and ends the thread.

        Returns:
            Whether every job was done. A job that runs on past the timeout is left alone.
        """
        deadline = time.monotonic() + timeout
        drained = self.drain(timeout)
        with self._change:
            left, self._jobs = list(self._jobs), deque()
            self._stopping = True
            thread = self._thread
            self._change.notify_all()
        for job in left:
            self._dropped(job)
        if thread is not None and thread is not threading.current_thread():
            thread.join(max(0.0, deadline - time.monotonic()) if drained else 0.0)
        return drained and not left

    def _start(self) -> None:
        if self._thread is None:
            thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            with contextlib.suppress(RuntimeError):  # Python's, and it may be the last moment
                thread.start()
                self._thread = thread

    def _run(self) -> None:
        while self._do_next(wait=True):
            pass

    def _do_next(self, wait: bool) -> bool:
        """Does one job; returns False where there is none (and, if it may wait, will be none)."""
        with self._change:
            if wait:
                self._change.wait_for(lambda: self._stopping or (self._jobs and not self._busy))
            if not self._jobs or self._busy:
                return False
            job = self._jobs.popleft()
            self._busy = True
        try:
            job()
        except Exception as error:
            # A warning that is an error, say, must not end the thread that others wait for.
            with contextlib.suppress(Exception):
                self._failed(error)
        finally:
            with self._change:
                self._busy = False
                self._change.notify_all()
        return True
