"""The way of every entity, seen from above."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tbtrace.draw import png
from tbtrace.draw.figure import Plot
from tbtrace.episode import Episode, Scene
from tbtrace.views.base import Options, Picture, caption
from tbtrace.views.context import PALETTE, Context

_DESCRIPTION = (
    "The way of every entity in one episode, seen from above. A ring marks where it was first "
    "seen, a dot where it was last seen; where it was away, its line has a gap."
)


class _Way(NamedTuple):
    group: str
    entity: str
    points: NDArray[np.float64]
    colour: str


class _Style(NamedTuple):
    width: float
    alpha: float
    start: float
    end: float


@dataclass(frozen=True, kw_only=True)
class Paths(Options):
    r"""Draws the way of every entity, seen from above (x to the right, y upwards).

    Each entity has its colour for the whole run and, among up to twelve, an entry in the legend. A
    ring marks the start, a dot the end; many entities get thinner, translucent lines. A gap in a
    trace is a gap in its line, an isolated point is a dot. Of 3-D points x and y are drawn. The
    axes have equal scale unless what they show is flatter than 8:1, and stand still over the
    iterations. The scene gives the background, the unit, the names of axes and places.

    Attributes:
        group: The group of entities to draw; None draws all groups together.

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

    def draw(
        self, episodes: Sequence[Episode], context: Context, title: str = ""
    ) -> Picture | None:
        """Returns the picture; None when no entity of the group has a finite point.

        Args:
            episodes: Drawn over one another, usually one.
            context: Gives colours, limits and the scene; it should have observed the episodes.
            title: First line of the picture; the second tells about the episode.
        """
        ways = self._ways(episodes, context)
        scene = context.scene_of(episodes)
        limits = context.limits(self.group, [way.points for way in ways], scene)
        if not ways or limits is None:
            return None
        names = (*scene.axes, "x", "y")[:2] if len(scene.axes) >= 2 else ("x", "y")
        plot = Plot(
            limits,
            self.size,
            title=title,
            caption=caption(episodes),
            names=(names[0], names[1]),
            units=scene.units,
            legend=_legend(ways),
            grow=scene.extent is None,
        )
        _draw_scene(plot, scene)
        _draw_ways(plot, ways)
        plot.places(scene.places)
        width, height = self.size
        return Picture(png.encode(plot.render()), width, height, title, _DESCRIPTION)

    def _ways(self, episodes: Sequence[Episode], context: Context) -> list[_Way]:
        found = (
            _Way(group, entity, trace.points[:, :2], context.colour(group, entity))
            for episode in episodes
            for group, traces in episode.traces.items()
            if self.group is None or group == self.group
            for entity, trace in traces.items()
        )
        return [way for way in found if np.isfinite(way.points).all(axis=1).any()]


def _draw_ways(plot: Plot, ways: Sequence[_Way]) -> None:
    style = _style(len(ways))
    colours = [way.colour for way in ways]
    plot.lines([way.points for way in ways], colours, width=style.width, alpha=style.alpha)
    ends = [np.flatnonzero(np.isfinite(way.points).all(axis=1))[[0, -1]] for way in ways]
    first = np.array([way.points[rows[0]] for way, rows in zip(ways, ends, strict=True)])
    last = np.array([way.points[rows[1]] for way, rows in zip(ways, ends, strict=True)])
    if style.start:
        plot.starts(first, colours, style.start)
    if style.end:
        plot.ends(last, colours, style.end)


def _draw_scene(plot: Plot, scene: Scene) -> None:
    if scene.extent is None:
        return
    if scene.background is not None:
        # A dark floor is mixed with white until it is 80 % light, so that the ways stand out.
        dark = 1 - float(scene.background.mean()) / 255
        plot.image(scene.background, scene.extent, fade=1 - min(0.85, 0.2 / max(dark, 0.2)))
    plot.outline(scene.extent)


def _style(count: int) -> _Style:
    if count <= len(PALETTE):
        return _Style(2.5, 1.0, 6.0, 5.0)
    if count <= 60:
        return _Style(2.0, 0.85, 4.6, 3.5)
    if count <= 300:
        return _Style(1.5, 0.5, 0.0, 2.5)
    return _Style(1.0, 0.3, 0.0, 0.0)


def _legend(ways: Sequence[_Way]) -> list[tuple[str, str]]:
    """Returns the entries, none where two entities would share a colour."""
    named = {(way.group, way.entity): way.colour for way in ways}
    if len(set(named.values())) < len(named):
        return []
    several = len({group for group, _ in named}) > 1
    return [(f"{g}/{e}" if several else e, colour) for (g, e), colour in named.items()]
