"""The census: what the reporter works out of episodes where no RLlib does."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from tbtrace.census import Census
from tbtrace.episode import Episode, Series
from tbtrace.errors import Problems, TbtraceWarning
from tbtrace.rllib.ledger import Ledger
from tbtrace.rllib.load import Sender
from tbtrace.rllib.parcel import Record

CUSTOM = "env_runners/custom_metrics/"


def told(uid: str, speeds: list[float], split: str = "", **final: float) -> Episode:
    steps = np.arange(len(speeds), dtype=np.int32)
    running = {"speed": Series(steps, np.array(speeds))}
    return Episode(uid, len(speeds), sum(speeds), running, final, split=split)


def of_agents(uid: str, *agents: str) -> Episode:
    count = len(agents)
    steps, who = np.zeros(count, np.int32), np.arange(count, dtype=np.int32)
    speed = Series(steps, np.arange(count, dtype=np.float64), who)
    return Episode(uid, 1, 0.0, {"speed": speed}, agents={name: {} for name in agents})


def test_metrics_and_histograms_are_those_of_rllibs_results() -> None:
    episodes = [told("a", [1.0, 2.0], won=1.0), told("b", [6.0]), of_agents("c", "x", "y")]
    ledger = Ledger((), (), Problems(), per_agent=16)
    record = Record(load=Sender().pack([dataclasses.replace(each) for each in episodes]))
    metrics, _, parcel = ledger.trained([record], iteration=1, env_steps=3)
    contents = parcel.open()
    counted = Census(Problems()).take(episodes)
    of_names = {
        tag.removeprefix(CUSTOM): value
        for tag, value in counted.scalars.items()
        if tag.startswith(CUSTOM)
    }
    assert of_names == {name: value for name, value in metrics.items() if math.isfinite(value)}
    assert "agents/y/speed_avg_mean" in of_names
    assert counted.histograms["train"].keys() == contents.histograms["train"].keys()
    for name, rows in counted.histograms["train"].items():
        assert (rows == contents.histograms["train"][name]).all()
    assert [each.metrics for each in counted.summaries["train"]] == [
        pytest.approx(each.metrics, nan_ok=True) for each in contents.summaries["train"]
    ]


def test_return_and_length_are_named_as_rllib_names_them() -> None:
    scalars = Census(Problems()).take([told("a", [1.0, 2.0]), told("b", [6.0])]).scalars
    assert {tag: value for tag, value in scalars.items() if CUSTOM not in tag} == {
        "env_runners/episode_return_mean": 4.5,
        "env_runners/episode_return_min": 3.0,
        "env_runners/episode_return_max": 6.0,
        "env_runners/episode_len_mean": 1.5,
        "env_runners/episode_len_min": 1.0,
        "env_runners/episode_len_max": 2.0,
    }


def test_evaluation_stands_apart() -> None:
    scalars = Census(Problems()).take([told("a", [1.0]), told("b", [3.0], "evaluation")]).scalars
    assert scalars[f"{CUSTOM}speed_avg_mean"] == 1.0
    assert scalars[f"evaluation/{CUSTOM}speed_avg_mean"] == 3.0


def test_nothing_that_is_not_finite_is_a_scalar() -> None:
    scalars = Census(Problems()).take([told("a", [math.nan], won=math.inf)]).scalars
    assert not [tag for tag in scalars if CUSTOM in tag]


def test_a_collision_is_resolved_by_the_names_of_the_run() -> None:
    census = Census(Problems())
    census.take([told("a", [1.0])])
    with pytest.warns(TbtraceWarning, match="'speed_avg' collides"):
        counted = census.take([Episode("b", 1, 0.0, final={"speed_avg": 5.0})])
    assert counted.scalars[f"{CUSTOM}speed_avg_final_mean"] == 5.0
    assert f"{CUSTOM}speed_avg_mean" not in counted.scalars


def test_agents_beyond_the_sixteenth_are_named_and_count_in_those_of_all() -> None:
    with pytest.warns(TbtraceWarning, match="'16' and agents that come after it have no metrics"):
        scalars = Census(Problems()).take([of_agents("a", *map(str, range(17)))]).scalars
    assert scalars[f"{CUSTOM}agents/15/speed_avg_mean"] == 15.0
    assert f"{CUSTOM}agents/16/speed_avg_mean" not in scalars
    assert scalars[f"{CUSTOM}speed_avg_mean"] == 8.0
