from __future__ import annotations

import numpy as np

from tbtrace.episode import Episode, Media, Series, Trace
from tbtrace.rllib.budget import Budget, size_of


def test_a_budget_comes_back_with_time_up_to_its_most() -> None:
    now = [0.0]
    budget = Budget(100, per_second=10, clock=lambda: now[0])
    assert budget.take(100)
    assert not budget.take(1)
    now[0] = 3.0
    budget.refill()
    assert (budget.take(31), budget.take(30)) == (False, True)
    now[0] = 1000.0
    budget.refill()
    assert (budget.take(101), budget.take(100)) == (False, True)


def test_an_endless_flow_fills_it_at_once() -> None:
    now = [0.0]
    budget = Budget(100, clock=lambda: now[0])
    assert budget.take(100)
    budget.refill()
    assert not budget.take(1)
    now[0] = 0.001
    budget.refill()
    assert budget.take(100)


def test_the_size_of_an_episode_is_that_of_its_arrays() -> None:
    steps = np.zeros(10, np.int32)
    trace = Trace(steps, np.zeros((10, 3)), {"load": np.zeros(10)}, {"state": ("busy",) * 10})
    episode = Episode(
        "uid",
        10,
        0.0,
        running={"v": Series(steps, np.zeros(10), steps)},
        traces={"cars": {"a": trace, "b": Trace(steps, np.zeros((10, 2)))}},
        media={"cam": Media(steps[:2], (np.zeros((4, 4, 3), np.uint8),) * 2)},
    )
    assert size_of(episode) == (40 + 80 + 40) + (40 + 240 + 80 + 80) + (40 + 160) + (8 + 96)
