"""Events: a result in the Tune callback, a histogram and a picture, against Ray's logger.

Side by side in one process, turn by turn; medians. "In the callback" is what Tune's loop waits for.
tbtrace's other times are until the record is flushed, in warm caches; tensorboardX's until its call
returns, the rest is done by its thread, whose backlog is waited for outside the measured time.

    python benchmarks/events.py [--rounds 40]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorboardX
from ray.tune.logger import TBXLoggerCallback

import tbtrace
from tbtrace import stats
from tbtrace.draw import png
from tbtrace.errors import Problems
from tbtrace.events import summary
from tbtrace.events.log import EventLog

CALLS = 4  # fewer than tensorboardX's queue takes before its caller has to wait


class Trial:
    """What the loggers ask of a trial."""

    evaluated_params: dict[str, Any]
    config: dict[str, Any]

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.local_path = str(folder)
        self.evaluated_params, self.config, self.storage = {}, {}, None

    def init_local_path(self) -> None:
        """Nothing: it is there."""


def ppo_result(iteration: int) -> dict[str, Any]:
    """A hundred scalars in the nesting of RLlib's PPO."""
    names = [f"metric_{i}" for i in range(20)]
    return {
        "training_iteration": iteration,
        "env_runners": {name: iteration / (i + 1) for i, name in enumerate(names)},
        "learners": {
            policy: {name: np.float32(iteration + i) for i, name in enumerate(names)}
            for policy in ("__all_modules__", "default_policy", "other_policy")
        },
        "timers": {name: {"mean": 0.1 * i} for i, name in enumerate(names)},
    }


def milliseconds(act: Callable[[], object]) -> float:
    start = time.perf_counter()
    act()
    return (time.perf_counter() - start) * 1e3


def medians(rounds: int, *acts: Callable[[int], float]) -> list[float]:
    times: list[list[float]] = [[] for _ in acts]
    for number in range(rounds):
        for act, collected in zip(acts, times, strict=True):
            value = act(number)
            if number >= 3:  # the first ones warm up
                collected.append(value)
    return [statistics.median(collected) for collected in times]


def told(what: str, ours: float, theirs: float, asked: str) -> None:
    print(f"{what:<44}{ours:>10.3f}{theirs:>12.3f}{theirs / ours:>8.1f}x   {asked}")


def results(folder: Path, rounds: int) -> None:
    ours, theirs = tbtrace.TraceLoggerCallback(), TBXLoggerCallback()
    trials = {id(logger): Trial(folder / str(i)) for i, logger in enumerate((ours, theirs))}

    def measured(logger: Any, settle: Callable[[Any], object]) -> Callable[[int], float]:
        trial = trials[id(logger)]
        logger.log_trial_start(trial)

        def act(number: int) -> float:
            result = ppo_result(number + 1)
            value = milliseconds(lambda: logger.log_trial_result(number + 1, trial, result))
            settle(trial)
            return value

        return act

    def settle_theirs(trial: Any) -> None:
        queue = theirs._trial_writer[trial].file_writer.event_writer._event_queue
        while not queue.empty():
            time.sleep(0.001)
        time.sleep(0.005)

    acts = (
        measured(ours, lambda trial: ours._runs[trial].results.reporter.flush()),
        measured(theirs, settle_theirs),
    )
    told("result of 100 scalars, in the callback", *medians(rounds, *acts), "at most 0.3")
    for logger in (ours, theirs):
        logger.log_trial_end(trials[id(logger)])


def records(folder: Path, rounds: int) -> None:
    log, writer = EventLog(folder / "ours", Problems()), tensorboardX.SummaryWriter(folder / "x")
    rng = np.random.default_rng(0)

    def settled(act: Callable[[], object]) -> float:
        act()  # in cold caches, after the pause
        value = sum(milliseconds(act) for _ in range(CALLS)) / CALLS
        time.sleep(0.05)
        return value

    def add(event: Callable[[], bytes]) -> None:
        log.add(event())
        log.flush()

    for size, asked in ((10_000, "at most 0.1"), (1_000_000, "at most 6")):
        values = rng.normal(size=size)
        ours, theirs = medians(
            rounds if size < 100_000 else min(rounds, 15),
            lambda n, v=values: settled(
                lambda: add(lambda: summary.histogram(n, "hist", stats.buckets(v)))
            ),
            lambda n, v=values: settled(lambda: writer.add_histogram("hist", v, n)),
        )
        told(f"histogram of {size:,} values", ours, theirs, asked)
    rows = np.linspace(0, 1, 100)[:, None, None] * np.ones((1, 640, 3))
    picture = (255 * rows * rng.random((100, 640, 3)) // 16 * 16).astype(np.uint8)[:80]
    encoded = png.encode(picture)
    ours, theirs = medians(
        rounds,
        lambda n: settled(lambda: add(lambda: summary.image(n, "image", [encoded], 640, 80))),
        lambda n: settled(lambda: writer.add_image("image", picture, n, dataformats="HWC")),
    )
    told(f"picture record of {len(encoded) // 1000} kB (theirs encodes)", ours, theirs, "0.05")
    log.close()
    writer.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=60)
    rounds = parser.parse_args().rounds
    print(f"medians of {rounds} rounds, ms{'':<24}{'tbtrace':>10}{'Ray / tbX':>12}{'':>9}   asked")
    with tempfile.TemporaryDirectory() as folder:
        results(Path(folder), rounds)
        records(Path(folder), rounds)


if __name__ == "__main__":
    main()
