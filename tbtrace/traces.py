"""Traces: where the entities of one running episode were so far, group by group.

A group belongs to an owner: the environment (None), or an agent of a multi-agent environment. All
share their turns: who is silent in a step in which another says where it is has a gap.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import compress, groupby
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tbtrace.episode import StepArray, Trace
from tbtrace.errors import Problems
from tbtrace.info import MAPPING, describe
from tbtrace.plain import ENTITIES, SINGLE, Copy, most_waiting, numbers_in
from tbtrace.points import as_points, as_sequence, is_point
from tbtrace.tracks import Group
from tbtrace.turns import Turns

SELF = "."
"""The entity of an agent's group that is a single point: the agent itself."""

Owner = str | None
_Key = tuple[Owner, str]
_Block = tuple[_Key, StepArray, int, Sequence[Any]]
"""Of one group: turns, the width or kind, and as many copies as turns."""


class Traces:
    """The groups of one running episode.

    Args:
        problems: Where points that cannot be used are named and counted.

    Attributes:
        waiting: What was said plainly and is not sorted in yet; who appends to it calls `settle`
            when there are `most_waiting`.

    Example:
        >>> traces = Traces(Problems())
        >>> traces.add(None, 0, {"car": (0.0, 0.0), "robots": {"a": (1.0, 1.0)}})
        >>> {name: list(entities) for name, entities in traces.finish(None).items()}
        {'traces': ['car'], 'robots': ['a']}
    """

    __slots__ = ("_groups", "_problems", "_turns", "most_waiting", "waiting")

    def __init__(self, problems: Problems) -> None:
        self.waiting: list[Copy] = []
        self.most_waiting = 8
        self._problems = problems
        self._turns = Turns()
        self._groups: dict[_Key, Group] = {}

    def add(self, owner: Owner, step: int, traces: Any) -> None:
        """Takes what an owner says at a step, a mapping of groups or entities; points are copied.

        An agent may also say a single point, its own.
        """
        self.settle()
        if owner is not None and (not isinstance(traces, MAPPING) or is_point(traces)):
            traces = {"traces": traces}
        turn = self._turn(step)  # also where no group is named: every entity has gone then
        for name, value in traces.items():
            if isinstance(value, (tuple, list)) and value and isinstance(value[0], (float, int)):
                self._add_single(owner, name, turn, value)
            elif (points := as_points(value)) is not None:
                self._add_array((owner, str(name)), turn, points)
            elif isinstance(value, MAPPING) and not is_point(value):
                self._add_entities((owner, str(name)), turn, value.items())
            elif (sequence := as_sequence(value)) is not None:
                self._add_entities((owner, str(name)), turn, enumerate(sequence))
            else:
                self._add_single(owner, name, turn, value)

    def add_group(self, owner: Owner, step: int, name: str, points: Any) -> None:
        """Takes the points of one group, a mapping or an array of numbers `(N, 2|3)`."""
        turn = self._turn(step)
        if isinstance(points, MAPPING):
            self._add_entities((owner, name), turn, points.items())
        else:
            self._add_array((owner, name), turn, points)

    def _turn(self, step: int) -> int:
        self._turns.thin(self._groups.values())
        return self._turns.at(step)

    def _add_single(self, owner: Owner, name: Any, turn: int, point: Any) -> None:
        group, entity = _place(owner, name)
        self._add_entities((owner, group), turn, ((entity, point),))

    def _add_array(self, key: _Key, turn: int, points: NDArray[Any]) -> None:
        if turn >= 0 and not self._group(key).add_array(turn, points):
            self._add_entities(key, turn, enumerate(points.tolist()))

    def _add_entities(self, key: _Key, turn: int, points: Iterable[tuple[Any, Any]]) -> None:
        group, name = self._group(key), key[1]
        for entity, point, rule in group.add(turn, points) if turn >= 0 else ():
            # Entities come and go by the thousand: one warning a group, not one an entity.
            self._problems.add(
                "points",
                f"trace {name!r}: {rule}",
                f"trace {name!r}, entity {str(entity)!r}: the point is {describe(point)}; {rule}",
            )

    def _group(self, key: _Key) -> Group:
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = Group()
        return group

    def settle(self) -> None:
        """Sorts in what waits."""
        if not self.waiting:
            return
        waiting, self.waiting = self.waiting, []
        owners = len({copy[0] for copy in waiting})
        self.most_waiting = owners * most_waiting(numbers_in(waiting[-1]))
        self._turns.thin(self._groups.values())
        turns = self._turns.take([copy[1] for copy in waiting])
        if turns.min() < 0:  # thinned out
            waiting = list(compress(waiting, (turns >= 0).tolist()))
            turns = turns[turns >= 0]
        for block in _columns(turns, waiting) or _blocks(turns, waiting):
            self._sort_in(*block)

    def _sort_in(self, key: _Key, turns: StepArray, width: int, copies: Sequence[Any]) -> None:
        group = self._group(key)
        if width > 0 and group.add_arrays(turns, width, copies):
            return
        if width == ENTITIES and group.add_mappings(turns, copies):
            return
        for turn, copy in zip(turns.tolist(), copies, strict=True):
            if width > 0:
                self._add_array(key, turn, np.frombuffer(copy).reshape(-1, width))
            else:
                self._add_entities(key, turn, copy.items())

    def finish(self, owner: Owner) -> dict[str, dict[str, Trace]]:
        """Returns `{group: {entity: Trace}}` of an owner, of groups with a finite point."""
        self.settle()
        steps = np.array(self._turns.steps, np.int32)
        traces = {
            name: group.finish(steps) for (of, name), group in self._groups.items() if of == owner
        }
        return {name: entities for name, entities in traces.items() if entities}


