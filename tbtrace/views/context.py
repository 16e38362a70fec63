"""What must last over the iterations of one run: extents, colours, the scene."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from tbtrace.draw.batches import batches
from tbtrace.draw.scale import Limits, padded
from tbtrace.episode import Episode, Scene, Trace
from tbtrace.errors import warn_once
from tbtrace.views import way
from tbtrace.views.colours import Colours, of_number
from tbtrace.views.extent import extent_of, joined
from tbtrace.views.heat import Heat, heat_of
from tbtrace.views.memory import LARGEST, MOST_NAMES, Order, Range, Ranges, range_of, widest

Kind = Literal["running", "channel", "way", "z"]
"""Of what there are ranges: running values and channels by name, ways travelled and heights by
group."""

_MOST_HEATS = 16
_CELLS = 64
_ENOUGH = 1_000_000


class Context:
    """What must last over the iterations of one run, so that its pictures can be compared.

    The reporter keeps one for each run and lets it observe episodes before views draw them; views
    only read it. It can be pickled, its memory is bounded, and it may be read in other threads
    while it observes.

    Attributes:
        scene: The last scene that an episode gave, or None.
        longest: The steps of the longest episode so far.

    Example:
        >>> from tbtrace.episode import Trace
        >>> way = Trace(np.arange(2, dtype=np.int32), np.array([(0.0, 0.0), (10.0, 5.0)]))
        >>> context = Context()
        >>> context.observe([Episode("a", 1, 0.0, traces={"robots": {"r2": way}})])
        >>> context.limits("robots"), context.colour("robots", "r2")
        ((-0.5, 10.5, -0.5, 5.5), '#0072B2')
    """

    def __init__(self) -> None:
        self.scene: Scene | None = None
        self.longest = 0
        self._extents: dict[str, Limits] = {}
        self._colours = Colours()
        self._states = Order()
        self._groups = Order()
        self._ranges: dict[Kind, Ranges] = {kind: Ranges() for kind in get_args(Kind)}
        self._heats: dict[tuple[str, str | None], Heat] = {}
        self._newest: frozenset[str] = frozenset()

    def observe(self, episodes: Iterable[Episode]) -> None:
        """Remembers what is new in `episodes`: extents, ranges, lengths, entities, states, scenes.

        Nothing shrinks: the slider over iterations shows change, not jumping axes. Points that
        are not finite do not count. Groups beyond the 4096th share one extent.
        """
        episodes = list(episodes)
        for episode in episodes:
            self._remember_scene(episode.scene)
            self.longest = max(self.longest, episode.length)
            for name, series in episode.running.items():
                self._ranges["running"].see(name, series.values)
                if series.tally is not None:  # the values are a sample, which may lack the extremes
                    self._ranges["running"].see(name, (series.tally.minimum, series.tally.maximum))
            # Readers in other threads see the old extents or the new ones, never a dict in change.
            extents = dict(self._extents)
            for group, traces in episode.traces.items():
                self._colours.see(group, traces)
                seen = extent_of([trace.points[:, :2] for trace in traces.values()])
                key = group if group in extents or len(extents) < MOST_NAMES else ""
                grown = joined([seen, extents.get(key)])
                if grown:
                    extents[key] = grown
                self._remember_group(group, traces)
            self._extents = extents
        self._newest = frozenset(episode.uid for episode in episodes)
        self._remember_heat(episodes)

    def _remember_heat(self, episodes: Sequence[Episode]) -> None:
        """Remembers where the time went in the first iteration that says so, and never again."""
        found: dict[tuple[str, str | None], list[Trace]] = {}
        for episode in episodes:
            for group, traces in episode.traces.items():
                for name in (None, group):
                    key = (episode.split, name)
                    if key not in self._heats:
                        found.setdefault(key, []).extend(traces.values())
        made: dict[tuple[Any, ...], Heat | None] = {}  # a group that is alone is all of them
        for key, ways in found.items():
            limits = self.limits(key[1])
            if limits and len(self._heats) < _MOST_HEATS:
                same = (limits, *map(id, ways))
                if same not in made:
                    points = sum(len(one.steps) for one in ways)
                    made[same] = heat_of(ways[:: 1 + points // _ENOUGH], limits, _CELLS)
                heat = made[same]
                self._heats = self._heats if heat is None else {**self._heats, key: heat}

    def _remember_group(self, group: str, traces: Mapping[str, Trace]) -> None:
        self._groups.see("", [group])
        points = [trace.points for trace in traces.values()]
        self._ranges["way"].see(group, (0.0, max(map(way.longest, batches(points)), default=0.0)))
        heights = [rows[:, 2] for rows in points if rows.shape[1] > 2]
        if heights:
            self._ranges["z"].see(group, np.concatenate(heights))
        for trace in traces.values():
            for channel, values in trace.channels.items():
                self._ranges["channel"].see(channel, values)
            for channel, states in trace.labels.items():
                found = dict.fromkeys(states)  # of a thousand mostly a handful
                self._states.see(channel, [state for state in found if state is not None])

    def _remember_scene(self, scene: Scene | None) -> None:
        if scene is None:
            return
        self.scene = scene
        if scene.background is not None and scene.extent is None:
            warn_once(
                "scene background",
                "the scene has a background but no extent, so nobody knows where it lies; it is "
                "not drawn: give scene['extent'] = (x0, x1, y0, y1)",
            )

    def colour(self, group: str, entity: str) -> str:
        """Returns the entity's colour, `#rrggbb`: by order of first sight, then by a stable hash.

        The first twelve entities of a run have twelve different colours. Those that were never
        observed, or came after 4096 others, get a colour that depends on their name alone.
        """
        return self._colours.of(group, entity)

    @property
    def running_names(self) -> tuple[str, ...]:
        """The names of running values in the order of first sight."""
        return self._ranges["running"].names

    def group_colour(self, group: str) -> str:
        """Returns a group's colour, `#rrggbb`, as `colour` does an entity's."""
        groups = self._groups.of("")
        known = groups.index(group) if group in groups else None
        return of_number(group, known)

    def told(self) -> dict[str, Any]:
        """Returns what lasts as a dict for a JSON text; the scene comes with the next episode."""
        return {
            "longest": self.longest,
            "extents": dict(self._extents),
            "entities": list(self._colours.names),
            "states": self._states.all,
            "groups": list(self._groups.of("")),
            "ranges": {kind: ranges.all for kind, ranges in self._ranges.items()},
            "heats": [[*key, *heat.told()] for key, heat in self._heats.items()],
        }

    def resume(self, told: Mapping[str, Any]) -> None:
        """Remembers what `told` told, in place of everything so far but the scene.

        Raises:
            Exception: Of any kind, where it is something else; nothing is changed then.
        """
        longest = min(int(told["longest"]), 2**53)
        extents = {str(group): _extent(limits) for group, limits in told["extents"].items()}
        colours = Colours((str(group), str(entity)) for group, entity in told["entities"])
        states = Order({str(name): map(str, of) for name, of in told["states"].items()})
        groups = Order({"": map(str, told["groups"])})
        ranges = {kind: Ranges(told["ranges"][kind]) for kind in get_args(Kind)}
        heats = {
            (str(split), None if group is None else str(group)): Heat.from_told(heat)
            for split, group, *heat in told["heats"][:_MOST_HEATS]
        }
        self.longest, self._extents, self._colours = longest, extents, colours
        self._states, self._groups, self._ranges, self._heats = states, groups, ranges, heats

    def knows(self, episodes: Iterable[Episode]) -> bool:
        """Tells whether all episodes were among those that were observed last, by their uids."""
        return all(episode.uid in self._newest for episode in episodes)

    def first_heat(self, split: str, group: str | None = None) -> Heat | None:
        """Returns where a group spent its time in the first iteration of a split that showed it.

        Args:
            split: `Episode.split`.
            group: None for all groups together.

        Returns:
            None where nothing was seen yet, and for what comes after 16 others.
        """
        return self._heats.get((split, group))

    def seen(self, kind: Kind, name: str | None) -> Range | None:
        """Returns the lowest and the highest finite value so far; as `span`, but without air."""
        return self._ranges[kind].of(name)

    def states(self, channel: str) -> tuple[str, ...]:
        """Returns the states of a channel (`Trace.labels`) in the order of first sight."""
        return self._states.of(channel)

    def horizon(self, least: int = 1) -> float:
        """Returns where time axes end: a round number of steps, that of the longest episode.

        Args:
            least: A step that must be seen too.
        """
        most = max(1, self.longest, least)
        step = 10.0 ** max(0, math.ceil(math.log10(most)) - 2)
        step *= 5 if most > 50 * step else 2 if most > 20 * step else 1
        return math.ceil(most / step) * step

    def span(
        self, kind: Kind, name: str | None, values: Iterable[NDArray[np.float64]] = ()
    ) -> Range | None:
        """Returns what an axis of such values shows, the same in every picture until it must grow.

        Args:
            kind: `"running"`, `"channel"`, `"way"` (travelled, from 0) or `"z"`.
            name: Of the running value or channel, or of the group; None for all together.
            values: What must be seen too.

        Returns:
            Lowest and highest value, with a little air, or None when nothing finite is known.
        """
        seen = widest([self._ranges[kind].of(name), *map(range_of, values)])
        if seen is None:
            return None
        low, high, _, _ = padded((*seen, *seen))
        return (0.0 if kind == "way" else low), high

    def scene_of(self, episodes: Iterable[Episode]) -> Scene:
        """Returns the scene to draw episodes in: the first one's own, or else the run's last."""
        own = (episode.scene for episode in episodes if episode.scene is not None)
        return next(own, self.scene or Scene())

    def limits(
        self,
        group: str | None = None,
        points: Sequence[NDArray[np.float64]] = (),
        scene: Scene | None = None,
    ) -> Limits | None:
        """Returns what the axes of a group show, the same in every picture until it must grow.

        That is the scene's extent, grown where entities were outside of it, or else round values
        with a little air round everything that was observed. A scene whose extent runs backwards
        (`y0 > y1`) turns the axes round.

        Args:
            group: None for all groups together.
            points: float `(n, 2)` each: what must be seen too.
            scene: The scene of the picture; the run's last one by default.

        Returns:
            `(x0, x1, y0, y1)`, or None when nothing is known.
        """
        extents = self._extents
        known = list(extents.values()) if group is None else [extents.get(group, extents.get(""))]
        seen = joined([*known, extent_of(points)])
        scene = scene or self.scene
        edges = scene.extent if scene else None
        if edges is None:
            return padded(seen) if seen else None
        x0, x1, y0, y1 = edges
        inside = (min(x0, x1), max(x0, x1), min(y0, y1), max(y0, y1))
        both = joined([inside, seen])
        if both is None or both == inside:
            return edges
        # A side that entities crossed gets air and a round value; the others stay.
        air = padded(both)
        left, right, low, high = (
            old if old == new else aired for old, new, aired in zip(inside, both, air, strict=True)
        )
        across = (left, right) if x0 < x1 else (right, left)
        return (*across, low, high) if y0 < y1 else (*across, high, low)


def _extent(told: Sequence[float]) -> Limits:
    x0, x1, y0, y1 = map(float, told)
    if not (-LARGEST <= x0 <= x1 <= LARGEST and -LARGEST <= y0 <= y1 <= LARGEST):
        raise ValueError("an extent is none")
    return x0, x1, y0, y1
