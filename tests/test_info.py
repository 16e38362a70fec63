from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from infos import BAD_VALUES, SETTINGS, VALUES, Said

from tbtrace.errors import ContractError, Problems, TbtraceWarning
from tbtrace.info import Contract, check_part, coordinate, describe, flat_items, number


def sources(info: Any, env: Any = None, **options: Any) -> list[Mapping[str, Any]]:
    return list(Contract(**options).sources(info, env, Problems()))


@SETTINGS
@given(said=VALUES)
def test_a_number_of_every_type_is_read(said: Said) -> None:
    np.testing.assert_equal(number(said.raw), said.number)


@pytest.mark.parametrize("bad", BAD_VALUES, ids=lambda bad: f"{type(bad).__name__} {bad!r:.20}")
def test_what_is_no_number_is_none(bad: Any) -> None:
    assert number(bad) is None


def test_tensors_are_read() -> None:
    torch = pytest.importorskip("torch")
    assert number(torch.tensor(1.5)) == 1.5
    assert number(torch.tensor([True])) == 1.0
    assert number(torch.tensor([1.5, 2.5])) is None
    assert number(torch.tensor(1j)) is None


def test_a_coordinate_is_a_number_or_none() -> None:
    assert coordinate(np.int8(3)) == 3.0
    assert coordinate("3") is None
    missing = coordinate(None)
    assert missing is not None
    assert math.isnan(missing)


def test_both_spellings_are_read() -> None:
    info = {
        "tbtrace": {"running": {"a": 1}},
        "data": {"running": {"b": 1}, "final": {"c": 1}},
        "media": {"plan": [1]},
    }
    assert sources(info) == [info["tbtrace"], info["data"], {"media": {"plan": [1]}}]


@pytest.mark.parametrize(
    "data", [{}, {"running": {}, "mine": 1}, {"mine": 1}, [1], None, "running", {1: 2}]
)
def test_data_counts_only_in_the_shape_of_the_recipe(data: Any) -> None:
    info = {"data": data}
    assert sources(info) == []
    assert Contract().forward(info) is info


@pytest.mark.parametrize("data", [{"running": {}}, {"final": {"a": 1}}])
def test_data_counts_with_one_of_the_two_keys(data: dict[str, Any]) -> None:
    assert sources({"data": data}) == [data]


def test_media_that_is_no_mapping_belongs_to_somebody_else() -> None:
    assert sources({"media": "newspaper"}) == []


def test_only_what_is_addressed_to_tbtrace_is_consumed() -> None:
    info = {"tbtrace": {}, "data": {"final": {}}, "media": {}, "mine": 1}
    assert Contract().forward(info) == {"data": {"final": {}}, "media": {}, "mine": 1}
    assert Contract(consume=("tbtrace", "data", "media")).forward(info) == {"mine": 1}
    assert Contract(consume=()).forward(info) is info
    assert list(info) == ["tbtrace", "data", "media", "mine"]


def test_an_info_with_nothing_to_consume_is_forwarded_as_it_is() -> None:
    info = {"mine": 1}
    assert Contract().forward(info) is info


def test_mappings_that_are_no_dicts_are_read() -> None:
    info = MappingProxyType({"tbtrace": MappingProxyType({"running": {"a": 1}}), "mine": 1})
    assert sources(info) == [{"running": {"a": 1}}]
    assert Contract().forward(info) == {"mine": 1}


def test_info_keys_take_entries_as_they_are_and_leave_them() -> None:
    keys = {"running": ["speed", "late"], "final": ["is_success"]}
    info = {"speed": 2.0, "is_success": True}
    expected = {"running": {"speed": 2.0}, "final": {"is_success": True}}
    assert sources(info, info_keys=keys) == [expected]
    assert Contract(info_keys=keys).forward(info) is info


def test_extract_is_called_with_env_and_raw_info() -> None:
    info = {"tbtrace": {"running": {"a": 1}}}
    called = []

    def extract(*args: Any) -> dict[str, Any]:
        called.append(args)
        return {"final": {"b": 2}}

    assert sources(info, env="the env", extract=extract) == [info["tbtrace"], {"final": {"b": 2}}]
    assert called == [("the env", info)]


def test_extract_may_have_nothing_to_say() -> None:
    assert sources({}, extract=lambda env, info: None) == []


@pytest.mark.parametrize(
    ("info", "options", "message"),
    [
        (None, {}, r"info is None; an environment returns a dict"),
        ("info", {}, r"info is a str; an environment returns a dict"),
        ({"tbtrace": [1, 2]}, {}, r"info\['tbtrace'\] is a list of length 2; give a dict of run"),
        ({}, {"extract": lambda env, info: 3}, "extract returned an int; return a dict of running"),
    ],
)
def test_sources_that_are_no_mappings_are_named_and_counted(
    info: Any, options: Any, message: str
) -> None:
    problems = Problems()
    with pytest.warns(TbtraceWarning, match=message):
        assert list(Contract(**options).sources(info, None, problems)) == []
    assert problems.take() == {"records": 1}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"consume": ("date",)}, "consume=.*give a tuple of some of tbtrace, data, media"),
        ({"consume": "data"}, "give a tuple"),
        ({"info_keys": {"traces": ["x"]}}, r"info_keys\['traces'\]: the parts are"),
        ({"info_keys": {"final": "x"}}, r"info_keys\['final'\]='x': give a list of names"),
    ],
)
def test_options_that_break_a_rule_are_refused(options: Any, message: str) -> None:
    with pytest.raises(ContractError, match=message):
        Contract(**options)


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ("runing", r"info part 'runing' is unknown \(did you mean 'running'\?\); the parts are"),
        ("trace", r"did you mean 'traces'"),
        ("zzz", r"'zzz' is unknown; the parts are running, final, traces, media, scene"),
        (3, r"info part 3 is unknown; the parts"),
    ],
)
def test_an_unknown_part_is_named_with_the_closest_known_one(part: Any, message: str) -> None:
    problems = Problems()
    with pytest.warns(TbtraceWarning, match=message):
        check_part(part, problems)
    assert problems.take() == {"values": 1}


def test_names_may_nest() -> None:
    nested = {"energy": {"grid": 1.0, "sun": {0: 2.0}}, "speed": 3.0, "none": {}}
    assert dict(flat_items(nested)) == {"energy/grid": 1.0, "energy/sun/0": 2.0, "speed": 3.0}


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (np.zeros((2, 3), np.int8), "a ndarray of shape (2, 3) and dtype int8"),
        (1j, "a complex"),
        (object(), "an object"),
        ({1, 2}, "a set of length 2"),
    ],
)
def test_a_value_is_described_by_type_and_shape(value: Any, said: str) -> None:
    assert describe(value) == said
