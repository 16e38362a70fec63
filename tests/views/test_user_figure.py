from __future__ import annotations

import subprocess
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure as MplFigure
from PIL import Image
from stand import episode

from tbtrace.draw import anim
from tbtrace.errors import ContractError, ViewError
from tbtrace.views import Context, Picture
from tbtrace.views.figure import Figure

RED = (214, 39, 40)


def draw(function: Any, **options: Any) -> Picture:
    picture = Figure(function, **options).draw([episode("a", 3.5)], Context(), "best")
    assert picture is not None
    return picture


def pixels(picture: Picture, mode: str = "RGB") -> np.ndarray:
    image = Image.open(BytesIO(picture.png))
    assert image.size == (picture.width, picture.height)
    return np.array(image.convert(mode))


def plotted(figure: MplFigure) -> MplFigure:
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    axes.axvspan(0.5, 1.0, color="tab:red")
    axes.set(xlim=(0, 1), ylim=(0, 1))
    return figure


def photo() -> np.ndarray:
    small = np.random.default_rng(0).integers(0, 256, (12, 16, 3), np.uint8)
    return np.array(Image.fromarray(small).resize((160, 120), Image.Resampling.BICUBIC))


def test_a_matplotlib_figure_is_drawn_in_its_own_size() -> None:
    picture = draw(lambda told: plotted(MplFigure((3, 2), dpi=100)))
    assert (picture.width, picture.height, picture.title) == (300, 200, "best")
    image = pixels(picture)
    assert (image[:, 155:295] == RED).all()
    assert (image[:, 5:145] == 255).all()


def test_the_function_gets_the_picked_episode_or_all_of_them() -> None:
    given = []
    told = [episode("a"), episode("b")]
    Figure(given.append).draw(told, Context())
    Figure(given.append, together=True).draw(told, Context())
    assert given == [told[0], told]
    assert not Figure(given.append).together


def test_pyplot_figures_are_closed_and_those_of_others_stay_open() -> None:
    mine = plt.figure()
    try:

        def leaky(told: object) -> MplFigure:
            plt.figure()
            return plotted(plt.figure(figsize=(1, 1)))

        def failing(told: object) -> MplFigure:
            plt.figure()
            raise ZeroDivisionError

        for _ in range(3):
            assert (pixels(draw(leaky))[:, 60:95] == RED).all()
            with pytest.raises(ZeroDivisionError):
                draw(failing)
        assert plt.get_fignums() == [mine.number]
    finally:
        plt.close(mine)


@pytest.mark.parametrize("make", [MplFigure, plt.figure])
def test_a_figure_may_be_used_again(make: Any) -> None:
    kept: list[MplFigure] = []

    def function(told: object) -> MplFigure:
        if not kept:
            kept.append(plotted(make(figsize=(2, 1), dpi=100)))
        else:
            kept[0].axes[0].axvspan(0.0, 0.5, color="black")
        return kept[0]

    assert (pixels(draw(function))[:, 5:95] == 255).all()
    second = pixels(draw(function))
    assert (second[:, 5:95] == 0).all()
    assert (second[:, 105:195] == RED).all()
    assert plt.get_fignums() == []


def test_a_transparent_figure_stays_transparent() -> None:
    def function(told: object) -> MplFigure:
        figure = plotted(MplFigure((2, 1), dpi=100))
        figure.patch.set_alpha(0.0)
        return figure

    image = pixels(draw(function), "RGBA")
    assert (image[:, 5:95, 3] == 0).all()
    assert (image[:, 105:195] == (*RED, 255)).all()


ARRAYS = {
    "grey": (np.array([[0, 128, 255]], np.uint8), [0, 128, 255]),
    "bool": (np.array([[False, True, True]]), [0, 255, 255]),
    "float": (np.array([[0.0, 0.5, 1.0]]), [0, 128, 255]),
    "float16": (np.array([[0.0, 0.25, 1.0]], np.float16), [0, 64, 255]),
    "wild": (np.array([[np.nan, 7.0, -np.inf]]), [0, 255, 0]),
}


@pytest.mark.parametrize("kind", ARRAYS)
def test_arrays_of_one_channel_are_grey(kind: str) -> None:
    array, wanted = ARRAYS[kind]
    image = pixels(draw(lambda told: array))
    assert image.shape == (1, 3, 3)
    assert image[0, :, 0].tolist() == wanted
    assert (image == image[..., :1]).all()


@pytest.mark.parametrize("channels", [3, 4])
def test_arrays_of_colours_are_as_they_are(channels: int) -> None:
    given = np.random.default_rng(0).integers(0, 256, (9, 8, channels), np.uint8)
    assert (pixels(draw(lambda told: given), "RGBA" if channels == 4 else "RGB") == given).all()
    assert (
        pixels(draw(lambda told: given[::-1, ::2]), "RGBA")[..., :channels] == given[::-1, ::2]
    ).all()


