"""The old API stack: taps on a rollout worker's sub-environments, and records among its metrics.

RLlib gives a callback no means there to replace a sub-environment, and no metrics logger. The
worker is the one object that both passes through.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import gymnasium as gym

from tbtrace.envs.tap import AgentsTap
from tbtrace.rllib.deck import Deck
from tbtrace.rllib.parcel import RECORDS, Record

_WORKER = "tbtrace_worker"
"""Attribute of RLlib's rollout worker under which the algorithm finds ours."""


class Packet:
    """A record on its way through RLlib's metrics; empty once it has been taken out.

    RLlib keeps the metrics of old episodes for its smoothing window and reports them again.

    Args:
        record: What travels.

    Example:
        >>> packet = Packet(Record(running=("speed",)))
        >>> packet.take().running, packet.take()
        (('speed',), None)
    """

    __slots__ = ("_record",)

    def __init__(self, record: Record) -> None:
        self._record: Record | None = record

    def take(self) -> Record | None:
        """Returns the record the first time, and None from then on."""
        record, self._record = self._record, None
        return record


class Worker:
    """Puts a tap on each sub-environment of a rollout worker and records among its metrics.

    To be made when RLlib says that the worker's first sub-environment has been created. The later
    ones, also those that RLlib makes after an error, are tapped as the worker makes them.

    Args:
        worker: RLlib's `RolloutWorker`.
        deck: Where episodes are recorded.
        strict: Let exceptions through (for tests).
    """

    def __init__(self, worker: Any, deck: Deck, strict: bool) -> None:
        self._deck = deck
        self._strict = strict
        self._taps: list[Any] = []
        self._fetch: Callable[[], list[Any]] = worker.get_metrics
        deck.evaluates = bool(worker.config.in_evaluation)
        worker.get_metrics = self._metrics
        setattr(worker, _WORKER, self)
        unreachable = _unreachable(worker)
        if unreachable:
            deck.problems.add("records", "no sub-environments", unreachable)
            return
        slots = SimpleNamespace(
            envs=[worker.env] * worker.config.num_envs_per_env_runner,
            num_envs=worker.config.num_envs_per_env_runner,
        )
        deck.install(slots)
        self._taps = [
            _AgentsTap(tap.env, tap._tbtrace_recording) if isinstance(tap, AgentsTap) else tap
            for tap in slots.envs
        ]
        worker.env = self._taps[0]
        maker = worker._get_make_sub_env_fn
        worker._get_make_sub_env_fn = lambda *args: self._tapping(maker(*args))

    def _tapping(self, make: Callable[[int], Any]) -> Callable[[int], Any]:
        def make_tapped(vector_index: int) -> Any:
            tap = self._taps[vector_index]
            tap.env = make(vector_index)  # a running episode is given up at the next reset
            return tap

        return make_tapped

    def end(self, env_index: int, episode: Any) -> None:
        """Takes the episode that RLlib says has ended; an exception stands for one cut off."""
        if isinstance(episode, Exception):
            return
        ended = _Ended(episode)
        self._deck.end(env_index, ended)
        episode.media[RECORDS] = ended.id_

    def news(self) -> Record | None:
        """Returns what there is to say besides episodes, which go with RLlib's metrics of them."""
        return self._deck.record(())

    def _metrics(self) -> list[Any]:
        """Stands in for `RolloutWorker.get_metrics`: the first episode's media hold the packet."""
        metrics = self._fetch()
        try:
            return self._with_packet(metrics)
        except Exception as error:
            if self._strict:
                raise
            self._deck.problems.add_error("records", "EpisodeRecorder in get_metrics", error)
            return metrics

    def _with_packet(self, metrics: list[Any]) -> list[Any]:
        whole = [one for one in metrics if not one.episode_faulty]  # RLlib reads no other media
        if not whole:
            return metrics
        # An episode that ends in the same step as others may be in a later call's metrics. Those of
        # Atari environments come from a wrapper, without media.
        counted = {one.media.get(RECORDS) for one in whole}
        record = self._deck.record(None if None in counted else counted)
        told = []
        for one in metrics:
            media = {key: value for key, value in one.media.items() if key != RECORDS}
            if record is not None and one is whole[0]:
                media[RECORDS] = Packet(record)
            told.append(one._replace(media=media))
        return told


class _AgentsTap(AgentsTap):
    """A tap that RLlib takes for a `MultiAgentEnv`, as the old stack insists on one."""

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return type(self.env.unwrapped)

    def to_base_env(self, *args: Any, **kwargs: Any) -> Any:
        """Converts the tap, not the environment below it."""
        return type(self.env.unwrapped).to_base_env(self, *args, **kwargs)  # type: ignore[attr-defined]


class _Ended:
    """An `EpisodeV2` that has ended, as `Deck.end` reads the new stack's episodes.

    RLlib's number for it comes from Python's generator: with a seed, a worker that is restarted
    gives the same ones again.
    """

    def __init__(self, episode: Any) -> None:
        self._episode = episode
        self.id_ = f"{episode.episode_id}-{uuid.uuid4().hex[:12]}"

    def get_infos(self, index: int) -> Any:
        """Returns a single agent's last info."""
        return self._episode.last_info_for()


def take_records(metrics: Any) -> list[Record]:
    """Takes the records out of the media of RLlib's summary of episodes.

    Args:
        metrics: `result["env_runners"]`, of training or of an evaluation.
    """
    media = metrics.get("episode_media") if isinstance(metrics, dict) else None
    packets = media.pop(RECORDS, ()) if isinstance(media, dict) else ()
    records = [packet.take() for packet in packets if isinstance(packet, Packet)]
    return [record for record in records if record is not None]


def ask_workers(algorithm: Any) -> list[Record]:
    """Asks rollout workers for what they know besides episodes: names, and what was counted."""
    told = algorithm.env_runner_group.foreach_env_runner(
        _news_of, timeout_seconds=algorithm.config.metrics_episode_collection_timeout_s
    )
    return [record for record in told if isinstance(record, Record)]


def _news_of(worker: Any) -> Record | None:
    ours: Worker | None = getattr(worker, _WORKER, None)
    return None if ours is None else ours.news()


def _unreachable(worker: Any) -> str:
    """Says why no tap can be put on a worker's environments; empty where one can."""
    if "custom_vector_env" in worker.config:  # where `RolloutWorker` looks for it
        return (
            "custom_vector_env makes sub-environments of its own, which the old API stack's "
            "EpisodeRecorder cannot record; leave it away and set num_envs_per_env_runner"
        )
    if worker.config.remote_worker_envs:
        return (
            "remote_worker_envs=True holds environments in other processes, which the old API "
            "stack's EpisodeRecorder cannot record; leave it False"
        )
    if isinstance(worker.env, gym.Env):
        return ""
    return (
        f"{type(worker.env).__name__} is no gymnasium.Env and no MultiAgentEnv: the old API "
        "stack's EpisodeRecorder cannot record it"
    )
