"""Algorithms in every combination of sampling and evaluation, against what RLlib itself counts.

Nothing that RLlib counts is lost, counted twice, mixed with another episode, or taken for the other
split. The quick cases hold every pair of options; the others are slow.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from brute_force import assert_equal, expected_metrics
from counting_env import Auditor, CountingEnv, audited, recorded
from ray.rllib.algorithms.ppo import PPOConfig
from ray.tune.registry import register_env
from scripted import emitted

import tbtrace
from tbtrace.rllib.parcel import PARCEL, Contents

ENVS = 2
ITERATIONS = 5
MANUAL = {1: 1, 2: 2}
"""How often `algorithm.evaluate()` is called after which iteration."""


class Case(NamedTuple):
    """One combination of options.

    `evaluation` is none, by episodes, by timesteps, parallel to training, parallel for as long as
    training takes (auto), manual, or manual without environments of its own (own), where it goes on
    with those of training. Environments for evaluation are in this process, but in an env runner of
    their own in the parallel cases, and by timesteps where those for training are.
    """

    vector: str
    batch: str
    evaluation: str
    fragment: str
    env_runners: int


OPTIONS: tuple[tuple[Any, ...], ...] = (
    ("sync", "async", "async+record"),
    ("truncate_episodes", "complete_episodes"),
    ("none", "episodes", "timesteps", "parallel", "manual"),
    ("shorter", "equal", "longer"),
    (0, 2),
)
FRAGMENTS = {"shorter": (2, 8), "equal": (8, 16), "longer": (24, 24)}
"""A fragment's steps, and an iteration's, of each sub-environment."""
LENGTHS = {"shorter": (5, 11), "equal": (8, 8), "longer": (3, 9)}

PAIRWISE = (
    Case("sync", "truncate_episodes", "none", "equal", 0),
    Case("async", "truncate_episodes", "none", "shorter", 0),
    Case("async+record", "complete_episodes", "none", "longer", 2),
    Case("sync", "truncate_episodes", "episodes", "longer", 0),
    Case("async", "complete_episodes", "episodes", "equal", 2),
    Case("async+record", "truncate_episodes", "episodes", "shorter", 0),
    Case("sync", "truncate_episodes", "timesteps", "shorter", 2),
    Case("async", "complete_episodes", "timesteps", "longer", 0),
    Case("async+record", "truncate_episodes", "timesteps", "equal", 0),
    Case("sync", "complete_episodes", "parallel", "longer", 0),
    Case("async", "truncate_episodes", "parallel", "equal", 0),
    Case("async+record", "truncate_episodes", "parallel", "shorter", 2),
    Case("sync", "truncate_episodes", "manual", "longer", 2),
    Case("async", "truncate_episodes", "manual", "equal", 0),
    Case("async+record", "complete_episodes", "manual", "shorter", 0),
)
QUICK = (
    *PAIRWISE,
    Case("sync", "truncate_episodes", "own", "longer", 0),
    Case("async+record", "complete_episodes", "own", "equal", 0),
)


def everything() -> Iterator[Any]:
    """Yields every case, those that are not quick marked as slow."""
    yield from QUICK
    vectors, batches, evaluations, fragments, env_runners = OPTIONS
    evaluations = (*evaluations, "auto", "own")
    for options in itertools.product(vectors, batches, evaluations, fragments, env_runners):
        case = Case(*options)
        # RLlib heeds no fragments where episodes are complete, and has no environment of its own
        # to evaluate in where all are remote.
        void = case.batch == "complete_episodes" and case.fragment != "shorter"
        void |= case.evaluation == "own" and case.env_runners > 0
        if case not in QUICK and not void:
            yield pytest.param(case, marks=pytest.mark.slow)


def pairs(options: Sequence[Any]) -> set[tuple[Any, ...]]:
    return set(itertools.combinations(enumerate(options), 2))


def test_the_quick_cases_hold_every_pair_of_options() -> None:
    wanted = set().union(*(pairs(options) for options in itertools.product(*OPTIONS)))
    assert set().union(*(pairs(case) for case in PAIRWISE)) == wanted


def parameters(case: Case, log: Path) -> PPOConfig:
    """Returns the configuration of a case, its environments writing to `log`."""
    register_env("counting", CountingEnv)
    register_env("counting+record", recorded)
    vectorize, _, wrapped = case.vector.partition("+")
    fragment, steps = FRAGMENTS[case.fragment]
    env_config = {"log": str(log), "length": LENGTHS[case.fragment]}
    config = (
        PPOConfig()
        .environment("counting+record" if wrapped else "counting", env_config=env_config)
        .env_runners(
            num_env_runners=case.env_runners,
            num_envs_per_env_runner=ENVS,
            rollout_fragment_length=fragment,
            batch_mode=case.batch,
            gym_env_vectorize_mode=vectorize,
        )
        .training(
            train_batch_size_per_learner=steps * ENVS * max(case.env_runners, 1),
            minibatch_size=16,
            num_epochs=1,
        )
        .rl_module(model_config={"fcnet_hiddens": [4]})
        .callbacks([functools.partial(tbtrace.EpisodeRecorder, strict=True), Auditor])
        .debugging(log_level="ERROR")
    )
    by_timesteps = case.evaluation in ("timesteps", "own") and case.fragment != "equal"
    config.evaluation(
        evaluation_duration=45 if by_timesteps else 5,
        evaluation_duration_unit="timesteps" if by_timesteps else "episodes",
        evaluation_config={"env_config": {**env_config, "split": "evaluation"}},
    )
    if case.evaluation in ("parallel", "auto"):
        config.evaluation(evaluation_parallel_to_training=True, evaluation_num_env_runners=1)
    elif case.evaluation == "timesteps":
        config.evaluation(evaluation_num_env_runners=min(case.env_runners, 1))
    if case.evaluation == "auto":
        config.evaluation(evaluation_duration="auto", evaluation_duration_unit="timesteps")
    if case.evaluation == "manual":
        config.evaluation(evaluation_interval=1000)
    elif case.evaluation not in ("none", "own"):
        config.evaluation(evaluation_interval=2)
    return config


class Iteration(NamedTuple):
    """A training result, and the `env_runners` metrics of the evaluations that belong to it."""

    result: dict[str, Any]
    evaluations: list[dict[str, Any]]


def play(case: Case, log: Path) -> list[Iteration]:
    """Trains for some iterations."""
    algorithm = parameters(case, log).build_algo()
    played = []
    try:
        for number in range(1, ITERATIONS + 1):
            result = algorithm.train()
            played.append(Iteration(result, list(algorithm.evaluations)))
            algorithm.evaluations.clear()
            if case.evaluation in ("manual", "own"):
                for _ in range(MANUAL.get(number, 0)):
                    algorithm.evaluate()
    finally:
        algorithm.stop()
    return played


def assert_counts(buckets: Any, values: Sequence[float]) -> None:
    """Holds when a histogram's buckets hold just these values."""
    last = len(buckets) - 1
    for index, (left, right, count) in enumerate(buckets):
        inside = [v for v in values if left <= v < right or (index == last and v == right)]
        assert count == len(inside)
    assert sum(count for _, _, count in buckets) == len(values)


