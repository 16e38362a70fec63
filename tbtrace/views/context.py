"""What must last over the iterations of one run: extents, colours, the scene."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from tbtrace.draw.scale import Limits, padded
from tbtrace.episode import Episode, Scene
from tbtrace.errors import warn_once

PALETTE = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#332288",
    "#33BBEE",
    "#661100",
    "#6B4EFF",
    "#004D40",
    "#AA3377",
    "#A0522D",
)
"""Twelve colours that stay apart for colour-blind eyes (Okabe-Ito without yellow, then darker ones)
and are dark enough on white."""

MOST_NAMES = 4096
"""So many entities, and so many groups, are remembered by name."""

_LARGEST = 1e100


class Context:
    """What must last over the iterations of one run, so that its pictures can be compared.

    The reporter keeps one for each run and lets it observe episodes before views draw them; views
    only read it. It can be pickled, its memory is bounded, and it may be read in other threads
    while it observes.

    Attributes:
        scene: The last scene that an episode gave, or None.

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
        self._extents: dict[str, Limits] = {}
        self._numbers: dict[tuple[str, str], int] = {}

    def observe(self, episodes: Iterable[Episode]) -> None:
        """Remembers what is new in `episodes`: larger extents, entities, the scene.

        Extents never shrink: the slider over iterations shows change, not jumping axes. Points that
        are not finite do not count. Groups beyond the 4096th share one extent.
        """
        for episode in episodes:
            self._remember_scene(episode.scene)
            # Readers in other threads see the old extents or the new ones, never a dict in change.
            extents = dict(self._extents)
            for group, traces in episode.traces.items():
                for entity in traces:
                    if len(self._numbers) < MOST_NAMES:
                        self._numbers.setdefault((group, entity), len(self._numbers))
                seen = extent_of([trace.points[:, :2] for trace in traces.values()])
                key = group if group in extents or len(extents) < MOST_NAMES else ""
                grown = joined([seen, extents.get(key)])
                if grown:
                    extents[key] = grown
            self._extents = extents

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
        number = self._numbers.get((group, entity))
        if number is None:
            number = zlib.crc32(f"{group}\0{entity}".encode("utf-8", "surrogatepass"))
        return PALETTE[number % len(PALETTE)]

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


def extent_of(points: Sequence[NDArray[np.float64]]) -> Limits | None:
    """Returns `(x0, x1, y0, y1)` of the finite points, or None when there are none.

    Args:
        points: float `(n, 2)` each; rows with a NaN or an infinity do not count.
    """
    if not points:
        return None
    every = np.concatenate(points)
    # Columns are contiguous: the reductions run ten times faster than along the rows.
    x, y = np.ascontiguousarray(every[:, 0]), np.ascontiguousarray(every[:, 1])
    finite = np.isfinite(x) & np.isfinite(y)
    if not finite.all():
        x, y = x[finite], y[finite]
    if not x.size:
        return None
    sides = np.clip([x.min(), x.max(), y.min(), y.max()], -_LARGEST, _LARGEST).tolist()
    return sides[0], sides[1], sides[2], sides[3]


def joined(extents: Iterable[Limits | None]) -> Limits | None:
    """Returns the smallest extent that holds all of `extents`; None when all are None."""
    known = [extent for extent in extents if extent is not None]
    if not known:
        return None
    x0, x1, y0, y1 = zip(*known, strict=True)
    return min(x0), max(x1), min(y0), max(y1)
