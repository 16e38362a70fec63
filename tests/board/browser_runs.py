"""Runs for the browser's tests, small but for one."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pyarrow.fs
from plant_run import plant_episode

import tbtrace
from tbtrace.archive.store import Store

NASTY = "<img src=x onerror=alert(1)>"
LONG_NAME = "n" * 10_000


def write(folder: Path, *episodes: tbtrace.Episode) -> None:
    """Adds episodes to the archive of a run."""
    store = Store(pyarrow.fs.LocalFileSystem(), str(folder))
    for iteration, group in itertools.groupby(episodes, lambda episode: episode.iteration):
        store.write(iteration, list(group))


def plant(folder: Path, *iterations: int) -> None:
    """Three episodes for training in each, two for evaluation in every second."""
    for iteration in iterations:
        write(folder, *(plant_episode("train", iteration, k) for k in range(3)))
        if iteration % 2 == 0:
            write(folder, *(plant_episode("evaluation", iteration, k) for k in range(2)))


def walk(iteration: int, entities: int, steps: int) -> tbtrace.Episode:
    """Entities at random, all of one group."""
    random = np.random.default_rng(iteration)
    at = np.arange(steps, dtype=np.int32)
    traces = {
        f"w{i}": tbtrace.Trace(at, random.normal(0, 1, (steps, 2)).cumsum(axis=0))
        for i in range(entities)
    }
    return tbtrace.Episode(
        f"u{iteration}",
        steps,
        float(iteration),
        split="train",
        iteration=iteration,
        traces={"w": traces},
    )


def odd(folder: Path) -> None:
    """Iteration 1: names that are nasty; 2: returns that are NaN; 3: no traces."""
    trace = tbtrace.Trace(np.arange(3, dtype=np.int32), np.array([[0.0, 0], [1, 1], [2, 0]]))
    names = {NASTY: trace, "../../etc/passwd": trace, LONG_NAME: trace, "\u202egnp.exe": trace}
    channels = tbtrace.Trace(
        trace.steps, trace.points, {NASTY: np.arange(3.0)}, {"s": (NASTY,) * 3}
    )
    traces = {NASTY: names, "g": {"c": channels}}
    write(folder, tbtrace.Episode("a", 2, 1.0, split="train", iteration=1, traces=traces))
    pair = [
        tbtrace.Episode(f"n{k}", 2, value, split="train", iteration=2, traces={"g": {"c": trace}})
        for k, value in enumerate((float("nan"), 5.0, float("nan"), 5.0))
    ]
    write(folder, *pair)
    write(folder, tbtrace.Episode("b", 2, 1.0, split="train", iteration=3))
