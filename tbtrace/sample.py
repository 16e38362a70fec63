"""Sample: what travels of a long series: a part of its values, and exact numbers about all."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence

import numpy as np

from tbtrace.episode import Episode, Series, Tally
from tbtrace.stats import tally_of

MOST_VALUES = 2_000
"""Values of one name and episode that travel; of more a sample stands for all."""

MOST_IN_ALL = 500_000
"""Values of many episodes that travel together: 4 MB, and 2 MB for their steps."""


def sampled(episodes: Sequence[Episode]) -> list[Episode]:
    """Returns the episodes with bounded series, and statistics that are exact all the same.

    Args:
        episodes: Episodes that travel together. A series that is a sample already stays as it is.

    Returns:
        The episodes, in their order; the very same object where nothing is too long.

    Example:
        >>> series = Series(np.arange(9_000, dtype=np.int32), np.arange(9_000.0))
        >>> (short,) = sampled([Episode("uid", 9_000, 0.0, {"v": series})])
        >>> short.running["v"].values.size, short.running["v"].tally.total
        (2000, 40495500.0)
    """
    counts = [len(series.values) for episode in episodes for series in episode.running.values()]
    most = MOST_VALUES
    while most > 1 and sum(min(count, most) for count in counts) > MOST_IN_ALL:
        most //= 2
    return [_bounded(episode, most) for episode in episodes]


def _bounded(episode: Episode, most: int) -> Episode:
    running = {
        name: series
        if len(series.values) <= most or series.tally is not None
        else _sample(series, most, f"{episode.uid}/{name}")
        for name, series in episode.running.items()
    }
    if all(series is episode.running[name] for name, series in running.items()):
        return episode
    return dataclasses.replace(episode, running=running)


def _sample(series: Series, most: int, seed: str) -> Series:
    finite = np.flatnonzero(np.isfinite(series.values))
    # The same sample whoever draws it, and whenever: of the episode's uid, not of a global seed.
    digest = hashlib.blake2b(seed.encode(), digest_size=16).digest()
    chance = np.random.default_rng(int.from_bytes(digest, "big"))
    chosen = chance.choice(len(finite), min(most, len(finite)), replace=False, shuffle=False)
    rows = finite[np.sort(chosen)]
    tallies: dict[int, Tally] = {}
    if series.agents is not None:
        for agent in np.unique(series.agents).tolist():
            tallies[agent] = tally_of(Series(series.steps, series.values[series.agents == agent]))
    return Series(
        series.steps[rows],
        series.values[rows],
        None if series.agents is None else series.agents[rows],
        tally_of(series),
        tallies,
    )
