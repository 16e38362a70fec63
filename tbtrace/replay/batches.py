"""Batches: what the old API stack writes, one sample batch a line of JSON or a row of Parquet.

A row of a batch holds the info that came with its observation: that of a reset at the first row of
an episode, and that of an episode's last step nowhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tbtrace.errors import Problems
from tbtrace.info import number
from tbtrace.replay.fragments import Fragment, Moment
from tbtrace.replay.pickles import UNREADABLE, DamagedError, Opener, Pickled
from tbtrace.replay.positions import by_agent
from tbtrace.replay.tables import without_none

KEYS = ("policy_batches", "eps_id")
_ALONE, _ITS_AGENT = "default_policy", "agent0"
_DONES = ("terminateds", "truncateds", "dones")
_LONGEST_SILENCE = 10_000
"""So many steps may pass in which no agent of an episode sees anything; each costs memory."""


@dataclass(slots=True)
class _Turn:
    """What the agents of one episode saw at one step, and what came of what they did."""

    infos: dict[int, Any] = field(default_factory=dict)
    observations: dict[Any, Any] = field(default_factory=by_agent)
    actions: dict[int, Any] = field(default_factory=dict)
    rewards: dict[int, float] = field(default_factory=dict)
    next_observations: dict[Any, Any] = field(default_factory=by_agent)
    dones: list[bool] = field(default_factory=list)


class Batches:
    """Reads sample batches into fragments.

    Args:
        opener: For compressed columns.
        problems: Where infos are counted that cannot be given to anybody.
    """

    def __init__(self, opener: Opener, problems: Problems) -> None:
        self._opener = opener
        self._problems = problems
        self._has_agents = False

    def fragments(self, batch: Any) -> list[Fragment]:
        """Returns the fragments of one batch, of all episodes that are in it.

        Args:
            batch: A `SampleBatch` or `MultiAgentBatch` as RLlib writes it, a dict of columns or of
                policies' columns.

        Raises:
            DamagedError: It is none.
            UntrustedError: What is needed of it is pickled, and the recording is not trusted.
        """
        try:
            turns = self._turns(self._policies(batch))
        except UNREADABLE as error:
            raise DamagedError(
                f"no sample batch with eps_id, t and rewards ({type(error).__name__}: {error})"
            ) from error
        return [part for uid, its in turns.items() for part in self._parts(uid, its)]

    def _policies(self, batch: Any) -> dict[str, Mapping[str, Any]]:
        policies = batch.get("policy_batches")
        if policies is None:
            return {_ALONE: batch}
        opened = self._opener.open(policies, "whole batches")
        # Arrow gives every row of a file the policies of all rows.
        return {policy: columns for policy, columns in opened.items() if columns}

    def _turns(self, policies: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[int, _Turn]]:
        """Returns `{uid: {step: turn}}`."""
        turns: dict[str, dict[int, _Turn]] = {}
        for policy, columns in policies.items():
            uids, steps = columns["eps_id"], columns["t"]
            agents = columns.get("agent_index")
            agents = [0] * len(uids) if agents is None else agents
            self._has_agents |= policy != _ALONE or any(agents)
            dones = [columns[name] for name in _DONES if columns.get(name) is not None]
            infos = self._column(columns, "infos")
            if isinstance(infos, Pickled):
                infos = self._opener.open(infos, "infos")
            see = {
                name: self._opener.see(self._column(columns, name), source)
                for name, source in (("obs", "obs"), ("new_obs", "obs"), ("actions", "action"))
            }
            for i in range(len(uids)):
                turn = turns.setdefault(str(uids[i]), {}).setdefault(int(steps[i]), _Turn())
                agent = int(agents[i])
                turn.rewards[agent] = number(columns["rewards"][i]) or 0.0
                turn.dones.append(any(bool(done[i]) for done in dones))
                if infos is not None:
                    turn.infos[agent] = infos[i]
                for name, into in (
                    ("obs", turn.observations),
                    ("new_obs", turn.next_observations),
                    ("actions", turn.actions),
                ):
                    if see[name] is not None:
                        into[agent] = see[name][i]
        return turns

    def _column(self, columns: Mapping[str, Any], name: str) -> Any:
        column = columns.get(name)
        return Pickled(column) if isinstance(column, str) else column

    def _parts(self, uid: str, turns: Mapping[int, _Turn]) -> Iterator[Fragment]:
        """Yields a fragment for each run of consecutive steps."""
        steps = sorted(turns)
        first = 0
        for last in range(len(steps)):
            # Of several agents any may have nothing to see in a step; of one that is a gap.
            most = _LONGEST_SILENCE if self._has_agents else 0
            if last + 1 == len(steps) or steps[last + 1] - steps[last] - 1 > most:
                yield self._fragment(uid, steps[first], steps[last], turns)
                first = last + 1

    def _fragment(self, uid: str, start: int, stop: int, turns: Mapping[int, _Turn]) -> Fragment:
        moments: list[Moment] = []
        before = _Turn()
        for step in range(start, stop + 2):
            turn = turns.get(step, _Turn())
            is_last = step == stop + 1
            seen = before.next_observations if is_last else turn.observations
            moments.append(
                Moment(
                    info=None if is_last else self._info(turn.infos, step),
                    observation=self._own(seen),
                    action=self._own(before.actions),
                    reward=self._own(before.rewards),
                )
            )
            before = turn
        done = all(turns[stop].dones)
        if done and turns[stop].infos:
            self._problems.add(
                "records",
                "replay last infos",
                "RLlib's old API stack does not store the info of an episode's last step: what is "
                "said only there is missing, all else is there",
                count=0,
            )
        return Fragment(uid, start, moments, done, self._has_agents)

    def _own(self, by_index: dict[Any, Any]) -> Any:
        return by_index if self._has_agents else by_index.get(0)

    def _info(self, infos: Mapping[int, Any], step: int) -> Any:
        told = {agent: _plain(info) for agent, info in infos.items()}
        if not self._has_agents:
            info = told.get(0, {})
            inner = next(iter(info.values())) if step == 0 and _is_of_reset(info) else {}
            return inner[_ITS_AGENT] if list(inner) == [_ITS_AGENT] else info
        for agent, info in told.items():
            if step == 0 and _is_of_reset(info):
                self._problems.add(
                    "records",
                    "replay infos of a reset",
                    "RLlib's old API stack stores the infos of a reset by the agents' names, all "
                    "else by their numbers: who said what is not known, these are left out",
                )
                told[agent] = {}
        return told


def _plain(info: Any) -> dict[Any, Any]:
    plain: dict[Any, Any] = without_none(info) if isinstance(info, dict) else {}
    return plain


def _is_of_reset(info: Mapping[Any, Any]) -> bool:
    """Tells an info that RLlib has stored as `{number of the environment: {agent: info}}`."""
    if len(info) != 1:
        return False
    ((key, value),) = info.items()
    told = value.values() if isinstance(value, dict) else [None]
    return str(key).isdecimal() and all(isinstance(one, dict) for one in told)


def is_batch(names: Sequence[str], first_is_list: bool) -> bool:
    """Tells a table of sample batches from one of steps."""
    return KEYS[0] in names or (KEYS[1] in names and first_is_list)
