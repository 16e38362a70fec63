"""What a result holds, sorted by how TensorBoard can show it.

The tags, steps and values are those of Ray's own `TBXLoggerCallback`, except: every numeric type is
a scalar (Ray drops `np.bool_`, float16 and the small ints), so are arrays of one element,
infinities are left out, and arrays that are no picture are named once instead of raising.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tbtrace.errors import Problems
from tbtrace.info import describe, number

_BIGGEST = float(np.finfo(np.float32).max)
_CHANNELS = (1, 3, 4)


def flat(values: Mapping[Any, Any], prefix: str = "") -> dict[str, Any]:
    """Flattens nested dicts to `{tag: value}`, names joined by `/`, `prefix` put in front.

    Example:
        >>> flat({"a": {"b": 1, "c": {}}}, "ray/tune/")
        {'ray/tune/a/b': 1}
    """
    flattened: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            flattened.update(flat(value, f"{prefix}{key}/"))
        else:
            flattened[f"{prefix}{key}"] = value
    return flattened


@dataclass(frozen=True, slots=True)
class Images:
    """An array that is one picture (3-D), a batch of them (4-D), or videos (5-D).

    Attributes:
        pixels: The array.
        channels_last: Whether its last axis is the colour, else it is the one before height, width.
    """

    pixels: NDArray[Any]
    channels_last: bool

    def write(self, writer: Any, tag: str, step: int) -> None:
        """Writes it with a tensorboardX `SummaryWriter`, as Ray does."""
        pixels = self.pixels
        if pixels.ndim == 5:
            if self.channels_last:
                pixels = np.moveaxis(pixels, -1, 2)
            writer.add_video(tag, pixels, global_step=step, fps=20)
        elif pixels.ndim == 4:
            layout = "NHWC" if self.channels_last else "NCHW"
            writer.add_images(tag, pixels, global_step=step, dataformats=layout)
        else:
            layout = "HWC" if self.channels_last else "CHW"
            writer.add_image(tag, pixels, global_step=step, dataformats=layout)


@dataclass(frozen=True, slots=True)
class Values:
    """The values of one result.

    Attributes:
        scalars: `{tag: finite number}`.
        histograms: `{tag: float64 (n,)}`, n > 0; may hold non-finite values.
        images: `{tag: Images}`.
    """

    scalars: dict[str, float] = field(default_factory=dict)
    histograms: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    images: dict[str, Images] = field(default_factory=dict)

    @classmethod
    def sort(cls, values: Mapping[str, Any], problems: Problems) -> Values:
        """Sorts `{tag: value}`.

        Strings, tuples, None and other objects are left out as Ray leaves them out: they are no
        metrics. Lists and arrays that cannot be shown are counted (`"values"`) and named once.

        Example:
            >>> sorted_values = Values.sort({"a": np.int8(1), "b": [1, 2], "c": "x"}, Problems())
            >>> sorted_values.scalars, sorted_values.histograms["b"].tolist()
            ({'a': 1.0}, [1.0, 2.0])
        """
        found = cls()
        for tag, value in values.items():
            if isinstance(value, np.ndarray | list):
                found._sort_array(tag, value, problems)
                continue
            numeric = number(value)
            if numeric is not None and abs(numeric) <= _BIGGEST:
                found.scalars[tag] = numeric
        return found

    def _sort_array(self, tag: str, value: Any, problems: Problems) -> None:
        if len(value) == 0 if isinstance(value, list) else value.size == 0:
            return
        try:
            array = np.asarray(value)
        except ValueError:  # a ragged list
            array = np.asarray(None)
        if array.dtype.kind not in "biuf":
            problems.add("values", tag, f"{tag} is {describe(value)}; give numbers, all one shape")
        elif isinstance(value, list) or array.ndim in (1, 2):
            if array.size == 1 and not isinstance(value, list):
                self._sort_one(tag, array)
            elif np.isfinite(array).any():
                self.histograms[tag] = array.astype(np.float64).ravel()
        elif array.size == 1:
            self._sort_one(tag, array)
        else:
            images = _as_images(array)
            if images is None:
                problems.add(
                    "values",
                    tag,
                    f"{tag} is {describe(value)}; pictures are (channels, height, width) or "
                    "(height, width, channels) with 1, 3 or 4 channels",
                )
            else:
                self.images[tag] = images

    def _sort_one(self, tag: str, array: NDArray[Any]) -> None:
        one = float(array.item())
        if abs(one) <= _BIGGEST:
            self.scalars[tag] = one


def _as_images(array: NDArray[Any]) -> Images | None:
    """Tells pictures from other arrays of 3 to 5 axes: positions (A, T, 2) are none."""
    if not 3 <= array.ndim <= 5 or array.shape[-1] == 2:
        return None
    if array.shape[-3] in _CHANNELS:
        return Images(array, channels_last=False)
    if array.shape[-1] in _CHANNELS:
        return Images(array, channels_last=True)
    return None
