"""RecordTraces: the explicit wrapper, which hands every finished episode over with its last info.

It records where the environment runs, be it a process of its own, and needs no RLlib. What it hands
over is one opaque object: gymnasium's vectorisation carries such objects as they are, while it
mangles dicts and arrays.
"""

from __future__ import annotations

import sys
import uuid
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode

from tbtrace.envs.tap import Tap
from tbtrace.episode import Episode
from tbtrace.errors import ContractError, Problems
from tbtrace.info import MAPPING, Contract
from tbtrace.recording import HANDED_OVER, Recording

_STORED = 100


@dataclass(frozen=True, slots=True)
class Handover:
    """What a `RecordTraces` says in the info of a reset or of an episode's last step.

    That of a reset tells who else records the environment that it records itself.

    Attributes:
        episode: The episode that has just finished, whole; None at a reset.
        ended: How many episodes of this environment have finished so far, this one included.
        counts: What could not be used so far in the environment's whole life, by kind.
    """

    episode: Episode | None
    ended: int
    counts: Mapping[str, int]


class _HandingOver(Recording):
    """A recording that takes its own episodes."""

    __slots__ = ("_counts", "_own_problems", "ended", "stored")

    def __init__(self, contract: Contract, strict: bool) -> None:
        self._own_problems = Problems()
        super().__init__(contract, self._own_problems, strict)
        self._counts: Counter[str] = Counter()
        self.ended = 0
        self.stored: deque[Episode] = deque(maxlen=_STORED)

    def reset(self, env: Any, info: Any) -> Mapping[str, Any]:
        rest = super().reset(env, info)
        return rest if self.steps_aside else self._with_handover(rest, None)

    def step(self, env: Any, info: Any, reward: Any, done: bool) -> Mapping[str, Any]:
        rest = super().step(env, info, reward, done)
        if not done or self.tape is None or self.steps_aside:
            return rest
        self.ended += 1
        episode = self.take(uuid.uuid4().hex)
        if episode is not None:
            self.stored.append(episode)
        return self._with_handover(rest, episode)

    def _with_handover(self, info: Mapping[str, Any], episode: Episode | None) -> dict[str, Any]:
        self._counts.update(self._own_problems.take())
        return {**info, HANDED_OVER: Handover(episode, self.ended, dict(self._counts))}


class RecordTraces(Tap):
    """Records an environment's infos and hands each finished episode over.

    The info of an episode's last step holds the episode as one opaque object: read it with
    `tbtrace.collect`, from a vector environment's infos as well, in whatever process the
    environment runs. In one process `drain()` is simpler. With RLlib and asynchronous
    vectorisation wrap the environment in the function that makes it; `EpisodeRecorder` takes the
    episodes over, in every vectorisation mode, and records nothing itself there.

    Infos are read, and `"tbtrace"` is taken out of them, as by `EpisodeRecorder`. A copy, a deep
    copy and a pickle hold the wrapped environment alone and do not record. What cannot be used is
    named once in a `TbtraceWarning` of the process in which the environment runs.

    Args:
        env: A gymnasium environment, single-agent.
        consume: Info keys that are taken out of the info on the way; of `"tbtrace"`, `"data"`,
            `"media"`.
        info_keys: `{"running": [...], "final": [...]}`, entries of the info itself to record.
        extract: `callable(env, info) -> dict` in the shape of `info["tbtrace"]`, for environments
            that cannot be edited; it is called with `env`.
        strict: Raise what goes wrong in recording, instead of counting and warning (for tests).

    Raises:
        ContractError: `env` is no gymnasium environment or a multi-agent one, or an option breaks
            its rule.

    Example:
        >>> env = RecordTraces(
        ...     gym.make("CartPole-v1", max_episode_steps=3),
        ...     extract=lambda env, info: {"traces": {"cart": (float(env.unwrapped.state[0]), 0)}},
        ... )
        >>> _ = env.reset(seed=7)
        >>> for _ in range(3):
        ...     *_, info = env.step(0)
        >>> (episode,) = env.drain()
        >>> episode.length, episode.traces["traces"]["cart"].points.shape
        (3, (4, 2))
        >>> collect(info) == [episode], env.drain()
        (True, [])
    """

    _tbtrace_recording: _HandingOver

    def __init__(
        self,
        env: gym.Env[Any, Any],
        *,
        consume: Sequence[str] = ("tbtrace",),
        info_keys: Mapping[str, Sequence[str]] | None = None,
        extract: Callable[[Any, Any], Mapping[str, Any]] | None = None,
        strict: bool = False,
    ) -> None:
        _check(env)
        contract = Contract(
            consume=(consume,) if isinstance(consume, str) else tuple(consume),
            info_keys=info_keys,
            extract=extract,
        )
        super().__init__(env, _HandingOver(contract, strict))

    def drain(self) -> list[Episode]:
        """Returns the episodes that have finished since the last call, and forgets them.

        The last 100 wait here; earlier ones are gone unless they were collected from the infos.
        """
        stored = self._tbtrace_recording.stored
        episodes = list(stored)
        stored.clear()
        return episodes


def record_for(env: Any, contract: Contract, strict: bool) -> RecordTraces:
    """Returns the environment in a `RecordTraces` with the options of a contract."""
    return RecordTraces(
        env,
        consume=contract.consume,
        info_keys=contract.info_keys,
        extract=contract.extract,
        strict=strict,
    )


def resets_in_same_step(vector_env: Any) -> bool:
    """Tells whether a vector environment resets a sub-environment in the step that ends it."""
    return getattr(vector_env, "autoreset_mode", None) == AutoresetMode.SAME_STEP


def _check(env: Any) -> None:
    if not isinstance(env, gym.Env):
        raise ContractError(
            f"RecordTraces wraps a gymnasium.Env, not {type(env).__module__}.{type(env).__name__}; "
            "of a vector environment wrap each sub-environment"
        )
    rllib = sys.modules.get("ray.rllib.env.multi_agent_env")  # loaded by whoever has made one
    if rllib is not None and isinstance(env.unwrapped, rllib.MultiAgentEnv):
        raise ContractError(
            "RecordTraces wraps single-agent environments, not "
            f"{type(env.unwrapped).__name__}, a MultiAgentEnv"
        )


def collect(infos: Any) -> list[Episode]:
    """Returns the finished episodes that `RecordTraces` handed over in one step.

    Args:
        infos: What `step` of an environment or of a vector environment returned as info: a dict,
            of arrays with one entry a sub-environment, or a list of dicts. With SAME_STEP autoreset
            the episodes are below `"final_info"`, where they are looked for, too.

    Returns:
        The episodes in the order of the sub-environments; empty where none has finished.
    """
    return [handed.episode for handed in handovers(infos) if handed.episode is not None]


def handovers(infos: Any) -> Iterator[Handover]:
    """Yields what is handed over in infos (see `collect`), of resets too, final infos first."""
    if isinstance(infos, Handover):
        yield infos
    elif isinstance(infos, MAPPING):
        for key in ("final_info", HANDED_OVER):
            yield from handovers(infos.get(key))
    elif isinstance(infos, (list, tuple)) or (
        isinstance(infos, np.ndarray) and infos.dtype == object
    ):
        for info in infos:
            yield from handovers(info)
