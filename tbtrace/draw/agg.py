"""Users' matplotlib figures to pixels."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

_T = TypeVar("_T")


def pixels_of(figure: Any) -> NDArray[np.uint8] | None:
    """Returns the pixels of a matplotlib figure, drawn with Agg in its own size and resolution.

    matplotlib is not imported for what is none.

    Args:
        figure: Of whatever backend; it may be changed and drawn again.

    Returns:
        RGBA uint8 `(height, width, 4)`; None for what is no figure.

    Example:
        >>> from matplotlib.figure import Figure
        >>> pixels_of(Figure((2, 1), dpi=100)).shape
        (100, 200, 4)
        >>> pixels_of("figure") is None
        True
    """
    known: Any = sys.modules.get("matplotlib.figure")
    if known is None or not isinstance(figure, known.Figure):
        return None
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas: Any = figure.canvas
    if type(canvas) is not FigureCanvasAgg:  # a window's would need its toolkit's thread
        canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.array(canvas.buffer_rgba())


def closing(act: Callable[[], _T]) -> _T:
    """Returns what `act` returns, and closes the figures that it opened with pyplot.

    A closed figure can still be drawn. Those that were open before stay open. pyplot is not
    imported for it.
    """
    before = _open()
    try:
        return act()
    finally:
        for number in _open() - before:
            sys.modules["matplotlib.pyplot"].close(number)


def _open() -> set[int]:
    pyplot: Any = sys.modules.get("matplotlib.pyplot")
    return set(pyplot.get_fignums()) if pyplot else set()
