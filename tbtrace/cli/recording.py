"""Episodes as a Rerun recording: entities over time, in 2-D and 3-D."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tbtrace.cli.console import CallError
from tbtrace.episode import Episode, Trace
from tbtrace.views import Context

_WIDE = -4.0
_THIN = -1.5
"""Negative radii are in points of the screen, whatever the zoom."""


def check() -> None:
    """Does nothing where Rerun is installed.

    Raises:
        CallError: It is not; says how to install it.
    """
    if importlib.util.find_spec("rerun") is None:
        raise CallError("--format rrd needs Rerun: pip install 'tbtrace[rerun]'")


def write(episodes: Iterable[tuple[str, Episode]], path: Path) -> None:
    """Writes a recording with the timeline `step`.

    An episode is at `/<run>/<split>/<iteration>/<uid>`; in it each entity is a point that moves
    (`<group>/<entity>`, away in gaps) with its way (`.../way`, always there) and its channels, and
    running values are series (`running/<name>`). Colours are those of tbtrace's pictures. In
    Rerun's 2-D views y grows downwards.

    Args:
        episodes: Runs' names and episodes, in the order of the runs' iterations.
        path: The file.
    """
    import rerun as rr

    recording = rr.RecordingStream("tbtrace")
    recording.save(path)
    contexts: dict[str, Context] = {}
    for run, episode in episodes:
        context = contexts.setdefault(run, Context())
        context.observe([episode])
        place = [run, episode.split, f"{episode.iteration:06d}", episode.uid]
        for group, traces in episode.traces.items():
            for entity, trace in traces.items():
                colour = context.colour(group, entity)
                _trace(rr, recording, [*place, group, entity], trace, colour)
        for name, series in episode.running.items():
            _values(rr, recording, [*place, "running", name], series.steps, series.values)
    recording.flush()
    recording.disconnect()


def _trace(rr: Any, recording: Any, place: Sequence[str], trace: Trace, colour: str) -> None:
    flat = trace.points.shape[1] == 2
    points, strips = (rr.Points2D, rr.LineStrips2D) if flat else (rr.Points3D, rr.LineStrips3D)
    here: NDArray[np.bool_] = np.isfinite(trace.points.sum(axis=1))
    ink = tuple(bytes.fromhex(colour[1:]))
    path = rr.new_entity_path(list(place))
    look = points.from_fields(colors=[ink], radii=[_WIDE], labels=[place[-1]])
    recording.log(path, look, static=True)
    # A step without a point clears the one before it.
    moves = points.columns(positions=trace.points[here]).partition(here.astype(np.uint32))
    recording.send_columns(path, [rr.TimeColumn("step", sequence=trace.steps)], moves)
    parts = np.split(np.arange(len(here)), np.flatnonzero(~here))  # each but the first begins away
    ways = [trace.points[part[here[part]]] for part in parts if here[part].sum() > 1]
    if ways:
        way = strips(ways, colors=[ink], radii=[_THIN])
        recording.log(rr.new_entity_path([*place, "way"]), way, static=True)
    for name, values in trace.channels.items():
        _values(rr, recording, [*place, name], trace.steps, values)


def _values(rr: Any, recording: Any, place: Sequence[str], steps: Any, values: Any) -> None:
    known = np.isfinite(values)
    recording.send_columns(
        rr.new_entity_path(list(place)),
        [rr.TimeColumn("step", sequence=steps[known])],
        rr.Scalars.columns(scalars=values[known]),
    )
