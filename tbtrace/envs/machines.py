"""What the plant is made of: articles, the conveyors that carry them, the stations that work."""

from __future__ import annotations

from bisect import insort
from operator import attrgetter

import numpy as np

from tbtrace.envs.floor import FEED, KINDS, LEAVE, ZONE, Path, Place

TICK = 2.0
"""Plant time of one tick, in seconds."""

SPEED = ZONE / TICK
"""Speed of the conveyors, in metres per second."""

MEAN_WORK = ((70.0, 20.0, 12.0), (12.0, 20.0, 70.0), (20.0, 12.0, 70.0))
"""Mean processing time in seconds, by kind and lane: the quick station differs by kind."""

MEAN_REPAIR = 40.0
"""Mean time to repair a station, in seconds."""

_POWER_BUSY = {"mill": 9.0, "drill": 6.0, "paint": 12.0}
_POWER_IDLE, _POWER_DOWN = 1.5, 0.3
_WORK_SHAPE = 6.0  # of the gamma distribution: the standard deviation is 0.41 of the mean
_left = attrgetter("left")


class Article:
    """One article on its way through the plant.

    Attributes:
        name: `"a1"`, `"a2"`, ... in the order of entering.
        entered: The tick in which it entered.
        moved: The tick in which it last moved.
        kind: Index into `KINDS` of the work that it needs next or is at; `len(KINDS)` when done.
        path: Places of the conveyor that it is on, by the number of zones left to its end.
        left: Zones left to the end of that conveyor.
        offset: How far it lies off the middle of every belt, to the right and up, in metres.
        state: `"travelling"`, `"waiting"` (to be dispatched), `"queued"` (for a station) or
            `"worked on"`.
    """

    __slots__ = ("entered", "kind", "left", "moved", "name", "offset", "path", "state")

    def __init__(self, number: int, tick: int) -> None:
        self.name = f"a{number}"
        self.offset = (2 * number % 5 - 2) * 0.25
        self.entered = self.moved = tick
        self.kind = self.left = 0
        self.path: Path = ()
        self.state = "travelling"

    @property
    def place(self) -> Place:
        """The middle of the zone that it is in, `(x, y)` in metres."""
        return self.path[self.left]


class Conveyor:
    """Articles on their way to one end, nearest first; branches may join on the way.

    Args:
        halted: The state of an article that has no room to move on.
    """

    __slots__ = ("articles", "halted")

    def __init__(self, halted: str) -> None:
        self.halted = halted
        self.articles: list[Article] = []

    @property
    def head(self) -> Article | None:
        """The article at the end of the conveyor, or None."""
        return self.articles[0] if self.articles and not self.articles[0].left else None

    def put(self, article: Article, path: Path) -> None:
        """Puts an article on the beginning of `path`, one of the conveyor's branches."""
        article.path, article.left, article.state = path, len(path) - 1, "travelling"
        insort(self.articles, article, key=_left)

    def advance(self, tick: int) -> None:
        """Moves every article that has room by one zone."""
        nearest = 0
        for article in self.articles:
            if article.left > nearest:
                article.left -= 1
                article.moved = tick
                article.state = "travelling"
            elif article.state == "travelling":
                article.state = self.halted
            nearest = article.left + 1


class Station:
    """A machine that works on the head of its lane, breaks down and is repaired.

    Args:
        kind: Index into `KINDS`.
        lane: Which station of that kind, from 0.
        to_failure: Seconds of work until the first breakdown.

    Attributes:
        name: E.g. `"mill-1"`.
        mean: Mean processing time in seconds.
        lane: The conveyor that leads to it, with the article worked on as its head.
        work: Seconds of work left on that article; 0 when there is none.
        repair: Seconds until it is repaired; 0 unless it is down.
    """

    __slots__ = ("_busy", "_to_failure", "feed", "lane", "leave", "mean", "name", "repair", "work")

    def __init__(self, kind: int, lane: int, to_failure: float) -> None:
        self.name = f"{KINDS[kind]}-{lane + 1}"
        self.mean = MEAN_WORK[kind][lane]
        self.feed, self.leave = FEED[kind][lane], LEAVE[kind][lane]
        self.lane = Conveyor("queued")
        self.work = self.repair = 0.0
        self._busy = _POWER_BUSY[KINDS[kind]]
        self._to_failure = to_failure

    @property
    def queue(self) -> int:
        """Articles that are on its lane and not yet worked on."""
        return len(self.lane.articles) - (self.work > 0)

    @property
    def works(self) -> bool:
        """Whether it is working: not idle, not down."""
        return self.work > 0 and not self.repair

    @property
    def full(self) -> bool:
        """Whether its lane has no room for one more article."""
        return len(self.lane.articles) >= len(self.feed) - 1

    @property
    def backlog(self) -> float:
        """Expected seconds until it has done all that is on its lane."""
        return self.queue * self.mean + self.work + (MEAN_REPAIR if self.repair else 0.0)

    @property
    def outlook(self) -> float:
        """Expected seconds until an article dispatched now has been worked on and moved on."""
        arrival, departure = ((len(path) - 1) * TICK for path in (self.feed, self.leave))
        return max(self.backlog, arrival) + self.mean + departure

    @property
    def power(self) -> float:
        """What it draws now, in kW."""
        if self.repair:
            return _POWER_DOWN
        return self._busy if self.work else _POWER_IDLE

    def run(self, rng: np.random.Generator, failure_interval: float) -> Article | None:
        """Works for one tick; returns the article when it is finished."""
        if self.repair:
            self.repair = max(self.repair - TICK, 0.0)
            return None
        article = self.lane.head
        if article is None:
            return None
        if not self.work:
            article.state = "worked on"
            self.work = rng.gamma(_WORK_SHAPE, self.mean / _WORK_SHAPE)
        self._to_failure -= TICK
        if self._to_failure <= 0:
            self._to_failure = rng.exponential(failure_interval)
            self.repair = rng.exponential(MEAN_REPAIR)
            return None
        self.work = max(self.work - TICK, 0.0)
        return None if self.work else self.lane.articles.pop(0)
