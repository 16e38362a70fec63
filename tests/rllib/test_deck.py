"""What an env runner sends: picked episodes whole within a budget, of the others the numbers."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from tbtrace.episode import Episode
from tbtrace.errors import TbtraceWarning
from tbtrace.info import Contract
from tbtrace.rllib.budget import Budget
from tbtrace.rllib.deck import Deck
from tbtrace.sample import MOST_VALUES
from tbtrace.select import Best, Last, Median, Selector, Worst


class Env(gym.Env[int, int]):
    """Says one value and one point at every step; the n-th episode returns n a step."""

    def __init__(self, length: int) -> None:
        self._length = length
        self._episode = 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[int, dict[str, Any]]:
        self._step = 0
        self._episode += 1
        return 0, self._info()

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        self._step += 1
        return 0, float(self._episode), self._step >= self._length, False, self._info()

    def _info(self) -> dict[str, Any]:
        x = float(self._step)
        return {"tbtrace": {"running": {"x": x}, "traces": {"car": (x, 0.0)}}}


def sent(
    length: int, episodes: int, keep: Sequence[Selector], **options: Any
) -> tuple[tuple[Episode, ...], list[str]]:
    """Plays; returns the episodes that one fetch gets, and what was warned of."""
    deck = Deck(Contract(), keep, strict=True)
    for name, value in options.items():
        setattr(deck, name, value)
    vector = SimpleNamespace(envs=[Env(length)], num_envs=1)
    deck.install(vector)
    (env,) = vector.envs
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for number in range(episodes):
            env.reset()
            while not env.step(0)[2]:
                pass
            deck.end(0, SimpleNamespace(id_=f"uid-{number}", get_infos=lambda at: {}))
        record = deck.record()
    assert record is not None
    assert not record.counts
    return record.load.episodes, [str(w.message) for w in caught]


def whole(episodes: Sequence[Episode]) -> list[str]:
    return [episode.uid for episode in episodes if episode.traces]


def test_picked_episodes_are_whole_and_of_the_others_the_numbers_travel() -> None:
    episodes, warned = sent(50, 5, [Best(), Worst()])
    assert whole(episodes) == ["uid-0", "uid-4"]
    assert all(episode.running["x"].values.tolist() == list(range(51)) for episode in episodes)
    assert warned == []


def test_a_long_episode_is_a_sample_unless_it_is_picked_and_that_is_said_once() -> None:
    episodes, warned = sent(3_000, 4, [Last()])
    assert whole(episodes) == ["uid-3"]
    assert episodes[3].running["x"].tally is None
    assert episodes[3].running["x"].values.size == 3_001
    for episode in episodes[:3]:
        series = episode.running["x"]
        assert series.values.size == MOST_VALUES
        assert series.tally is not None
        assert (series.tally.count, series.tally.total) == (3_001, 3_000 * 3_001 / 2)
    (message,) = warned
    assert "more than 2000 values" in message


def test_within_a_budget_the_first_picks_are_whole() -> None:
    # 11 values and points are 11 * (8 + 4) + 11 * (16 + 4) = 352 bytes.
    episodes, warned = sent(10, 5, [Best(2), Worst()], _budget=Budget(2 * 352, 0))
    assert whole(episodes) == ["uid-3", "uid-4"]
    assert [episode.running["x"].values.size for episode in episodes] == [11] * 5
    (message,) = warned
    assert "travels without its traces" in message


def test_where_only_a_sample_of_the_values_fits_traces_travel_and_that_is_said() -> None:
    # 3,001 points are 60 kB, as many values 36 kB, 2,000 of them 24 kB.
    episodes, warned = sent(3_000, 1, [Last()], _budget=Budget(90_000, 0))
    assert whole(episodes) == ["uid-0"]
    assert episodes[0].running["x"].values.size == MOST_VALUES
    (message,) = warned
    assert "more than 2000 values" in message


def test_an_env_runner_for_evaluation_sends_eight_more() -> None:
    episodes, _ = sent(5, 12, [Worst()], evaluates=True)
    assert whole(episodes) == ["uid-0", *(f"uid-{number}" for number in range(4, 12))]


@pytest.mark.parametrize(("ended", "expected"), [(3, 3), (20, 8)])
def test_a_selector_that_does_not_merge_has_some_to_choose_among(ended: int, expected: int) -> None:
    episodes, _ = sent(5, ended, [Median()])
    assert len(whole(episodes)) == expected


def test_traces_that_cannot_be_worked_out_cost_one_episode_its_traces(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(self: Any, episode: Episode) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("tbtrace.tape.Tape.finish_traces", broken)
    deck = Deck(Contract(), [Last()], strict=False)
    vector = SimpleNamespace(envs=[Env(3)], num_envs=1)
    deck.install(vector)
    vector.envs[0].reset()
    for _ in range(3):
        vector.envs[0].step(0)
    deck.end(0, SimpleNamespace(id_="uid", get_infos=lambda at: {}))
    with pytest.warns(TbtraceWarning, match="working out traces raised RuntimeError"):
        record = deck.record()
    assert record is not None
    assert record.counts == {"episodes": 1}
    (episode,) = record.load.episodes
    np.testing.assert_equal(episode.running["x"].values, [0.0, 1.0, 2.0, 3.0])
    assert not episode.traces
