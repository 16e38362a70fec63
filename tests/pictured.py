"""What tests of views need: episodes, and where on a picture's pixels a point lies."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from io import BytesIO

import numpy as np
from PIL import Image

from tbtrace.episode import Episode, Series, Trace
from tbtrace.views import Context, Picture, View

BLUE, VERMILLION, GREEN = (0, 114, 178), (213, 94, 0), (0, 158, 115)
NAN = float("nan")
NAMES = ["$x_", "日本語", "\U0001f600", "\ud800", "", "n" * 5000, "a\nb", "%s{}", "a/b/c"]
"""Names that are hard to draw."""


def trace(points: object, states: Sequence[str | None] | None = None, every: int = 1) -> Trace:
    array = np.array(points, float).reshape(len(points), -1)  # type: ignore[arg-type]
    labels = {} if states is None else {"state": tuple(states)}
    return Trace(np.arange(len(array), dtype=np.int32) * every, array, labels=labels)


def along_x(values: object) -> Trace:
    """A trace whose x are these, and whose y are 0."""
    x = np.array(values, float)
    return trace(np.column_stack([x, np.where(np.isfinite(x), 0.0, np.nan)]))


def series(values: object) -> Series:
    array = np.array(values, float)
    return Series(np.arange(len(array), dtype=np.int32), array)


def moving(length: int, **groups: dict[str, Trace]) -> Episode:
    return Episode("e", length, 31.4, traces=groups, split="train", iteration=12)


def drawn(view: View, *episodes: Episode, context: Context | None = None) -> np.ndarray:
    """The pixels of the picture, `(height, width, 3)`."""
    picture = picture_of(view, *episodes, context=context)
    return np.array(Image.open(BytesIO(picture.png)).convert("RGB"))


def picture_of(view: View, *episodes: Episode, context: Context | None = None) -> Picture:
    context = context or Context()
    context.observe(episodes)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        picture = view.draw(episodes, context, "best")
    assert picture is not None
    return picture


def near(image: np.ndarray, colour: tuple[int, int, int], by: int = 20) -> np.ndarray:
    return (np.abs(image.astype(int) - colour) <= by).all(-1)


class Frame:
    """The axes of a picture, found by their frame, and what they show."""

    def __init__(self, image: np.ndarray, limits: tuple[float, float, float, float]) -> None:
        grey = near(image, (138, 138, 138), 12)
        columns = np.nonzero(grey.sum(0) > grey.sum(0).max() * 0.9)[0]
        rows = np.nonzero(grey.sum(1) > grey.sum(1).max() * 0.9)[0]
        self.image, self.limits = image, limits
        self.left, self.right = int(columns[0]), int(columns[-1])
        self.top, self.bottom = int(rows[0]), int(rows[-1])

    def at(self, x: float, y: float) -> tuple[int, int]:
        """Row and column of a point."""
        x0, x1, y0, y1 = self.limits
        row = self.bottom - (y - y0) / (y1 - y0) * (self.bottom - self.top)
        return round(row), round(self.left + (x - x0) / (x1 - x0) * (self.right - self.left))

    def is_near(self, x: float, y: float, colour: tuple[int, int, int], by: int = 2) -> bool:
        """Whether the colour is within so many pixels of a point."""
        row, column = self.at(x, y)
        part = self.image[row - by : row + by + 1, column - by : column + by + 1]
        return bool(near(part, colour).any())
