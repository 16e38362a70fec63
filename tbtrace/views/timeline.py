"""Which entity was in which state, when: a Gantt chart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tbtrace.draw.figure import Plot
from tbtrace.episode import Episode, Trace
from tbtrace.errors import warn_once
from tbtrace.views.base import Options, Picture, caption, traces_of
from tbtrace.views.colours import PALETTE
from tbtrace.views.context import Context
from tbtrace.views.stretches import Stretches, columns, stretches, texts

MOST_ROWS = 40
"""So many entities are drawn, fewer where they do not fit."""

_ROUND, _LEAST_ROW, _THICKEST, _LABEL = 105, 8, 36, 16
_ENTRY, _ENTRIES, _SHARE = 19, 6, 0.8
_OTHER, _SILENT = "#9a9a9a", "#d8d8d8"

_DESCRIPTION = (
    "Which entity was in which state, when, in one episode (a Gantt chart): a row for every entity "
    "in the order in which they came, steps to the right, a colour for each state. Where a row is "
    "empty its entity was away. Where states change faster than a pixel, the longest one is shown."
)


class _Row(NamedTuple):
    group: str
    entity: str
    trace: Trace


@dataclass(frozen=True, kw_only=True)
class Timeline(Options):
    r"""Draws which entity was in which state when: a Gantt chart.

    A state is a str that comes with a point: `{"x": 1.0, "y": 2.0, "state": "waiting"}`. It lasts
    until the trace's next step. States have their colours for the whole run, by order of first
    sight; those after the twelfth share one, and where a point came without a state the row is pale
    grey. In a gap of the trace the row is empty. Of more than 40 entities those are drawn that came
    first, and the title says so.

    Attributes:
        group: The group of entities to draw; None draws all groups that have the channel.
        channel: What says the state, `"state"` above. None takes the first str channel that there
            is. A channel of numbers does, too, when it is named here: every number is a state.

    Example:
        >>> from tbtrace.episode import Trace
        >>> states = {"state": ("waiting", "waiting", "moving")}
        >>> trace = Trace(np.arange(3, dtype=np.int32), np.zeros((3, 2)), labels=states)
        >>> episode = Episode("e1", 2, 1.5, traces={"articles": {"a1": trace}})
        >>> Timeline().draw([episode], Context()).png[:4]
        b'\x89PNG'
        >>> Timeline(group="robots").draw([episode], Context()) is None
        True
    """

    name: str = "timeline"
    group: str | None = None
    channel: str | None = None

    def draw(
        self, episodes: Sequence[Episode], context: Context, title: str = ""
    ) -> Picture | None:
        """Returns the picture; None when no entity of the group has a state.

        Args:
            episodes: The rows of each stand below those of the one before; usually one.
            context: Gives the colours and the time axis; it should have observed the episodes.
            title: First line of the picture; the second tells about the episode.
        """
        known = [_Row(*one) for one in traces_of(episodes, self.group) if len(one[2].steps)]
        channel = self._channel(known)
        if channel is None:
            return None
        groups = {row.group for row in known if _has(row.trace, channel)}
        known = [row for row in known if row.group in groups]
        known.sort(key=lambda row: int(row.trace.steps[0]))
        room = self.size[1] - _ROUND
        rows = known[: max(1, min(MOST_ROWS, room // _LEAST_ROW))]
        heading = title
        if len(rows) < len(known):
            heading = f"{title} · first {len(rows)} of {len(known)} entities".removeprefix(" · ")
        codes = _codes(rows, channel, context)
        found = [stretches(row.trace, channel, codes) for row in rows]
        used = set(np.unique(np.concatenate([one.codes for one in found])).tolist())
        if not used:
            return None
        colours, legend = _colours(codes, used, max(_ENTRIES, room // _ENTRY))
        last = max(int(row.trace.steps[-1]) for row in rows)
        horizon = context.horizon(max(last, *(episode.length for episode in episodes)))
        every = -(-_LABEL * len(rows) // room)
        plot = Plot(
            (0.0, horizon + 1.0, float(len(rows)), 0.0),
            self.size,
            title=heading,
            caption=caption(episodes),
            names=("step", ""),
            legend=legend,
            equal=False,
            rows=[(i + 0.5, _label(rows[i], len(groups) > 1)) for i in range(0, len(rows), every)],
        )
        _draw(plot, found, colours)
        return Picture(plot.png(), *self.size, title, _DESCRIPTION)

    def _channel(self, rows: Sequence[_Row]) -> str | None:
        """Returns the channel to draw; names the reason once where there is none."""
        first = next((name for row in rows for name in row.trace.labels), None)
        channel = first if self.channel is None else self.channel
        if channel is not None and any(_has(row.trace, channel) for row in rows):
            return channel
        if not rows:
            return None
        known = dict.fromkeys(
            name for row in rows for name in (*row.trace.labels, *row.trace.channels)
        )
        warn_once(
            f"no channel {self.name} {channel}",
            f"view {self.name!r} finds no {'str' if channel is None else repr(channel)} with the "
            "points, so it draws nothing: give points as mappings with a state, "
            "{'x': 1.0, 'y': 2.0, 'state': 'waiting'}, or name a channel= "
            f"(there are: {', '.join(map(repr, list(known)[:20])) or 'none'})",
        )
        return None


def _codes(rows: Sequence[_Row], channel: str, context: Context) -> dict[str | None, int]:
    """Returns the number of each state: its place in the order of the run; None has the last."""
    said = (dict.fromkeys(texts(row.trace, channel)) for row in rows)
    found = [state for states in said for state in states if state is not None]
    known = context.states(channel)
    if not known and all(state.isdecimal() and int(state) < len(PALETTE) for state in found):
        known = tuple(map(str, range(len(PALETTE))))  # small numbers stand for themselves
    codes: dict[str | None, int] = {}
    for state in (*known, *found, None):
        codes.setdefault(state, len(codes))
    return codes


def _colours(
    codes: Mapping[str | None, int], used: set[int], most: int
) -> tuple[list[str], list[tuple[str, str]]]:
    """Returns the colour of each code, and the legend's entries, at most `most`, for those used."""
    own = min(len(PALETTE), most - 2)
    colours = [PALETTE[code] if code < own else _OTHER for code in range(len(codes) - 1)]
    colours.append(_SILENT)
    legend = [(str(name), colours[code]) for name, code in codes.items() if code in used]
    entries = {colour: name for name, colour in legend}
    names = {_OTHER: "other states", _SILENT: "no state"}
    return colours, [(names.get(colour, name), colour) for colour, name in entries.items()]


def _draw(plot: Plot, rows: Sequence[Stretches], colours: Sequence[str]) -> None:
    left, top, right, bottom = plot.scale.box
    edges = np.linspace(0.0, plot.scale.limits[1], right - left + 1)
    inks = list(dict.fromkeys(colours))
    numbers = np.array([*(1 + inks.index(colour) for colour in colours), 0], np.uint8)
    pixels = np.zeros((bottom - top, right - left), np.uint8)
    pitch = (bottom - top) / len(rows)
    thick = max(1, min(_THICKEST, round(_SHARE * pitch)))
    for i, row in enumerate(rows):
        first = round((i + 0.5) * pitch - thick / 2)
        pixels[first : first + thick] = numbers[columns(row, edges)]  # AWAY takes the last: nothing
    plot.cells(pixels, inks)


def _has(trace: Trace, channel: str) -> bool:
    return channel in trace.labels or channel in trace.channels


def _label(row: _Row, several: bool) -> str:
    return f"{row.group}/{row.entity}" if several else row.entity
