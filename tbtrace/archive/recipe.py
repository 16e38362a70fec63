"""The forum recipe's files: `episode_data/data-<step:08d>.json`, a list of episodes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import numpy as np

from tbtrace.archive.notes import head, number, numbers
from tbtrace.episode import Episode, Trace

STORED = "biufU"
"""The kinds of NumPy's dtypes that JSON knows."""


def dump(episodes: Iterable[Episode]) -> bytes:
    """Returns the JSON text of episodes: a list, train and evaluation told apart by `split`.

    NaN and infinities are strings, which `float` understands. Arrays of media, of the kinds in
    `STORED`, become nested lists. Scenes are left out.
    """
    return json.dumps([_told(episode) for episode in episodes], allow_nan=False).encode()


def _told(episode: Episode) -> dict[str, Any]:
    return {
        **head(episode),
        "return": number(episode.episode_return),
        "running": {name: _list(series.values) for name, series in episode.running.items()},
        "final": numbers(episode.final),
        "agents": {agent: numbers(said) for agent, said in episode.agents.items()},
        "traces": {
            group: {entity: _trace(trace) for entity, trace in traces.items()}
            for group, traces in episode.traces.items()
        },
        "media": {
            name: {"steps": media.steps.tolist(), "values": [_list(one) for one in media.values]}
            for name, media in episode.media.items()
        },
    }


def _trace(trace: Trace) -> dict[str, Any]:
    return {
        "steps": trace.steps.tolist(),
        "points": _list(trace.points),
        "channels": {name: _list(values) for name, values in trace.channels.items()},
        "labels": {name: list(values) for name, values in trace.labels.items()},
    }


def _list(values: Any) -> Any:
    array = np.asarray(values)
    if array.dtype.kind == "f":
        array = array.astype(np.float64)  # JSON knows no long double
    if array.dtype.kind != "f" or np.isfinite(array).all():
        return array.tolist()
    return _spelled(array.tolist())


def _spelled(value: Any) -> Any:
    return [_spelled(one) for one in value] if isinstance(value, list) else number(value)
