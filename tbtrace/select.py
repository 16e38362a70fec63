"""Which episodes travel, are kept and are drawn.

A selector is any named callable from episode summaries to the indices of the ones it picks. `Best`,
`Worst` and `Last` also *merge*: env runners apply them to what ended since their last fetch, and
the algorithm applies them again to what arrived, without ever seeing all episodes at once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

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
    """

    uid: str
    length: int
    episode_return: float
    metrics: Mapping[str, float] = field(default_factory=dict)

    def value(self, by: str) -> float:
        """Returns the return (`by="return"`) or a metric; NaN when the episode has none."""
        if by == "return":
            return float(self.episode_return)
        return float(self.metrics.get(by, math.nan))


class Selector(Protocol):
    """A callable that picks episodes; a function's `__name__` or a `name` attribute names it."""

    def __call__(self, summaries: Sequence[EpisodeSummary], /) -> Sequence[int]:
        """Returns the indices of the picked episodes, the most wanted one first."""
        ...


@dataclass(frozen=True, slots=True)
class _Pick:
    n: int = 1

    def __post_init__(self) -> None:
        if isinstance(self.n, bool) or not isinstance(self.n, int) or self.n < 1:
            raise ContractError(f"{type(self).__name__}(n={self.n!r}): n must be an int >= 1")


@dataclass(frozen=True, slots=True)
class Best(_Pick):
    """Picks the `n` episodes with the highest value, the highest first.

    Merges: let the parts of a sequence of episodes each keep a superset of what `Best(n)` picks
    there, in their order; then `Best(n)` of what was kept picks the same episodes as `Best(n)` of
    all. The same holds for `Worst` and `Last`.

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
    """Picks the `n` episodes with the lowest value, the lowest first; else as `Best`."""

    by: str = "return"
    name: str = "worst"

    def __call__(self, summaries: Sequence[EpisodeSummary], /) -> list[int]:
        """Returns at most `n` indices into `summaries`, the lowest value first."""
        return _lowest(self.n, [summary.value(self.by) for summary in summaries])


@dataclass(frozen=True, slots=True)
class Last(_Pick):
    """Picks the `n` episodes that stand last, the newest first; else as `Best`."""

    name: str = "last"

    def __call__(self, summaries: Sequence[EpisodeSummary], /) -> list[int]:
        """Returns at most `n` indices into `summaries`, the last one first."""
        return list(range(len(summaries) - 1, -1, -1))[: self.n]


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


def tags(selector: Any, k: int) -> list[str]:
    """Returns what to call the first `k` picks of a selector: `best`, `best-2`, `best-3`, ...

    Raises:
        ContractError: As `name_of`.

    Example:
        >>> tags(Worst(n=3), 3)
        ['worst', 'worst-2', 'worst-3']
    """
    name = name_of(selector)
    return [name if i == 0 else f"{name}-{i + 1}" for i in range(k)]


def _lowest(n: int, values: Sequence[float]) -> list[int]:
    known = [i for i, value in enumerate(values) if not math.isnan(value)]
    return sorted(known, key=values.__getitem__)[:n]


def picked(
    selectors: Sequence[Selector], summaries: Sequence[EpisodeSummary], problems: Problems
) -> set[int]:
    """Returns the indices that any of the selectors picks; one that raises is named and counted.

    Example:
        >>> told = [EpisodeSummary(uid, 9, float(i)) for i, uid in enumerate("abcd")]
        >>> sorted(picked([Best(), Worst()], told, Problems()))
        [0, 3]
    """
    chosen: set[int] = set()
    for selector in selectors:
        try:
            chosen |= {range(len(summaries))[index] for index in selector(summaries)}
        except Exception as error:
            problems.add_error("episodes", f"selector {name_of(selector)!r}", error)
    return chosen
