"""Positions: where an entity is, read from observations or actions: `robot=obs[0:2]`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tbtrace.errors import ContractError, Problems
from tbtrace.info import describe
from tbtrace.replay.fragments import Moment

_TERM = re.compile(r"\s*(obs|action)((?:\[[^\[\]]*\])*)\s*(?:,|$)")
_KEY = re.compile(r"\[\s*(?:(-?\d+)|(-?\d*)\s*:\s*(-?\d*)|'([^']*)'|\"([^\"]*)\")\s*\]")

Key = int | slice | str


@dataclass(frozen=True, slots=True)
class Term:
    """One part of a position: where it is looked up, and the keys on the way to it."""

    source: str
    keys: tuple[Key, ...]

    def of(self, moment: Moment, agent: Any = None) -> np.ndarray[Any, Any] | None:
        """Returns its numbers, float64 `(n,)`; None where the moment holds none.

        Raises:
            LookupError: A key does not exist.
            TypeError: A key does not fit what it is for, or what is there is no number.
            ValueError: As TypeError.
        """
        value = moment.observation if self.source == "obs" else moment.action
        if agent is not None and isinstance(value, Mapping):
            value = value.get(agent)
        if value is None:
            return None
        for key in self.keys:
            plain = isinstance(key, str) or isinstance(value, (list, tuple))
            value = value[key] if plain else np.asarray(value)[key]
        return np.asarray(value, np.float64).ravel()


@dataclass(frozen=True, slots=True)
class Position:
    """Where one entity is.

    Attributes:
        entity: Its name. Where there are agents each of them has one: `<agent>/<entity>`.
        terms: Together they make 2 or 3 numbers.

    Example:
        >>> Position.parse("robot=obs['pose'][0:2]").entity
        'robot'
        >>> Position.parse("cart=obs[0],obs[2]").at(Moment(observation=[1.0, 9.0, 3.0]))
        [1.0, 3.0]
    """

    entity: str
    terms: tuple[Term, ...]

    @classmethod
    def parse(cls, text: str) -> Position:
        """Reads `NAME=TERM[,TERM...]`.

        A term is `obs` or `action`, followed by any number of `[2]`, `[-1]`, `[0:2]`, `['key']`.

        Raises:
            ContractError: It is not written so.
        """
        name, equals, rest = text.partition("=")
        terms: list[Term] = []
        at = 0
        while equals and at < len(rest):
            match = _TERM.match(rest, at)
            if match is None or (match.end() == len(rest) and rest.endswith(",")):
                break
            keys = _keys(match[2])
            if keys is None:
                break
            terms.append(Term(match[1], keys))
            at = match.end()
        if not name.strip() or not terms or at < len(rest):
            raise ContractError(
                f"{text!r} says no position; write NAME=obs[0:2], NAME=obs[0],obs[2], "
                "NAME=obs['key'][0:2] or NAME=action[0:2]"
            )
        return cls(name.strip(), tuple(terms))

    def at(self, moment: Moment, agent: Any = None) -> list[float] | None:
        """Returns its 2 or 3 coordinates; None where the moment does not hold what it reads.

        Raises:
            LookupError: As `Term.of`, which raises TypeError, too.
            ValueError: As `Term.of`, or there are not 2 or 3 numbers.
        """
        parts = [part for term in self.terms if (part := term.of(moment, agent)) is not None]
        if len(parts) < len(self.terms):
            return None
        point: list[float] = np.concatenate(parts).tolist()
        if len(point) not in (2, 3):
            raise ValueError(f"{len(point)} numbers; a position has 2 or 3")
        return point


class Positions:
    """Says where entities are, in the shape of `info["tbtrace"]["traces"]`.

    Args:
        positions: Where to look.
        problems: Where points that cannot be read are counted, and named once an entity.
    """

    def __init__(self, positions: tuple[Position, ...], problems: Problems) -> None:
        self._positions = positions
        self._problems = problems

    def reads(self, source: str) -> bool:
        """Tells whether any position is in `"obs"` or in `"action"`."""
        return any(term.source == source for one in self._positions for term in one.terms)

    def of(self, moment: Moment) -> dict[str, list[float]]:
        """Returns `{entity: point}` of a moment; an entity that cannot be read is missing."""
        points: dict[str, list[float]] = {}
        agents: Iterable[Any] = (None,)
        if isinstance(moment.observation, _ByAgent):
            agents = {**moment.observation, **(moment.action or {})}
        for position in self._positions:
            for agent in agents:
                try:
                    point = position.at(moment, agent)
                except (LookupError, TypeError, ValueError) as error:
                    self._problems.add(
                        "points",
                        f"replay position {position.entity}",
                        f"--trace {position.entity!r} cannot be read of an observation that is "
                        f"{describe(moment.observation)}, an action that is "
                        f"{describe(moment.action)}: {error}",
                    )
                    continue
                if point is not None:
                    name = position.entity
                    points[name if agent is None else f"{agent}/{name}"] = point
        return points


class _ByAgent(dict[Any, Any]):
    """Observations by agent, not to be taken for one observation that is a dict."""


def by_agent() -> dict[Any, Any]:
    """Returns an empty dict for what agents observe at one moment."""
    return _ByAgent()


def _keys(text: str) -> tuple[Key, ...] | None:
    keys: list[Key] = []
    at = 0
    while at < len(text):
        match = _KEY.match(text, at)
        if match is None:
            return None
        index, first, last, single, double = match.groups()
        if index is not None:
            keys.append(int(index))
        elif first is not None:
            keys.append(slice(int(first) if first else None, int(last) if last else None))
        else:
            keys.append(single if single is not None else double)
        at = match.end()
    return tuple(keys)
