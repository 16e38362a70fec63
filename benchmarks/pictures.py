"""How long a picture of paths takes, from arrays to the flushed record of an event file.

Four kinds of scene: random legs with jitter, smooth ways with rests, a plant's lanes, random walks;
half of the entities are away for a while. Drawn by `Paths` with axes, labels, markers and caption,
by a fresh pyplot figure with tensorboardX's `add_figure`, and by matplotlib with one figure and its
LineCollection used again. All take turns in one process; printed are medians of milliseconds, the
bytes of the record, and how many times as long matplotlib takes. The first picture of each way of
drawing is not counted. Views also need limits and colours: `Context.observe` is a line of its own.
"""

from __future__ import annotations

import io
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from numpy.typing import NDArray
from tensorboardX import SummaryWriter

from tbtrace.episode import Episode, Trace
from tbtrace.errors import Problems
from tbtrace.events import summary
from tbtrace.events.log import EventLog
from tbtrace.views import Context, Paths

matplotlib.use("Agg")
from matplotlib import pyplot as plt

SIZES = ((1, 31), (50, 21), (1000, 5))
"""Entities, and rounds."""

STEPS = 1000
Ways = NDArray[np.float64]


def legs(count: int, rng: np.random.Generator) -> Ways:
    corners = rng.uniform(0, 100, (count, 21, 2))
    share = np.linspace(0, 20, STEPS, endpoint=False)
    leg, part = share.astype(int), (share % 1)[:, None]
    ways = corners[:, leg] * (1 - part) + corners[:, leg + 1] * part
    return ways + rng.normal(0, 0.3, ways.shape)


def smooth(count: int, rng: np.random.Generator) -> Ways:
    corners = rng.uniform(0, 100, (count, 21, 2))
    share = np.minimum(np.linspace(0, 20, STEPS, endpoint=False) % 1 / 0.75, 1)  # 25 % standing
    leg = np.arange(STEPS) * 20 // STEPS
    part = (share - np.sin(2 * np.pi * share) / (2 * np.pi))[:, None]
    ways = corners[:, leg] * (1 - part) + corners[:, leg + 1] * part
    kernel = np.ones(15) / 15
    padded = np.pad(ways, ((0, 0), (7, 7), (0, 0)), mode="edge")
    return np.apply_along_axis(np.convolve, 1, padded, kernel, "valid")


def lanes(count: int, rng: np.random.Generator) -> Ways:
    stations = np.stack(np.meshgrid(np.arange(6) * 18.0 + 5, np.arange(4) * 18.0 + 5), 2)
    ways = np.empty((count, STEPS, 2))
    for way in ways:
        at, points = rng.integers(0, (4, 6)), []
        while len(points) < 41:
            axis = rng.integers(2)
            at[axis] = np.clip(at[axis] + rng.choice((-1, 1)), 0, (3, 5)[axis])
            points.append(stations[tuple(at)].copy())
        corners, share = np.array(points), np.linspace(0, 40, STEPS, endpoint=False)
        leg, part = share.astype(int), (share % 1)[:, None]
        way[:] = corners[leg] * (1 - part) + corners[leg + 1] * part
    return ways


def walks(count: int, rng: np.random.Generator) -> Ways:
    return rng.normal(0, 1, (count, STEPS, 2)).cumsum(axis=1)


SCENES = {"legs": legs, "smooth": smooth, "lanes": lanes, "walks": walks}


def scene(name: str, count: int) -> list[Ways]:
    rng = np.random.default_rng(count)
    ways = SCENES[name](count, rng)
    for i in range(0, count, 2):
        start = int(rng.integers(100, 800))
        ways[i, start : start + 60] = np.nan
    return list(ways)


def episode(ways: list[Ways]) -> Episode:
    steps = np.arange(STEPS, dtype=np.int32)
    traces = {"robots": {f"r{i}": Trace(steps, way) for i, way in enumerate(ways)}}
    return Episode("e", STEPS, 31.4, traces=traces, split="train", iteration=12)


def by_tbtrace(ways: list[Ways], folder: Path, view: Paths) -> Callable[[], int]:
    log = EventLog(folder, Problems())
    told, context = episode(ways), Context()
    context.observe([told])

    def draw() -> int:
        picture = view.draw([told], context, "best")
        assert picture is not None
        event = summary.image(
            1, "traces/paths/train/best", [picture.png], *view.size, picture.title
        )
        log.add(event)
        log.flush()
        return len(event)

    return draw


