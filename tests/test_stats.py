from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from infos import SETTINGS, exact_sum

from tbtrace.episode import Episode, Series
from tbtrace.errors import Problems, TbtraceWarning
from tbtrace.stats import (
    Names,
    buckets,
    histograms,
    mean_and_sum,
    over_episodes,
    summarise,
)

MOST = float(np.finfo(np.float64).max)
TINY = 5e-324
FINITE = st.floats(allow_nan=False, allow_infinity=False)


def episode(uid: str = "uid", **values: object) -> Episode:
    """An episode; a list is a running quantity, a number a final one."""
    running = {
        name: Series(np.arange(len(said), dtype=np.int32), np.array(said, np.float64))
        for name, said in values.items()
        if isinstance(said, list)
    }
    final = {name: said for name, said in values.items() if isinstance(said, float)}
    return Episode(uid, 1, 0.0, running=running, final=final)


# mean_and_sum


@SETTINGS
@given(values=st.lists(FINITE | st.sampled_from([math.nan, math.inf, -math.inf]), max_size=20))
def test_sums_are_correctly_rounded_and_averages_within_a_rounding(values: list[float]) -> None:
    average, total = mean_and_sum(np.array(values))
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        assert math.isnan(average)
        assert math.isnan(total)
        return
    expected = exact_sum(finite)
    if max(map(abs, finite)) < 1e300:
        assert total == expected
    else:
        assert total == pytest.approx(expected, rel=1e-15, abs=1e-300)
    if math.isfinite(expected):
        assert average == pytest.approx(expected / len(finite), rel=1e-15, abs=1e-300)
    assert math.isfinite(average)


@SETTINGS
@given(values=st.lists(FINITE, min_size=1), seed=st.integers(0, 9))
def test_the_order_of_values_does_not_matter(values: list[float], seed: int) -> None:
    shuffled = random.Random(seed).sample(values, len(values))
    assert mean_and_sum(np.array(values)) == mean_and_sum(np.array(shuffled))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([MOST, MOST], (MOST, math.inf)),
        ([-MOST] * 4, (-MOST, -math.inf)),
        ([MOST, MOST, -MOST, -MOST], (0.0, 0.0)),
        ([1e308, 1e308, -1e308, 1.0], (2.5e307, 1e308)),
        ([1e16, 1.0, -1e16], (1 / 3, 1.0)),
        ([TINY, TINY], (TINY, 2 * TINY)),
        ([math.inf, 1.0, -math.inf, math.nan], (1.0, 1.0)),
    ],
)
def test_sums_survive_what_overflows_or_cancels(
    values: list[float], expected: tuple[float, float]
) -> None:
    assert mean_and_sum(np.array(values)) == expected


@pytest.mark.parametrize("values", [[], [math.nan], [math.inf, -math.inf, math.nan]])
def test_no_finite_value_has_no_average(values: list[float]) -> None:
    assert np.isnan(mean_and_sum(np.array(values, np.float64))).all()


# Names


def test_a_final_name_gives_way_to_the_statistics_of_a_running_one() -> None:
    names = Names()
    names.add(["x"], ["x_avg", "x", "y"])
    assert names.bases() == ["x_avg", "x_sum", "x_avg_final", "x", "y"]
    problems = Problems()
    with pytest.warns(TbtraceWarning, match="final 'x_avg' collides.*'x_avg_final_mean'"):
        names.warn_collisions(problems)
    assert problems.take() == {}
    said = episode(x=[1.0, 3.0], x_avg=9.0)
    metrics = over_episodes([summarise(said, names)], names)
    assert (metrics["x_avg_mean"], metrics["x_avg_final_mean"], metrics["x_sum_max"]) == (2, 9, 4)
    assert math.isnan(metrics["y_mean"])


PARTS = st.lists(st.sampled_from(["x", "_avg", "_sum", "_final", "_mean"]), min_size=1, max_size=4)
NAMES = st.lists(PARTS.map("".join), max_size=6)


@SETTINGS
@given(running=NAMES, final=NAMES)
def test_bases_are_unique_in_nasty_cases_too(running: list[str], final: list[str]) -> None:
    names = Names()
    names.add(running, final)
    bases = names.bases()
    assert len(set(bases)) == len(bases) == 2 * len(set(running)) + len(set(final))
    assert [*names.final_bases().values()] == [*dict.fromkeys(final)]
    for name in running:
        assert {f"{name}_avg", f"{name}_sum"} <= set(bases[: 2 * len(names.running)])
    metrics = over_episodes([], names)
    assert len(metrics) == 3 * len(bases)
    assert np.isnan(list(metrics.values())).all()


def test_two_final_names_never_share_a_base() -> None:
    names = Names()
    names.add(["x"], ["x_avg", "x_avg_final"])
    assert names.final_bases() == {"x_avg_final": "x_avg", "x_avg_final_final": "x_avg_final"}


def test_names_stay_in_the_order_of_first_sight() -> None:
    names = Names()
    names.add(["b"], ["z"])
    names.see(episode(a=[1.0], b=[1.0], y=1.0, z=1.0))
    assert (list(names.running), list(names.final)) == (["b", "a"], ["z", "y"])


# over_episodes

SAID = st.dictionaries(
    st.sampled_from("abcd"),
    st.floats(-1e6, 1e6)
    | st.sampled_from([math.nan, math.inf])
    | st.lists(st.floats(-1e6, 1e6) | st.just(math.nan), max_size=4),
)