def assert_exact(contents: Contents, split: str, truth: Mapping[str, dict[str, Any]]) -> None:
    """Holds when a parcel's split is about just these episodes, each whole and unmixed.

    Args:
        contents: The parcel's.
        split: Which one.
        truth: `{uid: what the environment has written about it}`.
    """
    told = contents.summaries[split]
    assert len(told) == len(truth)
    assert {summary.uid for summary in told} == set(truth)
    for summary in told:
        episode = truth[summary.uid]
        steps = episode["length"]
        assert summary.length == steps
        assert math.isclose(summary.episode_return, episode["return"])
        assert summary.metrics == {
            "key_avg": episode["key"],
            "key_sum": episode["key"] * (steps + 1),
            "at_avg": steps / 2,
            "at_sum": steps * (steps + 1) / 2,
            "one": 1.0,
        }
    for name in ("key", "at"):
        values = [value for episode in truth.values() for value in episode["running"][name]]
        assert_counts(contents.histograms[split].get(name, ()), values)
    assert_counts(contents.histograms[split].get("one", ()), [1.0] * len(truth))
    travelled = [episode for episode in contents.load.episodes if episode.split == split]
    assert bool(travelled) == bool(truth)
    for recording in travelled:
        episode = truth[recording.uid]
        assert recording.running["key"].values.tolist() == episode["running"]["key"]
        assert recording.running["at"].values.tolist() == episode["running"]["at"]
        way = [[episode["key"], step] for step in range(episode["length"] + 1)]
        assert recording.traces["traces"]["way"].points.tolist() == way


