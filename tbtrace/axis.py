"""Axis: where on TensorBoard's x axis a result lies."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal, get_args

from tbtrace.errors import ContractError, Problems

Step = Literal["iteration", "env_steps"]
ENV_STEPS = ("num_env_steps_sampled_lifetime", "timesteps_total", "num_env_steps_sampled")
"""Where RLlib's new API stack, Tune and RLlib's old API stack say how many steps were sampled."""


def check(kind: Step | None) -> None:
    """Raises a `ContractError` unless `kind` is None or a known step."""
    if kind is not None and kind not in get_args(Step):
        raise ContractError(f"step={kind!r}; known: None, {', '.join(map(repr, get_args(Step)))}")


class Axis:
    """Finds the step of each result of one run.

    Args:
        kind: `"iteration"`, `"env_steps"`, or None, as Ray's own logger: `timesteps_total` where
            the result has it, else the iteration.

    Raises:
        ContractError: Another kind.

    Example:
        >>> result = {"training_iteration": 2, "num_env_steps_sampled_lifetime": 8000.0}
        >>> Axis("env_steps").step(result), Axis("iteration").step(result), Axis(None).step(result)
        (8000, 2, 2)
    """

    def __init__(self, kind: Step | None = None) -> None:
        check(kind)
        self._kind = kind
        self._key: str | None = None
        self._last = 0

    def step(self, result: Mapping[str, Any]) -> int:
        """Returns the step of a result.

        Where `"env_steps"` are asked for and the run's first result holds none, the run's axis is
        the iteration, which is said once: an axis never changes in the middle of a run. A later
        result without that number, or with NaN, lies where the one before it does.

        Args:
            result: A result of Tune, with `training_iteration`.

        Raises:
            KeyError: The result has no `training_iteration`, and it was needed.
        """
        iteration = int(result["training_iteration"])
        if self._kind == "iteration":
            return iteration
        if self._kind is None:
            return _count(result.get("timesteps_total")) or iteration
        if self._key is None:
            told = (key for key in ENV_STEPS if _count(result.get(key)) is not None)
            self._key = next(told, None)
        if self._key is not None:
            # One key for the whole run: another one may count the steps of one iteration.
            count = _count(result.get(self._key))
            self._last = self._last if count is None else count
            return self._last
        self._kind = "iteration"
        Problems().add_quietly(
            "records",
            "env_steps",
            f"step='env_steps', but a result has none of {', '.join(ENV_STEPS)}; its run is "
            "reported by iteration",
            count=0,
        )
        return iteration


def _count(value: Any) -> int | None:
    if isinstance(value, int):  # exact beyond 2**53
        return int(value)
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return int(number) if math.isfinite(number) else None
