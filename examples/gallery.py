"""One picture of every view: of the plant, and of two scenes made up here.

    python examples/gallery.py [FOLDER]

Nothing is trained and Ray is not needed: `RecordTraces` records the plant under a simple rule, the
other episodes are made of arrays. In a run the same views are options of the Tune logger:
`tbtrace.TraceLoggerCallback(views=[tbtrace.views.Paths(), tbtrace.views.Timeline()])`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure as Chart

import tbtrace
from tbtrace import Episode, Media, Trace, views
from tbtrace.envs.plant import PlantEnv


def plant(count: int = 4) -> list[Episode]:
    """Episodes of the plant; each article goes to a station picked at random."""
    env = tbtrace.RecordTraces(PlantEnv())
    rng = np.random.default_rng(7)
    episodes = []
    for number in range(count):
        env.reset(seed=number)
        over = False
        while not over:
            *_, terminated, truncated, _ = env.step(int(rng.integers(3)))
            over = terminated or truncated
        episodes += [replace(episode, split="train", iteration=12) for episode in env.drain()]
    return episodes


def drones() -> Episode:
    """Six drones in three dimensions, one of them away for a while, and what a camera saw."""
    steps = np.arange(400, dtype=np.int32)
    turn = steps / 400 * 2 * np.pi
    traces = {}
    for i in range(6):
        radius, phase = 20 + 6 * i, i * np.pi / 3
        x, y = radius * np.cos(turn + phase), 0.6 * radius * np.sin(2 * turn + phase)
        points = np.column_stack((x, y, 10 + 4 * i + 6 * np.sin(3 * turn + phase)))
        speed = np.linalg.norm(np.gradient(points, axis=0), axis=1)
        if i == 2:
            points[150:220] = np.nan
        traces[f"drone {i + 1}"] = Trace(steps, points, {"speed": speed})
    rows, columns = np.mgrid[:40, :60]
    seen = []
    for at in turn[::20]:
        near = np.hypot(rows - 20 - 12 * np.sin(at), columns - 30 - 20 * np.cos(at)) < 6
        seen.append(np.where(near[..., None], (213, 94, 0), (40, 60, 90)).astype(np.uint8))
    media = {"camera": Media(steps[::20].copy(), tuple(seen))}
    return Episode(
        "drones", 400, 31.4, traces={"drones": traces}, media=media, split="train", iteration=12
    )


def crowd() -> Episode:
    """A thousand walkers who leave a square by three gates."""
    rng = np.random.default_rng(1)
    steps = np.arange(200, dtype=np.int32)
    gates = np.array([(100.0, 0.0), (-60.0, 80.0), (-40.0, -90.0)])
    traces = {}
    for i in range(1000):
        start, goal = rng.normal(scale=12, size=2), gates[rng.integers(3)]
        way = np.clip(steps / rng.uniform(120, 300), 0, 1)[:, None]
        sway = rng.normal(scale=0.6, size=(200, 2)).cumsum(axis=0)
        traces[f"walker {i}"] = Trace(steps, start + way * (goal - start) + sway)
    return Episode("crowd", 200, -3.0, traces={"walkers": traces}, split="train", iteration=12)


def chart(episode: Episode) -> Chart:
    """A function of one's own: articles in work over time, with matplotlib."""
    figure = Chart(figsize=(6.4, 4.8), dpi=100)
    axes = figure.subplots()
    series = episode.running["work_in_progress"]
    axes.step(series.steps, series.values, color="#0072B2", linewidth=2)
    axes.set(xlabel="step", ylabel="articles in work", title="views.Figure: your own function")
    return figure


def pictures(folder: Path) -> Iterable[Path]:
    """Draws them all; yields the files."""
    articles = plant()
    for name, view, episodes in (
        ("paths", views.Paths(), articles[:1]),
        ("paths-state", views.Paths(colour="state"), articles[:1]),
        ("paths-3d", views.Paths(), [drones()]),
        ("paths-crowd", views.Paths(), [crowd()]),
        ("heatmap", views.Heatmap(), articles),
        ("time-space", views.TimeSpace(group="articles"), articles[:1]),
        ("timeline", views.Timeline(), articles[:1]),
        ("series", views.Series(), articles),
        ("frames", views.Frames(strip=6), [drones()]),
        ("animation", views.Animation(), [drones()]),
        ("figure", views.Figure(chart), articles[:1]),
    ):
        context = views.Context()
        context.observe(episodes)
        picture = view.draw(episodes, context, title=name)
        assert picture is not None, name
        path = folder / f"{name}.png"
        path.write_bytes(picture.png)
        yield path


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "gallery")
    folder.mkdir(parents=True, exist_ok=True)
    for path in pictures(folder):
        print(path)


if __name__ == "__main__":
    main()
