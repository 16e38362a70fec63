"""Notes: what a file's footer says about its episodes, as JSON, so that listing reads nothing else.

Numbers that JSON does not know (NaN, infinities) are written as strings.
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from tbtrace.episode import Episode, Scene, Tally
from tbtrace.select import EpisodeSummary
from tbtrace.stats import summarise

VERSION = 1
KEY = b"tbtrace"
"""The key of the notes in the footer's metadata."""

CHECK = b"tbtrace.crc32"
"""The key of the notes' own checksum."""

Note = dict[str, Any]
_TYPES: dict[str, Any] = {
    "uid": str,
    "split": str,
    "iteration": int,
    "env_steps": int,
    "length": int,
    "return": (int, float, str),
    "metrics": dict,
    "agents": list,
    "samples": dict,
    "rows": int,
    "crc32": int,
    "groups": dict,
    "media": dict,
    "npz": str,
}


def head(episode: Episode) -> dict[str, Any]:
    """Returns what every format says of an episode first, plain values; the return may be NaN.

    Example:
        >>> head(Episode("a", 3, 1.5, split="train", iteration=2))
        {'uid': 'a', 'split': 'train', 'iteration': 2, 'env_steps': 0, 'length': 3, 'return': 1.5}
    """
    return {
        "uid": episode.uid,
        "split": episode.split,
        "iteration": int(episode.iteration),
        "env_steps": int(episode.env_steps),
        "length": int(episode.length),
        "return": float(episode.episode_return),
    }


def note(episode: Episode, rows: int, crc32: int, npz: str, scene_key: str) -> Note:
    """Returns what the footer says about one episode; plain values for JSON.

    Args:
        episode: The episode, with those of its media that are kept.
        rows: Of it in the table; an episode without any has no row group.
        crc32: The checksum of these rows.
        npz: The digest of the file of media; empty where the episode has none.
        scene_key: Names the file of its scene's background; empty where there is none.
    """
    told: Note = {
        **head(episode),
        "return": number(episode.episode_return),
        "metrics": numbers(summarise(episode).metrics),
        "agents": list(episode.agents),
        "samples": {
            name: {
                "tally": numbers(asdict(series.tally)),
                "tallies": {str(i): numbers(asdict(each)) for i, each in series.tallies.items()},
            }
            for name, series in episode.running.items()
            if series.tally is not None
        },
        "rows": rows,
        "crc32": crc32,
        "groups": {group: len(traces) for group, traces in episode.traces.items()},
        "media": {name: len(media.values) for name, media in episode.media.items()},
        "npz": npz if episode.media else "",
    }
    if episode.scene is not None:
        told["scene"] = _scene(episode.scene, scene_key)
    return told


def footer(notes: list[Note]) -> dict[bytes, bytes]:
    """Returns the footer's metadata."""
    told = {"version": VERSION, "episodes": notes}
    text = json.dumps(told, allow_nan=False, separators=(",", ":")).encode()
    return {KEY: text, CHECK: str(zlib.crc32(text)).encode()}


def read(metadata: Mapping[bytes, bytes]) -> tuple[int, list[Note]]:
    """Returns version and notes of a footer; no notes where the version is newer than this one.

    Raises:
        ValueError: It is damaged or nothing that tbtrace writes.
    """
    text = metadata[KEY]
    if metadata.get(CHECK) != str(zlib.crc32(text)).encode():
        raise ValueError("its footer is damaged")
    told = json.loads(text)
    version, notes = told["version"], told.get("episodes")
    if not isinstance(version, int) or version < 1:
        raise ValueError(f"version {version!r}")
    if version > VERSION:
        return version, []
    for one in notes:
        for key, kind in _TYPES.items():
            if not isinstance(one[key], kind) or isinstance(one[key], bool):
                raise ValueError(f"{key!r} is a {type(one[key]).__name__}")
        if not all(isinstance(agent, str) for agent in one["agents"]):
            raise ValueError("an agent is no name")
        for counts in (one["groups"], one["media"]):
            if not all(type(count) is int and count >= 0 for count in counts.values()):
                raise ValueError("a count is no number")
    return version, notes


def summary(told: Note) -> EpisodeSummary:
    """Returns what selectors look at."""
    metrics = {name: float(value) for name, value in told["metrics"].items()}
    return EpisodeSummary(told["uid"], told["length"], float(told["return"]), metrics)


def number(value: float) -> float | str:
    """Returns a number as JSON takes it; `float` makes the same number of it again."""
    return float(value) if math.isfinite(value) else str(float(value))


def numbers(values: Mapping[str, float]) -> dict[str, float | str]:
    """Returns `number` of each value."""
    return {name: number(value) for name, value in values.items()}


def tally(told: Mapping[str, Any]) -> Tally:
    """Returns the tally of a series that is a sample."""
    return Tally(int(told["count"]), *(float(told[name]) for name in Tally.__slots__[1:]))


def scene(told: Mapping[str, Any], background: Any) -> Scene:
    """Returns a scene; its background comes from a file of its own."""
    extent = told["extent"]
    if extent is not None:
        x0, x1, y0, y1 = (float(side) for side in extent)
        extent = x0, x1, y0, y1
    return Scene(
        background,
        extent,
        None if told["units"] is None else str(told["units"]),
        {name: (float(x), float(y)) for name, (x, y) in told["places"].items()},
        tuple(str(axis) for axis in told["axes"]),
    )


def _scene(scene: Scene, key: str) -> Note:
    return {
        "background": key,
        "extent": None if scene.extent is None else [number(side) for side in scene.extent],
        "units": scene.units,
        "places": {name: [number(x), number(y)] for name, (x, y) in scene.places.items()},
        "axes": list(scene.axes),
    }
