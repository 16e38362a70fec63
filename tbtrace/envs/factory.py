"""The plant, simulated tick by tick: articles travel, queue, are worked on, and leave.

Its conveyors accumulate: an article moves on by one zone a tick as soon as there is room. A
station takes the head of its own lane; the article then goes on to where it is dispatched to the
next kind of work, and after the last kind to the inspection, which sends some back to that kind.
"""

from __future__ import annotations

from operator import attrgetter

import numpy as np

from tbtrace.envs.floor import ENTRY, EXIT, KINDS, LANES, REWORK
from tbtrace.envs.machines import TICK, Article, Conveyor, Station

_moved = attrgetter("moved")


class Factory:
    """The whole plant at one moment: at first empty but for one article that enters.

    Args:
        rng: Where all chance comes from.
        arrival_interval: Mean seconds between two articles (exponentially distributed).
        failure_interval: Mean seconds of work between two breakdowns of a station; `inf` for none.
        rework_share: Chance that an article fails the inspection.

    Attributes:
        tick: Ticks since the beginning.
        stations: `stations[kind][lane]`.
        articles: Articles in work by name, in the order in which they entered.
        waiting: The article to dispatch next, or None: of those at the head of a kind's gate, the
            one that has waited longest.
        outlook: Expected seconds that the article dispatched in the last tick takes until the next
            gate or the inspection; 0 if none was dispatched.
        entered: Articles that came in so far.
        shipped: Articles that left so far.
        lead_ticks: Sum of the ticks that those were in the plant.
        reworked: Inspections failed so far.
    """

    def __init__(
        self,
        rng: np.random.Generator,
        arrival_interval: float,
        failure_interval: float,
        rework_share: float,
    ) -> None:
        self._rng = rng
        self._arrival_interval = arrival_interval
        self._failure_interval = failure_interval
        self._rework_share = rework_share
        self.tick = self.entered = self.shipped = self.lead_ticks = self.reworked = 0
        self.articles: dict[str, Article] = {}
        self.stations = [
            [Station(kind, lane, rng.exponential(failure_interval)) for lane in range(LANES)]
            for kind in range(len(KINDS))
        ]
        self._gates = [Conveyor("waiting") for _ in KINDS]
        self._inspection, self._exit = Conveyor("waiting"), Conveyor("waiting")
        self._conveyors = [*self._gates, self._inspection, self._exit]
        self._conveyors += [station.lane for kind in self.stations for station in kind]
        self._next_arrival = 0.0
        self.waiting: Article | None = None
        self.outlook = 0.0
        self._enter()

    @property
    def waiting_count(self) -> int:
        """Articles at a gate or on their way to it."""
        return sum(len(gate.articles) for gate in self._gates)

    def advance(self, choice: int) -> None:
        """Dispatches the waiting article to lane `choice`, then runs one tick.

        If that lane is full the article goes to the one with the shortest backlog that has room;
        if there is none, it waits on.
        """
        self._dispatch(choice)
        self.tick += 1
        self._ship()
        for kind in self.stations:
            for station in kind:
                article = station.run(self._rng, self._failure_interval)
                if article:
                    self._release(article, station)
        for conveyor in self._conveyors:
            conveyor.advance(self.tick)
        self._enter()
        self._inspect()
        heads = [head for gate in self._gates if (head := gate.head)]
        self.waiting = min(heads, key=_moved, default=None)

    def _dispatch(self, choice: int) -> None:
        article = self.waiting
        self.outlook = 0.0
        if article is None:
            return
        stations = self.stations[article.kind]
        chosen = stations[choice]
        station = min(stations, key=lambda it: (it.full, it is not chosen, it.backlog))
        if not station.full:
            self.outlook = station.outlook
            self._gates[article.kind].articles.pop(0)
            station.lane.put(article, station.feed)

    def _release(self, article: Article, station: Station) -> None:
        article.kind += 1
        after = self._gates[article.kind] if article.kind < len(KINDS) else self._inspection
        after.put(article, station.leave)

    def _enter(self) -> None:
        while self._next_arrival <= self.tick * TICK:
            self._next_arrival += self._rng.exponential(self._arrival_interval)
            self.entered += 1
            article = Article(self.entered, self.tick)
            self.articles[article.name] = article
            self._gates[0].put(article, ENTRY)

    def _inspect(self) -> None:
        article = self._inspection.head
        if article is None:
            return
        self._inspection.articles.pop(0)
        if self._rng.random() < self._rework_share:
            self.reworked += 1
            article.kind -= 1
            self._gates[article.kind].put(article, REWORK)
        else:
            self._exit.put(article, EXIT)

    def _ship(self) -> None:
        article = self._exit.head
        if article is None:
            return
        self._exit.articles.pop(0)
        del self.articles[article.name]
        self.shipped += 1
        self.lead_ticks += self.tick - article.entered
