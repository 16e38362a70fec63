from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tbtrace.errors import ContractError, Problems, TbtraceWarning
from tbtrace.plan import tags
from tbtrace.select import (
    Best,
    EpisodeSummary,
    Every,
    Last,
    Median,
    Selector,
    Worst,
    candidates,
    chosen,
    merging,
    name_of,
    picked,
)

VALUES = st.one_of(st.none(), st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -1.0, 1.0, 2.5]))
BY = st.sampled_from(["return", "speed_avg"])
(SAMPLE,) = candidates([Median()])
SELECTORS = st.one_of(
    st.builds(Best, st.integers(1, 4), by=BY),
    st.builds(Worst, st.integers(1, 4), by=BY),
    st.builds(Last, st.integers(1, 4)),
    st.builds(Every, st.integers(1, 4)),
    st.just(SAMPLE),
)
"""Every kind of selector that merges."""


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
    assert Median()(told(math.inf, math.inf, -math.inf)) == [0]


def test_the_median_is_one_episode_the_lower_of_two() -> None:
    assert Median()(told(5.0, 1.0, 3.0)) == [2]
    assert Median()(told(5.0, 1.0, 3.0, 4.0)) == [2]
    assert Median()(told(7.0)) == [0]
    assert Median()([]) == []


def test_the_median_is_of_what_has_a_value() -> None:
    assert Median()(told(math.nan, 5.0, math.nan, 1.0, 3.0)) == [4]
    assert Median()(told(math.nan)) == []
    speeds = [EpisodeSummary("a", 1, 9.0), EpisodeSummary("b", 1, 0.0, {"speed_avg": 4.0})]
    assert Median(by="speed_avg")(speeds) == [1]


def test_every_second_one_by_uid_in_any_process() -> None:
    # Which ones is fixed for good: archives and pictures of a run that goes on must agree.
    assert Every(2)(told(*range(12))) == [11, 10, 8, 7, 6, 5, 4, 2, 1]
    assert Every(1)(told(*range(3))) == [2, 1, 0]
    assert Every(2)([]) == []


def test_every_and_the_sample_are_fair() -> None:
    episodes = told(*range(4000))
    tenth = Every(10)(episodes)
    assert 340 < len(tenth) < 460
    assert 1800 < sum(tenth) / len(tenth) < 2200
    means = [sum(SAMPLE(episodes[i : i + 100])) / 8 for i in range(0, 4000, 100)]
    assert 45 < sum(means) / len(means) < 54
    assert max(means) > 60  # it is no grid


@pytest.mark.parametrize("n", [0, -1, 1.5, True, None])
@pytest.mark.parametrize("kind", [Best, Worst, Last, Every])
def test_n_must_be_a_positive_int(kind: type, n: object) -> None:
    with pytest.raises(ContractError, match=kind.__name__):
        kind(n)


def test_names_and_tags() -> None:
    selectors = (Best(), Worst(), Last(), Every(9), Median(), SAMPLE)
    names = ["best", "worst", "last", "every", "median", "sample"]
    assert [name_of(selector) for selector in selectors] == names
    assert tags(Best(3), 3) == ["best", "best-2", "best-3"]
    assert tags(Best(by="speed_avg", name="fastest"), 2) == ["fastest", "fastest-2"]
    assert tags(Last(), 0) == []


def test_a_function_is_a_selector_by_its_name() -> None:
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
    case: tuple[list[EpisodeSummary], list[int], list[bool]], selector: Selector
) -> None:
    episodes, cuts, also_kept = case
    kept = {i for i, also in enumerate(also_kept) if also}
    for start, stop in pairwise(cuts):
        kept |= {start + i for i in selector(episodes[start:stop])}
    travelled = [episodes[i] for i in sorted(kept)]
    in_parts = [travelled[i].uid for i in selector(travelled)]
    assert in_parts == [episodes[i].uid for i in selector(episodes)]
    assert merging([selector]) == (selector,)


