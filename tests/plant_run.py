"""A small run of a plant, and how to call the command: in this process, or in one of its own."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import tbtrace
from tbtrace import errors
from tbtrace.cli import main
from tbtrace.episode import Media, Scene, Series
from tbtrace.views import Paths

ITERATIONS = 4
STATIONS = {"saw": (10.0, 10.0), "press": (30.0, 25.0), "oven": (50.0, 10.0)}
STEPS = np.arange(0, 41, dtype=np.int32)

Call = Callable[..., subprocess.CompletedProcess[str]]


def plant_episode(split: str, iteration: int, number: int) -> tbtrace.Episode:
    """Articles that go from station to station, a drone above them, a camera."""
    random = np.random.default_rng([iteration, number, split == "train"])
    stops = np.array([(0.0, 10.0), *STATIONS.values(), (60.0, 30.0)])
    articles = {}
    for i in range(3 + iteration % 2):
        at = np.interp(STEPS, [0, 10, 20, 30, 40], [0, 1, 2, 3, 4])
        points = np.column_stack([np.interp(at, range(5), stops[:, axis]) for axis in (0, 1)])
        points += random.normal(0, 1, 2) + i
        if i == 1:
            points[12:15] = np.nan  # away
        states = tuple("moving" if step % 10 > 3 else "waiting" for step in STEPS)
        channels = {"heat": STEPS * 1.5}
        articles[f"a{i}"] = tbtrace.Trace(STEPS, points, channels, {"state": states})
    turn = STEPS / 6
    drone = np.column_stack([30 + 9 * np.cos(turn), 20 + 9 * np.sin(turn), 5 + turn])
    frames = tuple(np.full((8, 12, 3), (60 * k, 200 - 40 * k, 90), np.uint8) for k in range(4))
    return tbtrace.Episode(
        f"{split}-{iteration}-{number}",
        40,
        10.0 * iteration + number,
        split=split,
        iteration=iteration,
        env_steps=iteration * 400,
        running={"queue": Series(STEPS, random.integers(0, 5, len(STEPS)).astype(float))},
        final={"shipped": float(iteration + number)},
        traces={"articles": articles, "drones": {"d": tbtrace.Trace(STEPS, drone)}},
        media={"camera": Media(STEPS[:4], frames)},
        scene=Scene(extent=(0, 60, 0, 40), units="m", places=STATIONS),
    )


@pytest.fixture(scope="session")
def plant_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of 4 iterations, 3 episodes for training and 2 for evaluation each."""
    folder = tmp_path_factory.mktemp("experiment") / "PPO_plant_00000"
    reporter = tbtrace.RunReporter(folder, tbtrace.Reporting(views=[Paths()]))
    for iteration in range(1, ITERATIONS + 1):
        episodes = [plant_episode("train", iteration, k) for k in range(3)]
        episodes += [plant_episode("evaluation", iteration, k) for k in range(2)]
        reporter.report(iteration, {"loss": 1.0 / iteration}, episodes)
        reporter.flush()
    reporter.close()
    assert reporter.dropped == {}
    return folder


@pytest.fixture
def call(home: Path) -> Call:
    """Runs `tbtrace ...` here, which takes no time to start; `spawn` is the same from outside."""

    def run(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        errors.forget_warnings()  # as a process of its own has said none
        command = [str(argument) for argument in arguments]
        out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
        with (
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            contextlib.chdir(cwd or Path.cwd()),
            pytest.MonkeyPatch.context() as patch,
        ):
            patch.setenv("HOME", str(home))
            try:
                code: object = main(command)
            except SystemExit as end:
                code = end.code
        assert isinstance(code, int)
        said = (stream.buffer.getvalue().decode() for stream in (out, err))  # type: ignore[attr-defined]
        return subprocess.CompletedProcess(command, code, *said)

    return run


@pytest.fixture(scope="session")
def spawn(home: Path) -> Call:
    """Runs `tbtrace ...` in a process of its own."""

    def run(*arguments: object, timeout: float = 180.0) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "tbtrace", *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=timeout,
            env={**os.environ, "HOME": str(home)},
        )

    return run


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home without experiments."""
    return tmp_path_factory.mktemp("home")
