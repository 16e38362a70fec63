"""Which episodes travel, are kept and are drawn.

A selector is any named callable from episode summaries to the indices of the ones it picks. `Best`,
`Worst`, `Last` and `Every` *merge*: let the parts of a sequence of episodes each keep a superset of
what the selector picks there, in their order; then it picks among all that was kept what it picks
among all episodes. So env runners apply them to what ended since their last fetch, and the
algorithm applies them again to what arrived. Where a selector does not merge (`Median`, users'
callables), a sample travels as well (`candidates`), and the selector chooses among what travelled.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from tbtrace.errors import ContractError, Problems


@dataclass(frozen=True, slots=True)
class EpisodeSummary:
    """What a selector may look at: one finished episode without its traces.

    Attributes:
        uid: The episode's unique id.
        length: Steps of the episode.
        episode_return: Sum of its rewards, undiscounted.
        metrics: `{name: number}`: `<name>_avg` and `<name>_sum` of running names, final names as
            they are. A name that the episode did not give is missing; NaN counts as missing.
        whole: Whether its traces and media are at hand; selectors that do not merge choose among
            those that are.
    """

    uid: str
    length: int
    episode_return: float
    metrics: Mapping[str, float] = field(default_factory=dict)
    whole: bool = True

    def value(self, by: str) -> float:
        """Returns the return (`by="return"`) or a metric; NaN when the episode has none."""
        if by == "return":
            return float(self.episode_return)
        return float(self.metrics.get(by, math.nan))


class Selector(Protocol):
    """A callable that picks episodes; a function's `__name__` or a `name` attribute names it.

    One that merges says so by an attribute `merges = True`; without it, it does not.
    """

    def __call__(self, summaries: Sequence[EpisodeSummary], /) -> Sequence[int]:
        """Returns the indices of the picked episodes, the most wanted one first."""
        ...


def _check(selector: Any, option: str) -> None:
    value = getattr(selector, option)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        kind = type(selector).__name__
        raise ContractError(f"{kind}({option}={value!r}): {option} must be an int >= 1")


@dataclass(frozen=True, slots=True)
class _Pick:
    merges: ClassVar[bool] = True
    n: int = 1

    def __post_init__(self) -> None:
        _check(self, "n")


@dataclass(frozen=True, slots=True)
class Best(_Pick):
    """Picks the `n` episodes with the highest value, the highest first. Merges.

    Attributes:
        n: How many, at least 1; fewer are picked when there are fewer.
        by: `"return"`, or the name of a metric. Episodes whose value is missing or NaN are never
            picked. Of equal ones the earlier is taken.
        name: What the picture's tag ends with; the further ones get `<name>-2`, ...

    Raises:
        ContractError: `n` is not an int of at least 1.

    Example:
        >>> told = [EpisodeSummary("a", 9, 1.0), EpisodeSummary("b", 9, 3.0)]
        >>> Best()(told), Worst()(told), Last(n=2)(told)
        ([1], [0], [1, 0])
    """

    by: str = "return"
    name: str = "best"

    def __call__(self, summaries: Sequence[EpisodeSummary], /) -> list[int]:
        """Returns at most `n` indices into `summaries`, the highest value first."""
        return _lowest(self.n, [-summary.value(self.by) for summary in summaries])


@dataclass(frozen=True, slots=True)
class Worst(_Pick):
    """Picks the `n` episodes with the lowest value, the lowest first; else as `Best`. Merges."""

    by: str = "return"
    name: str = "worst"

    def __call__(self, summaries: Sequence[EpisodeSummary], /) -> list[int]:
        """Returns at most `n` indices into `summaries`, the lowest value first."""
        return _lowest(self.n, [summary.value(self.by) for summary in summaries])


@dataclass(frozen=True, slots=True)
class Last(_Pick):
    """Picks the `n` episodes that stand last, the newest first; else as `Best`. Merges."""

    name: str = "last"

    def __call__(self, summaries: Sequence[EpisodeSummary], /) -> list[int]:
        """Returns at most `n` indices into `summaries`, the last one first."""
        return list(range(len(summaries) - 1, -1, -1))[: self.n]


@dataclass(frozen=True, slots=True)
class Every:
    """Picks about one in `k` episodes, the newest first, whatever their values. Merges.

    An episode's uid alone decides, so that it is picked or not in whatever company, in each process
    and each run. Any number of episodes can be picked, also none.

    Attributes:
        k: One in how many, at least 1; 1 picks all.
        name: As `Best`'s.

    Raises:
        ContractError: `k` is not an int of at least 1.

    Example:
        >>> told = [EpisodeSummary(uid, 9, 0.0) for uid in "abcdef"]
        >>> Every(3)(told), Every(3)(told[:3])
        ([5, 2], [2])
    """

    merges: ClassVar[bool] = True
    k: int
    name: str = "every"

    def __post_init__(self) -> None:
        _check(self, "k")

    def __call__(self, summaries: Sequence[EpisodeSummary], /) -> list[int]:
        """Returns the indices into `summaries` of those whose turn it is, the last one first."""
        turns = [i for i, summary in enumerate(summaries) if _hash(summary.uid) % self.k == 0]
        return turns[::-1]


@dataclass(frozen=True, slots=True)
class Median:
    """Picks the one episode whose value is the median, of two middle ones the lower.

    Does not merge: in a training it is the median of the episodes that travelled.

    Attributes:
        by: As `Best`'s. None is picked where no episode has a value.
        name: As `Best`'s.

    Example:
        >>> told = [EpisodeSummary(uid, 9, x) for uid, x in (("a", 4.0), ("b", 1.0), ("c", 9.0))]
        >>> Median()(told), Median(by="speed_avg")(told)
        ([0], [])
    """

    merges: ClassVar[bool] = False
    by: str = "return"
    name: str = "median"

    def __call__(self, summaries: Sequence[EpisodeSummary], /) -> list[int]:
        """Returns the index into `summaries`, or nothing."""
        ranked = _lowest(len(summaries), [summary.value(self.by) for summary in summaries])
        return ranked[(len(ranked) - 1) // 2 :][:1]


@dataclass(frozen=True, slots=True)
class _Sample(_Pick):
    name: str = "sample"

    def __call__(self, summaries: Sequence[EpisodeSummary], /) -> list[int]:
        return _lowest(self.n, [_hash(summary.uid) for summary in summaries])


def merging(selectors: Sequence[Selector]) -> tuple[Selector, ...]:
    """Returns those of the selectors that merge, in their order.

    Example:
        >>> merging([Best(), Median(), Every(10)])
        (Best(n=1, by='return', name='best'), Every(k=10, name='every'))
    """
    return tuple(selector for selector in selectors if getattr(selector, "merges", False))


def candidates(selectors: Sequence[Selector]) -> tuple[Selector, ...]:
    """Returns what an env runner applies to the episodes that ended since its last fetch.

    They are the merging ones of `selectors` and, where there are others, a selector for these to
    choose among: it picks at most 8 episodes by their uids, a uniform sample. It merges as well.

    Example:
        >>> candidates([Every(10)]), candidates([Median()])
        ((Every(k=10, name='every'),), (_Sample(n=8, name='sample'),))
    """
    those = merging(selectors)
    return those if len(those) == len(selectors) else (*those, _Sample(8))


def name_of(selector: Any) -> str:
    """Returns the name of a selector: its `name`, else its `__name__`.

    Raises:
        ContractError: It is not a callable with a name (a lambda or a `functools.partial` has
            none), or it is a class instead of one of its instances.

    Example:
        >>> name_of(Best(by="speed_avg", name="fastest"))
        'fastest'
    """
    if isinstance(selector, type):
        raise ContractError(f"{selector.__name__} is a class; write {selector.__name__}()")
    name = getattr(selector, "name", None) or getattr(selector, "__name__", None)
    if not callable(selector) or not isinstance(name, str) or name == "<lambda>":
        raise ContractError(
            f"{selector!r} is no selector: give a function (def, not lambda) or a callable "
            "object with a `name`"
        )
    return name


def _lowest(n: int, values: Sequence[float]) -> list[int]:
    known = [i for i, value in enumerate(values) if not math.isnan(value)]
    return sorted(known, key=values.__getitem__)[:n]


def _hash(uid: str) -> int:
    # Python's own hash of a str differs from process to process.
    return int.from_bytes(hashlib.blake2b(uid.encode(), digest_size=8).digest(), "big")


def chosen(selector: Selector, summaries: Sequence[EpisodeSummary]) -> list[int]:
    """Returns the indices that a selector picks, the most wanted first.

    One that does not merge chooses among the episodes that are whole; among all where none is.

    Raises:
        IndexError: It picks what is not there; besides, whatever it raises.

    Example:
        >>> told = [EpisodeSummary(uid, 9, float(i), whole=i > 1) for i, uid in enumerate("abcde")]
        >>> chosen(Median(), told), chosen(Worst(), told)
        ([3], [0])
    """
    pool: Sequence[int] = range(len(summaries))
    if not merging([selector]):
        pool = [index for index in pool if summaries[index].whole] or pool
    return [pool[index] for index in selector([summaries[index] for index in pool])]


def picked(
    selectors: Sequence[Selector], summaries: Sequence[EpisodeSummary], problems: Problems
) -> list[int]:
    """Returns the indices that any of the selectors picks, each once: the first one's come first.

    A selector that raises is named and counted (`"episodes"`).

    Example:
        >>> told = [EpisodeSummary(uid, 9, float(i)) for i, uid in enumerate("abcd")]
        >>> picked([Best(2), Last(), Worst()], told, Problems())
        [3, 2, 0]
    """
    wanted: dict[int, None] = {}
    for selector in selectors:
        try:
            wanted |= dict.fromkeys(chosen(selector, summaries))
        except Exception as error:
            problems.add_error("episodes", f"selector {name_of(selector)!r}", error)
    return list(wanted)
