"""Ready events for an `EventFile`: scalars, histograms, pictures and texts.

Each function returns one serialised `Event`. TensorBoard expects that a tag is written with growing
steps, and once per step; its data server drops what breaks this rule. `wall_time` is the time of
the event in seconds since the epoch, now where it is None.

Scalars are plain `simple_value`s, which every script that reads event files understands. The rest
are tensor summaries with their plugin, data class and description on every event: TensorBoard's
data server shows no titles or descriptions of the older kinds.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from tensorboard.compat.proto import summary_pb2, types_pb2
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto

from tbtrace.errors import ContractError


def scalars(step: int, values: Mapping[str, float], wall_time: float | None = None) -> bytes:
    """Returns one event with all of `values`, a scalar each.

    Args:
        step: Where on the x axis.
        values: `{tag: value}`, kept as float32. Take non-finite values out first: they are written
            as they are, and so are numbers beyond float32, as infinities. Empty: an event that
            TensorBoard passes over.
        wall_time: Seconds since the epoch.

    Example:
        >>> Event.FromString(scalars(3, {"loss": 0.5})).summary.value[0].simple_value
        0.5
    """
    event = _event(step, wall_time)
    for tag, value in values.items():
        event.summary.value.add(tag=tag, simple_value=value)
    return _serialised(event)


def histogram(
    step: int,
    tag: str,
    buckets: NDArray[np.float64],
    description: str = "",
    wall_time: float | None = None,
) -> bytes:
    """Returns an event with a histogram of ready buckets.

    Args:
        step: Where on the x axis.
        tag: Name of the card.
        buckets: float64 `(k, 3)`, rows of left edge, right edge and count, from left to right; one
            with equal edges is drawn as a spike. Finite numbers; `k = 0` is a histogram of nothing.
        description: Markdown behind the card's info button; the first one given for a tag counts.
        wall_time: Seconds since the epoch.

    Raises:
        ContractError: `buckets` has another shape.

    Example:
        >>> event = histogram(1, "speed", np.array([[0.0, 1.0, 7.0], [1.0, 2.0, 3.0]]))
        >>> Event.FromString(event).summary.value[0].metadata.plugin_data.plugin_name
        'histograms'
    """
    if buckets.ndim != 2 or buckets.shape[1] != 3:
        raise ContractError(
            f"histogram {tag!r}: buckets have the shape {buckets.shape};"
            " give rows of (left edge, right edge, count)"
        )
    tensor = TensorProto(
        dtype=types_pb2.DT_DOUBLE,
        tensor_shape=_shape(*buckets.shape),
        tensor_content=buckets.astype("<f8").tobytes(),
    )
    metadata = _metadata("histograms", summary_pb2.DATA_CLASS_TENSOR, description=description)
    return _tensor_event(step, tag, tensor, metadata, wall_time)


def image(
    step: int,
    tag: str,
    encoded: Sequence[bytes],
    width: int,
    height: int,
    title: str = "",
    description: str = "",
    wall_time: float | None = None,
) -> bytes:
    """Returns an event with pictures of one size.

    Args:
        step: Where on the slider.
        tag: Name of the card.
        encoded: PNG, APNG, GIF, JPEG or WebP files; APNG and GIF move. Several make one card each
            ("sample: 1 of 3").
        width: Pixels.
        height: Pixels.
        title: Shown instead of the tag.
        description: Markdown behind the card's info button. Of title and description the first ones
            given for a tag count.
        wall_time: Seconds since the epoch.

    Raises:
        ContractError: `encoded` is empty.

    Example:
        >>> event = image(1, "traces/paths", [b"(a PNG)"], 640, 480, title="Paths")
        >>> Event.FromString(event).summary.value[0].metadata.display_name
        'Paths'
    """
    if not encoded:
        raise ContractError(f"image {tag!r}: there is no picture; give one or more encoded files")
    strings = (b"%d" % width, b"%d" % height, *encoded)
    metadata = _metadata("images", summary_pb2.DATA_CLASS_BLOB_SEQUENCE, title, description)
    return _tensor_event(step, tag, _strings(strings, len(strings)), metadata, wall_time)


def text(
    step: int, tag: str, markdown: str, description: str = "", wall_time: float | None = None
) -> bytes:
    """Returns an event with a text card.

    Args:
        step: Written above the text.
        tag: Name of the card.
        markdown: The text; tables and code are shown, raw HTML is escaped. May be empty.
        description: Kept in the file; TensorBoard's Text dashboard does not show it.
        wall_time: Seconds since the epoch.

    Example:
        >>> event = text(0, "tbtrace/about", "Written by **tbtrace**.")
        >>> Event.FromString(event).summary.value[0].tensor.string_val[0]
        b'Written by **tbtrace**.'
    """
    metadata = _metadata("text", summary_pb2.DATA_CLASS_TENSOR, description=description)
    return _tensor_event(step, tag, _strings([markdown.encode()]), metadata, wall_time)


def _event(step: int, wall_time: float | None) -> Event:
    return Event(wall_time=time.time() if wall_time is None else wall_time, step=step)


def _tensor_event(
    step: int,
    tag: str,
    tensor: TensorProto,
    metadata: summary_pb2.SummaryMetadata,
    wall_time: float | None,
) -> bytes:
    event = _event(step, wall_time)
    event.summary.value.add(tag=tag, tensor=tensor, metadata=metadata)
    return _serialised(event)


def _metadata(
    plugin: str, data_class: int, title: str = "", description: str = ""
) -> summary_pb2.SummaryMetadata:
    # No plugin content: version 0 of each of these plugins' data is the empty message.
    return summary_pb2.SummaryMetadata(
        plugin_data=summary_pb2.SummaryMetadata.PluginData(plugin_name=plugin),
        data_class=data_class,
        display_name=title,
        summary_description=description,
    )


def _strings(values: Sequence[bytes], *shape: int) -> TensorProto:
    return TensorProto(
        dtype=types_pb2.DT_STRING, tensor_shape=_shape(*shape), string_val=list(values)
    )


def _shape(*sizes: int) -> TensorShapeProto:
    return TensorShapeProto(dim=[TensorShapeProto.Dim(size=size) for size in sizes])


def _serialised(event: Event) -> bytes:
    data: bytes = event.SerializeToString()
    return data
