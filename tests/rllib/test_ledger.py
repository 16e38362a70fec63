from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from tbtrace.episode import Episode, Scene, Series, Trace
from tbtrace.errors import Problems, TbtraceWarning
from tbtrace.rllib import ledger as ledgers
from tbtrace.rllib.budget import size_of
from tbtrace.rllib.ledger import Ledger, drain, whole
from tbtrace.rllib.load import Receiver, Sender
from tbtrace.rllib.parcel import Parcel, Record
from tbtrace.select import Best, Last, Worst

TRACES = {"cars": {"a": Trace(np.zeros(1, np.int32), np.zeros((1, 2)))}}


def ledger(names: Any = (), problems: Problems | None = None) -> Ledger:
    return Ledger(names, (Best(), Worst(), Last()), problems or Problems())


def episode(uid: str, episode_return: float = 0.0, **final: float) -> Episode:
    return Episode(uid, 1, episode_return, final=final, traces=TRACES)


def record(*episodes: Episode, **parts: Any) -> Record:
    return Record(load=Sender().pack(episodes), **parts)


def opened(parcel: Parcel) -> Sequence[Episode]:
    assert parcel.contents is not None
    return Receiver().unpack(parcel.contents.load)


# drain


@pytest.mark.parametrize(
    ("value", "count"),
    [
        (None, 0),
        (math.nan, 0),
        ([], 0),
        ((), 0),
        (Record(), 1),
        ([Record()], 1),
        ((Record(), Record()), 2),
        ([Record(), None, math.nan, Record(), "text"], 2),
    ],
)
def test_records_are_drained_however_rllib_hands_them_on(value: Any, count: int) -> None:
    metrics = {"tbtrace": value, "other": 1}
    assert drain(metrics, "tbtrace") == [Record()] * count
    assert metrics == {"other": 1}


@pytest.mark.parametrize("metrics", [None, math.nan, {}, {"other": 1}, []])
def test_where_there_is_no_record_none_is_drained(metrics: Any) -> None:
    assert drain(metrics, "tbtrace") == []


@pytest.mark.parametrize(
    ("value", "steps"),
    [(3, 3), (4.0, 4), (np.int64(5), 5), (np.array(6.0), 6), (None, 0), (math.nan, 0), ("7", 0)],
)
def test_step_counters_of_every_type_are_read(value: Any, steps: int) -> None:
    assert whole(value) == steps


# statistics


def test_an_iteration_is_the_statistics_of_its_episodes() -> None:
    book = ledger()
    records = [record(episode("a", shipped=1.0)), record(episode("b", shipped=4.0))]
    trained, evaluated, _ = book.trained(records, 1, 10)
    assert trained == {"shipped_mean": 2.5, "shipped_min": 1.0, "shipped_max": 4.0}
    np.testing.assert_equal(evaluated, dict.fromkeys(trained, math.nan))
    trained, _, _ = book.trained([record(episode("c", shipped=9.0))], 2, 20)
    assert trained == {"shipped_mean": 9.0, "shipped_min": 9.0, "shipped_max": 9.0}


def test_an_episode_that_is_emitted_again_counts_once() -> None:
    book = ledger()
    again = record(episode("a", shipped=1.0))
    book.trained([again, again], 1, 10)
    trained, _, parcel = book.trained([again, record(episode("b", shipped=3.0))], 2, 20)
    assert trained["shipped_mean"] == 3.0
    assert [each.uid for each in opened(parcel)] == ["b"]


def test_names_are_there_as_nan_from_their_announcement_on() -> None:
    book = ledger()
    trained, evaluated, _ = book.trained([Record(running=("v",), final=("w",))], 1, 10)
    keys = {f"{base}_{k}" for base in ("v_avg", "v_sum", "w") for k in ("mean", "min", "max")}
    assert set(trained) == set(evaluated) == keys
    assert np.isnan([*trained.values(), *evaluated.values()]).all()
    assert set(book.trained([], 2, 20)[0]) == keys


def test_a_name_is_nan_where_no_episode_ended_and_never_stale() -> None:
    book = ledger()
    book.trained([record(episode("a", shipped=1.0))], 1, 10)
    assert np.isnan([*book.trained([], 2, 20)[0].values()]).all()


@pytest.mark.parametrize(
    ("names", "keys"),
    [
        (["won"], ["won_mean", "won_min", "won_max"]),
        ({"final": ["won"]}, ["won_mean", "won_min", "won_max"]),
        ({"running": ["v"]}, [f"v_{kind}_{k}" for kind in ("avg", "sum") for k in
                              ("mean", "min", "max")]),
    ],
)  # fmt: skip
def test_declared_names_are_there_from_the_first_result_on(names: Any, keys: list[str]) -> None:
    trained, evaluated, _ = ledger(names).trained([], 1, 0)
    assert [*trained] == [*evaluated] == keys


def test_training_and_evaluation_have_the_same_names() -> None:
    book = ledger()
    assert book.evaluated([record(episode("a", tested=1.0))])["tested_mean"] == 1.0
    trained, evaluated, _ = book.trained([record(episode("b", drilled=2.0))], 1, 10)
    assert set(trained) == set(evaluated)
    assert (trained["drilled_mean"], evaluated["tested_mean"]) == (2.0, 1.0)
    assert np.isnan([trained["tested_mean"], evaluated["drilled_mean"]]).all()


