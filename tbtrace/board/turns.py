"""Turns: how many requests decode at once, and how much of what they made waits to be sent."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tbtrace.board.faults import Fault

AT_ONCE = 2
WAIT_SECONDS = 20.0
MOST_ON_THE_WAY = 400 << 20
"""Of answers; a client that reads slowly keeps its answer in memory for as long."""


class Turns:
    """Bounds the memory that requests take together; used by many threads at once.

    Args:
        at_once: So many decode at the same time.
        most_on_the_way: So many bytes of answers may be on their way before another one is made;
            those that are being made come on top.
    """

    def __init__(self, at_once: int = AT_ONCE, most_on_the_way: int = MOST_ON_THE_WAY) -> None:
        self._free = at_once
        self._room = most_on_the_way
        self._changed = threading.Condition()

    @contextmanager
    def turn(self, makes_answer: bool = False) -> Iterator[None]:
        """Waits for a turn, and ends it.

        Args:
            makes_answer: Whether it makes an answer that `leaves`.

        Raises:
            Fault: There was none for 20 seconds.
        """
        with self._changed:
            if not self._changed.wait_for(
                lambda: self._free > 0 and (self._room > 0 or not makes_answer), WAIT_SECONDS
            ):
                raise Fault("the server is busy with other requests: try again")
            self._free -= 1
        try:
            yield
        finally:
            self._give(free=1)

    def leaves(self, size: int) -> None:
        """Takes note of an answer that is on its way; to be called before the turn ends."""
        self._give(room=-size)

    def has_left(self, size: int) -> None:
        """Takes note that the answer is gone, or will not be sent."""
        self._give(room=size)

    def _give(self, free: int = 0, room: int = 0) -> None:
        with self._changed:
            self._free += free
            self._room += room
            self._changed.notify_all()
