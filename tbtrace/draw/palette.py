"""Colours by their names, and the nearest ones where there is no room for all."""

from __future__ import annotations

import functools
from collections.abc import Sequence

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
