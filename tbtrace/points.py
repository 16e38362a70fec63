"""Points: what a value of `traces` or `media` says, one point or those of a whole group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tbtrace.info import coordinate, number


def is_point(value: Mapping[Any, Any]) -> bool:
    """Tells a point given as a mapping from a group of entities."""
    return (
        "x" in value
        and "y" in value
        and coordinate(value["x"]) is not None
        and coordinate(value["y"]) is not None
    )


def as_sequence(value: Any) -> Sequence[Any] | None:
    """Returns the points of a group's entities (some or all None), or None for one point."""
    if hasattr(value, "tolist"):  # an array with None in it, a tensor on a device
        value = value.tolist()
    if not isinstance(value, (list, tuple)):
        return None
    if any(map(_is_point_like, value)) or all(item is None for item in value):
        return value
    return None


def _is_point_like(value: Any) -> bool:
    """Tells a point from a coordinate."""
    if isinstance(value, (list, tuple, Mapping)):
        return True
    return getattr(value, "ndim", 0) > 0 and number(value) is None


def as_points(value: Any, floats_only: bool = False) -> NDArray[Any] | None:
    """Returns `value` as an array of numbers `(N, 2|3)` of a group's entities, or None."""
    if isinstance(value, (list, tuple)):
        if floats_only or not value or not isinstance(value[0], (list, tuple, np.ndarray)):
            return None
    elif getattr(value, "ndim", 0) != 2:
        return None
    try:
        points = np.asarray(value)
    except (TypeError, ValueError, RuntimeError):  # ragged lists, tensors on a device
        return None
    if points.ndim != 2 or points.shape[1] not in (2, 3):
        return None
    return points if points.dtype.kind in ("f" if floats_only else "fiub") else None