@given(parted(), st.lists(st.one_of(SELECTORS, st.builds(Median, by=BY)), max_size=4))
def test_what_candidates_let_through_in_parts_is_what_they_let_through_at_once(
    case: tuple[list[EpisodeSummary], list[int], list[bool]], keep: list[Selector]
) -> None:
    episodes, cuts, _ = case
    problems = Problems()
    kept: set[int] = set()
    for start, stop in pairwise(cuts):
        part = picked(candidates(keep), episodes[start:stop], problems)
        kept |= {start + i for i in part}
    travelled = [episodes[i] for i in sorted(kept)]
    again = [travelled[i].uid for i in picked(candidates(keep), travelled, problems)]
    assert again == [episodes[i].uid for i in picked(candidates(keep), episodes, problems)]
    assert problems.take() == {}


def longest(summaries: Sequence[EpisodeSummary]) -> list[int]:
    return sorted(range(len(summaries)), key=lambda i: -summaries[i].length)[:1]


def test_who_merges() -> None:
    class Newest:
        merges = True
        name = "newest"

        def __call__(self, summaries: Sequence[EpisodeSummary], /) -> list[int]:
            return [len(summaries) - 1] if summaries else []

    newest = Newest()
    keep = (Median(), Best(), longest, Every(3), newest, Worst(), Last())
    assert merging(keep) == (Best(), Every(3), newest, Worst(), Last())
    assert merging([]) == ()


def test_a_sample_travels_for_those_that_do_not_merge() -> None:
    assert candidates((Best(), Last())) == (Best(), Last())
    assert candidates([]) == ()
    for other in (Median(), longest):
        assert candidates((other, Best())) == (Best(), SAMPLE)
        assert candidates(candidates((other, Best()))) == (Best(), SAMPLE)
    assert len(SAMPLE(told(*range(100)))) == 8
    assert sorted(SAMPLE(told(*range(5)))) == [0, 1, 2, 3, 4]


def test_selecting_the_median_in_parts_is_not_selecting_it_at_once() -> None:
    episodes = told(1.0, 2.0, 3.0, 4.0, 5.0)
    parts = [episodes[:3], episodes[3:4], episodes[4:]]
    of_parts = [part[i] for part in parts for i in Median()(part)]
    assert [summary.episode_return for summary in of_parts] == [2.0, 4.0, 5.0]
    assert [of_parts[i].episode_return for i in Median()(of_parts)] == [4.0]
    assert [episodes[i].episode_return for i in Median()(episodes)] == [3.0]


@given(st.lists(st.integers(0, 9), max_size=40), st.integers(1, 20))
def test_the_median_is_that_of_what_travelled(values: list[int], fetch: int) -> None:
    episodes = told(*(float(value) for value in values))
    kept: list[EpisodeSummary] = []
    for start in range(0, len(episodes), fetch):
        part = episodes[start : start + fetch]
        whole = picked(candidates([Median()]), part, Problems())
        assert len(whole) == min(8, len(part))
        kept += [replace(summary, whole=i in whole) for i, summary in enumerate(part)]
    travelled = [summary.episode_return for summary in kept if summary.whole]
    medians = [kept[i] for i in chosen(Median(), kept)]
    assert all(summary.whole for summary in medians)
    expected = [statistics.median_low(travelled)] if travelled else []
    assert [summary.episode_return for summary in medians] == expected


def test_who_chooses_among_what() -> None:
    episodes = [replace(one, whole=one.uid in "13") for one in told(0.0, 1.0, 2.0, 3.0, 4.0)]
    assert chosen(Best(), episodes) == [4]
    assert chosen(Median(), episodes) == [1]
    assert chosen(lambda summaries: [-1], episodes) == [3]
    nothing = [replace(one, whole=False) for one in episodes]
    assert chosen(Median(), nothing) == [2]


def test_picked_is_each_once_the_first_selectors_first() -> None:
    episodes = told(0.0, 5.0, 3.0, 4.0)
    assert picked([Best(3), Worst(2), Last()], episodes, Problems()) == [1, 3, 2, 0]
    assert picked([], episodes, Problems()) == []


def test_a_selector_that_raises_is_named_and_the_others_pick() -> None:
    def broken(summaries: Sequence[EpisodeSummary]) -> list[int]:
        return [0, len(summaries)]

    problems = Problems()
    with pytest.warns(TbtraceWarning, match="selector 'broken' raised IndexError"):
        assert picked([broken, Last()], told(1.0, 2.0), problems) == [1]
    assert problems.take() == {"episodes": 1}
