"""Deck: the recordings of one env runner's sub-environments."""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Container, Sequence
from itertools import chain
from typing import Any

from ray.rllib.env.multi_agent_env import MultiAgentEnv

from tbtrace.envs.record import record_for, resets_in_same_step
from tbtrace.envs.tap import AgentsTap, Tap
from tbtrace.episode import Episode
from tbtrace.errors import Problems
from tbtrace.info import Contract
from tbtrace.recording import HANDED_OVER, AgentsRecording, Recording
from tbtrace.rllib.arrivals import Arrivals, HandedOver, take_handover
from tbtrace.rllib.budget import EVALUATED, Budget, size_of
from tbtrace.rllib.load import Sender
from tbtrace.rllib.parcel import Record
from tbtrace.roll import Roll, with_own
from tbtrace.sample import MOST_IN_ALL, MOST_VALUES, sampled
from tbtrace.select import Selector, candidates, picked
from tbtrace.stats import Names, summarise
from tbtrace.tape import Tape

_AT_ONCE, _PER_SECOND = 16_000_000, 8_000_000
"""Bytes of whole episodes that an env runner sends with one fetch, and over time."""


class Deck:
    """Records every sub-environment of one env runner and packs what ended into records.

    Args:
        contract: How infos are read.
        keep: Which of the episodes that ended since the last record travel whole.
        strict: Let exceptions through (for tests).
        per_agent: How many agents may have metrics of their own.

    Attributes:
        problems: What could not be used, until the next record takes the counts along.
        evaluates: Whether the env runner is one for evaluation.
    """

    def __init__(
        self, contract: Contract, keep: Sequence[Selector], strict: bool, per_agent: int = 0
    ) -> None:
        self.problems = Problems()
        self.evaluates = False
        self._contract = contract
        self._keep = tuple(keep)
        self._strict = strict
        self._recordings: list[Recording] = []
        self._arrivals: list[Arrivals] = []
        self._told: defaultdict[int, Counter[str]] = defaultdict(Counter)
        self._tapped = False
        self._ended: list[tuple[Episode, Tape | HandedOver]] = []
        self._announced = Names()
        self._roll = Roll(per_agent)
        self._announced_of: dict[str, Names] = {}
        self._sender = Sender()
        self._budget = Budget(_AT_ONCE, _PER_SECOND)

    def install(self, vector_env: Any) -> None:
        """Puts a tap on each sub-environment of a vector env that RLlib has just made.

        Recordings of the environments before it (RLlib makes them anew after an error) are given
        up and counted. Sub-environments in other processes cannot be tapped; their infos are read
        as they arrive (`follow`).
        """
        for recording in self._recordings:
            recording.drop()
        self._told.clear()
        envs: Any = getattr(vector_env, "envs", None)
        self._tapped = isinstance(envs, list | tuple)
        self._recordings = [
            Recording(self._contract, self.problems, self._strict)
            for _ in range(getattr(vector_env, "num_envs", 0))
        ]
        self._arrivals = [Arrivals(recording) for recording in self._recordings]
        if not self._tapped:
            if self._contract.extract is not None:
                self.problems.add(
                    "records",
                    "extract without envs",
                    f"{type(vector_env).__name__} holds its environments in other processes: "
                    "extract(env, info) is called with env=None there",
                )
            return
        if any(isinstance(getattr(env, "unwrapped", env), MultiAgentEnv) for env in envs):
            self._recordings = [
                AgentsRecording(
                    self._contract, self.problems, self._strict, env.unwrapped.possible_agents
                )
                for env in envs
            ]
            self._arrivals = [Arrivals(recording) for recording in self._recordings]
            vector_env.envs = [
                AgentsTap(env, recording)
                for env, recording in zip(envs, self._recordings, strict=True)
            ]
            return
        if resets_in_same_step(vector_env):  # an episode is taken when the next one runs already
            vector_env.envs = [record_for(env, self._contract, self._strict) for env in envs]
            return
        vector_env.envs = [
            Tap(env, recording) for env, recording in zip(envs, self._recordings, strict=True)
        ]

    @property
    def reads_arriving_infos(self) -> bool:
        """Whether `follow` must be called, as there are no taps."""
        return bool(self._recordings) and not self._tapped

    def create(self, env_index: int) -> None:
        """Takes note that RLlib has made an episode, where there is no tap."""
        self._arrivals[env_index].create()

    def follow(self, env_index: int, episode: Any, first: bool) -> None:
        """Reads the info that has just arrived in RLlib's episode, where there is no tap."""
        info = episode.get_infos(-1)
        if first:
            self._arrivals[env_index].start(info)
        else:
            self._arrivals[env_index].step(info, episode.get_rewards(-1), episode.is_done)

    def end(self, env_index: int, episode: Any) -> None:
        """Takes the episode that RLlib says has ended, and that it counts."""
        if env_index >= len(self._recordings):
            return
        self._arrivals[env_index].end()
        recording = self._recordings[env_index]
        steps_aside = recording.steps_aside
        tape: Tape | HandedOver | None = recording.end()
        if tape is None or steps_aside:
            tape = self._handed_over(env_index, episode, lives=tape is None)
        if tape is not None:
            self._ended.append((tape.finish_values(episode.id_), tape))

    def _handed_over(self, env_index: int, episode: Any, lives: bool) -> HandedOver | None:
        """Takes the episode that its environment recorded itself.

        Args:
            env_index: Which sub-environment.
            episode: RLlib's episode.
            lives: Whether nobody here has counted episodes that were aborted or not counted.
        """
        # RLlib's multi-agent episodes do not store all infos; what was handed over was seen before.
        handover = take_handover(episode.get_infos(-1)) or self._recordings[env_index].handed_over
        if handover is None:
            self.problems.add(
                "episodes",
                "handover",
                f"an environment records itself, but info[{HANDED_OVER!r}] is missing at the end "
                "of an episode; pass the infos of the last step on",
            )
            return None
        counts = Counter(handover.counts)
        # Of the episodes that ended before this one, those that RLlib never asked for.
        counts["ended"] = handover.ended
        told, self._told[env_index] = self._told[env_index], counts
        for kind, count in (counts - told).items():
            if kind == "ended":
                kind, count = "uncounted", count - 1
            if lives or kind not in ("aborted", "uncounted"):
                self.problems.count(kind, count)
        return None if handover.episode is None else HandedOver(handover.episode)

    def record(self, uids: Container[str] | None = None) -> Record | None:
        """Returns what there is to say since the last call, or None.

        Args:
            uids: Of which episodes; the others that have ended wait. All by default.
        """
        waiting = [] if uids is None else [one for one in self._ended if one[0].uid not in uids]
        ended = [one for one in self._ended if uids is None or one[0].uid in uids]
        self._ended = waiting
        episodes = [episode for episode, _ in ended]
        names = Names()
        for episode in episodes:
            names.see(episode)
        for recording in self._recordings:
            if recording.tape is not None:
                recording.tape.settle()
                names.add(recording.tape.running_names, recording.tape.final_names)
        record = Record(
            load=self._sender.pack(self._packed(ended)),
            running=tuple(name for name in names.running if name not in self._announced.running),
            final=tuple(name for name in names.final if name not in self._announced.final),
            agents=self._news_of_agents(),
            counts=self.problems.take(),
        )
        self._announced.add(record.running, record.final)
        return record if record != Record() else None

    def _packed(self, ended: Sequence[tuple[Episode, Tape | HandedOver]]) -> list[Episode]:
        """Returns the episodes as they travel: the picked ones whole, while the budget lasts."""
        summaries = [summarise(with_own(episode, self._roll)) for episode, _ in ended]
        self._budget.refill()
        selectors = candidates(self._keep)
        if self.evaluates:
            selectors = (*selectors, EVALUATED)
        whole: dict[int, Episode] = {}
        for index in picked(selectors, summaries, self.problems):
            episode, tape = ended[index]
            # Working out traces costs far more than all else about an episode.
            candidate = dataclasses.replace(episode)
            try:
                tape.finish_traces(candidate)
            except Exception as error:  # it costs this episode its traces, not the fetch
                if self._strict:
                    raise
                self.problems.add_error("episodes", "working out traces", error)
                continue
            fits = self._budget.take(size_of(candidate))
            if not fits:  # with a sample of its running values rather than without its traces
                (candidate,) = self._shortened([candidate])
                fits = self._budget.take(size_of(candidate))
            if fits:
                whole[index] = candidate
            else:
                self.problems.add(
                    "records",
                    "budget",
                    f"a picked episode of {size_of(candidate) / 1e6:.1f} MB travels without its "
                    f"traces: an env runner sends {_AT_ONCE // 10**6} MB at once and "
                    f"{_PER_SECOND // 10**6} MB a second; say less, or pick fewer (keep=)",
                    count=0,
                )
        rest = [episode for index, (episode, _) in enumerate(ended) if index not in whole]
        short = iter(self._shortened(rest))
        return [whole[index] if index in whole else next(short) for index in range(len(ended))]

    def _shortened(self, episodes: Sequence[Episode]) -> list[Episode]:
        short = sampled(episodes)
        if any(one is not other for one, other in zip(short, episodes, strict=True)):
            self.problems.add(
                "values",
                "sample",
                f"an episode has more than {MOST_VALUES} values of one name, or a fetch more "
                f"than {MOST_IN_ALL}: histograms are of a uniform sample; statistics are exact",
                count=0,
            )
        return short

    def _news_of_agents(self) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
        """Returns what agents of open episodes mention that no record has told of yet."""
        news: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {}
        tapes = [recording.tape for recording in self._recordings if recording.tape is not None]
        for agent, (running, final) in chain.from_iterable(
            tape.names_by_agent().items() for tape in tapes
        ):
            if not (running or final) or not self._roll.admit(agent):
                continue
            known = self._announced_of.setdefault(agent, Names())
            told = news.get(agent, ((), ()))
            new = (
                (*told[0], *(name for name in running if name not in known.running)),
                (*told[1], *(name for name in final if name not in known.final)),
            )
            if new != ((), ()):
                news[agent] = new
            known.add(running, final)
        return news
