"""Census: the statistics of each report's episodes, for loops in which no RLlib works them out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tbtrace.episode import SPLITS, Episode, FloatArray, split_of
from tbtrace.errors import Problems
from tbtrace.roll import Roll, with_own
from tbtrace.select import EpisodeSummary
from tbtrace.stats import Names, histograms, over_episodes, summarise

PLACES = dict(zip(SPLITS, ("env_runners", "evaluation/env_runners"), strict=True))
"""Where RLlib's results, and so the tags of statistics, hold each split."""

_PER_AGENT = 16
_LIKE_RLLIB = Names(final={"episode_return": None, "episode_len": None})


@dataclass(frozen=True, slots=True)
class Counted:
    """What a census found.

    Attributes:
        scalars: `{tag: number}`, finite ones only, with the tags that RLlib's results have:
            `env_runners/episode_return_{mean,min,max}`, `env_runners/episode_len_...`,
            `env_runners/custom_metrics/<name>_avg_...`, and below `evaluation/` the same.
        histograms: `{split: {name: buckets float64 (k, 3)}}`.
        summaries: `{split: summaries}`.
    """

    scalars: Mapping[str, float] = field(default_factory=dict)
    histograms: Mapping[str, Mapping[str, FloatArray]] = field(default_factory=dict)
    summaries: Mapping[str, Sequence[EpisodeSummary]] = field(default_factory=dict)


class Census:
    """Works out of all episodes of a report what `EpisodeRecorder` puts into RLlib's results.

    It knows the names that the run has mentioned, which say how collisions are resolved, and its
    first 16 agents, which have metrics of their own besides those of all agents together.

    Args:
        problems: Where collisions and further agents are named.

    Example:
        >>> census = Census(Problems())
        >>> scalars = census.take([Episode("a", 9, 2.0, final={"shipped": 5.0})]).scalars
        >>> [scalars[f"env_runners/{tag}"] for tag in ("episode_return_mean", "episode_len_max")]
        [2.0, 9.0]
        >>> scalars["env_runners/custom_metrics/shipped_min"], census.take([]).scalars
        (5.0, {})
    """

    def __init__(self, problems: Problems) -> None:
        self._names = Names()
        self._roll = Roll(_PER_AGENT)
        self._problems = problems

    def take(self, episodes: Iterable[Episode]) -> Counted:
        """Counts every episode that ended since the last report; one without a split is training.

        A name or a split that has no finite value has no scalar and no histogram.
        """
        own = [with_own(episode, self._roll) for episode in episodes]
        for episode in own:
            self._names.see(episode)
        self._names.warn_collisions(self._problems)
        self._name_further_agents()
        scalars: dict[str, float] = {}
        by_split: dict[str, dict[str, FloatArray]] = {}
        told: dict[str, list[EpisodeSummary]] = {}
        for split, place in PLACES.items():
            here = [episode for episode in own if split_of(episode) == split]
            told[split] = [summarise(episode, self._names) for episode in here]
            by_split[split] = histograms(here, self._names)
            metrics = _returns(told[split])
            named = over_episodes(told[split], self._names)
            metrics.update((f"custom_metrics/{name}", value) for name, value in named.items())
            scalars.update((f"{place}/{name}", value) for name, value in metrics.items())
        finite = {tag: value for tag, value in scalars.items() if math.isfinite(value)}
        return Counted(finite, by_split, told)

    def _name_further_agents(self) -> None:
        if self._roll.refused:
            self._problems.add_quietly(
                "values",
                "further agents",
                f"{self._roll.refused!r} and agents that come after it have no metrics of their "
                f"own, {_PER_AGENT} others have: their values count in those of all agents "
                "together",
                count=0,
            )


def _returns(summaries: Sequence[EpisodeSummary]) -> dict[str, float]:
    """Returns the statistics of return and length, named as RLlib names them."""
    told = [
        EpisodeSummary(
            summary.uid,
            summary.length,
            summary.episode_return,
            {"episode_return": summary.episode_return, "episode_len": summary.length},
        )
        for summary in summaries
    ]
    return over_episodes(told, _LIKE_RLLIB)
