"""The traces themselves, moving."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tbtrace.draw import anim, text
from tbtrace.draw.counter import wrapped
from tbtrace.draw.layout import LINE, MARGIN
from tbtrace.draw.legend import Legend
from tbtrace.draw.trails import Moves, Trails
from tbtrace.episode import Episode, Trace
from tbtrace.errors import ContractError
from tbtrace.views.base import Options, Picture, caption, traces_of
from tbtrace.views.context import Context
from tbtrace.views.evenly import evenly
from tbtrace.views.floor import seen_from_above

_DESCRIPTION = (
    "One episode, played: every dot is an entity, with a trail of where it has just been. The "
    "number is the step; the line along the upper edge grows with time. A dot that is gone is away."
)
_MOST_POINTS = 1 << 18
_MOST_PLACES = 1 << 22
_HOLD = 1.0
_MOST_IN_LEGEND = 6
_GAP = 12
_WIDE = 300


@dataclass(frozen=True, kw_only=True)
class Animation(Options):
    r"""Plays the traces: dots that move, each with a fading trail of where it has just been.

    The axes, the floor and the colours are those of `Paths`; up to six entities have a legend
    where the picture is at least 300 pixels wide. An
    entity that is away has no dot, and no trail leads across its absence. The frames are evenly
    spaced over the steps that have traces, the first and the last one included; between two frames
    a trail follows the way through the steps that have no frame. Where the entities are so many
    that it would have more than about 260,000 points, it takes shorter cuts; where they are more
    than 40,000, there are fewer frames.

    Attributes:
        group: The group of entities to draw; None draws all groups together.
        frames: How many frames at most.
        fps: Frames a second, from 0.02 to 1000. The last one stands a second longer.
        trail: How many steps long the trails are; None for an eighth of the episode.

    Raises:
        ContractError: `frames` or `trail` is below 1, or another `fps`.

    Example:
        >>> points = np.array([(0.0, 0.0), (2.0, 0.0), (2.0, 1.0)])
        >>> way = Trace(np.arange(3, dtype=np.int32), points)
        >>> episode = Episode("e1", 2, 1.5, traces={"robots": {"r2": way}})
        >>> picture = Animation().draw([episode], Context())
        >>> picture.width, picture.height, b"acTL" in picture.png
        (350, 300, True)
    """

    name: str = "animation"
    size: tuple[int, int] = (350, 300)
    group: str | None = None
    frames: int = 100
    fps: float = 15.0
    trail: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        for option, value in (("frames", self.frames), ("trail", self.trail)):
            if value is not None and value < 1:
                raise ContractError(f"{option}={value!r} of view {self.name!r}; give 1 or more")
        anim.check(self.fps)

    def draw(
        self, episodes: Sequence[Episode], context: Context, title: str = ""
    ) -> Picture | None:
        """Returns the animation; None when no entity of the group has a finite point.

        A single step that has traces makes a still.

        Args:
            episodes: Played at the same time, usually one.
            context: Gives colours, limits and the scene; it should have observed the episodes.
            title: Stands in front of what the first lines tell about the episode.
        """
        found = self._found(episodes)
        scene = context.scene_of(episodes)
        limits = context.limits(self.group, [trace.points[:, :2] for *_, trace in found], scene)
        if not found or limits is None:
            return None
        grid, shown = _moments([trace.steps for *_, trace in found], self.frames)
        labels = [f"step {step}" for step in grid[shown].tolist()]
        colours = [context.colour(group, entity) for group, entity, _ in found]
        legend = _legend(found, colours) if self.size[0] >= _WIDE else []
        parts = [part for part in (title, *caption(episodes).split(" · ")) if part]
        heads = self._heads(parts, text.width(labels[-1]) + _GAP, legend)
        plot = seen_from_above(scene, limits, self.size, heads, legend=legend)
        plot.places(scene.places)
        sampled = [_sampled(trace, grid) for *_, trace in found]
        numbers = {colour: number for number, colour in enumerate(dict.fromkeys(colours))}
        moves = Moves(
            at=np.stack([plot.scale.project(points) for points, _ in sampled], axis=1),
            joined=np.stack([joined for _, joined in sampled], axis=1),
            colours=np.array([numbers[colour] for colour in colours]),
            inks=np.array([list(bytes.fromhex(colour[1:])) for colour in numbers], np.uint8),
            frames=shown,
            labels=labels,
        )
        steps = int(grid[-1] - grid[0])
        trail = (self.trail or max(1, steps // 8)) * (len(shown) - 1) / max(1, steps)
        trails = Trails(
            plot.render(),
            plot.scale.box,
            moves,
            trail=max(1, round(trail)),
            radius=_radius(len(found)),
            label_at=(self.size[0] - MARGIN, MARGIN + LINE - 2),
        )
        data = anim.encode_indexed(trails, trails.palette, self.fps, _HOLD)
        return Picture(data, *self.size, title, _DESCRIPTION)

    def _found(self, episodes: Sequence[Episode]) -> list[tuple[str, str, Trace]]:
        return [
            one
            for one in traces_of(episodes, self.group)
            if np.isfinite(one[2].points[:, :2]).all(axis=1).any()
        ]

    def _heads(
        self, parts: Sequence[str], counter: int, legend: Sequence[tuple[str, str]]
    ) -> tuple[str, str]:
        """Returns two lines, beside which there may be the legend and is the counter.

        The legend finds another place where it leaves too little room for the text.
        """
        room = self.size[0] - 2 * MARGIN
        row = Legend(legend, self.size[0]).extent.size(len(legend))[0] + _GAP if legend else 0
        for rooms in ([room - row, room - counter], [room, room - counter]):
            first, *rest = wrapped(parts, rooms)
            second = " · ".join(rest)
            if rooms[0] > 0 and text.width(second) <= rooms[1] and parts[0] in first:
                break
        if not rest:
            first, second = " · ".join(parts[:-1]), parts[-1]
        return text.shorten(first, rooms[0]), text.shorten(second, rooms[1])


def _legend(
    found: Sequence[tuple[str, str, Trace]], colours: Sequence[str]
) -> list[tuple[str, str]]:
    """Returns the entries, none for so many that they would hide what moves."""
    if len(found) > _MOST_IN_LEGEND or len(set(colours)) < len(found):
        return []
    several = len({group for group, *_ in found}) > 1
    names = [f"{group}/{entity}" if several else entity for group, entity, _ in found]
    return list(zip(names, colours, strict=True))


def _radius(count: int) -> float:
    return 3.5 if count <= 30 else 3.0 if count <= 100 else 2.0 if count <= 1000 else 1.0


def _moments(
    steps: Sequence[NDArray[np.int32]], most: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Returns the steps to look at, and at which of them there is a frame."""
    first, last = min(int(s[0]) for s in steps), max(int(s[-1]) for s in steps)
    told = np.zeros(last - first + 1, bool)
    for some in steps:
        told[some - first] = True
    recorded = np.flatnonzero(told) + first
    frames = max(2, min(most, _MOST_PLACES // len(steps))) if most > 1 else 1
    grid = recorded[evenly(len(recorded), max(frames, _MOST_POINTS // len(steps)))]
    return grid, evenly(len(grid), frames)


def _sampled(trace: Trace, grid: NDArray[np.intp]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Returns where an entity is at each step of `grid`, and whether it never left since."""
    rows = np.searchsorted(trace.steps, grid, side="right") - 1
    points = trace.points[np.maximum(rows, 0), :2].copy()
    here = np.isfinite(trace.points[:, :2]).all(axis=1)
    points[(rows < 0) | ~np.take(here, np.maximum(rows, 0))] = np.nan
    gaps = np.cumsum(~here)[np.maximum(rows, 0)]
    there = ~np.isnan(points[:, 0])
    joined = np.zeros(len(grid), bool)
    joined[1:] = there[1:] & there[:-1] & (gaps[1:] == gaps[:-1])
    return points, joined
