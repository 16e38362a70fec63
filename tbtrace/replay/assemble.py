"""Assembly: puts fragments together to episodes, whatever their order."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from tbtrace.episode import Episode
from tbtrace.errors import Problems
from tbtrace.recording import AgentsRecording, Recording
from tbtrace.replay.fragments import Fragment, Moment

MOST_OPEN = 512
"""Episodes that may be open at once; their tapes are in memory."""

MOST_WAITING = 50_000
"""Moments of fragments that may wait for what comes before them."""

_REMEMBERED = 100_000


@dataclass(slots=True)
class _Open:
    """An episode of which the end, or the beginning, has not been seen."""

    recording: Recording
    at: int = -1
    """The step of the pending moment; the reset is 0."""
    pending: Moment = field(default_factory=Moment)
    """The last moment, which is recorded when its info is known."""
    waiting: dict[int, Fragment] = field(default_factory=dict)
    seen: dict[Any, int] = field(default_factory=dict)
    """The last step at which each agent had an info."""


class Assembly:
    """Records fragments in the order of their steps, and yields the episodes that are whole.

    Memory: that of `MOST_OPEN` running tapes and `MOST_WAITING` moments. Beyond, the episode that
    has waited longest for its next fragment is given up; where moments are too many, the one of
    those that hold some back.

    Args:
        record: Makes the recording of an episode, told whether it has agents.
        problems: Where incomplete episodes are counted (`"episodes"`) and named once a kind.

    Attributes:
        incomplete: How many episodes lack what: `"start"`, `"middle"`, `"end"`.
        repeated: Fragments that had been there before.
    """

    def __init__(self, record: Callable[[bool], Recording], problems: Problems) -> None:
        self.incomplete: Counter[str] = Counter()
        self.repeated = 0
        self._record = record
        self._problems = problems
        self._open: dict[str, _Open] = {}
        self._waiting = 0
        self._gone: dict[str, None] = {}

    def add(self, fragment: Fragment) -> Iterator[Episode]:
        """Takes a fragment; yields its episode if that is whole now."""
        if fragment.uid in self._gone:
            self.repeated += 1
            return
        one = self._open.pop(fragment.uid, None) or _Open(self._record(fragment.has_agents))
        self._open[fragment.uid] = one  # behind those that have waited longer
        if isinstance(one.recording, AgentsRecording) != fragment.has_agents:
            self._problems.add(
                "episodes",
                "replay agents",
                "some episodes began with one agent and then had more, or the other way round "
                f"({fragment.uid!r} first); those are left out",
            )
            self._close(fragment.uid)
            return
        start = max(one.at, 0) if fragment.start is None else fragment.start
        if start > max(one.at, 0):
            self._wait(one, start, fragment)
        else:
            next_: Fragment | None = fragment
            while next_ is not None:
                if self._play(one, start, next_):
                    self._close(fragment.uid)
                    episode = one.recording.take(fragment.uid)
                    if episode is not None:
                        yield episode
                    return
                start = min(one.waiting, default=one.at + 1)
                next_ = one.waiting.pop(start) if start <= one.at else None
                self._waiting -= 0 if next_ is None else len(next_.moments)
        self._give_up()

    def close(self) -> None:
        """Gives up what is still open."""
        while self._open:
            self._lose(next(iter(self._open)))

    def _play(self, one: _Open, start: int, fragment: Fragment) -> bool:
        """Records what is new in a fragment; returns whether the episode has ended with it."""
        moments = fragment.moments
        stop = start + len(moments) - 1
        if stop <= one.at:
            self.repeated += 1
            return False
        if one.at < 0:
            one.pending = moments[0]
            one.at = start
        else:
            if fragment.has_agents:
                self._count_late(one, moments[: one.at - start], start)
            one.pending = _joined(one.pending, moments[one.at - start])
        for moment in moments[one.at - start + 1 :]:
            self._step(one, done=False)
            one.pending = moment
            one.at += 1
        if fragment.done:
            self._step(one, done=True)
        return fragment.done

    def _step(self, one: _Open, done: bool) -> None:
        moment, recording = one.pending, one.recording
        info = {} if moment.info is None else moment.info
        if isinstance(recording, AgentsRecording):
            one.seen.update(dict.fromkeys(info, one.at))
        if one.at == 0:
            recording.reset(moment, info)
        else:
            recording.step(moment, info, moment.reward, done)

    def _count_late(self, one: _Open, moments: Sequence[Moment], start: int) -> None:
        """Counts what agents say behind later steps; RLlib also repeats rows there."""
        late = sum(
            one.seen.get(agent, -1) < step
            for step, moment in enumerate(moments, start)
            for agent in moment.info or ()
        )
        if late:
            self._problems.add(
                "records",
                "replay late agents",
                "what agents that act seldom saw and said was written behind later steps of their "
                "episode; that is left out",
                late,
            )

    def _wait(self, one: _Open, start: int, fragment: Fragment) -> None:
        known = one.waiting.get(start)
        if known is not None:
            self.repeated += 1
            if len(known.moments) >= len(fragment.moments):
                return
            self._waiting -= len(known.moments)
        one.waiting[start] = fragment
        self._waiting += len(fragment.moments)

    def _give_up(self) -> None:
        while self._waiting > MOST_WAITING:
            # One that holds no moments back would be given up for nothing.
            self._lose(next(uid for uid, one in self._open.items() if one.waiting))
        while len(self._open) > MOST_OPEN:
            self._lose(next(iter(self._open)))

    def _lose(self, uid: str) -> None:
        one = self._open[uid]
        lacks = "start" if one.at < 0 else "middle" if one.waiting else "end"
        self.incomplete[lacks] += 1
        self._problems.add(
            "episodes",
            f"replay no {lacks}",
            f"the recording lacks the {lacks} of some episodes ({uid!r} first); those are left out",
        )
        self._close(uid)

    def _close(self, uid: str) -> None:
        one = self._open.pop(uid)
        self._waiting -= sum(len(fragment.moments) for fragment in one.waiting.values())
        self._gone[uid] = None
        while len(self._gone) > _REMEMBERED:
            del self._gone[next(iter(self._gone))]


def _joined(earlier: Moment, later: Moment) -> Moment:
    """Returns one moment from what the fragments before and behind it know."""
    info = later.info if earlier.info is None else earlier.info
    seen = later.observation if earlier.observation is None else earlier.observation
    return dataclasses.replace(earlier, info=info, observation=seen)
