"""Which episodes the views get, where not all of them travelled."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace

import pytest

from tbtrace import Episode
from tbtrace.errors import Problems, TbtraceWarning
from tbtrace.plan import Planned, plan, shown
from tbtrace.select import Best, EpisodeSummary, Every, Last, Median, Selector, Worst
from tbtrace.stats import summarise
from tbtrace.views import Paths


def episodes_of(*returns: float, split: str = "train") -> list[Episode]:
    return [
        Episode(f"{split}-{i}", length=9, episode_return=value, split=split)
        for i, value in enumerate(returns)
    ]


def drawn(
    pick: Selector | tuple[Selector, ...],
    here: Sequence[Episode],
    told: Sequence[EpisodeSummary],
    problems: Problems | None = None,
) -> dict[str, float]:
    """Returns `{pick: return}` of the training pictures."""
    view = Paths(pick=pick, split="train")
    planned = plan([view], here, {"train": told}, problems or Problems())
    return {tag.rsplit("/", 1)[-1]: episode.episode_return for _, tag, episode in planned}


def longest(summaries: Sequence[EpisodeSummary]) -> list[int]:
    return [max(range(len(summaries)), key=lambda i: summaries[i].length)]


def test_views_pick_among_all_episodes_of_a_split() -> None:
    here = [*episodes_of(1.0, 3.0, 2.0), *episodes_of(7.0, 8.0, split="evaluation")]
    planned = plan([Paths(pick=(Best(), Median()))], here, {}, Problems())
    assert [(tag, episode.episode_return) for _, tag, episode in planned] == [
        ("traces/paths/train/best", 3.0),
        ("traces/paths/train/median", 2.0),
        ("traces/paths/evaluation/best", 8.0),
        ("traces/paths/evaluation/median", 7.0),
    ]


def test_each_pick_of_a_selector_has_its_tag() -> None:
    here = episodes_of(1.0, 3.0, 2.0)
    told = [summarise(episode) for episode in here]
    assert drawn(Every(1), here, told) == {"every": 2.0, "every-2": 3.0, "every-3": 1.0}


def test_picks_of_a_selector_that_did_not_travel_are_counted_and_named_once() -> None:
    everybody = episodes_of(1.0, 5.0, 4.0, 3.0)
    here, told = everybody[2:], [summarise(episode) for episode in everybody]
    problems = Problems()
    with pytest.warns(TbtraceWarning) as said:
        for _ in range(2):
            assert drawn((Best(2), Last()), here, told, problems) == {"best-2": 4.0, "last": 3.0}
            assert drawn(Best(3, name="top"), here, told, problems) == {"top-2": 4.0, "top-3": 3.0}
    assert [str(warning.message).partition(":")[0] for warning in said] == [
        "view 'paths' picks 'best', but that episode did not travel whole",
        "view 'paths' picks 'top', but that episode did not travel whole",
    ]
    assert "EpisodeRecorder(keep=[...]) Best(n=2, by='return', name='best')" in str(said[0].message)
    assert problems.take() == {"pictures": 4}


def test_several_picks_that_did_not_travel_are_named_once() -> None:
    everybody = episodes_of(1.0, 5.0, 4.0, 3.0)
    problems = Problems()
    with pytest.warns(TbtraceWarning) as said:
        told = [summarise(episode) for episode in everybody]
        assert drawn(Best(3), everybody[:1], told, problems) == {}
    assert len(said) == 1
    assert problems.take() == {"pictures": 3}


@pytest.mark.parametrize(("selector", "value"), [(Median(), 2.0), (longest, 4.0)])
def test_what_does_not_merge_chooses_among_what_is_here(selector: Selector, value: float) -> None:
    everybody = episodes_of(1.0, 2.0, 3.0, 4.0, 5.0)
    everybody[3].length = 50
    everybody[4].length = 99
    told = [summarise(episode) for episode in everybody]
    problems = Problems()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (pick,) = drawn(selector, [everybody[i] for i in (0, 1, 3)], told, problems).values()
    assert pick == value
    assert problems.take() == {}


def test_the_median_of_all_is_drawn_where_it_is_here() -> None:
    # keep=[Best(), Worst(), Last(), Median()]: among these four alone it were the last one.
    everybody = episodes_of(0.0, 1.0, 3.0, 9.0, 5.0, 6.0, 2.0)
    told = [summarise(episode) for episode in everybody]
    here = [everybody[i] for i in (0, 2, 3, 6)]
    keep = (Best(), Worst(), Last(), Median())
    assert drawn(keep, here, told) == {"best": 9.0, "worst": 0.0, "last": 2.0, "median": 3.0}


def test_the_algorithm_and_the_view_choose_the_same_median() -> None:
    everybody = episodes_of(*map(float, range(20)))
    travelled = {0, 11, 12, 13, 19}
    told = [replace(summarise(e), whole=i in travelled) for i, e in enumerate(everybody)]
    here = [everybody[i] for i in (0, 12, 19)]  # worst, median of the five, best
    assert drawn(Median(), here, told) == {"median": 12.0}


@pytest.mark.parametrize("selector", [Median(), longest, Worst()])
def test_a_pick_is_named_where_nothing_travelled(selector: Selector) -> None:
    told = [summarise(episode) for episode in episodes_of(1.0, 2.0)]
    problems = Problems()
    with pytest.warns(TbtraceWarning, match=r"did not travel whole: give EpisodeRecorder\(keep="):
        assert drawn(selector, episodes_of(1.0, split="evaluation"), told, problems) == {}
    assert problems.take() == {"pictures": 1}


def test_nothing_is_named_where_nothing_is_picked() -> None:
    told = [summarise(episode) for episode in episodes_of(1.0, 2.0)]
    problems = Problems()
    selectors = (Best(by="unknown"), Median(by="unknown"))
    assert drawn(selectors, [], told, problems) == {}
    assert problems.take() == {}


class Comparing(Paths):
    """A view that gets all episodes."""

    together = True


def test_a_view_that_compares_gets_the_others_of_the_split_behind_the_picked_one() -> None:
    here = [*episodes_of(1.0, 3.0, 2.0), *episodes_of(7.0, split="evaluation")]
    (planned,) = plan([Comparing(pick=Best(), split="train")], here, {}, Problems())
    assert [episode.episode_return for episode in shown(planned, here)] == [3.0, 1.0, 2.0]
    alone = Planned(Paths(), planned.tag, planned.episode)
    assert shown(alone, here) == [planned.episode]
