"""Handout: finished pictures go to a function of the user's, in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable

from tbtrace.errors import Problems
from tbtrace.worker import Job, Worker

OnPicture = Callable[[str, str, int, bytes], object]
"""Takes the run's directory, a picture's tag, its step, and its file (PNG; APNG where it moves)."""

MOST_BYTES = 64_000_000
"""So much may wait for a function that is slow; beyond, new pictures are left out."""


class Handout:
    """Calls a function with each picture of a run, one after the other.

    What the function raises is named once and counted; nobody waits for it but `drain` and `stop`.

    Args:
        logdir: The run's directory, the function's first argument.
        take: The function.
        problems: Where pictures are counted (`"pictures"`) that it did not get or could not use.

    Example:
        >>> taken = []
        >>> handout = Handout("run", lambda *picture: taken.append(picture), Problems())
        >>> handout.put("traces/paths/train/best", 7, b"a file")
        >>> handout.stop(timeout=5.0), taken
        (True, [('run', 'traces/paths/train/best', 7, b'a file')])
    """

    def __init__(self, logdir: str, take: OnPicture, problems: Problems) -> None:
        self._logdir = logdir
        self._take = take
        self._problems = problems
        self._waiting = 0
        self._counting = threading.Lock()
        self._worker = Worker("tbtrace-handout", self._failed, dropped=self._drop)

    def put(self, tag: str, step: int, encoded: bytes) -> None:
        """Hands a picture over and returns; after `stop` it is dropped."""
        size = len(encoded)
        with self._counting:
            behind = bool(self._waiting) and self._waiting + size > MOST_BYTES
            if not behind:
                self._waiting += size
        if behind:
            self._problems.add_quietly(
                "pictures",
                "on_picture is behind",
                f"on_picture is behind: {MOST_BYTES // 1_000_000} MB of pictures wait for it, "
                f"{tag!r} of step {step} is not handed to it",
            )
            return

        def job() -> None:
            try:
                self._take(self._logdir, tag, step, encoded)
            finally:
                with self._counting:
                    self._waiting -= size

        self._worker.put(job)

    def drain(self, timeout: float) -> bool:
        """Waits up to `timeout` seconds until all was taken; returns whether it was."""
        return self._worker.drain(timeout)

    def stop(self, timeout: float) -> bool:
        """Drains within `timeout` seconds; what waits then is counted.

        Returns:
            Whether all was taken.
        """
        return self._worker.stop(timeout)

    def _drop(self, job: Job) -> None:
        self._problems.add_quietly(
            "pictures",
            f"on_picture at the end of {self._logdir}",
            f"the run in {self._logdir} ended before on_picture had taken all its pictures",
        )

    def _failed(self, error: Exception) -> None:
        self._problems.add_error("pictures", "on_picture", error)
