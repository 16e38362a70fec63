from __future__ import annotations

import copy
import json
import pickle
import warnings

import numpy as np
import pytest
from ray import cloudpickle

from tbtrace.episode import Episode
from tbtrace.errors import TbtraceWarning
from tbtrace.rllib import parcel as module
from tbtrace.rllib.load import Load
from tbtrace.rllib.parcel import Contents, Parcel, Post, Record


@pytest.fixture(autouse=True)
def _fresh_post(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing has arrived in this process, and nothing was opened."""
    monkeypatch.setattr(module, "_POST", Post())


def parcel() -> Parcel:
    return Parcel(Contents(Load((Episode("uid", 3, 1.0),), ("",))))


@pytest.mark.parametrize("pickler", [pickle, cloudpickle])
def test_contents_travel_once(pickler: object) -> None:
    sent = parcel()
    arrived = pickle.loads(pickler.dumps(sent))  # type: ignore[attr-defined]
    assert arrived.contents.load.episodes[0].uid == "uid"
    assert sent.contents is None
    assert pickle.loads(pickle.dumps(sent)).contents is None


def test_what_arrived_never_travels_again() -> None:
    # Without our logger nobody opens it, and Tune writes it into the experiment's state.
    arrived = pickle.loads(pickle.dumps(parcel()))
    assert arrived.contents is not None
    for _ in range(2):
        assert pickle.loads(pickle.dumps(copy.deepcopy(arrived))).contents is None
        assert pickle.loads(pickle.dumps(arrived)).contents is None
    assert arrived.contents is not None


@pytest.mark.parametrize("make", [copy.copy, copy.deepcopy])
def test_a_copy_shares_the_contents_and_empties_nothing(make: object) -> None:
    first = parcel()
    second = make(first)  # type: ignore[operator]
    assert second is not first
    assert second.contents is first.contents is not None
    pickle.dumps(first)
    assert second.contents is not None


def test_a_deep_copy_of_a_result_keeps_the_parcel_full() -> None:
    result = {"tbtrace_parcel": parcel(), "nested": {"x": 1.0}}
    assert copy.deepcopy(result)["tbtrace_parcel"].contents is not None
    assert result["tbtrace_parcel"].contents is not None


def test_other_loggers_see_a_short_text() -> None:
    full, empty = parcel(), Parcel()
    assert json.dumps({"p": full}, default=str) == '{"p": "<Parcel of 1 episodes>"}'
    assert (repr(full), repr(empty)) == ("<Parcel of 1 episodes>", "<empty Parcel>")
    assert full.contents is not None


def arrive(*parcels: Parcel) -> list[Parcel]:
    return pickle.loads(pickle.dumps(parcels))


def test_opening_leaves_the_contents_in_it() -> None:
    (arrived,) = arrive(parcel())
    assert arrived.open() is arrived.open() is arrived.contents is not None
    assert Parcel().open() is None


def test_the_third_that_arrives_in_vain_names_the_missing_line() -> None:
    for _ in range(2):
        arrive(parcel())
    with pytest.warns(TbtraceWarning, match=r"callbacks=\[tbtrace.TraceLoggerCallback\(\)\]"):
        arrive(parcel())
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(3):
            arrive(parcel())
    assert not caught


def test_histograms_alone_are_something_to_miss() -> None:
    counted = {"train": {"v": np.ones((30, 3))}, "evaluation": {}}
    for _ in range(2):
        arrive(Parcel(Contents(histograms=counted)))
    with pytest.warns(TbtraceWarning, match="nobody"):
        arrive(Parcel(Contents(histograms=counted)))


def nothing() -> Parcel:
    return Parcel(Contents(histograms={"train": {}, "evaluation": {}}))


def no_alarm(caplog: pytest.LogCaptureFixture) -> bool:
    """Tells that nothing was warned about: here warnings are errors, which unpickling logs."""
    return not caplog.records


def test_parcels_that_hold_nothing_are_not_missed(caplog: pytest.LogCaptureFixture) -> None:
    checkpointed = arrive(parcel())[0]
    for _ in range(5):
        arrive(nothing(), Parcel(), checkpointed)
    assert no_alarm(caplog)


def test_results_that_come_together_are_one_sending(caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(2):
        arrive(*(parcel() for _ in range(5)))
    assert no_alarm(caplog)
    arrive(parcel())
    assert not no_alarm(caplog)


def test_while_parcels_are_opened_none_is_missed(caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(4):
        arrive(parcel())
        arrive(parcel())[0].open()
    assert no_alarm(caplog)


def test_an_experiment_after_one_that_had_a_logger_is_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    arrive(parcel())[0].open()
    for _ in range(2):
        arrive(parcel())
    assert no_alarm(caplog)
    arrive(parcel())
    assert not no_alarm(caplog)


def test_a_warning_that_is_an_error_does_not_leave_unpickling(
    caplog: pytest.LogCaptureFixture,
) -> None:
    for _ in range(4):
        (arrived,) = arrive(parcel())
        assert arrived.contents is not None
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("tbtrace", "WARNING")
    assert "TraceLoggerCallback()" in record.message


def test_a_record_with_nothing_to_say_equals_an_empty_one() -> None:
    assert Record(counts={}) == Record()
    assert Record(counts={"values": 1}) != Record()
    assert Record(running=("v",)) != Record()
