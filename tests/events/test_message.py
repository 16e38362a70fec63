from __future__ import annotations

import numpy as np
import pytest
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import DATA_CLASS_BLOB_SEQUENCE, DATA_CLASS_TENSOR
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.plugins.hparams.metadata import NULL_TENSOR
from tensorboard.util.tensor_util import make_ndarray

from tbtrace.errors import ContractError
from tbtrace.events import message


@pytest.mark.parametrize("step", [0, 7, -3])
def test_an_event_has_its_time_its_step_and_a_summary(step: int) -> None:
    event = Event.FromString(message.event(step, [], wall_time=1.5))
    assert (event.wall_time, event.step) == (1.5, step)
    assert event.HasField("summary")
    assert len(event.summary.value) == 0


def test_a_step_beyond_int64_is_refused() -> None:
    with pytest.raises(ContractError, match="beyond a signed integer of 64 bits"):
        message.stamp(1 << 63)


def test_a_value_has_all_that_was_said_of_it() -> None:
    tensor = message.null_tensor()
    encoded = message.tensor_value("t", tensor, "mine", message.BLOBS, "T", "about", b"\0a")
    other = message.tensor_value("u", tensor, "mine")
    value, least = Event.FromString(message.event(0, [encoded, other])).summary.value
    assert value.tag == "t"
    assert value.tensor == NULL_TENSOR
    assert value.metadata.plugin_data.plugin_name == "mine"
    assert value.metadata.plugin_data.content == b"\0a"
    assert value.metadata.display_name == "T"
    assert value.metadata.summary_description == "about"
    assert value.metadata.data_class == DATA_CLASS_BLOB_SEQUENCE
    assert least.tag == "u"
    assert least.metadata.data_class == DATA_CLASS_TENSOR
    assert least.metadata.display_name == least.metadata.summary_description == ""


@pytest.mark.parametrize("shape", [(), (1,), (0, 3), (2, 3, 4)])
def test_a_tensor_of_numbers_keeps_its_shape(shape: tuple[int, ...]) -> None:
    numbers = np.arange(np.prod(shape, dtype=int), dtype=np.float64).reshape(shape)
    read = make_ndarray(TensorProto.FromString(message.double_tensor(numbers)))
    assert read.dtype == np.float64
    np.testing.assert_array_equal(read, numbers, strict=True)


def test_a_tensor_of_strings_has_a_shape_or_is_one_string() -> None:
    strings = TensorProto.FromString(message.string_tensor([b"", b"\xff"], 2))
    assert make_ndarray(strings).tolist() == [b"", b"\xff"]
    assert make_ndarray(TensorProto.FromString(message.string_tensor([b"one"]))).shape == ()
