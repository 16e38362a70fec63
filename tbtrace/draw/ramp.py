"""Ramps: colours that stand for numbers, told apart by colour-blind eyes and in grey alike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

CROWD = (
    "#fed89a",
    "#fea36f",
    "#f56b5c",
    "#d5446d",
    "#a5317e",
    "#762181",
    "#471078",
    "#19103f",
    "#000004",
)
"""From little to much on white: matplotlib's magma, backwards and without its palest end."""

VALUE = (
    "#0d0887",
    "#41049d",
    "#6a00a8",
    "#8f0da4",
    "#b12a90",
    "#cc4778",
    "#e16462",
    "#f2844b",
    "#fca636",
)
"""From low to high, for lines on white: matplotlib's plasma without its yellow end."""

CHANGE = (
    "#053061",
    "#2a71b2",
    "#6bacd1",
    "#c2ddec",
    "#f7f6f6",
    "#fbccb4",
    "#e48066",
    "#ba2832",
    "#67001f",
)
"""From less through as much to more: matplotlib's RdBu, backwards."""


def ramp(anchors: Sequence[str], count: int) -> list[str]:
    """Returns `count` colours, `#rrggbb`, evenly from the first anchor to the last.

    Args:
        anchors: `#rrggbb`, at least one.
        count: At least 1; a single colour is the first anchor.

    Example:
        >>> ramp(["#000000", "#0000ff"], 3)
        ['#000000', '#000080', '#0000ff']
    """
    rgb = np.array([[int(anchor[i : i + 2], 16) for i in (1, 3, 5)] for anchor in anchors], float)
    at, known = np.linspace(0, 1, count), np.linspace(0, 1, len(anchors))
    channels = [np.interp(at, known, rgb[:, k]).round().astype(int).tolist() for k in range(3)]
    return [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in zip(*channels, strict=True)]
