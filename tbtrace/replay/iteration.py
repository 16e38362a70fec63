"""Iteration: episodes that are reported together, as those that end in one training iteration."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, NamedTuple

from tbtrace.episode import Episode, FloatArray
from tbtrace.errors import Problems
from tbtrace.roll import Roll, with_own
from tbtrace.sample import MOST_VALUES, sampled
from tbtrace.select import EpisodeSummary, Selector, candidates, picked
from tbtrace.stats import Names, histograms, over_episodes, summarise

_SPLIT = "train"


class Closed(NamedTuple):
    """What an iteration reports.

    Attributes:
        runners: What a training result holds below `env_runners`.
        episodes: The whole episodes.
        histograms: `{split: {name: buckets}}` of all episodes.
        summaries: `{split: summaries}` of all episodes.
    """

    runners: dict[str, Any]
    episodes: list[Episode]
    histograms: dict[str, dict[str, FloatArray]]
    summaries: dict[str, tuple[EpisodeSummary, ...]]


class Iteration:
    """Gathers episodes; only those that views pick stay whole.

    Args:
        names: The run's names.
        roll: The run's agents that have metrics of their own.
        selectors: Which episodes stay whole.
        problems: Where selectors that raise are counted.

    Attributes:
        steps: Steps of the episodes so far.
    """

    def __init__(
        self, names: Names, roll: Roll, selectors: Sequence[Selector], problems: Problems
    ) -> None:
        self.steps = 0
        self._names = names
        self._roll = roll
        self._selectors = candidates(selectors)
        self._problems = problems
        self._episodes: list[Episode] = []
        self._whole: list[int] = []

    def __len__(self) -> int:
        return len(self._episodes)

    def add(self, episode: Episode) -> None:
        """Takes an episode; one that is not picked any more loses its traces and media."""
        episode.split = _SPLIT
        self.steps += episode.length
        self._names.see(with_own(episode, self._roll))
        self._episodes.append(episode)
        # These selectors pick from what they picked before what they would pick from all.
        pool = [*self._whole, len(self._episodes) - 1]
        told = [self._summary(self._episodes[index]) for index in pool]
        kept = {pool[index] for index in picked(self._selectors, told, self._problems)}
        self._whole = [index for index in pool if index in kept]
        for index in set(pool) - kept:
            self._shorten(index)

    def _summary(self, episode: Episode) -> EpisodeSummary:
        return summarise(with_own(episode, self._roll), self._names)

    def _shorten(self, index: int) -> None:
        long = dataclasses.replace(self._episodes[index], traces={}, media={})
        (short,) = sampled([long])
        self._episodes[index] = short
        if short is not long:
            self._problems.add(
                "values",
                "replay sample",
                f"an episode has more than {MOST_VALUES} values of one name: histograms are of a "
                "uniform sample; statistics are exact",
                count=0,
            )

    def close(self, iteration: int, env_steps: int) -> Closed:
        """Returns what there is to report.

        Args:
            iteration: Its number.
            env_steps: Environment steps of the run up to its end.
        """
        for episode in self._episodes:
            episode.iteration, episode.env_steps = iteration, env_steps
        summaries = [
            dataclasses.replace(self._summary(episode), whole=index in self._whole)
            for index, episode in enumerate(self._episodes)
        ]
        runners = {
            "custom_metrics": over_episodes(summaries, self._names),
            "num_episodes": len(summaries),
            **_three("episode_return", [summary.episode_return for summary in summaries]),
            **_three("episode_len", [summary.length for summary in summaries]),
        }
        own = (with_own(episode, self._roll) for episode in self._episodes)
        return Closed(
            runners,
            [self._episodes[index] for index in self._whole],
            {_SPLIT: histograms(own, self._names)},
            {_SPLIT: tuple(summaries)},
        )


def _three(name: str, values: Sequence[float]) -> dict[str, float]:
    return {
        f"{name}_mean": sum(values) / len(values),
        f"{name}_min": min(values),
        f"{name}_max": max(values),
    }
