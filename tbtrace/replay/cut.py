"""Cut: how a stream of episodes becomes the iterations of a run."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tbtrace.errors import ContractError

EVERY = "50"
_EVERY = re.compile(r"\s*(\d[\d_]*)\s*(episodes?|steps?)?\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Cut:
    """Says when an iteration is full.

    Attributes:
        episodes: It has so many episodes; 0 where they do not matter.
        steps: It has at least so many environment steps; 0 where they do not matter.

    Example:
        >>> Cut.parse("50"), Cut.parse("10000 steps").is_full(episodes=3, steps=9_999)
        (Cut(episodes=50, steps=0), False)
    """

    episodes: int = 0
    steps: int = 0

    @classmethod
    def parse(cls, text: str) -> Cut:
        """Reads `50`, `50 episodes` or `10000 steps`.

        Raises:
            ContractError: It is not written so, or 0.
        """
        match = _EVERY.fullmatch(text)
        number = int(match[1]) if match else 0
        if match is None or not number:
            raise ContractError(f"{text!r}: write how many, as 50, '50 episodes' or '10000 steps'")
        of_steps = (match[2] or "").lower().startswith("step")
        return cls(steps=number) if of_steps else cls(episodes=number)

    def is_full(self, episodes: int, steps: int) -> bool:
        """Tells whether an iteration of so many episodes and steps is full."""
        return episodes >= self.episodes if self.episodes else steps >= self.steps
