"""Fragment: a piece of one episode, in the one form that every kind of recording is read into."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Moment:
    """What an environment returned at one reset or step; `{agent: ...}` where there are agents.

    An `extract` function gets it in place of the environment.

    Attributes:
        info: The info as it was recorded; None where the recording does not hold it.
        observation: The observation; None where it is not recorded, or was not asked for.
        action: The action that led here; None at the reset.
        reward: The reward of that action; None at the reset.
    """

    info: Any = None
    observation: Any = None
    action: Any = None
    reward: Any = None


@dataclass(frozen=True, slots=True)
class Fragment:
    """Consecutive moments of one episode.

    Attributes:
        uid: The episode's id.
        start: The step of the first moment, 0 is the reset; None where the recording does not say:
            then it goes on where the episode's fragment before it stopped.
        moments: At least two, one more than the fragment has steps. What led to the first one is
            known to the fragment before it.
        done: Whether the episode has ended with the last one.
        has_agents: Whether it is of a multi-agent environment.
    """

    uid: str
    start: int | None
    moments: Sequence[Moment]
    done: bool
    has_agents: bool = False
