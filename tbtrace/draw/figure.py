"""A picture with axes: lines, areas, markers, places, a legend.

Only this package knows how the pixels come about; callers hand over coordinates, colours, strings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tbtrace.draw import axes, floor, markers, shapes, text
from tbtrace.draw.bar import Bar
from tbtrace.draw.canvas import FIRST, LAYERS, Canvas
from tbtrace.draw.labels import Labels
from tbtrace.draw.layout import Wish, arrange
from tbtrace.draw.legend import Legend
from tbtrace.draw.palette import parse, spread
from tbtrace.draw.pen import Sheet
from tbtrace.draw.scale import Limits
from tbtrace.draw.ways import trace
from tbtrace.errors import ContractError

SMALLEST = (240, 180)
"""Below this width and height there is no room for axes and readable text."""


class Plot:
    """One picture of fixed size with one pair of axes.

    Draw what is to be seen, the later on top, then call `png`. One plot belongs to one thread; any
    number of plots may be drawn at the same time.

    Args:
        limits: `(x0, x1, y0, y1)` to be seen, at equal scale unless they are flatter than 8:1; the
            label of the stretched axis then says so.
        size: `(width, height)` in pixels.
        title: First line, black, shortened where it is too long; empty for none.
        caption: Second line, grey; likewise.
        names: Names of the axes x and y; empty for none.
        units: Unit of both axes, or None.
        legend: `(text, colour)` of each entry, outside of the axes; left out where it would take
            about half of the picture. Long names are cut, in the middle where they begin alike.
        grow: Whether the axes fill the picture, showing more than `limits`; else they end there.
        equal: Whether a unit is as long in x as in y; False fills the picture with `limits`.
        rows: `(y, text)` of each tick of the y axis, instead of numbers.
        bar: The colour bar, on the right of the axes.

    Attributes:
        scale: Where coordinates lie on the picture (`scale.project`).

    Raises:
        ContractError: The size is below 240x180, or the limits are not finite or equal.

    Example:
        >>> plot = Plot((0.0, 4.0, 0.0, 3.0), title="a square")
        >>> plot.lines([np.array([(1, 1), (2, 1), (2, 2), (1, 2), (1, 1)])], ["#0072B2"])
        >>> plot.render().shape
        (480, 640, 3)
    """

    def __init__(
        self,
        limits: Limits,
        size: tuple[int, int] = (640, 480),
        *,
        title: str = "",
        caption: str = "",
        names: tuple[str, str] = ("x", "y"),
        units: str | None = None,
        legend: Sequence[tuple[str, str]] = (),
        grow: bool = True,
        equal: bool = True,
        rows: Sequence[tuple[float, str]] | None = None,
        bar: Bar | None = None,
    ) -> None:
        if size[0] < SMALLEST[0] or size[1] < SMALLEST[1]:
            raise ContractError(f"a picture of {size} pixels; at least {SMALLEST} are needed")
        heads = [(line, ink) for line, ink in ((title, 0), (caption, axes.PALE)) if line]
        entries = Legend(legend, size[0])
        wish = Wish(limits, names, grow, equal, None if rows is None else tuple(rows))
        room = text.width(text.clean(title)) if legend else 0
        layout = arrange(wish, size, len(heads), entries.extent, bar.width if bar else 0, room)
        self.scale = layout.scale
        self._canvas = Canvas(size, axes.around(layout, size, units))
        axes.head(self._canvas, layout, heads)
        if layout.legend:
            entries.write(self._canvas, *layout.legend)
        if bar:
            _, top, right, bottom = self.scale.box
            bar.write(self._canvas, right, top, bottom)
        self._labels = Labels(self._canvas, self.scale)

    def image(self, pixels: NDArray[np.uint8], extent: Limits, *, fade: float = 0.0) -> None:
        """Puts an image in place of the grid; call it first, as it covers what was drawn before.

        It is shown in 64 colours at most.

        Args:
            pixels: uint8 `(H, W, 3)`; the first row lies at `y1`, the first column at `x0`.
            extent: `(x0, x1, y0, y1)` of the image's edges.
            fade: Share of white mixed in: 0 shows it as it is, 1 hides it.
        """
        floor.paste(self._canvas, self.scale, pixels, extent, fade)

    def cells(self, codes: NDArray[np.uint8], colours: Sequence[str]) -> None:
        """Colours pixels inside of the axes.

        Args:
            codes: uint8 `(height, width)` of `scale.box`: 0 leaves what is there, 1 is the first
                colour.
            colours: `#rrggbb`, at most about 100.
        """
        inks = [parse(colour) for colour in ("#ffffff", *colours)]
        self._canvas.paste(self.scale.box, codes, inks, codes > 0)

    def outline(self, extent: Limits) -> None:
        """Draws a thin grey rectangle round `extent`, e.g. where a scene ends."""
        floor.outline(self._canvas, self.scale, extent)

    def lines(
        self,
        ways: Sequence[NDArray[np.float64]],
        colours: Sequence[str],
        *,
        width: float = 2.0,
        alpha: float = 1.0,
    ) -> None:
        """Draws one line through each way, the later ones on top.

        Args:
            ways: float `(n, 2)` each. A row with a NaN or an infinity is a gap; a piece of less
                than a pixel (one point, or a standstill) is a dot.
            colours: `#rrggbb`, one for each way. Above 55 ways, it is blocks of ways that lie on
                top of others, and above 55 colours similar ones become the same.
            width: Pixels, from 0.5 to 8, in steps of half a pixel.
            alpha: 0 (unseen) to 1 (opaque); lines of one call cover each other.
        """
        if not ways:
            return
        inks, numbers = spread([parse(colour) for colour in colours], LAYERS)
        if len(ways) <= LAYERS:
            layers, inks = list(range(len(ways))), [inks[number] for number in numbers]
        else:
            blocks = LAYERS // len(inks)
            layers = [i * blocks // len(ways) * len(inks) + k for i, k in enumerate(numbers)]
            inks = inks * blocks
            order = sorted(range(len(ways)), key=layers.__getitem__)
            ways, layers = [ways[i] for i in order], [layers[i] for i in order]
        left, top, right, bottom = self.scale.box
        sheet = Sheet.blank(right - left, bottom - top)
        trace(sheet, self.scale, ways, [FIRST + 4 * layer for layer in layers], width)
        self._canvas.lay(self.scale.box, sheet.codes(width), inks, alpha)

    def band(
        self,
        x: NDArray[np.float64],
        low: NDArray[np.float64],
        high: NDArray[np.float64],
        colour: str,
        *,
        alpha: float = 0.25,
    ) -> None:
        """Fills the area between two curves.

        Args:
            x: float `(n,)`.
            low: float `(n,)`, one curve; a NaN or an infinity in any of the three is a gap.
            high: float `(n,)`, the other one.
            colour: `#rrggbb`.
            alpha: 0 (unseen) to 1 (opaque).
        """
        codes = shapes.band(self.scale, x, low, high)
        self._canvas.lay(self.scale.box, codes, [parse(colour)], alpha)

    def bars(
        self, boxes: NDArray[np.float64], colours: Sequence[str], *, alpha: float = 1.0
    ) -> None:
        """Fills rectangles, the later ones on top; each is at least a pixel wide and high.

        Args:
            boxes: float `(n, 4)`, rows of `(x0, x1, y0, y1)`; one with a NaN is left out.
            colours: `#rrggbb`, one for each rectangle; above 55, similar ones become the same.
            alpha: 0 (unseen) to 1 (opaque); rectangles of one call cover each other.
        """
        if not len(boxes):
            return
        inks, layers = spread([parse(colour) for colour in colours], LAYERS)
        self._canvas.lay(self.scale.box, shapes.bars(self.scale, boxes, layers), inks, alpha)

    def starts(self, points: NDArray[np.float64], colours: Sequence[str], radius: float) -> None:
        """Marks points, float `(n, 2)`, with rings of `radius` pixels."""
        self._mark(points, colours, markers.stamp(radius + 1, radius - 1))

    def ends(self, points: NDArray[np.float64], colours: Sequence[str], radius: float) -> None:
        """Marks points, float `(n, 2)`, with dots of `radius` pixels."""
        self._mark(points, colours, markers.stamp(radius, 0))

    def _mark(
        self, points: NDArray[np.float64], colours: Sequence[str], kind: NDArray[np.int8]
    ) -> None:
        if len(points):
            inks = [parse(colour) for colour in colours]
            markers.put(self._canvas, self.scale.box, self.scale.project(points), inks, kind)

    def places(self, places: Mapping[str, tuple[float, float]]) -> None:
        """Writes names just above points; one that would cover an earlier one is left out."""
        for name, point in places.items():
            self._labels.write(name, point)

    def render(self) -> NDArray[np.uint8]:
        """Returns the picture so far: uint8 `(height, width, 3)`."""
        return self._canvas.rgb()

    def png(self) -> bytes:
        """Returns the picture so far as a PNG file; the same picture gives the same bytes."""
        return self._canvas.png()
