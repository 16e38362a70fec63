"""How episodes become iterations, and what of them is kept meanwhile."""

from __future__ import annotations

import numpy as np
import pytest

from tbtrace.episode import Episode, Series, Trace
from tbtrace.errors import ContractError, Problems, TbtraceWarning
from tbtrace.replay.cut import Cut
from tbtrace.replay.iteration import Iteration
from tbtrace.roll import Roll
from tbtrace.select import Best, Last, Median
from tbtrace.stats import Names


def _episode(number: int, values: int = 3) -> Episode:
    steps = np.arange(values, dtype=np.int32)
    trace = Trace(steps[:2], np.zeros((2, 2)))
    return Episode(
        f"e{number}",
        values,
        float(number % 7),
        running={"v": Series(steps, steps + float(number))},
        traces={"g": {"x": trace}},
    )


def test_only_what_is_picked_stays_whole() -> None:
    iteration = Iteration(Names(), Roll(0), [Best(2), Last()], Problems())
    for number in range(20):
        iteration.add(_episode(number))
    closed = iteration.close(3, 600)
    assert [episode.uid for episode in closed.episodes] == ["e6", "e13", "e19"]
    assert [summary.whole for summary in closed.summaries["train"]].count(True) == 3
    assert {(e.split, e.iteration, e.env_steps) for e in closed.episodes} == {("train", 3, 600)}
    assert closed.runners["num_episodes"] == 20
    assert closed.runners["custom_metrics"]["v_avg_mean"] == 10.5
    assert closed.histograms["train"]["v"][:, 2].sum() == 60


def test_selectors_that_do_not_merge_choose_from_a_sample() -> None:
    iteration = Iteration(Names(), Roll(0), [Median()], Problems())
    for number in range(40):
        iteration.add(_episode(number))
    assert len(iteration.close(1, 1).episodes) == 8


def test_long_episodes_are_sampled_and_their_statistics_exact() -> None:
    iteration = Iteration(Names(), Roll(0), [Last()], Problems())
    with pytest.warns(TbtraceWarning, match="uniform sample"):
        for number in range(3):
            iteration.add(_episode(number, values=5_000))
    closed = iteration.close(1, 1)
    assert closed.runners["custom_metrics"]["v_sum_max"] == sum(range(5_000)) + 2 * 5_000
    assert closed.histograms["train"]["v"][:, 2].sum() == pytest.approx(15_000)


def test_a_name_that_comes_late_is_resolved_for_all_episodes() -> None:
    iteration = Iteration(Names(), Roll(0), [], Problems())
    iteration.add(Episode("a", 1, 0.0, final={"v_avg": 7.0}))
    iteration.add(_episode(1))
    metrics = iteration.close(1, 1).runners["custom_metrics"]
    assert metrics["v_avg_final_mean"] == 7.0
    assert metrics["v_avg_mean"] == 2.0


@pytest.mark.parametrize("text", ["", "0", "-5", "five", "5 hours", "1.5"])
def test_a_cut_is_so_many_episodes_or_steps(text: str) -> None:
    with pytest.raises(ContractError, match="how many"):
        Cut.parse(text)


def test_a_cut_is_full() -> None:
    assert Cut.parse("2 episodes").is_full(2, 0)
    assert not Cut.parse("1 episode").is_full(0, 99)
    assert Cut.parse("10_000 STEPS") == Cut(steps=10_000)
    assert Cut.parse("5steps").is_full(1, 5)
