"""Tape: one running episode. Values are appended at the step and worked out at the end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tbtrace.episode import Episode, Scene
from tbtrace.errors import Problems
from tbtrace.info import MAPPING, PARTS, check_part, describe, flat_items, number
from tbtrace.points import as_points, as_sequence, is_point
from tbtrace.reel import Reel
from tbtrace.scene import read_scene
from tbtrace.sheet import Sheets
from tbtrace.tracks import Group
from tbtrace.turns import Turns

_RULES = {
    "running": "a dict {name: number}",
    "final": "a dict {name: number}",
    "traces": "a dict of groups or entities",
    "media": "a dict {name: array}",
}


class Tape:
    """What one running episode has said so far.

    Memory: 8 bytes per running value and 8 per step, 4 per point and 8 per each of its coordinates,
    and media up to a budget per name (`Reel`).

    Args:
        problems: Where values and points that cannot be used are named and counted.

    Attributes:
        length: Steps so far; 0 after the reset.
        episode_return: Sum of the rewards so far.

    Example:
        >>> tape = Tape(Problems())
        >>> tape.add({"running": {"speed": 1.0}, "traces": {"car": (0.0, 0.0)}})  # at reset
        >>> tape.next_step(reward=1.0)
        >>> tape.add({"running": {"speed": 2.0}, "traces": {"car": (1.0, 0.5)}})
        >>> episode = tape.finish("uid")
        >>> episode.running["speed"].values.tolist(), episode.length, episode.episode_return
        ([1.0, 2.0], 1, 1.0)
        >>> episode.traces["traces"]["car"].points.tolist()
        [[0.0, 0.0], [1.0, 0.5]]
    """

    __slots__ = (
        "_final",
        "_groups",
        "_media_turns",
        "_problems",
        "_reels",
        "_running",
        "_scene",
        "_trace_turns",
        "episode_return",
        "length",
    )

    def __init__(self, problems: Problems) -> None:
        self.length = 0
        self.episode_return = 0.0
        self._problems = problems
        self._running = Sheets()
        self._final: dict[str, float] = {}
        self._groups: dict[str, Group] = {}
        self._trace_turns = Turns()
        self._media_turns = Turns()
        self._reels: dict[str, Reel] = {}
        self._scene: Scene | None = None

    @property
    def running_names(self) -> list[str]:
        """Names of the running quantities that this episode has mentioned."""
        return list(self._running.names)

    @property
    def final_names(self) -> list[str]:
        """Names of the final quantities that this episode has mentioned."""
        return list(self._final)

    def names_by_agent(self) -> dict[str, tuple[list[str], list[str]]]:
        """Returns `{agent: (its running names, its final names)}`; empty where there are none."""
        return {}

    def next_step(self, reward: float) -> None:
        """Starts the next step: what is added from here on belongs to it."""
        self.length += 1
        self.episode_return += reward

    def add(self, source: Mapping[str, Any]) -> None:
        """Takes what one source says at this step; values are copied.

        Args:
            source: A mapping with some of the parts `running`, `final`, `traces`, `media`,
                `scene`. What cannot be used is named once and counted; the rest is taken.
        """
        for part, value in source.items():
            if value is None:
                continue
            if part == "scene":
                self._scene = read_scene(value, self._problems) or self._scene
            elif part not in PARTS:
                check_part(part, self._problems)
            elif not isinstance(value, MAPPING):
                kind = "points" if part == "traces" else "values"
                self._refuse(kind, part, value, _RULES[part])
            elif part == "running":
                for name, refused in self._running.add(self.length, value):
                    self._refuse("values", f"running {name!r}", refused, "a number")
            elif part == "traces":
                self._add_traces(value)
            elif part == "final":
                self._add_final(value)
            else:
                self._add_media(value)

    def _add_final(self, final: Mapping[Any, Any]) -> None:
        known = self._final
        for name, value in final.items():
            if type(value) is float and name in known:
                known[name] = value
                continue
            for full_name, leaf in flat_items({name: value}):
                numeric = number(leaf)
                if numeric is None:
                    self._refuse("values", f"final {full_name!r}", leaf, "a number")
                else:
                    known[full_name] = numeric

    def _add_traces(self, traces: Mapping[Any, Any]) -> None:
        turns = self._trace_turns
        step = self.length
        turns.at(step)  # also where no group is named: every entity has gone then
        groups = self._groups
        flat = []
        for name, value in traces.items():
            # The common case goes ahead.
            if type(value) is np.ndarray and name in groups and groups[name].add_array(step, value):
                continue
            if isinstance(value, (tuple, list)) and value and isinstance(value[0], (float, int)):
                flat.append((name, value))
            elif (array_value := as_points(value)) is not None:
                self._add_array(str(name), turns, array_value)
            elif isinstance(value, MAPPING) and not is_point(value):
                self._add_entities(str(name), turns, value.items())
            elif (points := as_sequence(value)) is not None:
                self._add_entities(str(name), turns, enumerate(points))
            else:
                flat.append((name, value))
        if flat:
            self._add_single_points(flat)

    def _add_single_points(self, points: list[tuple[Any, Any]]) -> None:
        self._add_entities("traces", self._trace_turns, points)

    def _add_array(self, name: str, turns: Turns, points: NDArray[Any]) -> None:
        if not self._group(name, turns).add_array(self.length, points):
            self._add_entities(name, turns, enumerate(points.tolist()))

    def _add_entities(self, name: str, turns: Turns, points: Iterable[tuple[Any, Any]]) -> None:
        for entity, point, rule in self._group(name, turns).add(self.length, points):
            # Entities come and go by the thousand: one warning a group, not one an entity.
            self._problems.add(
                "points",
                f"trace {name!r}: {rule}",
                f"trace {name!r}, entity {str(entity)!r}: the point is {describe(point)}; {rule}",
            )

    def _group(self, name: str, turns: Turns) -> Group:
        group = self._groups.get(name)
        if group is None:
            group = self._groups[name] = Group(turns)
        return group

    def _add_media(self, media: Mapping[Any, Any]) -> None:
        for key, value in media.items():
            name = str(key)
            points = as_points(value, floats_only=True)
            if points is None and not isinstance(value, MAPPING):
                reel = self._reels.setdefault(name, Reel())
                if not reel.add(self.length, value):
                    self._refuse("values", f"media {name!r}", value, "a numeric array")
                continue
            self._media_turns.at(self.length)
            if points is not None:
                self._add_array(name, self._media_turns, points)
            else:
                self._add_entities(name, self._media_turns, value.items())

    def _refuse(self, kind: str, what: str, value: Any, rule: str) -> None:
        self._problems.add(kind, what, f"{what} is {describe(value)}; expected {rule}")

    def finish(self, uid: str) -> Episode:
        """Returns the episode, whole; non-finite values are counted, and named once by name."""
        episode = self.finish_values(uid)
        self.finish_traces(episode)
        return episode

    def finish_values(self, uid: str) -> Episode:
        """Returns the episode without traces, media and scene, which few episodes need."""
        running = self._running.finish()
        for name, series in running.items():
            self._count_non_finite("running", name, series.values)
        for name, value in self._final.items():
            self._count_non_finite("final", name, np.array(value))
        return Episode(
            uid=uid,
            length=self.length,
            episode_return=self.episode_return,
            running=running,
            final=dict(self._final),
        )

    def finish_traces(self, episode: Episode) -> None:
        """Gives the episode of `finish_values` its traces, media and scene."""
        traces = {name: group.finish() for name, group in self._groups.items()}
        episode.traces = {name: entities for name, entities in traces.items() if entities}
        episode.media = {name: reel.finish() for name, reel in self._reels.items() if len(reel)}
        episode.scene = self._scene

    def _count_non_finite(self, part: str, name: str, values: Any) -> None:
        count = values.size - int(np.isfinite(values).sum())
        if count:
            self._problems.add(
                "values",
                f"{part} {name!r} non-finite",
                f"{part} {name!r} was NaN or infinite; such values are left out of statistics",
                count,
            )
