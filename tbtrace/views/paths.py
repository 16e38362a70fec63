"""The way of every entity, seen from above."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tbtrace.episode import Episode, Trace
from tbtrace.errors import ContractError
from tbtrace.views.base import Options, Picture, caption, traces_of
from tbtrace.views.context import Context
from tbtrace.views.crowd import crowd
from tbtrace.views.floor import seen_from_above
from tbtrace.views.sides import have_room, sides
from tbtrace.views.tint import Way, tint

_DESCRIPTION = (
    "The way of every entity in one episode, seen from above. A ring marks where it was first "
    "seen, a dot where it was last seen; where it was away, its line has a gap. Of a crowd the "
    "colours say how many entities came by, and the lines are the longest ways among them."
)


@dataclass(frozen=True, kw_only=True)
class Paths(Options):
    r"""Draws the way of every entity, seen from above (x to the right, y upwards).

    Each entity has its colour for the whole run and, among up to twelve, an entry in the legend. A
    ring marks the start, a dot the end; of more than 60 entities a dot the end alone, of more than
    300 nothing. Lines have the colour of the legend or bar, however many there are. A gap in a
    trace is a gap in its line, an isolated point is a dot. The axes have equal scale unless what
    they show is flatter than 8:1, and stand still over the iterations. The scene gives the
    background, the unit, the names of axes and places.

    Attributes:
        group: The group of entities to draw; None draws all groups together.
        colour: What gives the colours: `"entity"`; `"group"`; `"time"`, the step in the episode; or
            the name of a channel of the points. Numbers have a colour bar whose ends stand still
            over the iterations, states a legend; grey is a point without that channel.
        density: From so many entities on, their density is drawn instead: how many came by each
            place, with the three longest ways on top. None never does, and it needs
            `colour="entity"`.
        project: `"auto"`: where z varies in the run, the picture shows the three projections, from
            above, x and z, y and z; it needs a size of 480x408. `"xy"`: always from above alone.

    Raises:
        ContractError: As `Options`; or `density` is below 2, or `project` is another word.

    Example:
        >>> from tbtrace.episode import Trace
        >>> points = np.array([(0.0, 0.0), (2.0, 0.0), (2.0, 1.0)])
        >>> way = Trace(np.arange(3, dtype=np.int32), points)
        >>> episode = Episode("e1", 2, 1.5, traces={"robots": {"r2": way}})
        >>> picture = Paths().draw([episode], Context())
        >>> picture.width, picture.height, picture.png[:4]
        (640, 480, b'\x89PNG')
        >>> Paths(group="drones").draw([episode], Context()) is None
        True
    """

    name: str = "paths"
    group: str | None = None
    colour: str = "entity"
    density: int | None = 100
    project: str = "auto"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.density is not None and self.density < 2:
            raise ContractError(
                f"density={self.density} of view {self.name!r}: at least 2, or None"
            )
        if self.project not in ("auto", "xy"):
            raise ContractError(f"project={self.project!r} of view {self.name!r}: 'auto' or 'xy'")

    def draw(
        self, episodes: Sequence[Episode], context: Context, title: str = ""
    ) -> Picture | None:
        """Returns the picture; None when no entity of the group has a finite point.

        Args:
            episodes: Drawn over one another, usually one.
            context: Gives colours, limits and the scene; it should have observed the episodes.
            title: First line of the picture; the second tells about the episode.
        """
        ways = self._ways(episodes)
        scene = context.scene_of(episodes)
        points = () if context.knows(episodes) else [way.trace.points[:, :2] for way in ways]
        limits = context.limits(self.group, points, scene)
        if not ways or limits is None:
            return None
        many = self.density is not None and len(ways) >= self.density and self.colour == "entity"
        paint = crowd(ways, context) if many else tint(ways, self.colour, context, limits)
        heights = self._heights(ways, context)
        width, height = self.size
        heads = (title, caption(episodes))
        if heights and have_room(self.size):
            file = sides(paint, limits, heights, scene, self.size, heads)
            return Picture(file, width, height, title, _DESCRIPTION)
        plot = seen_from_above(scene, limits, self.size, heads, legend=paint.legend, bar=paint.bar)
        paint.on(plot)
        plot.places(scene.places)
        return Picture(plot.png(), width, height, title, _DESCRIPTION)

    def _ways(self, episodes: Sequence[Episode]) -> list[Way]:
        return [
            Way(group, entity, trace)
            for group, entity, trace in traces_of(episodes, self.group)
            if _is_somewhere(trace)
        ]

    def _heights(self, ways: Sequence[Way], context: Context) -> tuple[float, float] | None:
        """Returns the limits of z, or None where it is not to be seen."""
        deep = [way.trace.points[:, 2] for way in ways if way.trace.points.shape[1] > 2]
        if self.project != "auto" or not deep:
            return None
        known = context.seen("z", self.group)
        varies = known is not None and known[0] < known[1]
        if not varies:
            every = np.concatenate(deep)
            every = every[np.isfinite(every)]
            varies = len(every) > 0 and every.min() < every.max()
        return context.span("z", self.group, deep) if varies else None


def _is_somewhere(trace: Trace) -> bool:
    points = trace.points
    if not len(points):
        return False
    # Most begin with a finite point; to look at all of them takes much longer.
    return all(map(math.isfinite, points[0].tolist())) or bool(
        np.isfinite(points).all(axis=1).any()
    )