def decorate(axes: matplotlib.axes.Axes, ways: list[Ways], lines: bool) -> None:
    if lines:
        for way in ways:
            axes.plot(way[:, 0], way[:, 1], linewidth=1.44)
    axes.scatter([way[0, 0] for way in ways], [way[0, 1] for way in ways], marker="o", fc="none")
    axes.scatter([way[-1, 0] for way in ways], [way[-1, 1] for way in ways], marker="o")
    axes.set(xlabel="x", ylabel="y", aspect="equal", title="iteration 12 · train · return 31.4")


def by_add_figure(ways: list[Ways], folder: Path) -> Callable[[], int]:
    writer = SummaryWriter(str(folder))

    def draw() -> int:
        figure, axes = plt.subplots(figsize=(6.4, 4.8))
        decorate(axes, ways, True)
        axes.autoscale()
        writer.add_figure("paths", figure, 1)
        writer.flush()
        return 0

    return draw


def by_one_figure(ways: list[Ways], folder: Path) -> Callable[[], int]:
    figure = Figure((6.4, 4.8))
    canvas = FigureCanvasAgg(figure)
    axes = figure.subplots()
    every = np.concatenate(ways)
    decorate(axes, ways, False)
    axes.set_xlim(np.nanmin(every[:, 0]), np.nanmax(every[:, 0]))
    axes.set_ylim(np.nanmin(every[:, 1]), np.nanmax(every[:, 1]))
    lines = axes.add_collection(
        LineCollection([], linewidths=1.44, colors=list(plt.cm.tab10.colors))
    )
    log = EventLog(folder, Problems())

    def draw() -> int:
        lines.set_segments(ways)
        canvas.draw()
        stream = io.BytesIO()
        canvas.print_png(stream)
        event = summary.image(1, "paths", [stream.getvalue()], 640, 480)
        log.add(event)
        log.flush()
        return len(event)

    return draw


def timed(act: Callable[[], object]) -> float:
    start = time.perf_counter()
    act()
    return 1000 * (time.perf_counter() - start)


def main(with_matplotlib: bool) -> None:
    print(f"{'scene':14}{'Paths ms':>10}{'bytes':>9}{'observe':>9}", end="")
    print(f"{'one figure':>12}{'':7}{'add_figure':>12}" if with_matplotlib else "")
    for count, rounds in SIZES:
        every: list[float] = []
        for name in SCENES:
            ways = scene(name, count)
            with tempfile.TemporaryDirectory() as folder:
                acts = {"paths": by_tbtrace(ways, Path(folder, "a"), Paths())}
                if count >= 100:
                    lines = Paths(density=None)
                    acts["lines"] = by_tbtrace(ways, Path(folder, "b"), lines)
                if with_matplotlib:
                    acts["one"] = by_one_figure(ways, Path(folder, "c"))
                    acts["add"] = by_add_figure(ways, Path(folder, "d"))
                sizes = {key: act() for key, act in acts.items()}
                told = episode(ways)
                acts["observe"] = lambda told=told: Context().observe([told]) or 0
                times: dict[str, list[float]] = {key: [] for key in acts}
                for _ in range(rounds):
                    for key, act in acts.items():
                        times[key].append(timed(act))
            medians = {key: statistics.median(found) for key, found in times.items()}
            for key in ("lines", "paths"):
                if key not in medians:
                    continue
                told_as = f"{count} {name}" + (" map" if count >= 100 and key == "paths" else "")
                print(f"{told_as:14}{medians[key]:10.2f}{sizes[key]:9}", end="")
                print(f"{medians['observe']:9.2f}", end="")
                for other in ("one", "add") if with_matplotlib else ():
                    print(f"{medians[other]:12.1f} {medians[other] / medians[key]:5.1f}x", end="")
                print(flush=True)
            every.append(medians.get("lines", medians["paths"]))
        print(f"{count} entities, median over the scenes: {statistics.median(every):.2f} ms")


if __name__ == "__main__":
    main("--alone" not in sys.argv[1:])
