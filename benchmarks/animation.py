"""Animations: traces to the bytes of an animated picture, and users' figures to those of a still.

Medians in one process. `Animation` draws, composes and encodes 100 frames of 320x240. Against it,
only the encoding of the same frames, ready drawn: by Pillow as GIF and APNG, and by tensorboardX's
`add_video` where moviepy is installed. Then matplotlib figures of 640x480 that are used again:
drawn by Agg and encoded by `Figure`, and the encoding alone against Pillow's PNG.

    python benchmarks/animation.py [--rounds 9]
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import time
from collections.abc import Callable
from io import BytesIO

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure as MplFigure
from PIL import Image

from tbtrace.episode import Episode, Trace
from tbtrace.views import Context
from tbtrace.views.animation import Animation
from tbtrace.views.figure import Figure

STEPS = 1000


def legs(generator: np.random.Generator) -> np.ndarray:
    """Twenty straight legs with a little noise."""
    corners = generator.uniform(0, 100, (21, 2))
    at = np.linspace(0, 20, STEPS)
    way = np.column_stack([np.interp(at, np.arange(21), corners[:, axis]) for axis in (0, 1)])
    return way + generator.normal(0, 0.3, way.shape)


def smooth(generator: np.random.Generator) -> np.ndarray:
    """Twenty legs with rounded corners."""
    corners = generator.uniform(0, 100, (21, 2))
    at = np.linspace(0, 20, STEPS + 24)
    sides = [np.interp(at, np.arange(21), corners[:, axis]) for axis in (0, 1)]
    return np.column_stack([np.convolve(side, np.ones(25) / 25, "valid") for side in sides])


def lanes(generator: np.random.Generator) -> np.ndarray:
    """Ways along the aisles between 24 stations of a plant."""
    stations = generator.integers(0, (6, 4), (14, 2)) * (18.0, 22.0)
    corners = [stations[0]]
    for station in stations[1:]:
        corners += [np.array([station[0], corners[-1][1]]), station]
    ways = np.array(corners)
    gone = np.append(0, np.cumsum(np.hypot(*np.diff(ways, axis=0).T) + 1e-6))
    at = np.linspace(0, gone[-1], STEPS)
    return np.column_stack([np.interp(at, gone, ways[:, axis]) for axis in (0, 1)])


def walk(generator: np.random.Generator) -> np.ndarray:
    """A random walk."""
    return np.cumsum(generator.normal(size=(STEPS, 2)), axis=0)


KINDS = {"legs": legs, "smooth": smooth, "lanes": lanes, "walks": walk}


def scene(kind: str, count: int) -> tuple[Episode, Context]:
    generator = np.random.default_rng(0)
    steps = np.arange(STEPS, dtype=np.int32)
    traces = {f"a{i}": Trace(steps, KINDS[kind](generator)) for i in range(count)}
    episode = Episode("e", STEPS - 1, 1.0, traces={"articles": traces}, split="train", iteration=7)
    context = Context()
    context.observe([episode])
    return episode, context


def timed(rounds: int, act: Callable[[], bytes]) -> tuple[float, float]:
    """Returns the median of milliseconds, and kilobytes."""
    size, times = len(act()), []
    for _ in range(rounds):
        start = time.perf_counter()
        act()
        times.append((time.perf_counter() - start) * 1e3)
    return statistics.median(times), size / 1e3


def by_pillow(frames: list[Image.Image], how: str) -> bytes:
    stream = BytesIO()
    frames[0].save(stream, how, save_all=True, append_images=frames[1:], duration=66, loop=0)
    return stream.getvalue()


def by_tensorboardx(frames: list[Image.Image]) -> bytes:
    from tensorboardX.summary import video

    pixels = np.stack([np.asarray(frame) for frame in frames]).transpose(0, 3, 1, 2)[None]
    return video("film", pixels, fps=15).SerializeToString()


def decoded(data: bytes) -> list[Image.Image]:
    image = Image.open(BytesIO(data))
    frames = []
    for number in range(image.n_frames):
        image.seek(number)
        frames.append(image.convert("RGB"))
    return frames


def animations(rounds: int) -> None:
    others: dict[str, Callable[[list[Image.Image]], bytes]] = {
        "Pillow GIF": lambda frames: by_pillow(frames, "GIF"),
        "Pillow APNG": lambda frames: by_pillow(frames, "PNG"),
    }
    if importlib.util.find_spec("moviepy"):
        others["add_video"] = by_tensorboardx
    print(f"{'animation':<18}{'Animation':>16}" + "".join(f"{name:>18}" for name in others))
    view, totals = Animation(size=(320, 240)), []
    for count in (1, 20, 50):
        for kind in KINDS:
            episode, context = scene(kind, count)

            def draw(episode: Episode = episode, context: Context = context) -> bytes:
                picture = view.draw([episode], context, "best")
                assert picture is not None
                return picture.png

            ours = timed(rounds, draw)
            if count == 20:
                totals.append(ours)
            frames = decoded(draw())
            told = [timed(1, lambda act=act, f=frames: act(f)) for act in others.values()]
            cells = "".join(f"{ms:>9.0f} ms {kb:>4.0f} k" for ms, kb in told)
            print(f"{kind:<8}{count:>5} dots{ours[0]:>9.1f} ms {ours[1]:>4.0f} k{cells}")
    time_of, size_of = (statistics.median(column) for column in zip(*totals, strict=True))
    print(f"20 dots, median of the kinds: {time_of:.1f} ms, {size_of:.0f} kB  (at most 45, 150)\n")


def figures(rounds: int) -> None:
    print(f"{'figure used again':<20}{'Figure':>9}{'encoding alone':>24}{'Pillow PNG':>20}")
    for count in (1, 50):
        for kind in KINDS:
            episode, context = scene(kind, count)
            figure = MplFigure((6.4, 4.8), dpi=100)
            axes = figure.add_subplot()
            lines = axes.add_collection(
                LineCollection([], linewidths=1.44, colors=[f"C{i % 10}" for i in range(count)])
            )
            axes.set(xlim=(0, 100), ylim=(0, 100), xlabel="x", ylabel="y")

            def function(episode: Episode, lines=lines, figure=figure) -> MplFigure:  # type: ignore[no-untyped-def]
                ways = [trace.points for trace in episode.traces["articles"].values()]
                lines.set_segments(ways)
                return figure

            view = Figure(function)
            whole = timed(rounds, lambda view=view, e=episode, c=context: view.draw([e], c).png)
            canvas = FigureCanvasAgg(figure)
            canvas.draw()
            rgba = np.array(canvas.buffer_rgba())
            alone = Figure(lambda episode, rgba=rgba: rgba)
            ours = timed(rounds, lambda view=alone, e=episode, c=context: view.draw([e], c).png)

            def pillow(rgba: np.ndarray = rgba) -> bytes:
                stream = BytesIO()
                Image.fromarray(rgba).save(stream, "PNG")
                return stream.getvalue()

            theirs = timed(rounds, pillow)
            print(
                f"{kind:<8}{count:>5} x 1000{whole[0]:>7.1f} ms"
                f"{ours[0]:>13.2f} ms {ours[1]:>4.0f} k"
                f"{theirs[0]:>13.1f} ms {theirs[1]:>4.0f} k"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    animations(rounds)
    figures(rounds)


if __name__ == "__main__":
    main()
