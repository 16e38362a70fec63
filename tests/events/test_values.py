"""How the values of a result are sorted."""

from __future__ import annotations

import datetime
import math
import warnings
from collections import deque
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tbtrace.errors import Problems, TbtraceWarning, forget_warnings
from tbtrace.events.values import Values, flat, told_parameters


def sort(value: Any) -> Values:
    return Values.sort({"tag": value}, Problems())


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, 1.0),
        (3, 3.0),
        (0.25, 0.25),
        (np.bool_(True), 1.0),
        (np.float16(0.5), 0.5),
        (np.int8(-3), -3.0),
        (np.uint64(7), 7.0),
        (np.array(2.5), 2.5),
        (np.array([4]), 4.0),
        (np.array([[[[5.0]]]]), 5.0),
    ],
)
def test_every_number_is_a_scalar(value: Any, expected: float) -> None:
    assert sort(value) == Values(scalars={"tag": expected})


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, 1e300, np.array([np.inf]), 10**400]
)
def test_what_float32_cannot_hold_is_left_out(value: Any) -> None:
    assert sort(value) == Values()


@pytest.mark.parametrize(
    "value", [None, "", (), [], {}, [[], [None]], np.empty(0), np.empty((0, 3, 4))]
)
def test_nothing_is_nothing(value: Any) -> None:
    assert sort(value) == Values()


@pytest.mark.parametrize(
    "value",
    [
        [1, 2.0, True],
        (1, 2, 3),
        deque([1, 2, 3]),
        np.array([1, 2, 1]),
        np.ones((1, 3)),
        [[1], [2], [1]],
        [[1, 2], [3]],
        [1, (2, [np.int8(3), None])],
        [np.ones(2), 3],
        [np.ones((1, 2)), np.float16(3)],
        [[[1, 2]], [[3]]],
        [1, 10**400, 2],
        [math.nan, 1, math.inf],
        [np.array(1.0), np.array([2]), np.ones((1, 1, 1, 1))],
    ],
)
def test_lists_and_arrays_of_numbers_are_histograms(value: Any) -> None:
    numbers = sort(value).histograms["tag"]
    assert numbers.dtype == np.float64
    assert numbers.shape == (3,)


def test_a_list_of_one_is_a_histogram_as_ray_has_it() -> None:
    assert sort([4.0]).histograms["tag"].tolist() == [4.0]


@pytest.mark.parametrize(
    "value", [[math.nan, math.inf], (math.nan,), [10**400], np.full(4, np.nan), [[], [math.nan]]]
)
def test_only_non_finite_values_are_no_histogram(value: Any) -> None:
    assert sort(value) == Values()


def test_a_list_keeps_the_order_of_its_numbers() -> None:
    assert sort([[1, 2], (3,), np.array([[4.0], [5.0]])]).histograms["tag"].tolist() == [
        1,
        2,
        3,
        4,
        5,
    ]


def test_tensors_are_scalars_and_histograms() -> None:
    assert sort(torch.tensor(2, dtype=torch.bfloat16)) == Values(scalars={"tag": 2.0})
    assert sort(torch.tensor([1.0, 2.0], requires_grad=True)).histograms["tag"].tolist() == [1, 2]
    assert sort([torch.ones(2), torch.tensor(3)]).histograms["tag"].tolist() == [1, 1, 3]


@pytest.mark.parametrize("value", ["text", np.str_("text")])
def test_a_string_is_a_text(value: str) -> None:
    found = sort(value)
    assert found == Values(texts={"tag": "text"})
    assert type(found.texts["tag"]) is str


def test_a_long_text_is_cut_visibly() -> None:
    assert sort("x" * 100_000).texts["tag"] == "x" * 100_000
    assert sort("x" * 100_001).texts["tag"] == "x" * 100_000 + "... (cut, 100,001 characters)"


def test_strings_in_a_list_are_bullets() -> None:
    assert sort(["a", "b\nc"]).texts["tag"] == "- a\n- b\n  c"
    assert sort(("a", None, 2, np.float32(0.5))).texts["tag"] == "- a\n- 2\n- 0.5"


