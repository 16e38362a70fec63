"""Dots that move over a picture and draw fading trails behind them: the frames of an animation.

Few pixels change from one frame to the next, so only those are touched: each frame remembers what
it painted, and what is older than the trail gets the floor's pixels back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tbtrace.draw import counter
from tbtrace.draw.quantise import indexed
from tbtrace.draw.scale import Box

_SHADES = np.array([1.0, 0.62, 0.3])
"""How strong a dot is, its trail, and its old trail."""

_GREYS = 4
_AT_ONCE = 1 << 18
_BAR = 3

_Painted = tuple[NDArray[np.intp], NDArray[np.intp]]
"""Places of pixels, and the number of the colour of each."""


@dataclass(frozen=True, slots=True, eq=False)
class Moves:
    """What moves.

    Attributes:
        at: float `(m, n, 2)`, pixels of n dots at m moments, x to the right and y downwards; NaN
            where one is away.
        joined: bool `(m, n)`: whether a dot's trail leads from the moment before to this one.
        colours: int `(n,)`, the number of each dot's colour.
        inks: uint8 `(c, 3)`, those colours, c at most 12.
        frames: int `(f,)`, ascending: the moment that each frame shows.
        labels: What stands in the corner in each frame, f of them.
    """

    at: NDArray[np.float64]
    joined: NDArray[np.bool_]
    colours: NDArray[np.intp]
    inks: NDArray[np.uint8]
    frames: NDArray[np.intp]
    labels: Sequence[str]


class Trails:
    """Dots and their trails on a floor.

    Args:
        floor: uint8 `(H, W, 3)`, what lies under them; its colours are rounded to a palette.
        box: What is outside of it is not drawn.
        moves: What moves.
        trail: For how many frames a trail is seen, at least 1.
        radius: Of the dots, pixels.
        label_at: `(x, y)`, right end and top of the labels.

    Attributes:
        palette: uint8 `(n, 3)`, as `tbtrace.draw.anim.encode_indexed` takes it.
    """

    def __init__(
        self,
        floor: NDArray[np.uint8],
        box: Box,
        moves: Moves,
        *,
        trail: int,
        radius: float,
        label_at: tuple[int, int],
    ) -> None:
        self._box, self._moves, self._trail, self._label_at = box, moves, trail, label_at
        shades = 255 - _SHADES[:, None] * (255 - moves.inks[:, None].astype(float))
        greys = np.repeat(np.linspace(255, 0, _GREYS)[:, None], 3, axis=1)
        own = np.concatenate([np.full((1, 3), 255), greys, shades.reshape(-1, 3)]).round()
        found = indexed([floor], 256 - len(own), largest_error=np.inf)
        assert found is not None  # no error is too large
        (places,), colours = found
        self._floor = (places + np.uint8(len(own))).ravel()
        self._shape = floor.shape[:2]
        self.palette = np.concatenate([own.astype(np.uint8), colours])
        self._sprite = _disc(radius)

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        """Yields the frames: places in the palette, uint8 `(H, W)`, each a new array."""
        shown = self._floor.copy()
        born = np.full(shown.size, -1, np.int32)
        painted: list[_Painted] = []
        # (shade, for how many frames before it); past the last shade is the floor.
        fades = [(2, -(-self._trail // 2)), (len(_SHADES), self._trail)]
        for number, fresh in enumerate(self._strokes()):
            for shade, age in fades:
                if age > number:
                    continue
                pixels, colours = painted[number - age]
                still = born[pixels] == number - age
                pixels, colours = pixels[still], colours[still]
                gone = shade == len(_SHADES)
                shown[pixels] = self._floor[pixels] if gone else self._code(colours, shade)
            pixels, colours = fresh
            shown[pixels] = self._code(colours, 1)
            born[pixels] = number
            painted.append(fresh)
            frame = shown.copy()
            self._stamp(frame, number)
            yield self._told(frame.reshape(self._shape), number)

    def _code(self, colours: NDArray[np.intp], shade: int | NDArray[np.intp]) -> NDArray[np.intp]:
        return 1 + _GREYS + colours * len(_SHADES) + shade

    def _strokes(self) -> Iterator[_Painted]:
        """Yields what the trails paint anew in each frame."""
        moments, dots = self._moves.at.shape[:2]
        ends = self._moves.frames + 1
        # Several frames at once, for speed, but never too much memory.
        step = max(1, _AT_ONCE // max(1, dots * -(-moments // len(ends))))
        for first in range(0, len(ends), step):
            chunk = ends[first : first + step]
            start = ends[first - 1] if first else 0
            yield from self._lines(start, chunk)

    def _lines(self, start: int, ends: NDArray[np.intp]) -> Iterator[_Painted]:
        left, top, right, bottom = self._box
        # Half a pixel less, so that a pen of two pixels has its middle where the line is.
        at = self._moves.at[max(start - 1, 0) : ends[-1]] - 0.5
        here = np.clip(at[start - max(start - 1, 0) :], (left, top), (right - 2, bottom - 2))
        joined = self._moves.joined[start : ends[-1]].copy()
        before = here.copy()
        before[1:] = here[:-1]
        if start:
            before[0] = np.clip(at[0], (left, top), (right - 2, bottom - 2))
        else:
            joined[0] = False
        before = np.where(joined[..., None], before, here)
        moment, dot = np.nonzero(np.isfinite(here[..., 0]))
        tip = here[moment, dot]
        way = before[moment, dot] - tip
        # Where a line came from is painted already.
        count = np.maximum(np.ceil(np.abs(way).max(1, initial=0)), 1).astype(np.intp)
        stroke = np.repeat(np.arange(len(count)), count)
        share = np.arange(len(stroke)) - np.repeat(np.cumsum(count) - count, count)
        cells = (tip[stroke] + way[stroke] * (share / count[stroke])[:, None]).astype(np.intp)
        width = self._shape[1]
        pixels = cells[:, 1] * width + cells[:, 0]
        colours = self._moves.colours[dot][stroke]
        pen = np.array([0, 1, width, width + 1])
        cuts = np.searchsorted(moment[stroke], [0, *(ends - start)])
        for a, b in pairwise(cuts.tolist()):
            yield (pixels[a:b, None] + pen).ravel(), np.repeat(colours[a:b], len(pen))

    def _stamp(self, frame: NDArray[np.uint8], number: int) -> None:
        left, top, right, bottom = self._box
        at = self._moves.at[self._moves.frames[number]]
        x, y = at[:, 0], at[:, 1]
        dots = np.flatnonzero((x >= left) & (x <= right) & (y >= top) & (y <= bottom))
        offsets_x, offsets_y, shades = self._sprite
        width = self._shape[1]
        cells = at[dots].astype(np.intp)
        pixels = (cells[:, 1] * width + cells[:, 0])[:, None] + (offsets_y * width + offsets_x)
        frame[pixels] = self._code(self._moves.colours[dots][:, None], shades)

    def _told(self, frame: NDArray[np.uint8], number: int) -> NDArray[np.uint8]:
        """Writes the label, and the line at the upper edge that grows with time."""
        digits = counter.spelled(self._moves.labels[number])
        right, top = self._label_at
        place = frame[top : top + digits.shape[0], right - digits.shape[1] : right]
        dark = digits.astype(np.intp) * (_GREYS - 1) // 255
        place[...] = np.where(dark, 1 + dark, place)
        done = (number + 1) * self._shape[1] // len(self._moves.frames)
        frame[:_BAR, :done] = 1 + _GREYS // 2
        return frame


def _disc(radius: float) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Returns offsets x and y of a dot's pixels, and the shade of each."""
    reach = int(np.ceil(radius))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    covered = np.clip(radius + 0.5 - np.hypot(x, y), 0, 1)
    seen = covered > 0.3
    return x[seen], y[seen], np.where(covered[seen] < 0.8, 1, 0)
