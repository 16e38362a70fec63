from __future__ import annotations

import math
import struct
from typing import Any

import numpy as np
import pytest
from google.protobuf import struct_pb2
from hypothesis import given
from hypothesis import strategies as st
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto

from tbtrace.errors import ContractError
from tbtrace.events import wire

INT64 = st.integers(-(1 << 63), (1 << 63) - 1)


@given(INT64)
def test_an_integer_is_what_protobuf_reads(value: int) -> None:
    assert TensorShapeProto.Dim.FromString(wire.integer(1, value)).size == value


@pytest.mark.parametrize(
    "value", [1, 127, 128, 16383, 16384, (1 << 63) - 1, -1, -128, -(1 << 63), np.int64(-5), True]
)
def test_an_integer_is_written_as_protobuf_writes_it(value: int) -> None:
    assert wire.integer(1, value) == TensorShapeProto.Dim(size=int(value)).SerializeToString()


@pytest.mark.parametrize("value", [-1, -(1 << 63)])
def test_a_negative_integer_takes_ten_bytes(value: int) -> None:
    assert len(wire.varint(value)) == 10


@pytest.mark.parametrize("value", [1 << 63, -(1 << 63) - 1, 10**400])
def test_an_integer_beyond_64_bits_is_refused(value: int) -> None:
    with pytest.raises(ContractError, match="is beyond a signed integer of 64 bits"):
        wire.varint(value)


@pytest.mark.parametrize("value", [3.0, 300.0, "3", None])
def test_what_is_no_integer_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        wire.varint(value)


@given(st.floats())
def test_a_double_keeps_every_bit_that_counts(value: float) -> None:
    read = Event.FromString(wire.double(1, value)).wall_time
    assert struct.pack("<d", read) == struct.pack("<d", value) or math.isnan(read)


def test_an_int_beyond_float64_is_refused() -> None:
    with pytest.raises(OverflowError):
        wire.double(1, 10**400)


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_data_is_its_joined_parts(one: bytes, two: bytes) -> None:
    assert TensorProto.FromString(wire.data(4, one, two)).tensor_content == one + two


def test_a_field_that_is_there_twice_repeats() -> None:
    encoded = b"".join(wire.data(8, string) for string in (b"", b"a" * 200, b"b"))
    assert list(TensorProto.FromString(encoded).string_val) == [b"", b"a" * 200, b"b"]


@given(st.text())
def test_text_is_utf_8(value: str) -> None:
    assert struct_pb2.Value.FromString(wire.text(3, value)).string_value == value


def test_a_lone_surrogate_becomes_a_question_mark() -> None:
    assert struct_pb2.Value.FromString(wire.text(3, "a\ud800山")).string_value == "a?山"


@pytest.mark.parametrize("value", [False, True])
def test_a_bool_is_written_even_where_it_is_false(value: bool) -> None:
    read = struct_pb2.Value.FromString(wire.integer(4, value))
    assert read.HasField("bool_value")
    assert read.bool_value is value


def test_fields_with_high_numbers_have_longer_keys() -> None:
    read = TensorProto.FromString(wire.key(16, wire.VARINT) + wire.varint(300))
    assert list(read.uint32_val) == [300]


def test_messages_nest() -> None:
    dims = [wire.data(2, wire.integer(1, size)) for size in (0, 3, -1)]
    read = TensorProto.FromString(wire.data(2, *dims))
    assert [dim.size for dim in read.tensor_shape.dim] == [0, 3, -1]