@SETTINGS
@given(said=st.lists(SAID, max_size=5))
def test_statistics_equal_brute_force(said: list[dict[str, object]]) -> None:
    names = Names()
    names.add(final=["declared"])
    episodes = [episode(str(number), **values) for number, values in enumerate(said)]
    for each in episodes:
        names.see(each)
    found = over_episodes([summarise(each, names) for each in episodes], names)

    numbers: dict[str, list[float]] = {base: [] for base in names.bases()}
    for values in said:
        for name, value in values.items():
            if isinstance(value, list):
                kept = [v for v in value if math.isfinite(v)]
                if kept:
                    numbers[f"{name}_avg"].append(exact_sum(kept) / len(kept))
                    numbers[f"{name}_sum"].append(exact_sum(kept))
            elif math.isfinite(value):  # type: ignore[arg-type]
                numbers[name].append(value)  # type: ignore[arg-type]
    expected = {}
    for base, of_episodes in numbers.items():
        empty = not of_episodes
        expected[f"{base}_mean"] = math.nan if empty else exact_sum(of_episodes) / len(of_episodes)
        expected[f"{base}_min"] = math.nan if empty else min(of_episodes)
        expected[f"{base}_max"] = math.nan if empty else max(of_episodes)
    assert found == pytest.approx(expected, rel=1e-9, nan_ok=True)


def test_an_episode_is_summarised_by_its_own_names_where_no_others_are_given() -> None:
    summary = summarise(episode(v=[1.0, 2.0], w=3.0, bad=math.inf))
    np.testing.assert_equal(
        dict(summary.metrics), {"v_avg": 1.5, "v_sum": 3.0, "w": 3.0, "bad": math.nan}
    )


# buckets


@SETTINGS
@given(
    values=st.lists(FINITE | st.integers(-9, 9).map(float) | st.just(math.nan), max_size=50),
    bins=st.sampled_from([1, 2, 30]),
)
def test_buckets_hold_every_finite_value(values: list[float], bins: int) -> None:
    rows = buckets(np.array(values, np.float64), bins)
    finite = [value for value in values if math.isfinite(value)]
    assert rows.shape == (0, 3) if not finite else rows.shape in ((1, 3), (bins, 3))
    if finite:
        assert np.isfinite(rows).all()
        assert (rows[:, 0] < rows[:, 1]).all()
        assert (rows[1:, 0] == rows[:-1, 1]).all()
        assert rows[0, 0] <= min(finite)
        assert rows[-1, 1] >= max(finite)
        assert rows[:, 2].sum() == len(finite)


@pytest.mark.parametrize(
    "values",
    [
        np.random.default_rng(0).normal(size=1000),
        np.arange(100),
        np.array([1e16, 1e16 + 64, 1e16 + 2]),
        np.array([0.0, 5e-322]),
        np.array([-1e307, 1e307]),
        1.7e9 + np.linspace(0, 100, 77),
    ],
    ids=["normal", "ints", "narrow", "denormal", "wide", "times"],
)
def test_buckets_equal_those_of_numpy(values: np.ndarray) -> None:
    counts, edges = np.histogram(values, 30)
    rows = buckets(values)
    assert rows[:, 0].tolist() == edges[:-1].tolist()
    assert rows[:, 1].tolist() == edges[1:].tolist()
    assert rows[:, 2].tolist() == counts.tolist()


@pytest.mark.parametrize("value", [0.0, -3.0, 1e16, -1e300, MOST, -MOST, TINY])
def test_a_constant_is_one_bucket_that_has_a_width(value: float) -> None:
    ((left, right, count),) = buckets(np.array([value] * 3)).tolist()
    assert left <= value <= right
    assert left < right
    assert right - left == 1.0 or abs(value) >= 1e16
    assert count == 3.0


def test_the_widest_range_of_all_has_buckets() -> None:
    rows = buckets(np.array([-MOST, 0.0, MOST]), bins=3)
    assert rows[:, 2].tolist() == [1.0, 1.0, 1.0]
    assert (rows[0, 0], rows[-1, 1]) == (-MOST, MOST)


def test_a_range_too_narrow_for_buckets_is_as_good_as_a_constant() -> None:
    low, high = 1.0, math.nextafter(1.0, 2.0)
    assert buckets(np.array([low, high])).tolist() == [[0.5, high + 0.5, 2.0]]


# histograms


def test_histograms_hold_every_running_value_and_the_final_ones() -> None:
    found = histograms(
        [
            episode("a", v=[1.0, 2.0, math.nan], w=5.0, v_too=1.0),
            episode("b", v=[4.0], w=7.0, never=math.nan),
        ]
    )
    assert {name: rows[:, 2].sum() for name, rows in found.items()} == {"v": 3, "w": 2, "v_too": 1}
    assert (found["v"][0, 0], found["v"][-1, 1]) == (1.0, 4.0)


def test_a_final_name_gives_way_to_a_running_one_in_histograms() -> None:
    both = Episode("a", 1, 0.0, {"v": Series(np.zeros(2, np.int32), np.ones(2))}, {"v": 3.0})
    found = histograms([both, episode("b", v_final=4.0)])
    assert {name: rows[:, 2].sum() for name, rows in found.items()} == {
        "v": 2,
        "v_final": 1,
        "v_final_final": 1,
    }


def test_no_episodes_have_no_histograms() -> None:
    assert histograms([]) == {}


def test_histograms_count_the_last_value_of_each_agent() -> None:
    episodes = [
        Episode("a", 1, 0.0, final={"w": 1.5}, agents={"x": {"w": 1.0}, "__common__": {"w": 2.0}}),
        Episode("b", 1, 0.0, final={"w": 4.0}),
        Episode("c", 1, 0.0, agents={"x": {}}),
    ]
    counted = histograms(episodes)["w"]
    assert counted[:, 2].sum() == 3
    assert (counted[0, 0], counted[-1, 1]) == (1.0, 4.0)
