"""The messages that events are made of, encoded.

An `Event` has a time, a step and, mostly, a summary; a summary has values, each with a tag, a
tensor, and metadata that name the TensorBoard plugin which shows it. Each function returns bytes.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tbtrace.events import wire

# Numbers of the fields, from tensorboard/compat/proto: event, summary, tensor and tensor_shape.
_WALL_TIME, _STEP, _SUMMARY = 1, 2, 5  # Event
VALUE = 1  # Summary
TAG, _TENSOR, _METADATA = 1, 8, 9  # Summary.Value
_PLUGIN_DATA, _TITLE, _DESCRIPTION, _DATA_CLASS = 1, 2, 3, 4  # SummaryMetadata
_PLUGIN_NAME, _PLUGIN_CONTENT = 1, 2  # SummaryMetadata.PluginData
_DTYPE, _SHAPE, _CONTENT, _STRING = 1, 2, 4, 8  # TensorProto
_DIM, _SIZE = 2, 1  # TensorShapeProto, and its Dim

_DT_FLOAT, _DT_DOUBLE, _DT_STRING = 1, 2, 7
TENSORS, BLOBS = 2, 3
"""Data classes: tensors, and sequences of byte strings that are fetched one by one."""


def stamp(step: int, wall_time: float | None = None) -> bytes:
    """Returns the beginning of an event: its time and step, to which one content is joined.

    Args:
        step: An int64.
        wall_time: Seconds since the epoch; now where it is None.

    Raises:
        ContractError: `step` is beyond int64.

    Example:
        >>> stamp(5, wall_time=0.0).hex(" ", -9)
        '090000000000000000 1005'
    """
    now = time.time() if wall_time is None else wall_time
    return wire.double(_WALL_TIME, now) + wire.integer(_STEP, step)


def event(step: int, values: Iterable[bytes], wall_time: float | None = None) -> bytes:
    """Returns an event with a summary of encoded values, as `tensor_value` returns them.

    Example:
        >>> event(5, [], wall_time=0.0).hex(" ", -9)
        '090000000000000000 10052a00'
    """
    return stamp(step, wall_time) + wire.data(_SUMMARY, *values)


def tensor_value(
    tag: str,
    tensor: bytes,
    plugin: str,
    data_class: int = TENSORS,
    title: str = "",
    description: str = "",
    content: bytes = b"",
) -> bytes:
    """Returns a value for `event`: a tensor, and which plugin shows it how.

    Args:
        tag: Its name.
        tensor: As the functions below return it.
        plugin: The plugin's name.
        data_class: `TENSORS` or `BLOBS`. TensorBoard's data server shows no value without one.
        title: Shown instead of the tag.
        description: Markdown.
        content: What the plugin keeps with the tag; for most, version 0 of it is empty.

    Example:
        >>> tensor_value("lr", null_tensor(), "mine").hex(" ", -16)
        '0a200a026c7242080801120412020800 4a100a080a046d696e65120012001a00 2002'
    """
    metadata = _metadata(plugin, data_class, title, description, content)
    return wire.data(VALUE, wire.text(TAG, tag), wire.data(_TENSOR, tensor), metadata)


def string_tensor(strings: Sequence[bytes], *shape: int) -> bytes:
    """Returns a tensor of byte strings; without a `shape` it is one string.

    Example:
        >>> string_tensor([b"a", b"b"], 2).hex()
        '0807120412020802420161420162'
    """
    return _tensor(_DT_STRING, shape, *(wire.data(_STRING, string) for string in strings))


def double_tensor(numbers: NDArray[np.float64]) -> bytes:
    """Returns a tensor of float64, in the shape of `numbers`.

    Example:
        >>> double_tensor(np.zeros((0, 3))).hex()
        '0802120812020800120208032200'
    """
    content = wire.data(_CONTENT, numbers.astype("<f8").tobytes())
    return _tensor(_DT_DOUBLE, numbers.shape, content)


def null_tensor() -> bytes:
    """Returns a tensor of nothing, for a value that is all in its plugin's content.

    Example:
        >>> null_tensor().hex()
        '0801120412020800'
    """
    return _tensor(_DT_FLOAT, (0,))


def _tensor(dtype: int, shape: Sequence[int], *content: bytes) -> bytes:
    dims = (wire.data(_DIM, wire.integer(_SIZE, size)) for size in shape)
    return b"".join((wire.integer(_DTYPE, dtype), wire.data(_SHAPE, *dims), *content))


@lru_cache(maxsize=1 << 10)
def _metadata(plugin: str, data_class: int, title: str, description: str, content: bytes) -> bytes:
    # The same in every iteration.
    plugin_data = wire.text(_PLUGIN_NAME, plugin) + wire.data(_PLUGIN_CONTENT, content)
    return wire.data(
        _METADATA,
        wire.data(_PLUGIN_DATA, plugin_data),
        wire.text(_TITLE, title),
        wire.text(_DESCRIPTION, description),
        wire.integer(_DATA_CLASS, data_class),
    )
