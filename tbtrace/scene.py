"""The scene that entities move in: read and checked from an info."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tbtrace.episode import Scene
from tbtrace.errors import Problems
from tbtrace.info import closest, describe, number

SCENE_KEYS = ("background", "extent", "units", "labels")


def read_scene(said: Any, problems: Problems) -> Scene | None:
    """Checks a scene and copies it; entries that break their rule are named and left out.

    Args:
        said: `{"background": uint8 (H, W, 3), "extent": (x0, x1, y0, y1), "units": str,
            "labels": {text: (x, y)} or (x name, y name)}`, each optional.
        problems: Where what cannot be used is counted (`"values"`).
    """
    if not isinstance(said, Mapping):
        problems.add(
            "values", "scene", f"scene is {describe(said)}; give a dict of {', '.join(SCENE_KEYS)}"
        )
        return None
    background = extent = units = None
    places: dict[str, tuple[float, float]] = {}
    axes: tuple[str, ...] = ()
    for key, value in said.items():
        rule = ""
        if value is None:
            continue
        if key == "background":
            background = _background(value)
            rule = "" if background is not None else "a uint8 array (height, width, 3)"
        elif key == "extent":
            extent = _extent(value)
            rule = "" if extent else "four finite numbers (x0, x1, y0, y1) with x0 != x1, y0 != y1"
        elif key == "units":
            units = value if isinstance(value, str) else None
            rule = "" if units is not None else "a str"
        elif key == "labels":
            labels = _labels(value)
            places, axes = labels or ({}, ())
            rule = "" if labels else "{text: (x, y)}, or the names of the 2 or 3 axes"
        else:
            rule = f"one of {', '.join(SCENE_KEYS)}{closest(str(key), SCENE_KEYS)}"
        if rule:
            problems.add(
                "values",
                f"scene {key!r}",
                f"scene[{key!r}] is {describe(value)}; expected {rule}",
            )
    return Scene(background, extent, units, places, axes)


def _background(value: Any) -> NDArray[np.uint8] | None:
    try:
        picture = np.array(value)
    except (TypeError, ValueError, RuntimeError):  # ragged lists, tensors on a device
        return None
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3 or not picture.size:
        return None
    return picture


def _extent(value: Any) -> tuple[float, float, float, float] | None:
    try:
        x0, x1, y0, y1 = (number(v) for v in value)
    except (TypeError, ValueError):
        return None
    if x0 is None or x1 is None or y0 is None or y1 is None:
        return None
    if not np.isfinite((x0, x1, y0, y1)).all() or x0 == x1 or y0 == y1:
        return None
    return x0, x1, y0, y1


def _labels(value: Any) -> tuple[dict[str, tuple[float, float]], tuple[str, ...]] | None:
    if isinstance(value, Mapping):
        places = {}
        for text, place in value.items():
            try:
                x, y = (number(v) for v in place)
            except (TypeError, ValueError):
                return None
            if x is None or y is None or not np.isfinite((x, y)).all():
                return None
            places[str(text)] = (x, y)
        return places, ()
    names = tuple(value) if isinstance(value, list | tuple) else ()
    if len(names) in (2, 3) and all(isinstance(name, str) for name in names):
        return {}, names
    return None
