"""The finder: a thread that scans the logdir again and again, so that no request ever does."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from tbtrace.board.logdirs import Logdirs
from tbtrace.board.scan import Bounds, Found, scan

_SECONDS = 2.0
_SHARE = 10.0
"""A scan that takes long is made less often: it works one tenth of the time at the most."""


class Finder:
    """Knows what the logdir holds, as of a few seconds ago.

    The thread is a daemon: it ends with the process, and nobody waits for it.

    Args:
        logdirs: Where to look.
        bounds: How far each scan goes.
        seconds: Between two scans at least.
        when_active: Called once in the thread, when there is something to show.

    Attributes:
        logdirs: As given.
        found: What the last whole scan found.
        complete: Whether the first scan has ended.
        active: Whether there is anything to show.
    """

    def __init__(
        self,
        logdirs: Logdirs,
        bounds: Bounds | None = None,
        seconds: float = _SECONDS,
        when_active: Callable[[], object] = bool,
    ) -> None:
        self.logdirs = logdirs
        self.found = Found()
        self.complete = False
        self.active = False
        self._bounds = bounds
        self._seconds = seconds
        self._when_active = when_active
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, name="tbtrace-finder", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread after the scan that it is at."""
        self._stopped.set()
        self._thread.join()

    def _work(self) -> None:
        took = 0.0
        while not self.complete or not self._stopped.wait(max(self._seconds, _SHARE * took)):
            began = time.monotonic()
            self.found = self._scanned()
            was_active, self.active = self.active, bool(self.found.runs or self.found.staging)
            self.complete = True
            took = time.monotonic() - began
            if self.active and not was_active:
                self._when_active()

    def _scanned(self) -> Found:
        try:
            return scan(self.logdirs.roots, self._bounds)
        except Exception:  # the next one may have better luck
            logging.getLogger("tbtrace").exception("tbtrace: the logdir could not be scanned")
            return self.found
