"""Ledger: what the algorithm knows of its run; turns records into metrics and parcels."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tbtrace.episode import Episode, FloatArray
from tbtrace.errors import DROPPED, Problems
from tbtrace.info import number
from tbtrace.rllib.budget import EVALUATED, Budget, size_of
from tbtrace.rllib.load import Receiver, Sender
from tbtrace.rllib.parcel import Contents, Parcel, Record
from tbtrace.roll import Roll, own_name, with_own
from tbtrace.select import EpisodeSummary, Selector, picked
from tbtrace.stats import Names, histograms, over_episodes, summarise

_REMEMBERED = 100_000
_EVALUATED = 1_000
_AT_ONCE = 64_000_000
"""Bytes of whole episodes that go to the driver in one iteration."""


class Ledger:
    """Keeps a run's names, counters and the evaluation that waits for its iteration's result.

    Args:
        names: Names to report from the first iteration on; a dict of `running` and `final`, or a
            list of final names.
        keep: Which episodes of an iteration travel whole.
        problems: The counters of this process.
        per_agent: How many agents of a multi-agent environment have metrics of their own, the
            first ones that are heard of.
    """

    def __init__(
        self,
        names: Mapping[str, Iterable[str]] | Iterable[str],
        keep: Sequence[Selector],
        problems: Problems,
        per_agent: int = 0,
    ) -> None:
        self._per_agent = per_agent
        self._roll = Roll(per_agent)
        self.names = Names()
        if isinstance(names, Mapping):
            self.names.add(names.get("running", ()), names.get("final", ()))
        else:
            self.names.add(final=names)
        self._keep = tuple(keep)
        self._problems = problems
        self._counts: Counter[str] = Counter()
        self._seen: dict[str, None] = {}
        self._evaluation: list[Episode] = []
        self._receiver = Receiver()
        self._sender = Sender()

    def evaluated(self, records: Sequence[Record]) -> dict[str, float]:
        """Takes in an evaluation's records; returns its metrics."""
        episodes = self._take_in(records, "evaluation")
        self._evaluation += episodes
        surplus = len(self._evaluation) - _EVALUATED
        if surplus > 0:
            del self._evaluation[:surplus]
            self._problems.add(
                "episodes",
                "evaluations",
                f"more than {_EVALUATED} evaluation episodes between two training results: the "
                "next result covers the last ones; each evaluation's own result covers all of its",
                surplus,
            )
        own = (with_own(episode, self._roll) for episode in episodes)
        return over_episodes([summarise(episode, self.names) for episode in own], self.names)

    def trained(
        self, records: Sequence[Record], iteration: int, env_steps: int
    ) -> tuple[dict[str, float], dict[str, float], Parcel]:
        """Closes an iteration.

        Args:
            records: What the env runners sent in it.
            iteration: The result's `training_iteration`.
            env_steps: Environment steps sampled for training in the whole run.

        Returns:
            The metrics of training, those of the evaluation since the last iteration (NaN without
            one), and the parcel for the driver.
        """
        trained = self._take_in(records, "train")
        evaluated, self._evaluation = self._evaluation, []
        for episode in (*trained, *evaluated):
            episode.iteration, episode.env_steps = iteration, env_steps
        self.names.warn_collisions(self._problems)
        metrics: list[dict[str, float]] = []
        kept: list[Episode] = []
        budget = Budget(_AT_ONCE)
        told: list[tuple[EpisodeSummary, ...]] = []
        counted: list[dict[str, FloatArray]] = []
        for episodes in (trained, evaluated):
            own = [with_own(episode, self._roll) for episode in episodes]
            summaries = [summarise(episode, self.names) for episode in own]
            metrics.append(over_episodes(summaries, self.names))
            counted.append(histograms(own, self.names))
            travel = self._kept(episodes, summaries, budget)
            kept += [episodes[index] for index in travel]
            told.append(
                tuple(
                    dataclasses.replace(summary, whole=index in travel)
                    for index, summary in enumerate(summaries)
                )
            )
        contents = Contents(
            load=self._sender.pack(kept),
            histograms={"train": counted[0], "evaluation": counted[1]},
            summaries={"train": told[0], "evaluation": told[1]},
        )
        return metrics[0], metrics[1], Parcel(contents)

    def _kept(
        self, episodes: Sequence[Episode], summaries: Sequence[EpisodeSummary], budget: Budget
    ) -> list[int]:
        """Returns which episodes of one split go on to the driver, in their order."""
        arrived = [
            dataclasses.replace(summary, whole=bool(episode.traces or episode.media))
            for summary, episode in zip(summaries, episodes, strict=True)
        ]
        wanted = picked(self._keep, arrived, self._problems)
        if episodes and episodes[0].split == "evaluation":
            more = picked([EVALUATED], arrived, self._problems)
            wanted += [index for index in more if arrived[index].whole and index not in wanted]
        kept = []
        for index in wanted:
            size = size_of(episodes[index])
            if budget.take(size):
                kept.append(index)
            else:
                self._problems.add(
                    "records",
                    "budget of an iteration",
                    f"a picked episode of {size / 1e6:.1f} MB is not drawn: "
                    f"{_AT_ONCE // 10**6} MB an iteration go to the driver; pick fewer (keep=)",
                    count=0,
                )
        return sorted(kept)

    def counters(self) -> dict[str, Any]:
        """Returns the run's counters so far, every one of them in every result."""
        self._counts.update(self._problems.take())
        return {
            "dropped": {kind: self._counts[kind] for kind in DROPPED},
            "aborted": self._counts["aborted"],
            "uncounted": self._counts["uncounted"],
        }

    def _see_agents(self, record: Record) -> None:
        for agent, (running, final) in record.agents.items():
            if self._roll.admit(agent):
                self.names.add(
                    (own_name(agent, name) for name in running),
                    (own_name(agent, name) for name in final),
                )

    def _take_in(self, records: Sequence[Record], split: str) -> list[Episode]:
        episodes = []
        for record in records:
            self._counts.update(record.counts)
            self.names.add(record.running, record.final)
            self._see_agents(record)
            for episode in self._receiver.unpack(record.load):
                # RLlib emits evaluation statistics again in the iteration after an evaluation.
                if episode.uid in self._seen:
                    continue
                self._seen[episode.uid] = None
                episode.split = split
                self.names.see(with_own(episode, self._roll))
                episodes.append(episode)
        if self._roll.refused:
            self._problems.add(
                "values",
                "per_agent",
                f"{self._roll.refused!r} and agents that come after it have no metrics of their "
                f"own, {self._per_agent} others have: their values count in those of all agents "
                "together; EpisodeRecorder(per_agent=...) says how many may",
                count=0,
            )
        while len(self._seen) > _REMEMBERED:
            del self._seen[next(iter(self._seen))]
        return episodes


def drain(metrics: Any, key: str) -> list[Record]:
    """Takes the records out of a dict of reduced metrics.

    RLlib hands an item series on as a list, a bare item (when there is just one), NaN, None, or
    not at all.
    """
    if not isinstance(metrics, dict):
        return []
    value = metrics.pop(key, None)
    items = value if isinstance(value, list | tuple) else [value]
    return [item for item in items if isinstance(item, Record)]


def whole(value: Any) -> int:
    """Reads a step counter of a result; 0 where it is missing or no number."""
    numeric = number(value)
    return int(numeric) if numeric is not None and math.isfinite(numeric) else 0