def assert_presence(case: Case, played: Sequence[Iteration]) -> None:
    """Holds when names are in every result, from the moment that an episode mentions them."""
    ended = False
    for result, evaluations in played:
        train = result["env_runners"]["custom_metrics"]
        ended |= bool(audited(result["env_runners"])) or any(map(audited, evaluations))
        if ended or case.vector != "async+record":
            assert {"key_avg_mean", "at_sum_max"} <= train.keys()
        if ended:
            assert "one_mean" in train
        if case.evaluation not in ("none", "own") or evaluations:
            assert result["evaluation"]["env_runners"]["custom_metrics"].keys() == train.keys()
        if case.evaluation == "none":
            assert "evaluation" not in result


@pytest.mark.parametrize("case", list(everything()), ids=lambda case: "-".join(map(str, case)))
def test_each_episode_that_rllib_counts_is_counted_once_whole_and_in_its_place(
    case: Case, ray_session: None, tmp_path: Path
) -> None:
    played = play(case, tmp_path)
    written = emitted(tmp_path)
    uids: list[str] = []
    keys: list[int] = []
    evaluated = 0

    def truth(metrics: Mapping[str, Any], split: str) -> dict[str, dict[str, Any]]:
        counted = audited(metrics)
        if case.evaluation == "auto" and split == "evaluation":
            # Where all results of an evaluation come too late, RLlib shows those of the last one.
            counted = {uid: key for uid, key in counted.items() if uid not in uids}
        episodes = {uid: written[key] for uid, key in counted.items()}
        if case.evaluation != "own":
            assert {episode["split"] for episode in episodes.values()} <= {split}
        uids.extend(counted)
        keys.extend(counted.values())
        return episodes

    for number, (result, evaluations) in enumerate(played, 1):
        contents = result[PARCEL].contents
        assert {episode.iteration for episode in contents.load.episodes} <= {number}
        train = truth(result["env_runners"], "train")
        assert_equal(result["env_runners"]["custom_metrics"], expected_metrics(train.values()))
        assert_exact(contents, "train", train)
        together: dict[str, dict[str, Any]] = {}
        for metrics in evaluations:
            evaluation = truth(metrics, "evaluation")
            assert_equal(metrics["custom_metrics"], expected_metrics(evaluation.values()))
            together |= evaluation
        assert_exact(contents, "evaluation", together)
        # In iterations without evaluation RLlib shows the last one again; here all is NaN.
        told = result.get("evaluation", {}).get("env_runners", {}).get("custom_metrics", {})
        assert_equal(told, expected_metrics(together.values()))
        evaluated += len(together)

    assert len(set(uids)) == len(uids)
    assert len(set(keys)) == len(keys)
    assert len(uids) > evaluated
    assert_presence(case, played)
    assert_evaluated_when_asked(case, played, evaluated)
    assert_others_are_counted(case, played[-1].result["tbtrace"], len(written) - len(keys))


def assert_evaluated_when_asked(case: Case, played: Sequence[Iteration], evaluated: int) -> None:
    numbers = [len(iteration.evaluations) for iteration in played]
    if case.evaluation == "none":
        assert numbers == [0, 0, 0, 0, 0]
    elif case.evaluation in ("manual", "own"):
        assert numbers == [0, 1, 2, 0, 0]
    else:
        assert numbers == [0, 1, 0, 1, 0]
    # How much is evaluated in auto mode is a matter of time, and of results that come too late.
    assert evaluated > 0 or case.evaluation in ("none", "auto")


def assert_others_are_counted(case: Case, counters: Mapping[str, Any], others: int) -> None:
    """Holds when the episodes that ended, and that RLlib did not count, are accounted for.

    Those of the last round of a sample by episodes become known at the next reset. Where infos are
    read as they arrive they look aborted.
    """
    assert set(counters["dropped"].values()) == {0}
    if case.evaluation == "auto":  # RLlib drops results that come too late
        return
    aborted = counters["aborted"] if case.vector == "async" else 0
    not_known_yet = ENVS * (max(case.env_runners, 1) + 1)  # one of each environment
    assert counters["uncounted"] <= others <= counters["uncounted"] + aborted + not_known_yet