def test_a_collision_is_warned_of_once_and_counts_nothing() -> None:
    book = ledger({"running": ["v"], "final": ["v_avg"]})
    with pytest.warns(TbtraceWarning, match="final 'v_avg' collides"):
        trained, _, _ = book.trained([record(episode("a", v_avg=3.0))], 1, 10)
    book.trained([], 2, 20)
    assert trained["v_avg_final_mean"] == 3.0
    assert math.isnan(trained["v_avg_mean"])
    assert book.counters()["dropped"]["values"] == 0


# evaluation


def test_an_evaluation_is_reported_once_with_the_next_iteration() -> None:
    book = ledger()
    book.evaluated([record(episode("a", won=1.0), episode("b", won=0.0))])
    _, evaluated, parcel = book.trained([], 1, 10)
    assert evaluated["won_mean"] == 0.5
    assert {each.split for each in opened(parcel)} == {"evaluation"}
    _, evaluated, parcel = book.trained([], 2, 20)
    assert math.isnan(evaluated["won_mean"])
    assert opened(parcel) == ()


def test_two_evaluations_before_one_iteration_are_reported_together() -> None:
    book = ledger()
    assert book.evaluated([record(episode("a", won=1.0))])["won_mean"] == 1.0
    assert book.evaluated([record(episode("b", won=0.0))])["won_mean"] == 0.0
    _, evaluated, parcel = book.trained([], 1, 10)
    assert evaluated["won_mean"] == 0.5
    assert parcel.contents is not None
    assert parcel.contents.histograms["evaluation"]["won"][:, 2].sum() == 2


def test_evaluation_records_that_rllib_emits_again_as_training_are_no_training() -> None:
    book = ledger()
    tested = record(episode("a", won=1.0))
    book.evaluated([tested])
    trained, evaluated, _ = book.trained([tested], 1, 10)
    assert math.isnan(trained["won_mean"])
    assert evaluated["won_mean"] == 1.0


# the parcel


def test_the_parcel_holds_whole_episodes_that_know_their_place_and_all_values() -> None:
    book = ledger()
    many = [episode(str(number), float(number % 5), v=float(number)) for number in range(10)]
    _, _, parcel = book.trained([record(*many)], 7, 700)
    kept = opened(parcel)
    assert [each.uid for each in kept] == ["0", "4", "9"]  # worst, best, last; in their order
    assert {(each.split, each.iteration, each.env_steps) for each in kept} == {("train", 7, 700)}
    assert all(each.traces for each in kept)
    assert parcel.contents is not None
    assert parcel.contents.histograms["train"]["v"][:, 2].sum() == 10
    assert parcel.contents.histograms["evaluation"] == {}


def test_what_goes_to_the_driver_in_an_iteration_is_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    problems = Problems()
    book = ledger(problems=problems)
    size = size_of(episode("a"))
    monkeypatch.setattr(ledgers, "_AT_ONCE", int(2.5 * size))
    its = [episode(uid, value) for uid, value in zip("abcd", (1.0, 9.0, -9.0, 0.0), strict=True)]
    with pytest.warns(TbtraceWarning, match="is not drawn: .* MB an iteration go to the driver"):
        _, _, parcel = book.trained([record(*its)], 1, 10)
    assert [each.uid for each in opened(parcel)] == ["b", "c"]  # the best and the worst, no last
    assert parcel.contents is not None
    assert [one.whole for one in parcel.contents.summaries["train"]] == [False, True, True, False]
    _, _, parcel = book.trained([record(episode("e"))], 2, 20)
    assert [each.uid for each in opened(parcel)] == ["e"]  # the next iteration has its own


def test_scenes_reach_the_driver() -> None:
    book = ledger()
    given = Episode("a", 1, 0.0, scene=Scene(units="m"))
    _, _, parcel = book.trained([record(given)], 1, 10)
    (kept,) = opened(parcel)
    assert kept.scene is not None
    assert kept.scene.units == "m"


def test_running_values_reach_the_histograms_and_the_statistics() -> None:
    series = Series(np.arange(3, dtype=np.int32), np.array([1.0, 2.0, math.nan]))
    trained, _, parcel = ledger().trained([record(Episode("a", 2, 0.0, {"v": series}))], 1, 2)
    assert (trained["v_avg_mean"], trained["v_sum_mean"]) == (1.5, 3.0)
    assert parcel.contents is not None
    assert parcel.contents.histograms["train"]["v"][:, 2].sum() == 2


# counters


def test_counters_are_all_there_from_the_first_result_on() -> None:
    kinds = ("values", "points", "episodes", "pictures", "records")
    assert ledger().counters() == {
        "dropped": dict.fromkeys(kinds, 0),
        "aborted": 0,
        "uncounted": 0,
    }


def test_counters_grow_by_what_every_process_counted() -> None:
    problems = Problems()
    book = ledger(problems=problems)
    problems.count("pictures")
    book.trained([Record(counts={"values": 2, "aborted": 1}), Record(counts={"values": 1})], 1, 10)
    book.evaluated([Record(counts={"uncounted": 4})])
    for _ in range(2):
        counters = book.counters()
        assert counters["dropped"]["values"] == 3
        assert counters["dropped"]["pictures"] == 1
        assert (counters["aborted"], counters["uncounted"]) == (1, 4)
