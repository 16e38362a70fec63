"""Rows: what the new API stack writes with `output_write_episodes=False`, a row for each step.

There are no infos in it and no step numbers: a row stands where its episode's row before it ended.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tbtrace.info import number
from tbtrace.replay.fragments import Fragment, Moment
from tbtrace.replay.pickles import DamagedError, Opener, Pickled
from tbtrace.replay.tables import batches, without_none

KEY = "eps_id"
_ROWS = 512
_ALWAYS = ("eps_id", "rewards", "terminateds", "truncateds", "dones", "infos")
_OF_SOURCE = {"obs": ("obs", "new_obs"), "action": ("actions",)}


def read(path: Path, opener: Opener, names: Sequence[str]) -> Iterator[tuple[list[Any], float]]:
    """Yields `(fragments, share of the file)`, batch by batch.

    Args:
        path: The file.
        opener: For compressed columns; observations and actions are read where it wants them.
        names: The file's columns.

    Raises:
        UntrustedError: A wanted column is compressed, and the recording is not trusted.
        DamagedError: There are no rewards, or a compressed value cannot be opened.
    """
    if "rewards" not in names:
        raise DamagedError("a row a step, without rewards")
    wanted = list(_ALWAYS)
    for source, its in _OF_SOURCE.items():
        wanted += its if opener.reads(source) else ()
    present = [name for name in wanted if name in names]
    for batch, share in batches(path, _ROWS, present):
        yield list(_fragments(batch, opener)), share


def _fragments(batch: Mapping[str, list[Any]], opener: Opener) -> Iterator[Fragment]:
    """Yields a fragment for each run of rows of one episode."""
    moments: list[Moment] = []
    count = len(batch[KEY])
    for i in range(count):
        uid = batch[KEY][i]
        if not moments:
            moments.append(Moment(observation=opener.see(_value(batch, "obs", i), "obs")))
        moments.append(
            Moment(
                info=without_none(opener.open(_value(batch, "infos", i), "infos")),
                observation=opener.see(_value(batch, "new_obs", i), "obs"),
                action=opener.see(_value(batch, "actions", i), "action"),
                reward=number(batch["rewards"][i]),
            )
        )
        done = any(
            bool(batch[name][i]) for name in ("terminateds", "truncateds", "dones") if name in batch
        )
        if done or i + 1 == count or batch[KEY][i + 1] != uid:
            yield Fragment(str(uid), None, moments, done)
            moments = []


def _value(batch: Mapping[str, list[Any]], name: str, row: int) -> Any:
    if name not in batch:
        return None
    value = batch[name][row]
    return Pickled(value) if isinstance(value, str) else value  # compressed
