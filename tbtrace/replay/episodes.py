"""Episodes: what the new API stack writes with `output_write_episodes=True`.

A Parquet file with one column, `item`: the state of a `SingleAgentEpisode`, packed with msgpack.
NumPy's values are in it as maps, which are read here rather than by `msgpack_numpy`: that opens
pickles, which is how it writes arrays of objects.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tbtrace.info import number
from tbtrace.replay.fragments import Fragment, Moment
from tbtrace.replay.pickles import UNREADABLE, DamagedError, Opener, Pickled
from tbtrace.replay.tables import batches

COLUMN = "item"
_ROWS = 4
_NO_DATA = object()


def read(path: Path, opener: Opener) -> Iterator[tuple[list[Any], float]]:
    """Yields `(fragments or DamagedError, share of the file)`, batch by batch.

    Raises:
        UntrustedError: Infos are pickles, and the recording is not trusted.
    """
    for batch, share in batches(path, _ROWS, [COLUMN]):
        found: list[Any] = []
        for item in batch[COLUMN]:
            try:
                found.append(fragment_of(_unpacked(item), opener))
            except DamagedError as error:
                found.append(error)
        yield found, share


def fragment_of(state: Any, opener: Opener) -> Fragment:
    """Returns the fragment that an episode's state is.

    Args:
        state: What `SingleAgentEpisode.get_state()` returned; decoded, pickles unopened.
        opener: For infos in which there are pickles.

    Raises:
        DamagedError: It is not such a state.
        UntrustedError: Infos are pickles, and the recording is not trusted.
    """
    try:
        if "agent_episodes" in state:
            raise DamagedError("RLlib's multi-agent episodes cannot be read")
        start, stop = int(state["t_started"]), int(state["t"])
        steps = stop - start
        rewards = state["rewards"]
        # What is empty or pickled has an element for every step that is asked for.
        if not (start >= 0 and 0 < steps <= len(rewards["data"])):
            raise DamagedError(f"an episode has {steps} steps from {start} on, not all recorded")
        infos, observations = state["infos"], state["observations"]
        actions = state["actions"]
        moments = [
            Moment(
                info=_opened(_at(infos, i), opener),
                observation=opener.see(_at(observations, i), "obs"),
                action=opener.see(_at(actions, i - 1), "action") if i else None,
                reward=number(_at(rewards, i - 1)) if i else None,
            )
            for i in range(steps + 1)
        ]
        done = bool(state["is_terminated"]) or bool(state["is_truncated"])
        return Fragment(str(state["id_"]), start, moments, done)
    except UNREADABLE as error:
        raise DamagedError(
            f"an episode is not readable ({type(error).__name__}: {error})"
        ) from error


def _at(buffer: Mapping[str, Any], index: int) -> Any:
    """Returns what an `InfiniteLookbackBuffer` held at a step of the fragment."""
    return _pick(buffer["data"], int(buffer["lookback"]) + index)


def _pick(data: Any, index: int) -> Any:
    if isinstance(data, Pickled):
        return data
    if isinstance(data, Mapping):  # a composite space, stacked
        return {key: _pick(part, index) for key, part in data.items()}
    return data[index]


def _opened(info: Any, opener: Opener) -> Any:
    """Returns an info with whatever is pickled in it opened."""
    if isinstance(info, Pickled):
        return opener.open(info, "infos")
    if isinstance(info, dict):
        return {key: _opened(value, opener) for key, value in info.items()}
    if isinstance(info, list):
        return [_opened(value, opener) for value in info]
    return info


def _unpacked(item: Any) -> Any:
    import msgpack  # type: ignore[import-untyped]

    try:
        return msgpack.unpackb(item, object_hook=_decoded, strict_map_key=False)
    except Exception as error:  # its errors have no base class of their own
        raise DamagedError(f"a row is no episode ({type(error).__name__}: {error})") from error


def _decoded(value: dict[Any, Any]) -> Any:
    """Reads what `msgpack_numpy` makes of arrays and NumPy's scalars; others stay as they are."""
    is_array = value.get(b"nd")
    data = value.get(b"data", _NO_DATA)
    if is_array is None or data is _NO_DATA:
        return value
    if value.get(b"kind") == b"O":
        return Pickled(data)
    flat = np.frombuffer(data, np.dtype(value[b"type"]))  # refuses objects
    return flat.reshape(value[b"shape"]) if is_array else flat[0]