def test_arrays_of_three_to_five_axes_are_images_as_they_came() -> None:
    pixels = np.zeros((4, 5, 3, 8, 9), np.uint8)
    images = sort(pixels).images["tag"]
    assert images.arrays[0] is pixels
    assert not images.listed


def test_lists_of_pictures_are_images_as_they_came() -> None:
    first, second = np.zeros((8, 9, 3)), np.zeros((6, 5, 3))
    for value in ([first, second], (first, None, second), [[first], [second]]):
        images = sort(value).images["tag"]
        assert images.arrays[0] is first
        assert images.arrays[1] is second
        assert images.channels_last
        assert images.listed


@pytest.mark.parametrize(
    "value",
    [
        b"bytes",
        1j,
        {1, 2},
        {"a": 1},
        object(),
        datetime.datetime(2024, 1, 1),
        np.datetime64("2024-01-01"),
        np.timedelta64(1, "s"),
        np.zeros((20, 10, 2)),
        np.zeros((4, 10, 2)),
        np.zeros((5, 6, 7)),
        np.zeros((2, 2, 2, 2, 2, 2)),
        np.full((5, 20, 3), -1.5),
        [np.full((5, 20, 3), 7.5)],
        [np.zeros((3, 8, 9)), np.zeros((5, 6, 7))],
        [np.zeros((3, 8, 9)), 1.0],
        [np.zeros((1, 1 << 14, 3)), np.zeros((1 << 14, 1, 3))],
        [{"a": 1}],
        [b"a"],
        [["a"], ["b"]],
        ["a", {"b": 1}],
        [1, object()],
        [np.datetime64("2024-01-01")],
        np.array(["a", "b"]),
        np.array([1j, 2j]),
        np.array([None, 1]),
        np.array([{}, []], object),
    ],
)
def test_what_cannot_be_shown_is_named_and_counted(value: Any) -> None:
    problems = Problems()
    with pytest.warns(TbtraceWarning, match="^tag is .*; .*"):
        assert Values.sort({"tag": value}, problems) == Values()
    assert problems.take() == {"values": 1}


def test_a_message_names_the_shape_and_the_remedy() -> None:
    with pytest.warns(TbtraceWarning, match=r"shape \(5, 20, 3\) and dtype float64.*traces"):
        sort(np.full((5, 20, 3), -1.5))
    forget_warnings()
    with pytest.warns(TbtraceWarning, match=r"list of length 2; its first array .* \(5, 6, 7\)"):
        sort([np.zeros((5, 6, 7))] * 2)


class Hostile:
    """An object, and a mapping's key, of which nothing can be had."""

    __hash__ = object.__hash__

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)

    def __str__(self) -> str:
        raise RuntimeError("str")


def test_objects_that_raise_are_named_and_do_not_stop_others() -> None:
    problems = Problems()
    with pytest.warns(TbtraceWarning, match="reading 'bad' raised RuntimeError"):
        found = Values.sort({"bad": Hostile(), "good": 1}, problems)
    assert found == Values(scalars={"good": 1.0})
    assert problems.take() == {"values": 1}


def test_a_hyper_parameter_that_raises_is_named_and_does_not_stop_others() -> None:
    problems = Problems()
    given = {"bad": Hostile(), "model": {"width": np.int64(8)}, "on": True, "huge": 10**400}
    with pytest.warns(TbtraceWarning, match="reading the hyper-parameter 'bad' raised"):
        told = told_parameters(given, problems)
    assert told == {"model/width": 8.0, "on": True, "huge": str(10**400)}
    assert told["on"] is True
    assert problems.take() == {"values": 1}


def test_a_list_that_holds_itself_is_named() -> None:
    ring: list[Any] = [1.0]
    ring += [ring, ring]
    with pytest.warns(TbtraceWarning, match="holds itself"):
        assert sort(ring) == Values()


