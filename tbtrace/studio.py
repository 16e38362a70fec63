"""Studio: what a run has to draw waits here, within bounds, and what was drawn is handed on."""

from __future__ import annotations

import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from tbtrace.artist import Drawn, Order, Reply
from tbtrace.errors import Problems
from tbtrace.lane import ArtistError, Lane, shared_lane

MOST_ORDERS = 8
"""Iterations of a run that wait to be drawn; beyond, the oldest is dropped."""

MOST_BYTES = 256_000_000
"""And so many bytes of them."""

_DELIVERY_SECONDS = 0.5


class Waiting(NamedTuple):
    """An iteration: its step, and its pickled `Content`."""

    step: int
    content: bytes


class Drawing:
    """The drawing of one run: orders wait here, oldest first, until the lane takes them.

    Args:
        views: `(name, pickled view)` of the run's views.
        seconds: A view may take for all its pictures of an iteration; one that overruns it, or
            crashes the artist, is named, counted (`"pictures"`) and not drawn any more.
        deliver: Called on the lane's thread with the step and each picture.
        problems: Where pictures are counted that were not drawn.
        lane: Who draws; by default one that is shared by the runs of this process.
    """

    def __init__(
        self,
        views: Sequence[tuple[str, bytes]],
        seconds: float,
        deliver: Callable[[int, Drawn], None],
        problems: Problems,
        lane: Lane | None = None,
    ) -> None:
        self._views = dict(views)
        self._seconds = seconds
        self._deliver = deliver
        self._problems = problems
        self._lane = shared_lane() if lane is None else lane
        self._orders: deque[Waiting] = deque()
        self._encode = True
        self._called = False
        self._current: Waiting | None = None
        self._void = False
        self._stopped = False
        self._change = threading.Condition()
        self._delivering = threading.Lock()  # apart: who drains must not wait for a disk
        if views:
            self._lane.start()

    @property
    def views(self) -> tuple[str, ...]:
        """The names of the views that are drawn."""
        return tuple(self._views)

    def put(self, step: int, content: bytes) -> None:
        """Hands over one iteration, a pickled `Content`; after `stop` it is dropped."""
        with self._change:
            self._orders.append(Waiting(step, content))
            if self._stopped:
                self._drop(self._orders.pop(), "the run ended")
            while self._surplus():
                self._drop(self._orders.popleft(), "drawing is behind")
            self._call()

    def forget_from(self, step: int) -> None:
        """Drops what waits of `step` and later ones, since the run went back to it.

        No picture of them is delivered once this has returned; it waits for one that just is.
        """
        with self._change:
            if self._current is not None and self._current.step >= step:
                self._void = True
            for waiting in [w for w in self._orders if w.step >= step]:
                self._orders.remove(waiting)
                self._drop(waiting, f"the run went back to step {step}")
        with self._delivering:
            pass

    def drain(self, timeout: float) -> bool:
        """Waits up to `timeout` seconds until all is drawn; returns whether it is."""
        with self._change:
            return self._change.wait_for(lambda: not self._called, timeout)

    def stop(self, timeout: float) -> bool:
        """Waits up to `timeout` seconds, then drops what waits and ends what is being drawn.

        Returns:
            Whether all was drawn. No picture is delivered once this has returned, unless that one
            takes longer than the timeout to be written.
        """
        deadline = time.monotonic() + timeout
        with self._change:
            drained = self.drain(timeout)
            self._stopped = True
            if self._current is not None:
                self._drop(self._current, "the run ended")
                self._lane.cut()
            while self._orders:
                self._drop(self._orders.popleft(), "the run ended")
        if self._delivering.acquire(timeout=max(_DELIVERY_SECONDS, deadline - time.monotonic())):
            self._delivering.release()
        return drained

    def _surplus(self) -> bool:
        size = sum(len(waiting.content) for waiting in self._orders)
        return len(self._orders) > MOST_ORDERS or (size > MOST_BYTES and len(self._orders) > 1)

    def _drop(self, waiting: Waiting, why: str) -> None:
        self._problems.add_quietly(
            "pictures",
            f"dropped {why}",
            f"{why}: the pictures of step {waiting.step} are dropped; use fewer or cheaper views "
            "where that happens often",
            count=max(1, len(self._views)),
        )

    def _call(self) -> None:
        """Queues up for the lane, with one order at a time, so that every run has its turn."""
        if self._orders and not self._called:
            self._called = True
            self._lane.worker.put(self._next)

    def _next(self) -> None:
        try:
            with self._change:
                self._current = self._orders.popleft() if self._orders else None
                self._void = False
            if self._current is not None:
                self._draw(self._current.content)
        except Exception as error:
            self._problems.add_error("pictures", "drawing", error)
        finally:
            with self._change:
                self._current = None
                self._called = False
                self._call()
                self._change.notify_all()

    def _draw(self, content: bytes) -> None:
        order = Order(tuple(self._views.items()), content, self._encode)
        while True:
            try:
                self._lane.draw(order, self._seconds, self._hear)
                return
            except ArtistError as error:
                if self._stopped:
                    return
                names = [name for name, _ in order.views]
                if error.view is None:
                    self._miss(error, max(1, len(names)))
                    return
                self._disable(error.view, error.overran)
                later = names.index(error.view) + 1 if error.view in names else 0
                order = Order(order.views[later:], content, encode=False)

    def _hear(self, reply: Reply) -> None:
        for text in reply.warnings:
            self._problems.add_quietly("pictures", text, text, count=0)
        for kind, count in reply.counts.items():
            self._problems.count(kind, count)
        drawn = reply.answer
        if not isinstance(drawn, Drawn):
            return
        with self._delivering:
            with self._change:
                if self._current is None or self._stopped:
                    return  # counted
                if self._void:
                    self._problems.count("pictures")
                    return
                step = self._current.step
            try:
                self._deliver(step, drawn)
            except Exception as error:
                self._problems.add_error("pictures", f"writing {drawn.tag!r}", error)

    def _miss(self, error: ArtistError, pictures: int) -> None:
        why = f" ({error.__cause__})" if error.__cause__ else ""
        self._problems.add_quietly(
            "pictures",
            "no artist",
            f"the process that draws did not start{why}, so there are no pictures: does "
            f'{sys.executable} -c "import tbtrace.artist" work?',
            count=pictures,
        )

    def _disable(self, view: str, overran: bool) -> None:
        if self._views.pop(view, None) is None:
            self._encode = False
        what = f"took more than {self._seconds:g} s" if overran else "crashed its process"
        self._problems.add_quietly(
            "pictures",
            f"disabled {view}",
            f"view {view!r} {what}; it is not drawn any more in this run",
        )
