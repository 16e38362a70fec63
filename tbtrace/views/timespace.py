"""Where every entity was along one axis, over time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from tbtrace.draw.figure import Plot
from tbtrace.episode import Episode, Scene
from tbtrace.errors import ContractError, warn_once
from tbtrace.views.base import Options, Picture, caption, traces_of
from tbtrace.views.context import Context
from tbtrace.views.floor import axis_names
from tbtrace.views.memory import Range
from tbtrace.views.strokes import stroke
from tbtrace.views.way import travelled

Axis = Literal["x", "y", "z", "way"]

_DESCRIPTION = (
    "Time-space diagram of one episode: a line for every entity, steps to the right, where it was "
    "upwards (along one axis, or the way that it has travelled so far). The steeper a line, the "
    "faster its entity; a level line stands still; lines that cross meet or overtake; where an "
    "entity was away its line has a gap."
)


class _Line(NamedTuple):
    group: str
    entity: str
    points: NDArray[np.float64]
    colour: str


@dataclass(frozen=True, kw_only=True)
class TimeSpace(Options):
    r"""Draws the position of every entity over the steps of the episode: a time-space diagram.

    Each entity has its colour for the whole run and, among up to twelve, an entry in the legend. A
    gap in a trace is a gap in its line, an isolated point is a dot. Both axes stand still over the
    iterations: the steps end with the longest episode so far, the positions are those that `Paths`
    shows.

    Attributes:
        group: The group of entities to draw; None draws all groups together.
        axis: `"x"`, `"y"`, `"z"`, or `"way"`: how far the entity has come since it was first seen,
            without what it went while it was away. None takes the longer one of x and y.

    Raises:
        ContractError: Another axis, or as for every view.

    Example:
        >>> from tbtrace.episode import Trace
        >>> points = np.array([(0.0, 0.0), (2.0, 0.0), (2.0, 1.0)])
        >>> way = Trace(np.arange(3, dtype=np.int32), points)
        >>> episode = Episode("e1", 2, 1.5, traces={"robots": {"r2": way}})
        >>> TimeSpace(axis="way").draw([episode], Context()).png[:4]
        b'\x89PNG'
        >>> TimeSpace(group="drones").draw([episode], Context()) is None
        True
    """

    name: str = "time-space"
    group: str | None = None
    axis: Axis | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.axis is not None and self.axis not in get_args(Axis):
            raise ContractError(f"axis={self.axis!r}; give one of {get_args(Axis)}, or None")

    def draw(
        self, episodes: Sequence[Episode], context: Context, title: str = ""
    ) -> Picture | None:
        """Returns the picture; None when no entity of the group has a finite point on the axis.

        Args:
            episodes: Drawn over one another, usually one.
            context: Gives colours, limits and the scene; it should have observed the episodes.
            title: First line of the picture; the second tells about the episode.
        """
        scene = context.scene_of(episodes)
        axis, limits = self._axis(episodes, context, scene)
        lines = list(self._lines(episodes, context, axis))
        if not lines:
            return None
        if limits is None:
            span = context.span("way" if axis == "way" else "z", self.group, _heights(lines))
            limits = span or (0.0, 1.0)
        last = max(int(line.points[-1, 0]) for line in lines)
        horizon = context.horizon(max(last, *(episode.length for episode in episodes), 1))
        plot = Plot(
            (0.0, horizon, *limits),
            self.size,
            title=title,
            caption=caption(episodes),
            names=("step", _label(axis, scene)),
            legend=_legend(lines),
            equal=False,
        )
        ways, colours = [line.points for line in lines], [line.colour for line in lines]
        plot.lines(ways, colours, width=stroke(len(lines)).width)
        return Picture(plot.png(), *self.size, title, _DESCRIPTION)

    def _axis(
        self, episodes: Sequence[Episode], context: Context, scene: Scene
    ) -> tuple[Axis, Range | None]:
        """Returns the axis, and of x and y its limits: those of maps."""
        if self.axis in ("way", "z"):
            return self.axis, None
        points = [trace.points[:, :2] for *_, trace in traces_of(episodes, self.group)]
        x0, x1, y0, y1 = context.limits(self.group, points, scene) or (0.0, 1.0, 0.0, 1.0)
        axis = self.axis or ("x" if abs(x1 - x0) >= abs(y1 - y0) else "y")
        return axis, (x0, x1) if axis == "x" else (y0, y1)

    def _lines(self, episodes: Sequence[Episode], context: Context, axis: Axis) -> Iterator[_Line]:
        column = {"x": 0, "y": 1, "z": 2}.get(axis)
        for group, entity, trace in traces_of(episodes, self.group):
            if column is not None and column >= trace.points.shape[1]:
                warn_once(
                    f"no z {self.name} {group}",
                    f"view {self.name!r} draws z, but the points of {entity!r} in {group!r} have "
                    "two coordinates; give three, or another axis=",
                )
                continue
            here = np.isfinite(trace.points).all(axis=1)
            if here.any():
                at = travelled(trace.points) if column is None else trace.points[:, column]
                points = np.column_stack([trace.steps, np.where(here, at, np.nan)])
                yield _Line(group, entity, points, context.colour(group, entity))


def _heights(lines: Sequence[_Line]) -> list[NDArray[np.float64]]:
    return [line.points[:, 1] for line in lines]


def _label(axis: Axis, scene: Scene) -> str:
    name = "way travelled" if axis == "way" else axis_names(scene)["xyz".index(axis)]
    return f"{name} [{scene.units}]" if scene.units else name


def _legend(lines: Sequence[_Line]) -> list[tuple[str, str]]:
    """Returns the entries, none where two entities would share a colour."""
    named = {(line.group, line.entity): line.colour for line in lines}
    if len(set(named.values())) < len(named):
        return []
    several = len({group for group, _ in named}) > 1
    return [(f"{g}/{e}" if several else e, colour) for (g, e), colour in named.items()]
