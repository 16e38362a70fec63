"""Deck: the recordings of one env runner's sub-environments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ray.rllib.env.multi_agent_env import MultiAgentEnv

from tbtrace.envs.tap import Tap
from tbtrace.episode import Episode
from tbtrace.errors import Problems
from tbtrace.info import Contract
from tbtrace.recording import Recording
from tbtrace.rllib.load import Sender
from tbtrace.rllib.parcel import Record
from tbtrace.select import Selector, picked
from tbtrace.stats import Names, summarise
from tbtrace.tape import Tape


class Deck:
    """Records every sub-environment of one env runner and packs what ended into records.

    Args:
        contract: How infos are read.
        keep: Which of the episodes that ended since the last record travel whole.
        strict: Let exceptions through (for tests).

    Attributes:
        problems: What could not be used, until the next record takes the counts along.
    """

    def __init__(self, contract: Contract, keep: Sequence[Selector], strict: bool) -> None:
        self.problems = Problems()
        self._contract = contract
        self._keep = tuple(keep)
        self._strict = strict
        self._recordings: list[Recording] = []
        self._tapped = False
        self._ended: list[tuple[Episode, Tape]] = []
        self._announced = Names()
        self._sender = Sender()

    def install(self, vector_env: Any) -> None:
        """Puts a tap on each sub-environment of a vector env that RLlib has just made.

        Recordings of the environments before it (RLlib makes them anew after an error) are given
        up and counted. Sub-environments in other processes cannot be tapped; their infos are read
        as they arrive (`follow`).
        """
        for recording in self._recordings:
            recording.drop()
        envs: Any = getattr(vector_env, "envs", None)
        self._tapped = isinstance(envs, list | tuple)
        self._recordings = [
            Recording(self._contract, self.problems, self._strict)
            for _ in range(getattr(vector_env, "num_envs", 0))
        ]
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
            self.problems.add(
                "records",
                "multi-agent",
                "multi-agent environments are not recorded yet; use a single-agent one",
            )
            self._recordings = []
            return
        vector_env.envs = [
            Tap(env, recording) for env, recording in zip(envs, self._recordings, strict=True)
        ]

    @property
    def reads_arriving_infos(self) -> bool:
        """Whether `follow` must be called, as there are no taps."""
        return bool(self._recordings) and not self._tapped

    def follow(self, env_index: int, episode: Any, first: bool) -> None:
        """Reads the info that has just arrived in RLlib's episode, where there is no tap."""
        recording = self._recordings[env_index]
        info = episode.get_infos(-1)
        if first:
            recording.reset(None, info)
        else:
            recording.step(None, info, episode.get_rewards(-1), episode.is_done)

    def end(self, env_index: int, uid: str) -> None:
        """Takes the episode that RLlib says has ended, and that it counts."""
        tape = self._recordings[env_index].end() if env_index < len(self._recordings) else None
        if tape is not None:
            self._ended.append((tape.finish_values(uid), tape))

    def record(self) -> Record | None:
        """Returns what there is to say since the last call, or None."""
        ended, self._ended = self._ended, []
        episodes = [episode for episode, _ in ended]
        names = Names()
        for episode in episodes:
            names.see(episode)
        for recording in self._recordings:
            if recording.tape is not None:
                names.add(recording.tape.running_names, recording.tape.final_names)
        # Working out traces costs far more than all else about an episode, and few are looked at.
        for index in picked(self._keep, [summarise(e) for e in episodes], self.problems):
            episode, tape = ended[index]
            tape.finish_traces(episode)
        record = Record(
            load=self._sender.pack(episodes),
            running=tuple(name for name in names.running if name not in self._announced.running),
            final=tuple(name for name in names.final if name not in self._announced.final),
            counts=self.problems.take(),
        )
        self._announced.add(record.running, record.final)
        return record if record != Record() else None
