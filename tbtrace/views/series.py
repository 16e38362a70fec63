"""Running values over the steps of an episode, with the band of all others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from tbtrace.draw import png
from tbtrace.draw.figure import SMALLEST, Plot
from tbtrace.draw.panels import joined
from tbtrace.draw.scale import Limits, Ticks
from tbtrace.episode import Episode
from tbtrace.errors import ContractError, warn_once
from tbtrace.views.band import Band, Curve, band, curve
from tbtrace.views.base import Options, Picture, caption
from tbtrace.views.colours import PALETTE
from tbtrace.views.context import Context

MOST_PANELS = 4
"""So many names are drawn when none are asked for."""

_HEAD = 52
_LINE, _MEDIAN, _RANGE, _QUARTILES = PALETTE[0], "#707070", "#e4e4e4", "#cacaca"

_DESCRIPTION = (
    "Running values of one episode, step by step (blue). Grey: the other episodes of the iteration "
    "that were kept whole: light from the lowest to the highest, darker (of four and more) the "
    "middle half, the line their median, each among those that still ran. Where several agents "
    "give a value in one step, their mean is drawn."
)


class _Panel(NamedTuple):
    name: str
    curve: Curve
    others: Band
    limits: Limits


@dataclass(frozen=True, kw_only=True)
class Series(Options):
    r"""Draws running values over the steps of an episode, with the band of all others behind them.

    Each name has a panel with its own y axis; all axes stand still over the iterations. The band
    is that of the iteration's other episodes of the same split that are here whole: those that
    `EpisodeRecorder(keep=...)` keeps. A value that is not finite is a gap. Of a long series only a
    sample travels; its panel says so.

    Attributes:
        names: Running names, one panel each; as many as fit in `size` with 240x180 pixels each.
            None takes the first four of the run, or as many as fit, at first one of each family
            (what stands before the first slash).

    Raises:
        ContractError: No names, a name twice, or more than fit; or as for every view.

    Example:
        >>> from tbtrace.episode import Series as Values
        >>> speed = Values(np.arange(3, dtype=np.int32), np.array([0.0, 1.0, 4.0]))
        >>> episode = Episode("e1", 2, 1.5, running={"speed": speed})
        >>> Series().draw([episode], Context()).png[:4]
        b'\x89PNG'
        >>> Series().draw([Episode("e2", 2, 1.5)], Context()) is None
        True
    """

    together: ClassVar[bool] = True

    name: str = "series"
    names: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.names is None:
            return
        if isinstance(self.names, str) or not 0 < len(self.names) == len(set(self.names)):
            raise ContractError(f"names={self.names!r}: give a tuple of different running names")
        if _columns(len(self.names), self.size) is None:
            raise ContractError(
                f"{len(self.names)} panels do not fit in size={self.size}; each needs {SMALLEST}"
            )

    def draw(
        self, episodes: Sequence[Episode], context: Context, title: str = ""
    ) -> Picture | None:
        """Returns the picture; None when the first episode has no finite value of the names.

        Args:
            episodes: The first one is drawn as a line, the band is that of the others.
            context: Gives the limits; it should have observed the episodes.
            title: First line of the picture; the second tells about the first episode.
        """
        if not episodes:
            return None
        known = list(dict.fromkeys([*context.running_names, *episodes[0].running]))
        panels = list(self._panels(episodes, context, known))
        if not any(np.isfinite(panel.curve.values).any() for panel in panels):
            return None
        heading = [title, panels[0].name] if len(panels) == 1 else [title]
        if self.names is None and len(known) > len(panels):
            heading.append(f"{len(panels)} of {len(known)} running values")
        below = caption(episodes[:1]) + _told(len(episodes) - 1)
        heads = (" · ".join(filter(None, heading)), below)
        return Picture(self._png(panels, heads), *self.size, title, _DESCRIPTION)

    def _panels(
        self, episodes: Sequence[Episode], context: Context, known: Sequence[str]
    ) -> Iterator[_Panel]:
        most = next(n for n in range(MOST_PANELS, 0, -1) if _columns(n, self.size) is not None)
        for name in _first(known, most) if self.names is None else self.names:
            curves = [curve(episode.running.get(name)) for episode in episodes]
            values = np.concatenate([one.values for one in curves])
            span = context.span("running", name, [values])
            if span is not None:
                last = max((int(one.steps[-1]) for one in curves if len(one.steps)), default=1)
                horizon = context.horizon(max(last, episodes[0].length))
                sample = _sample(episodes[0], name)
                yield _Panel(name + sample, curves[0], band(curves[1:]), (0.0, horizon, *span))
            elif self.names is not None:
                warn_once(
                    f"no values {self.name} {name}",
                    f"view {self.name!r} draws {name!r}, of which no episode has a finite running "
                    f"value so far; known: {', '.join(map(repr, known[:20])) or 'none'}",
                )

    def _png(self, panels: Sequence[_Panel], heads: tuple[str, str]) -> bytes:
        if len(panels) == 1:
            return _plot(panels[0], self.size, heads).png()
        columns = _columns(len(panels), self.size) or 1
        across = np.linspace(0, self.size[0], columns + 1).astype(int).tolist()
        down = np.linspace(_HEAD, self.size[1], -(-len(panels) // columns) + 1).astype(int).tolist()
        parts = []
        for i, panel in enumerate(panels):
            left, right = across[i % columns : i % columns + 2]
            top, bottom = down[i // columns : i // columns + 2]
            pixels = _plot(panel, (right - left, bottom - top), (panel.name, "")).render()
            parts.append(((left, top, right, bottom), pixels))
        return png.encode(joined(self.size, list(filter(None, heads)), parts, (0, 0, 0, 0)))


def _columns(count: int, size: tuple[int, int]) -> int | None:
    """Returns in how many columns so many panels fit, the fewest; None where they do not."""
    for columns in range(1, max(1, size[0] // SMALLEST[0]) + 1):
        if count == 1 or (size[1] - _HEAD) // -(-count // columns) >= SMALLEST[1]:
            return columns
    return None


def _first(names: Sequence[str], most: int) -> list[str]:
    families = {name.partition("/")[0]: name for name in reversed(names)}
    firsts = dict.fromkeys(name for name in names if families[name.partition("/")[0]] == name)
    return list({**firsts, **dict.fromkeys(names)})[:most]


def _told(others: int) -> str:
    return "" if not others else " · grey: 1 other" if others == 1 else f" · grey: {others} others"


def _sample(episode: Episode, name: str) -> str:
    series = episode.running.get(name)
    if series is None or series.tally is None:
        return ""
    return f" ({len(series.values)} of {series.tally.count} values)"


def _plot(panel: _Panel, size: tuple[int, int], heads: tuple[str, str]) -> Plot:
    # Plot's own ticks are for large pictures: a low panel would get one.
    ticks = Ticks.between(*panel.limits[2:], max(2, (size[1] - 80) // 32), "")
    plot = Plot(
        panel.limits,
        size,
        title=heads[0],
        caption=heads[1],
        names=("step", ticks.title.strip()),
        equal=False,
        rows=list(zip(ticks.values, ticks.labels, strict=True)),
    )
    others = panel.others
    plot.band(others.steps, others.low, others.high, _RANGE, alpha=1.0)
    plot.band(others.steps, others.quarter, others.three_quarters, _QUARTILES, alpha=1.0)
    plot.lines([np.column_stack([others.steps, others.middle])], [_MEDIAN], width=1.5)
    plot.lines([np.column_stack(panel.curve)], [_LINE], width=2.0)
    return plot
