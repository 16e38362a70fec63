"""Few colours in place of many: what 8-bit indices can name."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Colour = tuple[int, int, int]
"""Red, green and blue from 0 to 255."""


@functools.lru_cache(maxsize=1 << 12)
def parse(colour: str) -> Colour:
    """Returns the parts of `#rrggbb`.

    Raises:
        ValueError: It is something else.

    Example:
        >>> parse("#0072B2")
        (0, 114, 178)
    """
    if len(colour) != 7 or colour[0] != "#":
        raise ValueError(f"{colour!r} is no colour; write #rrggbb")
    number = int(colour[1:], 16)
    return number >> 16, number >> 8 & 255, number & 255


class Reduced(NamedTuple):
    """An image in few colours.

    Attributes:
        indices: uint8 `(height, width)`.
        colours: uint8 `(n, 3)`, the most frequent first.
        error: Root of the mean square distance to the image's colours, of 255.
    """

    indices: NDArray[np.uint8]
    colours: NDArray[np.uint8]
    error: float


def reduced(image: NDArray[np.uint8], most: int) -> Reduced:
    """Returns an image with its most frequent colours; the others become the nearest of these.

    Colours are rounded to five bits a channel first, which nobody sees; black and white stay exact.

    Args:
        image: uint8 `(height, width, 3)`, with at least one pixel.
        most: How many colours, up to 256.
    """
    # Five bits a channel make 32768 classes of colours, which a table maps to the few.
    high = image >> 3
    classes = high[..., 0].astype(np.uint16)
    for channel in (1, 2):
        classes <<= 5
        classes |= high[..., channel]
    counts = np.bincount(classes.ravel(), minlength=1 << 15)
    used = np.flatnonzero(counts)
    # A stable order keeps the bytes the same everywhere.
    used = used[np.argsort(-counts[used], kind="stable")]
    five = np.stack([used >> 10, used >> 5 & 31, used & 31], axis=1)
    colours = (five << 3 | five >> 2).astype(np.float32)
    few, others = colours[:most], colours[most:]
    table = np.zeros(1 << 15, np.uint8)
    table[used[:most]] = np.arange(len(few))
    error = 0.0
    if len(others):
        chosen = nearest(others, few)
        table[used[most:]] = chosen
        errors = ((others - few[chosen]) ** 2).sum(1)
        error = float(errors @ counts[used[most:]] / classes.size) ** 0.5
    return Reduced(table[classes], few.astype(np.uint8), error)


def nearest(colours: NDArray[np.float32], few: NDArray[np.float32]) -> NDArray[np.intp]:
    """Returns which of `few` is nearest to each colour, float32 `(n, 3)` each: intp `(n,)`."""
    chosen: NDArray[np.intp] = ((few * few).sum(1) - 2 * colours @ few.T).argmin(1)
    return chosen


def spread(colours: Sequence[Colour], most: int) -> tuple[list[Colour], list[int]]:
    """Returns the distinct colours, at most `most` of them, and the number of each one among them.

    Beyond that, ones near to each other share one.

    Example:
        >>> spread([(0, 0, 9), (9, 9, 9), (0, 0, 9)], 2)
        ([(0, 0, 9), (9, 9, 9)], [0, 1, 0])
    """
    numbers = {colour: number for number, colour in enumerate(dict.fromkeys(colours))}
    if len(numbers) <= most:
        return list(numbers), [numbers[colour] for colour in colours]
    every = np.array(list(numbers), np.float32)
    # Each further one is that which lies farthest from those that are there already.
    chosen = [0]
    far = ((every - every[0]) ** 2).sum(1)
    while len(chosen) < most:
        chosen.append(int(far.argmax()))
        far = np.minimum(far, ((every - every[chosen[-1]]) ** 2).sum(1))
    few = every[sorted(chosen)]
    near = nearest(every, few).tolist()
    kept = [(int(r), int(g), int(b)) for r, g, b in few.tolist()]
    return kept, [near[numbers[colour]] for colour in colours]
