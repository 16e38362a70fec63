"""Tape: one running episode. Values are appended at the step and worked out at the end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from tbtrace.episode import Episode, Scene
from tbtrace.errors import Problems
from tbtrace.info import MAPPING, PARTS, check_part, describe, flat_items, number
from tbtrace.plain import are_plain, copy_of
from tbtrace.points import as_points
from tbtrace.reel import Reel
from tbtrace.scene import read_scene
from tbtrace.sheet import Sheets
from tbtrace.traces import Traces

_FLOAT = np.dtype(np.float64)
_ndarray = np.ndarray  # a module's own name is found faster than an attribute of numpy

_RULES = {
    "running": "a dict {name: number}",
    "final": "a dict {name: number}",
    "traces": "a dict of groups or entities",
    "media": "a dict {name: array}",
}


class Tape:
    """What one running episode has said so far.

    Memory: 8 bytes per running value and 8 per step; 4 per point and 8 per each of its coordinates,
    up to 500,000 points (`turns.py`); media up to 16 MB per name (`reel.py`); and copies of the
    last steps, 64 or some 8,000 numbers (`plain.py`), about 100 kB.

    Args:
        problems: Where values and points that cannot be used are named and counted.

    Attributes:
        length: Steps so far; 0 after the reset.
        episode_return: Sum of the rewards so far.

    Example:
        >>> tape = Tape(Problems())
        >>> tape.add({"running": {"speed": 1.0}, "traces": {"car": (0.0, 0.0)}})  # at reset
        >>> tape.length, tape.episode_return = 1, 1.0
        >>> tape.add({"running": {"speed": 2.0}, "traces": {"car": (1.0, 0.5)}})
        >>> episode = tape.finish("uid")
        >>> episode.running["speed"].values.tolist(), episode.length, episode.episode_return
        ([1.0, 2.0], 1, 1.0)
        >>> episode.traces["traces"]["car"].points.tolist()
        [[0.0, 0.0], [1.0, 0.5]]
    """

    __slots__ = (
        "_final",
        "_media_traces",
        "_owner",
        "_problems",
        "_reels",
        "_running",
        "_scene",
        "_traces",
        "episode_return",
        "length",
    )

    def __init__(self, problems: Problems) -> None:
        self.length = 0
        self.episode_return = 0.0
        self._problems = problems
        self._running = Sheets(problems)
        self._final: dict[str, float] = {}
        self._owner: str | None = None
        self._traces = Traces(problems)
        self._media_traces = Traces(problems)
        self._reels: dict[str, Reel] = {}
        self._scene: Scene | None = None

    @property
    def running_names(self) -> list[str]:
        """Names of the running quantities that this episode has mentioned."""
        return self._running.names

    @property
    def final_names(self) -> list[str]:
        """Names of the final quantities that this episode has mentioned."""
        return list(self._final)

    def names_by_agent(self) -> dict[str, tuple[list[str], list[str]]]:
        """Returns `{agent: (its running names, its final names)}`; empty where there are none."""
        return {}

    def settle(self) -> None:
        """Sorts in what was noted; until then its names and what it breaks are not known."""
        self._running.settle()
        self._traces.settle()

    def note(self, source: dict[str, Any]) -> bool:
        """Takes what one source says at this step, as `add` does, if it is plain (`plain.py`).

        Returns:
            False where nothing was taken: `add` has to read it.
        """
        # One function, as in cold caches a call costs what ten lines do (docs/decisions.md).
        parts = 0
        running = source.get("running")
        if running is not None:
            if type(running) is not dict or not are_plain(map(type, running.values())):
                return False
            parts = 1
        traces = source.get("traces")
        if traces is not None:
            if type(traces) is not dict:
                if self._owner is None:
                    return False
                traces = {"traces": traces}  # an agent's own point
            copies = self._traces.waiting
            before = len(copies)
            for name, points in traces.items():
                if type(points) is _ndarray and points.dtype is _FLOAT and points.ndim == 2:
                    kind = points.shape[1]
                    copy: Any = points.tobytes() if kind == 2 or kind == 3 else None
                else:
                    kind, copy = copy_of(points)
                if copy is None:
                    del copies[before:]
                    return False
                copies.append((self._owner, self.length, name, kind, copy))
            if len(copies) == before:  # no group is named: a turn that no copy can tell of
                return False
            if len(copies) >= self._traces.most_waiting:
                self._traces.settle()
            parts += 1
        if running is not None:
            rows = self._running.waiting
            rows.append((self.length, running.copy()))
            if len(rows) >= self._running.most_waiting:
                self._running.settle()
        if len(source) != parts:
            self._add_parts(part for part in source.items() if part[0] not in ("running", "traces"))
        return True

    def add(self, source: Mapping[str, Any]) -> None:
        """Takes what one source says at this step; values are copied.

        Args:
            source: A mapping with some of the parts `running`, `final`, `traces`, `media`,
                `scene`. What cannot be used is named once and counted; the rest is taken.
        """
        self._add_parts(source.items())

    def _add_parts(self, parts: Iterable[tuple[Any, Any]]) -> None:
        for part, value in parts:
            if value is None:
                continue
            if part == "scene":
                self._scene = read_scene(value, self._problems) or self._scene
            elif part not in PARTS:
                check_part(part, self._problems)
            elif part == "traces" and (self._owner is not None or isinstance(value, MAPPING)):
                self._traces.add(self._owner, self.length, value)
            elif not isinstance(value, MAPPING):
                kind = "points" if part == "traces" else "values"
                self._refuse(kind, part, value, _RULES[part])
            elif part == "running":
                self._running.add(self.length, value)
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

    def _add_media(self, media: Mapping[Any, Any]) -> None:
        for key, value in media.items():
            name = str(key)
            points = as_points(value, floats_only=True)
            if points is None and not isinstance(value, MAPPING):
                reel = self._reels.setdefault(name, Reel())
                if not reel.add(self.length, value):
                    self._refuse("values", f"media {name!r}", value, "a numeric array")
                continue
            self._media_traces.add_group(
                self._owner, self.length, name, value if points is None else points
            )

    def _refuse(self, kind: str, what: str, value: Any, rule: str) -> None:
        self._problems.add(kind, what, f"{what} is {describe(value)}; expected {rule}")

    def finish(self, uid: str) -> Episode:
        """Returns the episode, whole; non-finite values are counted, and named once by name."""
        episode = self.finish_values(uid)
        self.finish_traces(episode)
        return episode

    def finish_values(self, uid: str) -> Episode:
        """Returns the episode without traces, media and scene, which few episodes need."""
        self._traces.settle()  # what breaks a rule is counted though nobody may look at the traces
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
        episode.traces = self._traces.finish(self._owner)
        for name, entities in self._media_traces.finish(self._owner).items():
            group = episode.traces.setdefault(name, {})
            for entity, trace in entities.items():
                group[f"{entity} (media)" if entity in group else entity] = trace
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
