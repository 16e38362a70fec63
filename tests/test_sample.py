"""A sample stands for all values: statistics stay exact, histograms unbiased."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tbtrace.episode import Episode, Series
from tbtrace.roll import Roll, with_own
from tbtrace.sample import MOST_IN_ALL, MOST_VALUES, sampled
from tbtrace.stats import histograms, mean_and_sum, summarise, tally_of
from tests.infos import SETTINGS


def episode(uid: str, values: np.ndarray, agents: np.ndarray | None = None) -> Episode:
    steps = np.arange(len(values), dtype=np.int32)
    names = {} if agents is None else {str(index): {} for index in range(int(agents.max()) + 1)}
    return Episode(uid, len(values), 0.0, {"v": Series(steps, values, agents)}, agents=names)


def test_a_rare_mode_of_one_long_episode_next_to_fifty_short_ones_stays_as_rare() -> None:
    chance = np.random.default_rng(7)
    long = np.where(chance.random(1_000_000) < 0.005, 10.0, 0.0) + chance.random(1_000_000)
    short = [chance.random(100) for _ in range(50)]
    true_part = ((long >= 10.0).sum()) / (1_000_000 + 50 * 100)
    sent = sampled([episode("long", long), *(episode(str(i), v) for i, v in enumerate(short))])
    rows = histograms(sent)["v"]
    assert rows[:, 2].sum() == pytest.approx(1_005_000, rel=1e-12)
    assert (rows[0, 0], rows[-1, 1]) == (min(long.min(), *map(np.min, short)), long.max())
    part = rows[rows[:, 0] > 5.0, 2].sum() / rows[:, 2].sum()
    spread = math.sqrt(true_part * (1 - true_part) / MOST_VALUES)
    assert abs(part - true_part) < 3 * spread
    # Unweighted, the short episodes would be 5,000 of 7,000 values.
    unweighted = np.concatenate([e.running["v"].values for e in sent])
    assert (unweighted >= 10.0).mean() < true_part / 2


def test_the_sample_is_uniform_over_many_episodes() -> None:
    values = np.arange(10_000.0)
    ranks = [sampled([episode(str(uid), values)])[0].running["v"].values for uid in range(60)]
    counts, _ = np.histogram(np.concatenate(ranks), 10, (0, 10_000))
    expected = 60 * MOST_VALUES / 10
    assert np.abs(counts - expected).max() < 4 * math.sqrt(expected)


@SETTINGS
@given(seed=st.integers(0, 2**32), length=st.integers(0, 6_000), odd=st.floats(0, 0.9))
def test_statistics_of_a_sample_are_those_of_all_values(seed: int, length: int, odd: float) -> None:
    chance = np.random.default_rng(seed)
    values = chance.normal(size=length) * 10.0 ** chance.integers(-3, 4)
    values[chance.random(length) < odd] = chance.choice([np.nan, np.inf, -np.inf])
    whole = episode("uid", values)
    (sent,) = sampled([whole])
    series = sent.running["v"]
    assert summarise(sent).metrics == pytest.approx(summarise(whole).metrics, abs=0, nan_ok=True)
    finite = values[np.isfinite(values)]
    tally = tally_of(series)
    assert tally.count == finite.size
    np.testing.assert_equal((tally.average, tally.total), mean_and_sum(values))
    if length <= MOST_VALUES:
        assert sent is whole
    else:
        assert series.values.size == min(MOST_VALUES, finite.size)
        assert (np.diff(series.steps) > 0).all()
        assert (values[series.steps] == series.values).all()
    if finite.size:
        assert (tally.minimum, tally.maximum) == (finite.min(), finite.max())
        assert tally.squares == pytest.approx(float((finite**2).sum()))
        assert histograms([sent])["v"][:, 2].sum() == pytest.approx(finite.size)


def test_the_same_episode_is_sampled_the_same_wherever_it_is() -> None:
    values = np.random.default_rng(1).random(5_000)
    once, again = (sampled([episode("uid", values)])[0].running["v"] for _ in range(2))
    other = sampled([episode("other", values)])[0].running["v"]
    assert once.steps.tolist() == again.steps.tolist() != other.steps.tolist()


def test_a_sample_is_not_sampled_again() -> None:
    (sent,) = sampled([episode("uid", np.arange(5_000.0))])
    assert sampled([sent]) == [sent]


def test_many_episodes_share_what_travels_together() -> None:
    episodes = [episode(str(i), np.arange(1_990.0)) for i in range(600)]
    sent = sampled(episodes)
    values = [e.running["v"].values.size for e in sent]
    assert MOST_IN_ALL / 2 < sum(values) <= MOST_IN_ALL
    assert summarise(sent[3]) == summarise(episodes[3])


def test_an_agent_that_the_sample_misses_is_counted_at_its_average() -> None:
    agents = np.zeros(30_000, np.int32)
    agents[[7, 9]] = 1
    values = np.arange(30_000.0)
    (sent,) = sampled([episode("uid", values, agents)])
    assert 1 not in sent.running["v"].agents
    rows = histograms([with_own(sent, Roll(2))])["agents/1/v"]
    assert rows[:, 2].sum() == 2
    assert (rows[0, 0], rows[-1, 1]) == (7.0, 9.0)
    ((left, right, _),) = rows[rows[:, 2] > 0]
    assert left <= 8.0 <= right


def test_an_agents_own_numbers_are_exact_too() -> None:
    chance = np.random.default_rng(3)
    agents = chance.choice(3, 30_000, p=[0.6, 0.39, 0.01]).astype(np.int32)
    values = chance.random(30_000) + agents
    whole = episode("uid", values, agents)
    (sent,) = sampled([whole])
    own, truth = with_own(sent, Roll(3)), with_own(whole, Roll(3))
    assert summarise(own).metrics == summarise(truth).metrics
    counted = histograms([own])
    for index in range(3):
        assert counted[f"agents/{index}/v"][:, 2].sum() == pytest.approx((agents == index).sum())
