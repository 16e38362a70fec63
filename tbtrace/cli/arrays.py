"""Episodes as a NumPy file: an array for everything, named like a path."""

from __future__ import annotations

import itertools
import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from tbtrace.archive import notes
from tbtrace.archive.spelling import spell
from tbtrace.episode import Episode

INDEX = "episodes"
"""The array of JSON texts that say what each episode is, and where its arrays are (`prefix`)."""


def write(episodes: Iterable[tuple[str, Episode]], stream: IO[bytes]) -> None:
    """Writes a file that `numpy.load` reads without pickles, one array after the other.

    Names are `<run>/<split>-<iteration>/<uid>/` and then `traces/<group>/<entity>/steps`,
    `.../points`, `.../channels/<name>`, `.../labels/<name>` (None is empty),
    `running/<name>/steps`, `.../values`, `final/<name>`, `agents/<agent>/<name>`,
    `media/<name>/steps`, `.../0`, `.../1` and so on. Slashes in names stay; where two things would
    have one name for it, or two episodes one uid, the second is `<name>~2`. Names that are no UTF-8
    are spelled as in the archive.

    Args:
        episodes: Runs' names and episodes.
        stream: Takes the file.
    """
    index = []
    used = {INDEX}
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for run, episode in episodes:
            place = f"{run}/{episode.split}-{episode.iteration:06d}/{episode.uid}"
            prefix = _new(_spelled(place), used) + "/"
            told = {"prefix": prefix, "run": run, **notes.head(episode)}
            told["return"] = notes.number(episode.episode_return)
            index.append(json.dumps(told))
            for name, array in _arrays(episode):
                _put(archive, _new(prefix + _spelled(name), used), array)
        _put(archive, INDEX, np.array(index, dtype=str))


def _spelled(name: str) -> str:
    """Returns a path of names as a ZIP file takes it: UTF-8, no NUL, at which it would be cut."""
    return "/".join(map(spell, name.split("/"))).replace("\0", "\u2400")


def _new(name: str, used: set[str]) -> str:
    """Returns a name that is not used yet: `a`, `a~2`, `a~3`, ...; it is used from now on."""
    numbered = itertools.chain([name], (f"{name}~{number}" for number in itertools.count(2)))
    free = next(each for each in numbered if each not in used)
    used.add(free)
    return free


def _put(archive: zipfile.ZipFile, name: str, array: NDArray[Any]) -> None:
    with archive.open(f"{name}.npy", "w", force_zip64=True) as stream:
        np.lib.format.write_array(stream, array, allow_pickle=False)


def _arrays(episode: Episode) -> Iterator[tuple[str, NDArray[Any]]]:
    for group, traces in episode.traces.items():
        for entity, trace in traces.items():
            place = f"traces/{group}/{entity}"
            yield f"{place}/steps", trace.steps
            yield f"{place}/points", trace.points
            for channel, values in trace.channels.items():
                yield f"{place}/channels/{channel}", values
            for label, states in trace.labels.items():
                yield f"{place}/labels/{label}", np.array([state or "" for state in states], str)
    for name, series in episode.running.items():
        yield f"running/{name}/steps", series.steps
        yield f"running/{name}/values", series.values
        if series.agents is not None:
            yield f"running/{name}/agents", series.agents
    yield from _numbers("final", episode.final)
    for agent, said in episode.agents.items():
        yield from _numbers(f"agents/{agent}", said)
    for name, media in episode.media.items():
        yield f"media/{name}/steps", media.steps
        for i, value in enumerate(media.values):
            yield f"media/{name}/{i}", value


def _numbers(place: str, values: Mapping[str, float]) -> Iterator[tuple[str, NDArray[Any]]]:
    for name, value in values.items():
        yield f"{place}/{name}", np.array(value)
