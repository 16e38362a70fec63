"""RecordTraces: the explicit wrapper, which hands every finished episode over with its last info.

It records where the environment runs, be it a process of its own, and needs no RLlib.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import gymnasium as gym
from gymnasium.vector import AutoresetMode

from tbtrace.envs.handover import AgentsHandingOver, HandingOver, Handover, ZooHandingOver, collect
from tbtrace.envs.tap import AgentsTap, Tap
from tbtrace.envs.zoo import ParallelTap, TurnsTap, ZooTap
from tbtrace.episode import Episode
from tbtrace.errors import ContractError
from tbtrace.info import Contract

__all__ = ["Handover", "RecordTraces", "collect", "record_for", "resets_in_same_step"]


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

    Multi-agent environments of RLlib and of PettingZoo are recorded as one episode of all agents;
    each agent's info follows the contract. The object is in `infos["__common__"]` of RLlib's (the
    key of what belongs to no agent, which RLlib never stores), in the first agent's info of a
    `ParallelEnv`, and in an agent's info of an `AECEnv`. An episode ends with `"__all__"`, in
    PettingZoo when no agent is alive. Of an `AECEnv` each agent's info is read when its turn comes,
    as `last()` is; taking agents out that have ended is no step. What is returned for PettingZoo is
    no gymnasium environment and no `RecordTraces`, but has `drain()` and whatever else the
    environment has, and `isinstance` takes it for one of PettingZoo's class.

    Args:
        env: A gymnasium environment, RLlib's `MultiAgentEnv`, or PettingZoo's `ParallelEnv` or
            `AECEnv`; neither RLlib nor PettingZoo is needed for the others.
        consume: Info keys that are taken out of the info on the way; of `"tbtrace"`, `"data"`,
            `"media"`.
        info_keys: `{"running": [...], "final": [...]}`, entries of the info itself to record.
        extract: `callable(env, info) -> dict` in the shape of `info["tbtrace"]`, for environments
            that cannot be edited; it is called with `env`, and with all agents' infos at once.
        strict: Raise what goes wrong in recording, instead of counting and warning (for tests).

    Raises:
        ContractError: `env` is none of these environments, or an option breaks its rule.

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

    _tbtrace_recording: HandingOver

    def __new__(cls, env: Any, *, strict: bool = False, **options: Any) -> Any:
        """Returns a wrapper of the kind that the environment needs."""
        if isinstance(env, gym.Env):
            return super().__new__(_RecordAgents if _has_agents(env) else cls)
        kind = _zoo_tap(env)
        if kind is None:
            raise ContractError(
                "RecordTraces wraps a gymnasium.Env, an RLlib MultiAgentEnv or a PettingZoo "
                f"environment, not {type(env).__module__}.{type(env).__name__}; of a vector "
                "environment wrap each sub-environment"
            )
        return kind(env, ZooHandingOver(_contract(**options), strict, _possible_agents(env)))

    def __init__(
        self,
        env: Any,
        *,
        consume: Sequence[str] = ("tbtrace",),
        info_keys: Mapping[str, Sequence[str]] | None = None,
        extract: Callable[[Any, Any], Mapping[str, Any]] | None = None,
        strict: bool = False,
    ) -> None:
        super().__init__(
            env, self._tbtrace_make(env, _contract(consume, info_keys, extract), strict)
        )

    @staticmethod
    def _tbtrace_make(env: Any, contract: Contract, strict: bool) -> HandingOver:
        return HandingOver(contract, strict)

    def drain(self) -> list[Episode]:
        """Returns the episodes that have finished since the last call, and forgets them.

        The last 100 wait here. Earlier ones are gone; unless infos are looked into (`collect`, or
        RLlib with `EpisodeRecorder`; those that go to another process count as looked into), they
        are counted as lost `"episodes"`, and a warning says so.
        """
        return self._tbtrace_recording.drain()


class _RecordAgents(RecordTraces, AgentsTap):
    """The same of RLlib's `MultiAgentEnv`."""

    @staticmethod
    def _tbtrace_make(env: Any, contract: Contract, strict: bool) -> HandingOver:
        return AgentsHandingOver(contract, strict, _possible_agents(env))


def _contract(
    consume: Sequence[str] = ("tbtrace",),
    info_keys: Mapping[str, Sequence[str]] | None = None,
    extract: Callable[[Any, Any], Mapping[str, Any]] | None = None,
) -> Contract:
    consumed = (consume,) if isinstance(consume, str) else tuple(consume)
    return Contract(consume=consumed, info_keys=info_keys, extract=extract)


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


def _has_agents(env: gym.Env[Any, Any]) -> bool:
    rllib = sys.modules.get("ray.rllib.env.multi_agent_env")  # loaded by whoever has made one
    return rllib is not None and isinstance(env.unwrapped, rllib.MultiAgentEnv)


def _zoo_tap(env: Any) -> type[ZooTap] | None:
    """Returns the tap for a PettingZoo environment, or for one that is in the shape of one."""
    if not all(callable(getattr(env, name, None)) for name in ("reset", "step", "action_space")):
        return None
    if callable(getattr(env, "last", None)) and callable(getattr(env, "observe", None)):
        return TurnsTap
    return ParallelTap if hasattr(env, "agents") or hasattr(env, "possible_agents") else None


def _possible_agents(env: Any) -> Sequence[Any]:
    return getattr(getattr(env, "unwrapped", env), "possible_agents", None) or ()
