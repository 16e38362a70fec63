from __future__ import annotations

import subprocess
import sys

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from tbtrace.draw.agg import closing, pixels_of


def test_a_figure_is_drawn_again_after_a_change() -> None:
    figure = Figure((2, 1), dpi=50, facecolor="black")
    first = pixels_of(figure)
    figure.set_facecolor("white")
    second = pixels_of(figure)
    assert first is not None
    assert second is not None
    assert first.shape == (50, 100, 4)
    assert (first == [0, 0, 0, 255]).all()
    assert (second == 255).all()


def test_the_canvas_of_a_window_is_not_used() -> None:
    class Window(FigureCanvasAgg):
        def draw(self) -> None:
            raise RuntimeError("only on the toolkit's thread")

    figure = Figure((1, 1), dpi=20)
    Window(figure)
    drawn = pixels_of(figure)
    assert drawn is not None
    assert drawn.shape == (20, 20, 4)


@pytest.mark.parametrize("other", [None, "figure", np.zeros((3, 3))])
def test_other_things_are_no_figures(other: object) -> None:
    assert pixels_of(other) is None


def test_matplotlib_is_not_imported_for_what_is_no_figure() -> None:
    code = (
        "import sys; from tbtrace.draw.agg import closing, pixels_of; "
        "assert closing(lambda: pixels_of(3)) is None; print('matplotlib' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]


def test_only_figures_that_were_opened_are_closed() -> None:
    before = plt.figure()
    try:
        assert closing(lambda: plt.figure().number) not in plt.get_fignums()
        assert plt.get_fignums() == [before.number]
    finally:
        plt.close(before)
