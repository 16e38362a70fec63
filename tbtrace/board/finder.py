"""The finder: a thread that scans the logdir again and again, so that no request ever does."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from tbtrace.board.found import Found
from tbtrace.board.logdirs import Logdirs
from tbtrace.board.scan import Bounds, Walk

_SECONDS = 2.0
_SHARE = 10.0
"""A scan that takes long rests for longer: it works one tenth of the time at the most."""


class Finder:
    """Knows what the logdir holds, as of a few seconds ago.

    The thread is a daemon: it ends with the process, and nobody waits for it.

    Args:
        logdirs: Where to look.
        bounds: How far each scan goes, and how long at a stretch.
        seconds: Between two stretches at least.
        when_active: Called once in the thread, when there is something to show.

    Attributes:
        logdirs: As given.
        found: What the last scan found, as far as the one that is under way has not come to it.
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
        self._complained = False
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, name="tbtrace-finder", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread after the stretch that it is at."""
        self._stopped.set()
        self._thread.join()

    def _work(self) -> None:
        walk, whole = self._walk(), Found()
        rest = 0.0
        while not self._stopped.wait(rest):
            began = time.monotonic()
            try:
                ended = walk.go_on()
                found = walk.found()
            except Exception:  # the next one may have better luck
                self._complain()
                ended, found = True, whole
            if ended:
                walk, whole = self._walk(), found
            self._show(found if ended else found.besides(whole), ended)
            # The first one has somebody who waits for it.
            took = time.monotonic() - began if self.complete else 0.0
            rest = max(self._seconds, _SHARE * took)

    def _walk(self) -> Walk:
        return Walk(self.logdirs.roots, self._bounds)

    def _show(self, found: Found, ended: bool) -> None:
        self.found = found
        was_active, self.active = self.active, bool(found.runs or found.staging)
        self.complete = self.complete or ended
        if self.active and not was_active:
            self._when_active()

    def _complain(self) -> None:
        """Logs what went wrong, once: it may every few seconds."""
        if not self._complained:
            logging.getLogger("tbtrace").exception("tbtrace: the logdir could not be scanned")
        self._complained = True
