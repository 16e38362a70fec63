from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tbtrace.errors import ContractError
from tbtrace.select import Best, EpisodeSummary, Last, Worst, name_of, tags

VALUES = st.one_of(st.none(), st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -1.0, 1.0, 2.5]))
SELECTORS = st.builds(
    lambda kind, n, by: Last(n) if kind is Last else kind(n, by=by),
    st.sampled_from([Best, Worst, Last]),
    st.integers(1, 4),
    st.sampled_from(["return", "speed_avg"]),
)


def told(*returns: float, **metrics: float) -> list[EpisodeSummary]:
    return [EpisodeSummary(str(i), 1, value, metrics) for i, value in enumerate(returns)]


def test_best_first_worst_first_newest_first() -> None:
    episodes = told(2.0, 5.0, -1.0, 3.0)
    assert Best(2)(episodes) == [1, 3]
    assert Worst(2)(episodes) == [2, 0]
    assert Last(2)(episodes) == [3, 2]


@pytest.mark.parametrize("selector", [Best(3), Worst(3), Last(3)])
def test_fewer_episodes_than_asked_for(selector: Best | Worst | Last) -> None:
    assert selector([]) == []
    assert selector(told(1.0)) == [0]


def test_ties_go_to_the_earlier_episode() -> None:
    episodes = told(1.0, 2.0, 2.0, 1.0)
    assert Best(3)(episodes) == [1, 2, 0]
    assert Worst()(episodes) == [0]


def test_an_episode_without_a_value_is_never_picked_by_it() -> None:
    episodes = [
        EpisodeSummary("a", 1, math.nan, {"energy": 3.0}),
        EpisodeSummary("b", 1, 9.0, {"energy": math.nan}),
        EpisodeSummary("c", 1, 1.0, {}),
        EpisodeSummary("d", 1, 0.0, {"energy": 7.0}),
    ]
    assert Best(4)(episodes) == [1, 2, 3]
    assert Worst(4, by="energy")(episodes) == [0, 3]
    assert Best(by="unknown")(episodes) == []
    assert Last()(episodes) == [3]


def test_infinities_are_values() -> None:
    assert Best(3)(told(1.0, math.inf, -math.inf)) == [1, 0, 2]


@pytest.mark.parametrize("n", [0, -1, 1.5, True, None])
@pytest.mark.parametrize("kind", [Best, Worst, Last])
def test_n_must_be_a_positive_int(kind: type, n: object) -> None:
    with pytest.raises(ContractError, match=kind.__name__):
        kind(n)


def test_names_and_tags() -> None:
    assert [name_of(pick) for pick in (Best(), Worst(), Last())] == ["best", "worst", "last"]
    assert tags(Best(3), 3) == ["best", "best-2", "best-3"]
    assert tags(Best(by="speed_avg", name="fastest"), 2) == ["fastest", "fastest-2"]
    assert tags(Last(), 0) == []


def test_a_function_is_a_selector_by_its_name() -> None:
    def longest(summaries: list[EpisodeSummary]) -> list[int]:
        return [max(range(len(summaries)), key=lambda i: summaries[i].length)]

    assert tags(longest, 2) == ["longest", "longest-2"]


@pytest.mark.parametrize("selector", [lambda summaries: [0], Best, "best", None])
def test_what_has_no_name_or_is_no_callable_is_refused(selector: object) -> None:
    with pytest.raises(ContractError):
        name_of(selector)


@st.composite
def parted(draw: st.DrawFn) -> tuple[list[EpisodeSummary], list[int], list[bool]]:
    values = draw(st.lists(st.tuples(VALUES, VALUES), max_size=24))
    episodes = [
        EpisodeSummary(
            str(i),
            1,
            math.nan if value is None else value,
            {} if speed is None else {"speed_avg": speed},
        )
        for i, (value, speed) in enumerate(values)
    ]
    cuts = draw(st.lists(st.integers(0, len(episodes)), max_size=5))
    also_kept = draw(st.lists(st.booleans(), min_size=len(episodes), max_size=len(episodes)))
    return episodes, sorted({0, *cuts, len(episodes)}), also_kept


@given(parted(), SELECTORS)
def test_selecting_in_parts_and_then_among_the_parts_is_selecting_at_once(
    case: tuple[list[EpisodeSummary], list[int], list[bool]], selector: Best | Worst | Last
) -> None:
    episodes, cuts, also_kept = case
    kept = {i for i, also in enumerate(also_kept) if also}
    for start, stop in pairwise(cuts):
        kept |= {start + i for i in selector(episodes[start:stop])}
    candidates = [episodes[i] for i in sorted(kept)]
    in_parts = [candidates[i].uid for i in selector(candidates)]
    assert in_parts == [episodes[i].uid for i in selector(episodes)]
