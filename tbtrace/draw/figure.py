"""A map-like picture: axes at equal scale, lines, markers, places, a legend.

Only this package knows how the pixels come about (matplotlib's Agg for lines and markers, Pillow
for the rest); callers hand over coordinates, colours and strings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import CircleCollection, Collection, LineCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox, IdentityTransform
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from tbtrace.draw import png
from tbtrace.draw.axes import Axes
from tbtrace.draw.scale import Limits
from tbtrace.errors import ContractError

SMALLEST = (240, 180)
"""Below this width and height there is no room for axes and readable text."""

# With 72 dots per inch a typographic point, matplotlib's unit, is a pixel.
_DPI = 72


class Plot:
    """One picture of fixed size with one pair of axes.

    Add what is to be seen, then call `render`. One plot belongs to one thread; any number of plots
    may be drawn at the same time.

    Args:
        limits: `(x0, x1, y0, y1)` to be seen, at equal scale unless they are flatter than 8:1; the
            label of the stretched axis then says so.
        size: `(width, height)` in pixels.
        title: First line, black, shortened where it is too long; empty for none.
        caption: Second line, grey; likewise.
        names: Names of the axes x and y.
        units: Unit of both axes, or None.
        legend: `(text, colour)` of each entry, drawn beside or below the axes where there is room,
            else in their emptiest corner; left out where it is larger than the axes.
        grow: Whether the axes fill the picture, showing more than `limits`; else they end there.
        equal: Whether a unit is as long in x as in y; False fills the picture with `limits`.
        rows: `(y, text)` of each tick of the y axis, instead of numbers.

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
    ) -> None:
        if size[0] < SMALLEST[0] or size[1] < SMALLEST[1]:
            raise ContractError(f"a picture of {size} pixels; at least {SMALLEST} are needed")
        self._size = size
        self._axes = Axes(
            limits,
            size,
            title=title,
            caption=caption,
            names=names,
            units=units,
            legend=legend,
            grow=grow,
            equal=equal,
            rows=rows,
        )
        self.scale = self._axes.scale
        self._floor = self._axes.floor()
        self._marks: list[Collection] = []
        self._places: dict[str, tuple[float, float]] = {}

    def image(self, pixels: NDArray[np.uint8], extent: Limits, *, fade: float = 0.0) -> None:
        """Puts an image under everything else, in place of the grid.

        Args:
            pixels: uint8 `(H, W, 3)`; the first row lies at `y1`, the first column at `x0`.
            extent: `(x0, x1, y0, y1)` of the image's edges.
            fade: Share of white mixed in: 0 shows it as it is, 1 hides it.
        """
        x0, x1, y0, y1 = extent
        (ax, ay), (bx, by) = self._on_floor((x0, y1), (x1, y0))
        picture = Image.fromarray(np.ascontiguousarray(pixels))
        if ax > bx:
            picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        if ay > by:
            picture = picture.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
        wide, high = max(1, abs(bx - ax)), max(1, abs(by - ay))
        # The cells of a coarse grid stay sharp.
        coarse = wide >= 2 * picture.width and high >= 2 * picture.height
        how = Image.Resampling.NEAREST if coarse else Image.Resampling.BILINEAR
        picture = picture.resize((wide, high), how)
        picture = Image.blend(picture, Image.new("RGB", picture.size, "white"), fade)
        self._floor.paste(picture, (min(ax, bx), min(ay, by)))

    def outline(self, extent: Limits) -> None:
        """Draws a thin grey rectangle round `extent`, e.g. where a scene ends."""
        x0, x1, y0, y1 = extent
        (ax, ay), (bx, by) = self._on_floor((x0, y1), (x1, y0))
        box = (min(ax, bx), min(ay, by), max(ax, bx), max(ay, by))
        ImageDraw.Draw(self._floor).rectangle(box, outline="#8a8a8a")

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
            colours: `#rrggbb`, one for each way.
            width: Pixels.
            alpha: 0 (unseen) to 1 (opaque).
        """
        pieces, inks = [], []
        dots, dot_inks = [], []
        for way, ink in zip(ways, colours, strict=True):
            at = self._upwards(way)
            for first, last in _pieces(way):
                if np.ptp(at[first:last], axis=0).max() >= 1:
                    pieces.append(at[first:last])
                    inks.append(ink)
                else:
                    dots.append(at[first])
                    dot_inks.append(ink)
        if pieces:
            drawn = LineCollection(
                pieces,
                colors=inks,
                linewidths=width,
                antialiaseds=True,
                capstyle="round",
                joinstyle="round",
                transform=IdentityTransform(),
            )
            self._add(drawn, alpha)
        if dots:
            self._circles(np.array(dots), width + 0.5, dot_inks, "none", 0, alpha)

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
            low: float `(n,)`, of one curve; a NaN or an infinity is a gap.
            high: float `(n,)`, of the other, likewise.
            colour: `#rrggbb`.
            alpha: 0 (unseen) to 1 (opaque).
        """
        below, above = np.column_stack([x, low]), np.column_stack([x, high])
        whole = np.where(np.isfinite(below) & np.isfinite(above), above, np.nan)
        below, above = self._upwards(below), self._upwards(above)
        areas = [
            np.concatenate([below[first:last], above[first:last][::-1]])
            for first, last in _pieces(whole)
            if last - first > 1
        ]
        if areas:
            shape = PolyCollection(areas, facecolors=colour, transform=IdentityTransform())
            self._add(shape, alpha)

    def bars(
        self, boxes: NDArray[np.float64], colours: Sequence[str], *, alpha: float = 1.0
    ) -> None:
        """Fills rectangles, the later ones on top; each is at least a pixel wide and high.

        Args:
            boxes: float `(n, 4)`, rows of `(x0, x1, y0, y1)`; one with a NaN is left out.
            colours: `#rrggbb`, one for each rectangle.
            alpha: 0 (unseen) to 1 (opaque).
        """
        one, other = self._upwards(boxes[:, [0, 2]]), self._upwards(boxes[:, [1, 3]])
        low, high = np.minimum(one, other).round(), np.maximum(one, other).round()
        high = np.maximum(high, low + 1)
        seen = np.isfinite(low).all(axis=1) & np.isfinite(high).all(axis=1)
        if seen.any():
            (x0, y0), (x1, y1) = low[seen].T, high[seen].T
            corners = np.stack([x0, y0, x1, y0, x1, y1, x0, y1], axis=1).reshape(-1, 4, 2)
            inks = [ink for ink, drawn in zip(colours, seen, strict=True) if drawn]
            shape = PolyCollection(corners, facecolors=inks, transform=IdentityTransform())
            self._add(shape, alpha)

    def starts(self, points: NDArray[np.float64], colours: Sequence[str], radius: float) -> None:
        """Marks points, float `(n, 2)`, with rings of `radius` pixels."""
        self._circles(self._upwards(points), radius, "white", colours, 2)

    def ends(self, points: NDArray[np.float64], colours: Sequence[str], radius: float) -> None:
        """Marks points, float `(n, 2)`, with dots of `radius` pixels."""
        self._circles(self._upwards(points), radius, colours, "white", 1)

    def places(self, places: Mapping[str, tuple[float, float]]) -> None:
        """Writes names just above points; one that would cover an earlier one is left out."""
        self._places.update(places)

    def render(self) -> NDArray[np.uint8]:
        """Returns the picture so far: uint8 `(height, width, 3)`."""
        marks = self._raster()
        image = Image.new("RGB", self._size, "white")
        image.paste(self._floor, self.scale.box[:2])
        image.paste(marks, mask=marks)
        self._axes.write(image, self._places, np.asarray(marks)[..., 3] > 0)
        return np.array(image)

    def png(self) -> bytes:
        """Returns the picture so far as a PNG file; the same picture gives the same bytes."""
        return png.encode(self.render())

    def _raster(self) -> Image.Image:
        # The hair more than the size keeps int() in matplotlib from losing a pixel.
        wide, high = self._size
        figure = Figure(((wide + 1e-3) / _DPI, (high + 1e-3) / _DPI), dpi=_DPI, frameon=False)
        figure.set_layout_engine("none")
        canvas: Any = FigureCanvasAgg(figure)  # matplotlib has no types for it
        left, top, right, bottom = self.scale.box
        inside = Bbox.from_extents(left, high - bottom, right, high - top)
        for mark in self._marks:
            figure.add_artist(mark, clip=False)
            mark.set_clip_box(inside)
        self._marks = []
        canvas.draw()
        return Image.fromarray(np.asarray(canvas.buffer_rgba()))

    def _add(self, mark: Collection, alpha: float) -> None:
        # Of one z-order, what was added last lies on top; kinds of artists have different ones.
        mark.set(alpha=alpha, zorder=1)
        self._marks.append(mark)

    def _circles(
        self,
        at: NDArray[np.float64],
        radius: float,
        fill: str | Sequence[str],
        edge: str | Sequence[str],
        edge_width: float,
        alpha: float = 1.0,
    ) -> None:
        drawn = CircleCollection(
            [np.pi * radius**2],
            offsets=at,
            offset_transform=IdentityTransform(),
            facecolors=fill,
            edgecolors=edge,
            linewidths=edge_width,
            antialiaseds=True,
        )
        self._add(drawn, alpha)

    def _upwards(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Projects points to Agg's pixels, which count from the bottom."""
        at = self.scale.project(points)
        at[:, 1] = self._size[1] - at[:, 1]
        return at

    def _on_floor(self, *points: tuple[float, float]) -> list[tuple[int, int]]:
        left, top = self.scale.box[:2]
        at = self.scale.project(np.array(points)).round().astype(int)
        return [(u - left, v - top) for u, v in at.tolist()]


def _pieces(way: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Returns first and past-the-end rows of each stretch of finite points."""
    finite = np.isfinite(way).all(axis=1)
    if finite.all():
        return [(0, len(way))] if len(way) else []
    edges = np.flatnonzero(np.diff(finite.astype(np.int8), prepend=0, append=0))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]
