from __future__ import annotations

import copy
import json
import pickle

import pytest
from ray import cloudpickle

from tbtrace.episode import Episode
from tbtrace.rllib.load import Load
from tbtrace.rllib.parcel import Contents, Parcel, Record


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


def test_a_record_with_nothing_to_say_equals_an_empty_one() -> None:
    assert Record(counts={}) == Record()
    assert Record(counts={"values": 1}) != Record()
    assert Record(running=("v",)) != Record()
