"""What stands round a drawing: frame, grid, ticks, headings, place names, legend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from tbtrace.draw import text
from tbtrace.draw.scale import Box, Limits, Scale, Ticks

_INK, _PALE, _GRID, _EDGE = "#000000", "#3c3c3c", "#e6e6e6", "#8a8a8a"
_MARGIN, _SMALL, _LINE, _TICK = 8, 14, 20, 5
_ROW, _SWATCH, _NAME = 19, 20, 150


class Axes:
    """The layout of one picture, and everything on it that is text or frame.

    Args:
        limits, size, title, caption, names, units, legend, grow: As `tbtrace.draw.figure.Plot`.

    Attributes:
        scale: Where coordinates lie on the picture.
    """

    def __init__(
        self,
        limits: Limits,
        size: tuple[int, int],
        *,
        title: str,
        caption: str,
        names: tuple[str, str],
        units: str | None,
        legend: Sequence[tuple[str, str]],
        grow: bool,
        equal: bool = True,
        rows: Sequence[tuple[float, str]] | None = None,
    ) -> None:
        self._size, self._equal = size, equal
        self._heads = [(line, ink) for line, ink in ((title, _INK), (caption, _PALE)) if line]
        most = min(_NAME, size[0] // 4)
        self._legend = [(text.shorten(name, most, _SMALL), ink) for name, ink in legend]
        widest = max((text.width(name, _SMALL) for name, _ in self._legend), default=0)
        self._legend_size = (_SWATCH + widest + 18, _ROW * len(self._legend) + 8)
        self._suffix = f" [{text.clean(units)}]" if units else ""
        self._rows = rows and [(y, text.shorten(name, size[0] // 4, _SMALL)) for y, name in rows]
        wide, high = size
        top = _MARGIN + _LINE * len(self._heads) + 4
        room = (_MARGIN, top, wide - 2 * _MARGIN, high - _MARGIN - 2 * _LINE - _TICK)
        # Ticks need the scale, which needs the room that the ticks leave: twice is near enough.
        for _ in range(2):
            self.scale = Scale.fit(limits, room, grow=grow, centre=not legend, equal=equal)
            self._ticks = self._choose_ticks(names)
            left = _MARGIN + _LINE + self._tick_width() + _TICK + 8
            room = (left, *room[1:])
        self.scale = Scale.fit(limits, room, grow=grow, centre=not legend, equal=equal)
        self._ticks = self._choose_ticks(names)

    def _choose_ticks(self, names: tuple[str, str]) -> tuple[Ticks, Ticks]:
        (x0, x1, y0, y1), (left, top, right, bottom) = self.scale.limits, self.scale.box
        columns, rows = max(2, (right - left) // 80), max(2, (bottom - top) // 50)
        across = Ticks.between(x0, x1, columns, names[0])
        if self._rows is not None:
            seen = [(y, name) for y, name in self._rows if min(y0, y1) <= y <= max(y0, y1)]
            values, labels = zip(*seen, strict=True) if seen else ((), ())
            return across, Ticks(values, labels, names[1])
        up = Ticks.between(y0, y1, rows, names[1])
        if across.power != up.power and self._equal and self.scale.stretch == 1:
            # Equal scale is only seen where both axes count in the same unit.
            power = max(across.power, up.power)
            across = Ticks.between(x0, x1, columns, names[0], power)
            up = Ticks.between(y0, y1, rows, names[1], power)
        return across, up

    def _tick_width(self) -> int:
        return max((text.width(label, _SMALL) for label in self._ticks[1].labels), default=0)

    def _at(self, x: float, y: float) -> tuple[float, float]:
        u, v = self.scale.project(np.array([(x, y)]))[0].tolist()
        return u, v

    def floor(self) -> Image.Image:
        """Returns the axes' inside, white with grid lines, as large as the box."""
        left, top, right, bottom = self.scale.box
        image = Image.new("RGB", (right - left, bottom - top), "white")
        draw = ImageDraw.Draw(image)
        for value in self._ticks[0].values:
            u = int(self._at(value, self.scale.limits[2])[0]) - left
            draw.line([(u, 0), (u, bottom - top)], fill=_GRID)
        for value in self._ticks[1].values:
            v = int(self._at(self.scale.limits[0], value)[1]) - top
            draw.line([(0, v), (right - left, v)], fill=_GRID)
        return image

    def write(
        self,
        image: Image.Image,
        places: Mapping[str, tuple[float, float]],
        covered: NDArray[np.bool_],
    ) -> None:
        """Writes everything onto `image`.

        Args:
            image: RGB, of the picture's size.
            places: `{text: (x, y)}`; the text stands just above its point. Names that would cover
                an earlier one, or that lie outside of the axes, are left out.
            covered: bool `(height, width)`, where something is drawn: the legend avoids it.
        """
        draw = ImageDraw.Draw(image)
        draw.fontmode = "L"
        self._write_frame(image, draw)
        covered = covered.copy()
        for left, top, right, bottom in self._write_places(draw, places):
            covered[top:bottom, left:right] = True
        if self._legend:
            self._write_legend(image, covered)

    def _write_frame(self, image: Image.Image, draw: ImageDraw.ImageDraw) -> None:
        left, top, right, bottom = self.scale.box
        wide, high = self._size
        draw.rectangle((left - 1, top - 1, right, bottom), outline=_EDGE)
        across, up = self._ticks
        free = -1.0
        for value, label in zip(across.values, across.labels, strict=True):
            u = self._at(value, self.scale.limits[2])[0]
            draw.line([(int(u), bottom), (int(u), bottom + _TICK)], fill=_EDGE)
            half = text.width(label, _SMALL) / 2
            u = min(max(u, half + 4), wide - half - 4)
            if u - half > free:
                draw.text((u, bottom + _TICK + 2), label, _INK, text.font(_SMALL), "ma")
                free = u + half + 6
        for value, label in zip(up.values, up.labels, strict=True):
            v = self._at(self.scale.limits[0], value)[1]
            draw.line([(left - _TICK, int(v)), (left, int(v))], fill=_EDGE)
            draw.text((left - _TICK - 3, v), label, _INK, text.font(_SMALL), "rm")
        name_x, name_y = (self._name(ticks, axis) for axis, ticks in enumerate(self._ticks))
        middle = (left + right) / 2
        line = text.shorten(name_x, wide - 2 * _MARGIN)
        half = text.width(line) / 2
        middle = min(max(middle, _MARGIN + half), wide - _MARGIN - half)
        draw.text((middle, bottom + _TICK + _LINE), line, _PALE, text.font(), "ma")
        line = text.shorten(name_y, high - 2 * _MARGIN)
        upright = Image.new("L", (text.width(line) + 2, _LINE))
        ImageDraw.Draw(upright).text((1, 1), line, 255, text.font(), "la")
        upright = upright.rotate(90, expand=True)
        place_y = (top + bottom - upright.height) // 2
        place_y = min(max(place_y, _MARGIN), high - _MARGIN - upright.height)
        place_x = max(2, left - _TICK - self._tick_width() - 8 - _LINE)
        image.paste(_PALE, (place_x, place_y), upright)
        for i, (line, ink) in enumerate(self._heads):
            line = text.shorten(line, wide - 2 * _MARGIN)
            draw.text((_MARGIN, _MARGIN - 2 + i * _LINE), line, ink, text.font(), "la")

    def _name(self, ticks: Ticks, axis: int) -> str:
        stretch = self.scale.stretch if axis else 1 / self.scale.stretch
        factor = f"{stretch:.3g}" if stretch < 1000 else f"{stretch:.0f}"
        told = f" · stretched {factor} times" if stretch > 1 else ""
        return ticks.title + self._suffix + told

    def _write_places(
        self, draw: ImageDraw.ImageDraw, places: Mapping[str, tuple[float, float]]
    ) -> list[Box]:
        left, top, right, bottom = self.scale.box
        taken: list[Box] = []
        for name, (x, y) in places.items():
            line = text.shorten(name, right - left - 4, _SMALL)
            u, v = self._at(x, y)
            if not (line and left <= u <= right and top <= v <= bottom):
                continue
            wide = text.width(line, _SMALL)
            u = min(max(u - wide / 2, left + 2), right - wide - 2)
            v = min(max(v - _ROW - 5, top + 2), bottom - _ROW)
            box = (int(u) - 2, int(v) - 1, int(u) + wide + 2, int(v) + _ROW - 1)
            if any(_meet(box, other) for other in taken):
                continue
            taken.append(box)
            font = text.font(_SMALL)
            draw.text((u, v), line, _PALE, font, "la", stroke_width=2, stroke_fill="white")
        return taken

    def _write_legend(self, image: Image.Image, covered: NDArray[np.bool_]) -> None:
        left, top, right, bottom = self.scale.box
        wide, high = self._legend_size
        below = bottom + _TICK + 2 * _LINE + 6
        if right + wide + 2 * _MARGIN <= self._size[0]:
            x, y = right + _MARGIN, top
        elif below + high + _MARGIN <= self._size[1]:
            x, y = left, below
        elif wide + 12 <= right - left and high + 12 <= bottom - top:
            corners = [
                (x, y) for y in (top + 6, bottom - high - 6) for x in (right - wide - 6, left + 6)
            ]
            x, y = min(corners, key=lambda at: covered[at[1] :, at[0] :][:high, :wide].sum())
        else:
            return
        behind = image.crop((x, y, x + wide, y + high))
        sheet = Image.blend(behind, Image.new("RGB", behind.size, "white"), 0.85)
        draw = ImageDraw.Draw(sheet)
        draw.rectangle((0, 0, wide - 1, high - 1), outline="#c8c8c8")
        for i, (name, ink) in enumerate(self._legend):
            middle = 4 + i * _ROW + _ROW // 2
            draw.line([(7, middle), (_SWATCH + 5, middle)], fill=ink, width=4)
            draw.text((_SWATCH + 12, middle), name, _INK, text.font(_SMALL), "lm")
        image.paste(sheet, (x, y))


def _meet(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
