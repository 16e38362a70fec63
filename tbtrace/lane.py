"""Lanes: threads that each have an artist process, and end it where a view takes too long.

The lanes are shared by all runs of this process; a run keeps one, so that its pictures come in
order.
"""

from __future__ import annotations

import atexit
import contextlib
import itertools
import os
import pickle
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import IO

from tbtrace.artist import Done, Order, Reply, Turn, receive, send
from tbtrace.errors import Problems
from tbtrace.worker import Worker

_START_SECONDS = 120.0


class ArtistError(Exception):
    """The artist ended, or was ended, in the middle of an order.

    Args:
        view: What it was at; None where it never began.
        overran: Whether its time was over.
    """

    def __init__(self, view: str | None, overran: bool) -> None:
        super().__init__(view, overran)
        self.view = view
        self.overran = overran


class Artist:
    """The parent's side of one artist process; used by one thread at a time.

    Raises:
        OSError: The process cannot be started.
    """

    def __init__(self) -> None:
        self._path = list(map(os.fspath, sys.path))
        # Views are imported from where they are here, but not before Python's own modules: -P.
        code = f"import sys; sys.path[:] = {self._path!r}; import tbtrace.artist as a; a.main()"
        self._process = subprocess.Popen(
            [sys.executable, "-u", "-P", "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={
                **os.environ,
                "OMP_NUM_THREADS": "1",
                "OPENBLAS_NUM_THREADS": "1",
                "MPLBACKEND": "agg",
            },
            process_group=0,  # Ctrl-C is not for it, not even while it starts
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._orders = self._process.stdin
        self._ready = self._killed = False
        self._replies: queue.SimpleQueue[Reply | None] = queue.SimpleQueue()
        # One thread that reads, not one that watches each view: Python 3.12 starts none at its end.
        reader = threading.Thread(target=self._listen, args=(self._process.stdout,), daemon=True)
        reader.start()

    @property
    def usable(self) -> bool:
        """Whether the process runs, and imports from where this one does now."""
        runs = not self._killed and self._process.poll() is None
        return runs and self._path == sys.path

    def draw(self, order: Order, seconds: float, hear: Callable[[Reply], None]) -> None:
        """Has an order drawn.

        Args:
            order: What to draw.
            seconds: Each view may take, all its pictures together.
            hear: Takes each reply as it comes: pictures, warnings, counts.

        Raises:
            ArtistError: The process died, or a view overran its time. It is of no use any more.
        """
        if not self._ready:
            self._follow(seconds, hear)
            self._ready = True
        try:
            send(self._orders, pickle.dumps(order))
        except OSError as error:
            raise ArtistError(None, False) from error
        self._follow(seconds, hear)

    def _follow(self, seconds: float, hear: Callable[[Reply], None]) -> None:
        view: str | None = None
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                reply = self._replies.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise ArtistError(view, True) from None
            if reply is None:
                raise ArtistError(view, False)
            if isinstance(reply.answer, Turn):
                view = reply.answer.view
                deadline = time.monotonic() + seconds
            hear(reply)
            if isinstance(reply.answer, Done):
                return

    def _listen(self, stream: IO[bytes]) -> None:
        with stream:
            try:
                while (message := receive(stream)) is not None:
                    self._replies.put(pickle.loads(message))
            finally:
                self._replies.put(None)

    def kill(self) -> None:
        """Ends the process at once; from any thread."""
        self._killed = True
        self._process.kill()

    def close(self) -> None:
        """Ends the process at once and waits until it is gone."""
        self.kill()
        self._process.wait()
        with contextlib.suppress(OSError):
            self._orders.close()


class Lane:
    """A thread with an artist, which is started again where it died."""

    def __init__(self) -> None:
        self.worker = Worker("tbtrace-studio", self._failed)
        self._artist: Artist | None = None
        self._problems = Problems()

    def start(self) -> None:
        """Starts the artist ahead of its first order, without waiting for it."""
        self.worker.put(self._start)

    def draw(self, order: Order, seconds: float, hear: Callable[[Reply], None]) -> None:
        """As `Artist.draw`; on the worker's thread."""
        try:
            self._here().draw(order, seconds, hear)
        except BaseException:
            self.close()  # what it would still answer is for nobody
            raise

    def cut(self) -> None:
        """Ends the artist in the middle of what it draws; from any thread."""
        artist = self._artist
        if artist is not None:
            artist.kill()

    def close(self) -> None:
        """Ends the artist."""
        artist, self._artist = self._artist, None
        if artist is not None:
            artist.close()

    def _start(self) -> None:
        with contextlib.suppress(ArtistError):  # the first order says it
            self._here()

    def _here(self) -> Artist:
        if self._artist is None or not self._artist.usable:
            self.close()
            try:
                self._artist = Artist()
            except Exception as error:
                raise ArtistError(None, False) from error
        return self._artist

    def _failed(self, error: Exception) -> None:
        self._problems.add_error("pictures", "drawing", error)


_lanes: list[Lane] = []
_runs = itertools.count()
_choosing = threading.Lock()


def shared_lane() -> Lane:
    """Returns the next lane; drawing takes one core where there are few, else two."""
    with _choosing:
        if not _lanes:
            _lanes.extend(Lane() for _ in range(1 if (os.cpu_count() or 1) <= 4 else 2))
            atexit.register(_close_lanes, os.getpid())
        return _lanes[next(_runs) % len(_lanes)]


def _close_lanes(process: int) -> None:
    if os.getpid() == process:  # not in a fork of it
        for lane in _lanes:
            lane.close()