def _place(owner: Owner, name: Any) -> tuple[str, Any]:
    """Returns the group and the entity whose point is called `name`, which is no group."""
    return ("traces", name) if owner is None else (str(name), SELF)


def _columns(turns: StepArray, copies: list[Copy]) -> list[_Block]:
    """Sorts by group copies that name the same groups in every turn; empty if it is not so."""
    if not copies:
        return []
    owners, _, names, widths, points = zip(*copies, strict=True)
    count = int(np.searchsorted(turns, turns[0], "right"))
    if len(copies) % count:
        return []
    blocks: list[_Block] = []
    for first in range(count):
        column = slice(first, None, count)
        own_turns = turns[column]
        own: Sequence[Any] = points[column]
        kinds = set(zip(owners[column], names[column], widths[column], strict=True))
        if len(kinds) > 1 or (count > 1 and (own_turns != turns[::count]).any()):
            return []
        ((owner, name, width),) = kinds
        if width == SINGLE:
            name, entity = _place(owner, name)
            width, own = ENTITIES, [{entity: point} for point in own]
        blocks.append(((owner, str(name)), own_turns, width, own))
    return blocks if len({key for key, *_ in blocks}) == count else []


def _blocks(turns: StepArray, copies: list[Copy]) -> Iterator[_Block]:
    """Sorts copies by group, and by kind where that changes."""
    blocks: dict[_Key, list[tuple[int, int, Any]]] = {}
    for turn, (owner, _, name, width, points) in zip(turns.tolist(), copies, strict=True):
        if width == SINGLE:
            name, entity = _place(owner, name)
            width, points = ENTITIES, {entity: points}
        block = blocks.setdefault((owner, str(name)), [])
        if width == ENTITIES and block and block[-1][:2] == (turn, ENTITIES):
            block[-1][2].update(points)  # the dict is a copy of ours
        else:
            block.append((turn, width, points))
    for key, block in blocks.items():
        for width, part in groupby(block, itemgetter(1)):
            own_turns, _, own = zip(*part, strict=True)
            yield key, np.array(own_turns, np.int32), width, own
