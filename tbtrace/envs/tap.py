"""The tap: a wrapper round a sub-environment that records its infos, and else is not there."""

from __future__ import annotations

import copy
from typing import Any, SupportsFloat

import gymnasium as gym
from gymnasium.envs.registration import EnvSpec

from tbtrace.recording import Recording


class Transparent:
    """A wrapper's way of not being there: what is not its own is read from and set on the `env`.

    A copy, a deep copy and a pickle of it are the wrapped environment alone.
    """

    env: Any
    _tbtrace_own: frozenset[str]

    def __getattr__(self, name: str) -> Any:
        # Its own ones are asked for here when it is not set up yet, as while unpickling.
        if name in self._tbtrace_own or name.startswith("__"):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(self.env, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self._tbtrace_own:
            super().__setattr__(name, value)
        else:
            setattr(self.env, name, value)

    def __copy__(self) -> Any:
        return copy.copy(self.env)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return copy.deepcopy(self.env, memo)

    def __reduce__(self) -> tuple[Any, ...]:
        return _wrapped, (self.env,)


class Tap(Transparent, gym.Wrapper[Any, Any, Any, Any]):
    """Records the raw info of every reset and step, before gymnasium's vectorisation mangles it.

    What is addressed to tbtrace is taken out of the info on the way. Attributes that the tap does
    not have are read from and set on the wrapped environment, so that code which reaches into
    `vector_env.envs[i]` keeps working. A copy, a deep copy (of an environment that plans ahead,
    say) and a pickle hold the wrapped environment alone and do not record.

    Args:
        env: The outermost sub-environment.
        recording: Where its infos go.
    """

    env: gym.Env[Any, Any]
    # With everything that gymnasium's Wrapper keeps on itself.
    _tbtrace_own = frozenset(
        (
            "env",
            "_tbtrace_recording",
            "_action_space",
            "_observation_space",
            "_metadata",
            "_cached_spec",
        )
    )

    def __init__(self, env: gym.Env[Any, Any], recording: Recording) -> None:
        super().__init__(env)
        self._tbtrace_recording = recording  # RecordVideo, say, has a `recording` of its own

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Resets the environment and starts an episode."""
        observation, info = self.env.reset(seed=seed, options=options)
        return observation, self._tbtrace_recording.reset(self.env, info)  # type: ignore[return-value]

    def step(self, action: Any) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """Steps the environment and records the step."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        done = bool(terminated or truncated)
        rest = self._tbtrace_recording.step(self.env, info, reward, done)
        return observation, reward, terminated, truncated, rest  # type: ignore[return-value]

    @property
    def spec(self) -> EnvSpec | None:  # type: ignore[override]
        """The wrapped environment's spec: `gym.make(spec)` could not make a tap."""
        return self.env.spec


class AgentsTap(Tap):
    """The tap of RLlib's `MultiAgentEnv`: infos, rewards and ends are dicts `{agent: ...}`."""

    def step(self, action: Any) -> Any:
        """Steps the environment and records the step, infos of absent agents included."""
        observations, rewards, terminateds, truncateds, infos = self.env.step(action)
        ended = terminateds.get("__all__") or truncateds.get("__all__")  # type: ignore[attr-defined]
        rest = self._tbtrace_recording.step(self.env, infos, rewards, bool(ended))
        return observations, rewards, terminateds, truncateds, rest


def _wrapped(env: Any) -> Any:
    return env
