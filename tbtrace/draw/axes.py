"""What stands round a drawing: frame, grid, ticks, headings."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tbtrace.draw import glyphs, text
from tbtrace.draw.canvas import Canvas, grey
from tbtrace.draw.layout import LINE, MARGIN, TICK, Layout
from tbtrace.draw.scale import Ticks

PALE, GRID, EDGE = grey(60), grey(230), grey(138)
_BELOW = 2


@functools.lru_cache(maxsize=8)
def around(layout: Layout, size: tuple[int, int], units: str | None) -> NDArray[np.uint8]:
    """Returns a picture with frame, grid, ticks and names: uint8 `(height, width)`, greys.

    Axes stand still over many pictures, so do not change it.

    Args:
        layout: Where the axes are.
        size: `(width, height)` in pixels.
        units: Unit of both axes, or None.
    """
    canvas = Canvas(size)
    _write_grid(canvas, layout)
    _write_labels(canvas, layout)
    _write_names(canvas, layout, f" [{text.clean(units)}]" if units else "")
    return canvas.pixels


def head(canvas: Canvas, layout: Layout, lines: Sequence[tuple[str, int]]) -> None:
    """Writes the lines above the axes, text and grey of each, shortened where it is too long."""
    for i, (line, ink) in enumerate(lines):
        beside = layout.legend if i == 0 and layout.legend and layout.legend[1] < LINE else None
        end = beside[0] if beside else canvas.size[0]
        line = text.shorten(line, end - 2 * MARGIN)
        canvas.write(MARGIN, MARGIN - 2 + i * LINE, glyphs.line(line), ink)


def _columns(layout: Layout) -> list[int]:
    values = layout.across.values
    at = layout.scale.project(
        np.array([(x, layout.scale.limits[2]) for x in values]).reshape(-1, 2)
    )
    return [int(u) for u in at[:, 0].tolist()]


def _rows(layout: Layout) -> list[int]:
    values = layout.up.values
    at = layout.scale.project(
        np.array([(layout.scale.limits[0], y) for y in values]).reshape(-1, 2)
    )
    return [int(v) for v in at[:, 1].tolist()]


def _write_grid(canvas: Canvas, layout: Layout) -> None:
    left, top, right, bottom = layout.scale.box
    pixels = canvas.pixels
    for u in _columns(layout):
        pixels[top:bottom, u : u + 1] = GRID
        pixels[bottom : bottom + TICK + 1, u] = EDGE
    for v in _rows(layout):
        pixels[v : v + 1, left:right] = GRID
        pixels[v, left - TICK : left] = EDGE
    pixels[top - 1 : bottom + 1, (left - 1, right)] = EDGE
    pixels[(top - 1, bottom), left - 1 : right + 1] = EDGE


def _write_labels(canvas: Canvas, layout: Layout) -> None:
    left, _, _, bottom = layout.scale.box
    free = -1.0
    for u, label in zip(_columns(layout), layout.across.labels, strict=True):
        ink = glyphs.line(label, text.SMALL)
        half = ink.shape[1] / 2
        u = round(min(max(u + 0.5 - half, 4), canvas.size[0] - 2 * half - 4))
        if u > free:
            canvas.write(u, bottom + TICK + _BELOW, ink)
            free = u + 2 * half + 6
    taken: list[int] = []
    for v, label in zip(_rows(layout), layout.up.labels, strict=True):
        ink = glyphs.line(label, text.SMALL)
        if any(abs(v - other) < text.SMALL for other in taken):
            continue
        taken.append(v)
        canvas.write(left - TICK - 3 - ink.shape[1], v - ink.shape[0] // 2, ink)


def _write_names(canvas: Canvas, layout: Layout, suffix: str) -> None:
    left, top, right, bottom = layout.scale.box
    aside = (MARGIN, canvas.size[0] - MARGIN)
    ink = _name(layout.across, suffix, 1 / layout.scale.stretch, aside)
    u = _kept((left + right - ink.shape[1]) // 2, ink.shape[1], aside)
    canvas.write(u, bottom + TICK + LINE, ink, PALE)
    ink = np.rot90(_name(layout.up, suffix, layout.scale.stretch, layout.aside))
    v = _kept((top + bottom - ink.shape[0]) // 2, ink.shape[0], layout.aside)
    u = max(2, left - TICK - layout.tick_width - 8 - ink.shape[1])
    canvas.write(u, v, ink, PALE)


def _kept(start: int, length: int, room: tuple[int, int]) -> int:
    return min(max(start, room[0]), room[1] - length)


def _name(ticks: Ticks, suffix: str, stretch: float, room: tuple[int, int]) -> NDArray[np.uint8]:
    if not ticks.title:
        return glyphs.line("")
    name, pixels = ticks.title + suffix, room[1] - room[0]
    if stretch > 1:
        factor = f"{stretch:.3g}" if stretch < 1000 else f"{stretch:.0f}"
        whole = f"{name} · stretched {factor} times"
        fits = text.width(text.clean(whole)) <= pixels
        name = whole if fits else f"{name} · {factor}\N{MULTIPLICATION SIGN}"
    return glyphs.line(text.shorten(name, pixels))