def test_warnings_as_errors_do_not_stop_other_values(caplog: pytest.LogCaptureFixture) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = Values.sort({"bad": 1j, "good": 1}, Problems())
    assert found == Values(scalars={"good": 1.0})
    assert "bad is a complex" in caplog.text


def test_flat_keeps_values_and_joins_names() -> None:
    assert flat({"a": {0: {"b": [1]}}, "c": 2}) == {"a/0/b": [1], "c": 2}


def test_flat_takes_keys_of_any_type() -> None:
    keys: dict[Any, Any] = {(1, "x"): 1, None: 2, "": 3, "a/b": 4, Hostile(): 6}
    assert flat(keys, "p/") == {"p/(1, 'x')": 1, "p/None": 2, "p/": 3, "p/a/b": 4, "p/Hostile": 6}
    assert flat({"": {"": 1}}) == {"/": 1}


class Broken(Mapping[str, Any]):
    def __getitem__(self, key: str) -> Any:
        raise RuntimeError(key)

    def __iter__(self) -> Iterator[str]:
        return iter(["a"])

    def __len__(self) -> int:
        return 1


def test_flat_reads_mappings_and_keeps_those_that_cannot_be_read() -> None:
    assert flat({"a": MappingProxyType({"b": 1})}) == {"a/b": 1}
    broken = Broken()
    assert flat({"a": {"b": broken}, "c": 1}) == {"a/b": broken, "c": 1}


def test_flat_ends_where_a_dict_holds_itself() -> None:
    ring: dict[str, Any] = {"x": 1}
    ring.update(a=ring, b={"back": ring})
    assert flat(ring) == {"x": 1, "a": ring, "b/back": ring}


def test_flat_ends_in_the_depth() -> None:
    deep: dict[str, Any] = {"x": 1}
    for _ in range(5000):
        deep = {"d": deep}
    ((tag, rest),) = flat(deep).items()
    assert tag == "/".join(["d"] * 32)
    assert isinstance(rest, dict)


NUMBERS = st.one_of(
    st.integers(),
    st.floats(),
    st.booleans(),
    st.just(10**400),
    arrays.arrays(arrays.scalar_dtypes(), ()).map(lambda array: array[()]),
)
ARRAYS = arrays.arrays(
    st.one_of(arrays.scalar_dtypes(), arrays.byte_string_dtypes(), arrays.unicode_string_dtypes()),
    arrays.array_shapes(min_dims=0, max_dims=6, min_side=0, max_side=4),
)
PIXELS = arrays.arrays(
    st.one_of(arrays.unsigned_integer_dtypes(), arrays.floating_dtypes(), arrays.boolean_dtypes()),
    st.lists(st.sampled_from([1, 3, 4]), min_size=3, max_size=5).map(tuple),
)
LEAVES = st.one_of(
    NUMBERS, ARRAYS, PIXELS, st.text(), st.none(), st.binary(), st.complex_numbers(), st.dates()
)
KEYS = st.one_of(st.text(), st.integers(), st.none(), st.tuples(st.integers()))
RESULTS = st.dictionaries(
    KEYS,
    st.recursive(
        LEAVES,
        lambda inner: st.one_of(
            st.lists(inner, max_size=4),
            st.lists(inner, max_size=3).map(tuple),
            st.dictionaries(KEYS, inner, max_size=4),
        ),
        max_leaves=6,
    ),
    max_size=5,
)


@settings(deadline=None)
@given(result=RESULTS)
def test_no_result_raises(result: dict[Any, Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", TbtraceWarning)
        found = Values.sort(flat(result, "ray/tune/"), Problems())
        for images in found.images.values():
            cards = images.samples()
            assert len({card.shape[1:] for card in cards}) == 1
            assert all(card.dtype == np.uint8 and card.size for card in cards)
            assert images.left_out == 0
    assert all(math.isfinite(value) for value in found.scalars.values())
    assert all(np.isfinite(numbers).any() for numbers in found.histograms.values())
    assert all(type(text) is str and text for text in found.texts.values())
