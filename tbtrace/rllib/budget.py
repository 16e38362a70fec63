"""Budget: how many bytes of whole episodes may travel, at once and over time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from tbtrace.episode import Episode, Media, Series, Trace
from tbtrace.select import Last

EVALUATED = Last(8)
"""Evaluation episodes that travel whole besides those that `keep` picks."""


class Budget:
    """A store of bytes that fills up again with time.

    RLlib fetches after every sample, and DQN samples a hundred times in an iteration: a limit per
    fetch alone would not bound what travels.

    Args:
        at_once: What is there at first, and the most that there ever is.
        per_second: What comes back.
        clock: Returns the time in seconds.

    Example:
        >>> budget = Budget(at_once=100, per_second=0)
        >>> budget.take(70), budget.take(70), budget.take(30)
        (True, False, True)
    """

    def __init__(
        self,
        at_once: float,
        per_second: float = math.inf,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._at_once = at_once
        self._per_second = per_second
        self._clock = clock
        self._left = at_once
        self._since = clock()

    def refill(self) -> None:
        """Adds what has come back since the last call."""
        now = self._clock()
        back = self._per_second * (now - self._since) if now > self._since else 0.0
        self._left, self._since = min(self._at_once, self._left + back), now

    def take(self, size: int) -> bool:
        """Takes `size` bytes; False, and takes nothing, where there is not as much left."""
        if size > self._left:
            return False
        self._left -= size
        return True


def size_of(episode: Episode) -> int:
    """Returns how many bytes an episode's arrays hold, its scene's left out: that travels once.

    Example:
        >>> import numpy as np
        >>> trace = Trace(np.zeros(3, np.int32), np.zeros((3, 2)))
        >>> size_of(Episode("uid", 2, 0.0, traces={"traces": {"car": trace}}))
        60
    """
    parts: list[Series | Trace | Media] = [*episode.running.values(), *episode.media.values()]
    for entities in episode.traces.values():
        parts += entities.values()
    return sum(map(_size, parts))


def _size(part: Series | Trace | Media) -> int:
    if isinstance(part, Series):
        agents = 0 if part.agents is None else part.agents.nbytes
        return part.steps.nbytes + part.values.nbytes + agents
    if isinstance(part, Media):
        return part.steps.nbytes + sum(values.nbytes for values in part.values)
    channels = sum(values.nbytes for values in part.channels.values())
    labels = 8 * sum(map(len, part.labels.values()))  # a reference each; states repeat
    return part.steps.nbytes + part.points.nbytes + channels + labels
