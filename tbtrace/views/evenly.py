"""A few of many, evenly spaced."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def evenly(count: int, most: int) -> NDArray[np.intp]:
    """Returns at most `most` evenly spaced numbers below `count`, with the first and the last one.

    Args:
        count: At least 1.
        most: At least 1; a single one is the last.

    Example:
        >>> evenly(9, 3).tolist(), evenly(9, 1).tolist(), evenly(2, 5).tolist()
        ([0, 4, 8], [8], [0, 1])
    """
    if count <= most:
        return np.arange(count)
    return np.linspace(count - 1 if most == 1 else 0, count - 1, most).round().astype(np.intp)
