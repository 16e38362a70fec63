"""Arrays of pixels: which arrays are pictures, and the uint8 frames to encode.

Telling is cheap and is done where results are sorted; converting is not, and may be done elsewhere:
`Images` holds the arrays as they came, and pickles.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

CARDS = 10
"""So many videos of one value are shown."""

FRAMES = 1000
"""So many frames of one value are shown, in all."""

MOST_PIXELS = 1 << 26
"""So many pixels of one value are shown, in all frames."""

_COLUMNS = 8  # of a grid, as tensorboardX has it
_CHANNELS = (1, 3, 4)
_LOOKED_AT = 1 << 18
_ROUNDING = 0.05  # resizing by splines overshoots 0..1 a little


@dataclass(frozen=True, slots=True, eq=False)
class Images:
    """The pictures of one value: an array, or several that came in a list.

    Attributes:
        arrays: Of 3 axes (a picture), 4 (several) or 5 (videos: several times several).
        channels_last: Whether the last axis is the colour, else the one before height and width.
        listed: Whether they came in a list; then they are frames of animations.

    Example:
        >>> two = np.zeros((2, 3, 8, 9), np.uint8)
        >>> Images((two,), channels_last=False, listed=False).samples()[0].shape
        (1, 8, 18, 3)
        >>> Images((two, two), channels_last=False, listed=True).samples()[0].shape
        (4, 8, 9, 3)
    """

    arrays: tuple[NDArray[Any], ...]
    channels_last: bool
    listed: bool = False

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the largest frame, to which the others are padded."""
        ends = slice(-3, -1) if self.channels_last else slice(-2, None)
        heights, widths = zip(*(array.shape[ends] for array in self.arrays), strict=True)
        return max(heights), max(widths)

    @property
    def left_out(self) -> int:
        """How many frames are beyond the bounds (`samples`) and so are not shown."""
        cards = list(self._cards())
        return sum(map(len, cards)) - sum(map(len, self._shown(cards)))

    def samples(self) -> list[NDArray[np.uint8]]:
        """Converts the pixels: one array `(frames, height, width, 3 or 4)` for each card.

        A picture of 3 axes, and a batch of 4 (as a grid of eight columns), is one frame. A video
        array of 5 axes is a card for each of its videos. Of a list, the pictures and batches are
        the frames of one card, in their order, and the videos cards of their own.

        uint8 is taken as it is; bool is black and white; other integers are clipped to 0..255.
        Floats are brightness 0..1, or 0..255 where the largest of the value is above 2, clipped;
        NaN is 0. One channel is grey. Smaller frames stand in the upper left corner of the largest,
        the rest is black, or transparent where any frame has four channels.

        At most `CARDS` cards, `FRAMES` frames in all (an equal share for each card, the first
        ones), and `MOST_PIXELS`; `left_out` says how many frames are beyond that. A grid counts as
        many frames as it has pictures.
        """
        scale = 255.0 if self._peak() <= 2 else 1.0
        cards = [
            [_to_uint8(frame, scale) for frame in frames]
            for frames in self._shown(list(self._cards()))
        ]
        if not self.listed and self.arrays[0].ndim == 4:
            cards = [[_grid(frames)] for frames in cards]
        shapes = [frame.shape for frames in cards for frame in frames]
        height, width, channels = (max(sizes) for sizes in zip(*shapes, strict=True))
        return [_stacked(frames, height, width, channels) for frames in cards]

    def _cards(self) -> Iterator[Sequence[NDArray[Any]]]:
        """Yields the frames of each card as views `(height, width, channels)`."""
        in_a_row: list[NDArray[Any]] = []
        for array in self.arrays:
            pixels = array if self.channels_last else np.moveaxis(array, -3, -1)
            if pixels.ndim < 5:
                in_a_row.extend(pixels[np.newaxis] if pixels.ndim == 3 else pixels)
        if in_a_row:
            yield in_a_row
        for array in self.arrays:
            if array.ndim == 5:
                yield from array if self.channels_last else np.moveaxis(array, -3, -1)

    def _shown(self, cards: list[Sequence[NDArray[Any]]]) -> list[list[NDArray[Any]]]:
        shown = cards[:CARDS]
        frames_in_all = min(FRAMES, MOST_PIXELS // math.prod(self.size))
        each = max(1, frames_in_all // len(shown))
        return [list(islice(frames, each)) for frames in shown]

    def _peak(self) -> float:
        floats = [array for array in self.arrays if array.dtype.kind == "f"]
        peaks = (np.max(array, where=np.isfinite(array), initial=0) for array in floats)
        return float(max(peaks, default=0))


def channels_last(arrays: Sequence[NDArray[Any]]) -> bool | None:
    """Tells where the arrays of one value have their colours; None: they are no pictures.

    All of them have the same layout. Where both fit it is channels first, as Ray reads it. An array
    whose last axis is 2 is positions, whatever else fits.
    """
    if not all(3 <= array.ndim <= 5 and array.shape[-1] != 2 for array in arrays):
        return None
    for axis in (-3, -1):
        if all(array.shape[axis] in _CHANNELS for array in arrays):
            return axis == -1
    return None


def are_positions(array: NDArray[Any]) -> bool:
    """Whether an array whose last axis is 3 holds numbers that no pixels are.

    Pixels are 0..1 (a little overshoot is forgiven), or whole numbers in 0..255. Of large arrays
    about 260,000 evenly spaced values are looked at. Positions that look like pixels, such as whole
    numbers below 256, cannot be told from them.

    Example:
        >>> are_positions(np.full((5, 20, 3), 7.25)), are_positions(np.full((5, 20, 3), 7.0))
        (True, False)
    """
    if array.shape[-1] != 3 or array.dtype.kind == "b" or array.dtype == np.uint8:
        return False
    step = math.ceil((array.size / _LOOKED_AT) ** (1 / (array.ndim - 1)))
    looked_at = array[(slice(None, None, step),) * (array.ndim - 1)]
    numbers = looked_at[np.isfinite(looked_at)]
    if not numbers.size:
        return False
    low, high = numbers.min(), numbers.max()
    if array.dtype.kind == "f" and low >= -_ROUNDING and high <= 1 + _ROUNDING:
        return False
    return bool(low < 0 or high > 255 or (numbers != np.floor(numbers)).any())


def _to_uint8(frame: NDArray[Any], scale: float) -> NDArray[np.uint8]:
    """Returns a frame `(height, width, 3 or 4)`; floats in their own precision, as tensorboardX."""
    if frame.dtype.kind == "f":
        frame = np.nan_to_num(np.clip(frame, 0, 255 / scale) * scale, copy=False)
    elif frame.dtype.kind == "b":
        frame = frame * np.uint8(255)
    elif frame.dtype != np.uint8:
        frame = np.clip(frame, 0, min(255, np.iinfo(frame.dtype).max))
    pixels: NDArray[np.uint8] = frame.astype(np.uint8, copy=False)
    return np.repeat(pixels, 3, axis=-1) if pixels.shape[-1] == 1 else pixels


def _grid(frames: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    height, width, channels = frames[0].shape
    columns = min(len(frames), _COLUMNS)
    rows = math.ceil(len(frames) / columns)
    canvas = np.zeros((rows * height, columns * width, channels), np.uint8)
    for place, frame in enumerate(frames):
        top, left = place // columns * height, place % columns * width
        canvas[top : top + height, left : left + width] = frame
    return canvas


def _stacked(
    frames: Sequence[NDArray[np.uint8]], height: int, width: int, channels: int
) -> NDArray[np.uint8]:
    stacked = np.zeros((len(frames), height, width, channels), np.uint8)
    for place, frame in zip(stacked, frames, strict=True):
        part = place[: frame.shape[0], : frame.shape[1]]
        part[..., : frame.shape[2]] = frame
        part[..., frame.shape[2] :] = 255
    return stacked
