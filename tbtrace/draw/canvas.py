"""The pixels of a picture as indices of a palette that grows with what is drawn.

The palette begins with greys from black to white. What else is needed, colours and their mixtures
with what lies beneath, is added while there is room and then becomes the nearest colour there is.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tbtrace.draw import png
from tbtrace.draw.palette import Colour, nearest
from tbtrace.draw.scale import Box

WHITE = 32
"""The index of white. 0 is black, and greys lie between."""

FIRST = WHITE + 1
"""The code of a pixel that layer 0 covers whole; each further layer's is four higher.

The three codes above it stand for one, two and three quarters of a pixel; 0 stands for nothing.
"""

LAYERS = 55
"""So many layers fit into codes of eight bits."""

_SHARES = np.array([1.0, 0.25, 0.5, 0.75])
_MOST = 256
_GREYS = np.linspace(0, 255, FIRST).round().astype(np.uint8).repeat(3).reshape(-1, 3)
_RAMP = {(level, level, level): index for index, level in enumerate(_GREYS[:, 0].tolist())}


class Canvas:
    """A picture that is drawn upon.

    Args:
        size: `(width, height)` in pixels.
        below: uint8 `(height, width)`, greys to begin with instead of white.

    Attributes:
        size: As given.
        pixels: uint8 `(height, width)`, indices of the palette; write greys into it as you like.
    """

    def __init__(self, size: tuple[int, int], below: NDArray[np.uint8] | None = None) -> None:
        self.size = size
        self.pixels = np.empty((size[1], size[0]), np.uint8)
        self.pixels[:] = WHITE if below is None else below
        self._colours = np.zeros((_MOST, 3), np.uint8)
        self._colours[:FIRST] = _GREYS
        self._numbers = _RAMP.copy()
        self._plain = True

    def rgb(self) -> NDArray[np.uint8]:
        """Returns the picture as uint8 `(height, width, 3)`."""
        return self._colours.take(self.pixels, axis=0)  # four times as fast as indexing

    def png(self) -> bytes:
        """Returns the picture as a PNG file with a palette."""
        return png.indexed(self.pixels, self._colours[: len(self._numbers)])

    def inks(self, colours: Sequence[Colour]) -> NDArray[np.uint8]:
        """Returns the palette's indices of colours, or of those nearest to them."""
        numbers = self._numbers
        free = list(range(len(numbers), _MOST))
        new = [colour for colour in dict.fromkeys(colours) if colour not in numbers]
        for number, colour in zip(free, new, strict=False):
            numbers[colour] = number
            self._colours[number] = colour
        others = {}
        if len(new) > len(free):
            far = new[len(free) :]
            few = self._colours.astype(np.float32)
            others = dict(zip(far, nearest(np.array(far, np.float32), few).tolist(), strict=True))
        return np.array([numbers.get(c, others.get(c)) for c in colours], np.uint8)

    def shades(self, colours: Sequence[Colour]) -> NDArray[np.uint8]:
        """Returns indices of white and of one to four quarters of each colour: uint8 `(n, 5)`."""
        inks = self.inks(_on_white(tuple(colours))).reshape(-1, 4)
        return np.insert(inks[:, [1, 2, 3, 0]], 0, WHITE, axis=1)

    def fill(self, box: Box, colour: Colour) -> None:
        """Fills a rectangle."""
        left, top, right, bottom = box
        self.pixels[top:bottom, left:right] = self.inks([colour])[0]

    def write(self, left: int, top: int, ink: NDArray[np.uint8], darkest: int = 0) -> None:
        """Writes grey text where only greys are; what sticks out is cut.

        Args:
            left: Column of the text's first one.
            top: Row of the text's first one.
            ink: uint8 `(height, width)`, 0 to 32.
            darkest: The grey of full ink.
        """
        height, width = ink.shape
        window = self.pixels[
            max(top, 0) : max(top + height, 0), max(left, 0) : max(left + width, 0)
        ]
        ink = ink[max(-top, 0) :, max(-left, 0) :][: window.shape[0], : window.shape[1]]
        np.minimum(window, _shades(darkest)[ink], out=window)

    def cover(
        self,
        left: int,
        top: int,
        ink: NDArray[np.uint8],
        covered: NDArray[np.bool_],
        darkest: int = 0,
    ) -> None:
        """Writes grey text and the white round it over anything; see `write`."""
        window = self.pixels[top : top + ink.shape[0], left : left + ink.shape[1]]
        window[covered] = _shades(darkest)[ink][covered]

    def paste(
        self,
        box: Box,
        indices: NDArray[np.uint8],
        colours: Sequence[Colour],
        where: NDArray[np.bool_] | bool = True,
    ) -> None:
        """Puts an image, indices of `colours`, into `box`, there `where` it is opaque."""
        self._plain = False
        left, top, right, bottom = box
        window = self.pixels[top:bottom, left:right]
        np.copyto(window, self.inks(colours)[indices], where=where)

    def lay(
        self,
        box: Box,
        codes: NDArray[np.uint8],
        colours: Sequence[Colour],
        alpha: float = 1.0,
    ) -> None:
        """Lays a sheet of layers over what is there, whose edges mix with it.

        Args:
            box: Where.
            codes: uint8, of the size of `box`, as `FIRST` says.
            colours: One for each layer.
            alpha: 0 (unseen) to 1 (opaque).
        """
        left, top, right, bottom = box
        window = self.pixels[top:bottom, left:right]
        if self._plain and alpha == 1:
            # On a light grid, to mix with white looks the same and costs little.
            inks = self.inks(_on_white(tuple(colours)))
            if inks[0] != FIRST or (np.diff(inks) != 1).any():
                table = np.zeros(_MOST, np.uint8)
                table[FIRST : FIRST + len(inks)] = inks
                told = codes.tobytes().translate(table.tobytes())  # faster than indexing
                codes = np.frombuffer(told, np.uint8).reshape(codes.shape)
            window *= codes == 0
            window |= codes
        else:
            self._mix(window, codes, colours, alpha)
        self._plain = False

    def _mix(
        self,
        window: NDArray[np.uint8],
        codes: NDArray[np.uint8],
        colours: Sequence[Colour],
        alpha: float,
    ) -> None:
        where = codes != 0
        pairs = window[where].astype(np.uint16)
        pairs <<= 8
        pairs |= codes[where]
        counts = np.bincount(pairs, minlength=1 << 16)
        seen = np.flatnonzero(counts)
        seen = seen[np.argsort(-counts[seen], kind="stable")]
        layers, quarters = np.divmod((seen & 255) - FIRST, 4)
        share = alpha * _SHARES[quarters][:, None]
        mixed = np.array(colours, float)[layers] * share + self._colours[seen >> 8] * (1 - share)
        # Four shades count as one, so that the palette lasts; nobody sees it.
        coarse = np.minimum((mixed / 4).round() * 4, 255)
        mixed = np.where(share == 1, mixed, coarse).astype(int)
        table = np.zeros(1 << 16, np.uint8)
        table[seen] = self.inks(list(map(tuple, mixed.tolist())))
        window[where] = table[pairs]


def grey(level: int) -> int:
    """Returns the index of the grey nearest to 0 (black) to 255 (white)."""
    return round(level * WHITE / 255)


@functools.lru_cache(maxsize=FIRST)
def _shades(darkest: int) -> NDArray[np.uint8]:
    return np.linspace(WHITE, darkest, FIRST).round().astype(np.uint8)


@functools.lru_cache(maxsize=64)
def _on_white(colours: tuple[Colour, ...]) -> list[Colour]:
    share = _SHARES[:, None]
    mixed = np.array(colours, float)[:, None] * share + 255 * (1 - share)
    return [(r, g, b) for r, g, b in mixed.round().astype(int).reshape(-1, 3).tolist()]