def test_photographs_keep_their_colours_and_drawings_get_a_palette() -> None:
    assert (pixels(draw(lambda told: photo())) == photo()).all()
    drawing = draw(lambda told: plotted(MplFigure((3, 2))))
    assert Image.open(BytesIO(drawing.png)).mode == "P"


def test_a_photograph_in_a_figure_is_not_quantised() -> None:
    def function(told: object) -> MplFigure:
        figure = MplFigure((3.2, 2.4), dpi=100)
        figure.figimage(photo(), 20, 30)
        return figure

    assert (pixels(draw(function))[90:210, 20:180] == photo()).all()


def test_bytes_of_a_png_are_taken_as_they_are() -> None:
    file = anim.encode(np.stack([photo(), photo()[::-1]]))
    for given in (file, bytearray(file), memoryview(file)):
        picture = draw(lambda told, given=given: given)
        assert (picture.png, picture.width, picture.height) == (file, 160, 120)


def test_nothing_to_draw_is_none() -> None:
    assert Figure(lambda told: None).draw([episode("a")], Context()) is None
    assert Figure(lambda told: photo()).draw([], Context()) is None


WRONG = {
    "a str": ("picture.png", "builtins.str"),
    "a list": ([[0, 1]], "builtins.list"),
    "axes": (MplFigure().add_subplot(), "matplotlib.axes"),
    "other bytes": (b"GIF89a", "6 bytes"),
    "int32": (np.zeros((4, 4), np.int32), "int32 \\(4, 4\\)"),
    "complex": (np.zeros((4, 4), complex), "complex128"),
    "two channels": (np.zeros((4, 4, 2), np.uint8), "\\(4, 4, 2\\)"),
    "one axis": (np.zeros(4, np.uint8), "\\(4,\\)"),
    "no pixels": (np.zeros((0, 4, 3), np.uint8), "\\(0, 4, 3\\)"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_cannot_be_shown_is_named_with_a_remedy(kind: str) -> None:
    given, what = WRONG[kind]

    def crashes(told: object) -> object:
        return given

    with pytest.raises(
        ViewError, match=f"crashes of view 'mine' returned.*{what}.*return a matplotlib"
    ):
        draw(crashes, name="mine")


def test_what_cannot_be_called_is_refused() -> None:
    with pytest.raises(ContractError, match="'mine' got 3"):
        Figure(3, name="mine")  # type: ignore[arg-type]


def test_the_same_figure_gives_the_same_bytes() -> None:
    def function(told: object) -> MplFigure:
        figure = MplFigure((3, 2))
        figure.add_subplot().plot([1, 3, 2])
        return figure

    assert draw(function) == draw(function)


PROGRAM = """
import sys
import numpy as np
from tbtrace import Episode, Reporting, RunReporter
from tbtrace.select import Last
from tbtrace.views.figure import Figure

shade = 70
opened = []

def of_main(episode):
    import matplotlib.pyplot as plt
    opened.append(len(plt.get_fignums()))
    figure = plt.figure(figsize=(2, 1), dpi=100)
    figure.text(0.1, 0.5, f"{episode.uid} {shade} {opened}")
    return figure

def closure(value):
    return lambda episodes: np.full((4, 6), value * len(episodes), np.uint8)

if __name__ == "__main__":
    views = [
        Figure(of_main, name="main", pick=Last()),
        Figure(closure(40), name="closure", pick=Last(), together=True),
        Figure(lambda episode: np.full((4, 6), shade, np.uint8), name="lambda", pick=Last()),
        Figure(lambda episode: "text", name="wrong", pick=Last()),
    ]
    reporter = RunReporter(sys.argv[1], Reporting(views=views))
    for step in (1, 2):
        reporter.report(step, {}, [Episode("a", 3, 1.0), Episode("b", 3, 2.0)])
    reporter.close()
    assert reporter.dropped == {"pictures": 2}, reporter.dropped
"""


def test_functions_of_the_main_script_are_called_by_the_artist(tmp_path: Path) -> None:
    script = tmp_path / "mine.py"
    script.write_text(PROGRAM)
    command = [sys.executable, str(script), str(tmp_path / "run")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "<lambda> of view 'wrong' returned a builtins.str" in done.stderr
    shown = _pictures(tmp_path / "run")
    assert set(shown) == {f"traces/{name}/train/last" for name in ("main", "closure", "lambda")}
    assert shown["traces/main/train/last"].shape == (100, 200, 3)
    assert (shown["traces/closure/train/last"] == 80).all()
    assert (shown["traces/lambda/train/last"] == 70).all()


def _pictures(logdir: Path) -> dict[str, np.ndarray]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(logdir), size_guidance={"tensors": 0})
    events.Reload()
    shown = {}
    for tag in events.Tags()["tensors"]:
        if tag.startswith("traces/"):
            proto = events.Tensors(tag)[-1].tensor_proto
            shown[tag] = np.array(Image.open(BytesIO(proto.string_val[2])).convert("RGB"))
    return shown
