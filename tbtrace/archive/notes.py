"""Notes: what a file's footer says about its episodes, as JSON, so that listing reads nothing else.

Numbers that JSON does not know (NaN, infinities) are written as strings.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from tbtrace.episode import Episode, Scene, Series, Tally
from tbtrace.select import EpisodeSummary
from tbtrace.stats import summarise

VERSION = 1
KEY = b"tbtrace"
"""The key of the notes in the footer's metadata."""

Note = dict[str, Any]


def note(episode: Episode, rows: int, scene_key: str) -> Note:
    """Returns what the footer says about one episode; plain values for JSON.

    Args:
        episode: The episode.
        rows: Of it in the table; an episode without any has no row group.
        scene_key: Names the file of its scene's background; empty where there is none.
    """
    told: Note = {
        "uid": episode.uid,
        "split": episode.split,
        "iteration": episode.iteration,
        "env_steps": episode.env_steps,
        "length": episode.length,
        "return": number(episode.episode_return),
        "metrics": numbers(summarise(episode).metrics),
        "agents": {agent: list(said) for agent, said in episode.agents.items()},
        "running": {name: _series(series) for name, series in episode.running.items()},
        "rows": rows,
        "groups": {group: len(traces) for group, traces in episode.traces.items()},
        "media": {name: len(media.values) for name, media in episode.media.items()},
    }
    if episode.scene is not None:
        told["scene"] = _scene(episode.scene, scene_key)
    return told


def footer(notes: list[Note]) -> dict[bytes, bytes]:
    """Returns the footer's metadata."""
    told = {"version": VERSION, "episodes": notes}
    return {KEY: json.dumps(told, allow_nan=False, separators=(",", ":")).encode()}


def summary(told: Note) -> EpisodeSummary:
    """Returns what selectors look at."""
    metrics = {name: float(value) for name, value in told["metrics"].items()}
    return EpisodeSummary(told["uid"], told["length"], float(told["return"]), metrics)


def number(value: float) -> float | str:
    """Returns a number as JSON takes it; `float` makes the same number of it again."""
    return value if math.isfinite(value) else str(float(value))


def numbers(values: Mapping[str, float]) -> dict[str, float | str]:
    """Returns `number` of each value."""
    return {name: number(value) for name, value in values.items()}


def tally(told: Mapping[str, Any] | None) -> Tally | None:
    """Returns the tally of a series that is a sample."""
    if told is None:
        return None
    return Tally(int(told["count"]), *(float(told[name]) for name in Tally.__slots__[1:]))


def scene(told: Mapping[str, Any], background: Any) -> Scene:
    """Returns a scene; its background comes from a file of its own."""
    extent = told["extent"]
    return Scene(
        background,
        None if extent is None else (extent[0], extent[1], extent[2], extent[3]),
        told["units"],
        {name: (float(x), float(y)) for name, (x, y) in told["places"].items()},
        tuple(told["axes"]),
    )


def _series(series: Series) -> Note:
    told: Note = {}
    if series.tally is not None:
        told["tally"] = numbers(asdict(series.tally))
        told["tallies"] = {str(i): numbers(asdict(each)) for i, each in series.tallies.items()}
    return told


def _scene(scene: Scene, key: str) -> Note:
    return {
        "background": key,
        "extent": None if scene.extent is None else [float(side) for side in scene.extent],
        "units": scene.units,
        "places": {name: [float(x), float(y)] for name, (x, y) in scene.places.items()},
        "axes": list(scene.axes),
    }
