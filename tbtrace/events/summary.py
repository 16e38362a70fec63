"""Ready events for an `EventFile`: scalars, histograms, pictures, texts, and how a file begins.

Each function returns one serialised `Event`. TensorBoard expects that a tag is written with growing
steps, and once per step; its data server drops what breaks this rule. `wall_time` is the time of
the event in seconds since the epoch, now where it is None. Steps are int64: others raise
`ContractError`. Lone surrogates in tags and texts become `?`.

Scalars are plain `simple_value`s, which every script that reads event files understands. The rest
are tensor summaries with their plugin, data class and description on every event: TensorBoard's
data server shows no titles or descriptions of the older kinds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tbtrace.errors import ContractError
from tbtrace.events import message, wire

# Numbers of the fields, from tensorboard/compat/proto: event and summary.
_FILE_VERSION, _SESSION_LOG = 3, 7  # Event
_STATUS, _START = 1, 1  # SessionLog
_SIMPLE_VALUE = 2  # Summary.Value


def version(wall_time: float | None = None) -> bytes:
    """Returns the first event of every event file: the version of its format.

    Example:
        >>> b"brain.Event:2" in version()
        True
    """
    return message.stamp(0, wall_time) + wire.text(_FILE_VERSION, "brain.Event:2")


def start(step: int, wall_time: float | None = None) -> bytes:
    """Returns the start of a session at `step`.

    TensorBoard's Python server takes the first start of a run as its beginning; at each later one
    it forgets what the run had at `step` and above. Its data server ignores them.

    Example:
        >>> start(5, wall_time=0.0).hex(" ", -9)
        '090000000000000000 10053a020801'
    """
    return message.stamp(step, wall_time) + wire.data(_SESSION_LOG, wire.integer(_STATUS, _START))


def scalars(step: int, values: Mapping[str, float], wall_time: float | None = None) -> bytes:
    """Returns one event with all of `values`, a scalar each.

    Args:
        step: Where on the x axis.
        values: `{tag: value}`, kept as float32. Take non-finite values out first: they are written
            as they are, and so are numbers beyond float32, as infinities. Empty: an event that
            TensorBoard passes over.
        wall_time: Seconds since the epoch.

    Example:
        >>> from tensorboard.compat.proto.event_pb2 import Event
        >>> Event.FromString(scalars(3, {"loss": 0.5})).summary.value[0].simple_value
        0.5
    """
    with np.errstate(all="ignore"):
        floats = np.fromiter(values.values(), np.float64, len(values)).astype("<f4")
    parts = [b""] * (2 * len(values))
    parts[::2] = map(_before_the_float, values)
    parts[1::2] = floats.view("V4").tolist()
    return message.event(step, parts, wall_time)


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
        >>> from tensorboard.compat.proto.event_pb2 import Event
        >>> speeds = histogram(1, "speed", np.array([[0.0, 1.0, 7.0], [1.0, 2.0, 3.0]]))
        >>> Event.FromString(speeds).summary.value[0].metadata.plugin_data.plugin_name
        'histograms'
    """
    if buckets.ndim != 2 or buckets.shape[1] != 3:
        raise ContractError(
            f"histogram {tag!r}: buckets have the shape {buckets.shape};"
            " give rows of (left edge, right edge, count)"
        )
    tensor = message.double_tensor(buckets)
    value = message.tensor_value(tag, tensor, "histograms", description=description)
    return message.event(step, [value], wall_time)


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
        >>> from tensorboard.compat.proto.event_pb2 import Event
        >>> paths = image(1, "traces/paths", [b"(a PNG)"], 640, 480, title="Paths")
        >>> Event.FromString(paths).summary.value[0].metadata.display_name
        'Paths'
    """
    if not encoded:
        raise ContractError(f"image {tag!r}: there is no picture; give one or more encoded files")
    tensor = message.string_tensor([b"%d" % width, b"%d" % height, *encoded], len(encoded) + 2)
    value = message.tensor_value(tag, tensor, "images", message.BLOBS, title, description)
    return message.event(step, [value], wall_time)


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
        >>> from tensorboard.compat.proto.event_pb2 import Event
        >>> about = text(0, "tbtrace/about", "Written by **tbtrace**.")
        >>> Event.FromString(about).summary.value[0].tensor.string_val[0]
        b'Written by **tbtrace**.'
    """
    tensor = message.string_tensor([markdown.encode(errors="replace")])
    value = message.tensor_value(tag, tensor, "text", description=description)
    return message.event(step, [value], wall_time)


@lru_cache(maxsize=1 << 14)
def _before_the_float(tag: str) -> bytes:
    # All of a scalar but its last four bytes depends on the tag alone, and tags come back.
    start = wire.text(message.TAG, tag) + wire.key(_SIMPLE_VALUE, wire.FIXED32)
    return wire.key(message.VALUE, wire.LENGTH) + wire.varint(len(start) + 4) + start
