"""The archive: bytes and time of an iteration against json.dump, and how quickly it is read.

Side by side with `json.dump` of the same episodes as the forum's recipe keeps them: `media` as a
list of what each step said, `{entity: [x, y]}`. Times are medians; files are on the local disk.

    python benchmarks/archive.py [--rounds 5]
"""

from __future__ import annotations

import argparse
import dataclasses
import io
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow.fs import LocalFileSystem

from tbtrace import Episode, Series, Trace, open_archive
from tbtrace.archive import schema
from tbtrace.archive.store import _PACKED, Store
from tbtrace.select import Best

ENTITIES, STEPS, EPISODES = 50, 1_000, 8


def random_walks(chance: np.random.Generator) -> np.ndarray[Any, Any]:
    return chance.normal(size=(STEPS, 2)).cumsum(0)


def smooth(chance: np.random.Generator) -> np.ndarray[Any, Any]:
    phase = chance.random(2) * 6 + np.arange(STEPS)[:, None] * 0.01
    return np.sin(phase) * chance.uniform(5, 20, 2)


def lanes(chance: np.random.Generator) -> np.ndarray[Any, Any]:
    """An article in a plant: at constant speed along an axis, or standing still."""
    stops = np.repeat(chance.random(STEPS // 50) < 0.5, 50)
    points = np.zeros((STEPS, 2))
    points[:, 0] = np.cumsum(stops) * 0.06
    points[:, 1] = chance.integers(10) * 4.0
    return points


def episodes(make: Callable[[np.random.Generator], Any]) -> list[Episode]:
    chance = np.random.default_rng(0)
    steps = np.arange(STEPS, dtype=np.int32)
    return [
        Episode(
            f"episode-{i}",
            STEPS,
            float(i),
            {f"value_{k}": Series(steps, chance.normal(size=STEPS)) for k in range(5)},
            {"won": 1.0},
            traces={"cars": {f"car {k}": Trace(steps, make(chance)) for k in range(ENTITIES)}},
            split="train",
            iteration=1,
        )
        for i in range(EPISODES)
    ]


def recipe(given: list[Episode]) -> list[Any]:
    """The same as the recipe's own dicts, ready to be dumped."""
    return [
        {
            "running": {name: series.values.tolist() for name, series in one.running.items()},
            "final": dict(one.final),
            "media": {
                "cars": [
                    {
                        name: trace.points[step].tolist()
                        for name, trace in one.traces["cars"].items()
                    }
                    for step in range(STEPS)
                ]
            },
        }
        for one in given
    ]


def median(rounds: int, act: Callable[[], Any]) -> float:
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        act()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def against_json(folder: Path, rounds: int) -> None:
    store = Store(LocalFileSystem(), str(folder))
    for make in (random_walks, smooth, lanes):
        given = episodes(make)
        dicts, file = recipe(given), folder / "recipe.json"

        def dump(dicts: Any = dicts, file: Path = file) -> None:
            with file.open("w") as stream:
                json.dump(dicts, stream)

        theirs = median(rounds, dump)
        ours = median(rounds, lambda given=given: store.write(1, given))  # type: ignore[misc]
        size = (folder / "traces/train-000001.parquet").stat().st_size
        print(
            f"{make.__name__:>13}: JSON {file.stat().st_size / 1e6:6.2f} MB {theirs * 1e3:6.0f} ms,"
            f"  archive {size / 1e6:5.2f} MB {ours * 1e3:4.0f} ms:"
            f"  1/{file.stat().st_size / size:.1f} of the bytes, 1/{theirs / ours:.1f} of the time"
        )


def rounded(given: Episode) -> Episode:
    """Loses what no picture shows: the cheapest way to fewer bytes that was found."""
    points = [trace.points for trace in given.traces["cars"].values()]
    grid = 2.0 ** (np.ceil(np.log2(np.ptp(points))) - 18)
    cars = {
        name: Trace(trace.steps, np.round(trace.points / grid) * grid)
        for name, trace in given.traces["cars"].items()
    }
    return dataclasses.replace(given, traces={"cars": cars})


def variants(rounds: int) -> None:
    """What other ways to encode the same columns would make of random walks."""
    given = episodes(random_walks)
    tables = [schema.table(one) for one in given]
    split = {k: v for k, v in _PACKED["column_encoding"].items() if v == "BYTE_STREAM_SPLIT"}
    for name, options in {
        "as it is": _PACKED,
        "zstd 1": {**_PACKED, "compression_level": 1},
        "zstd 9": {**_PACKED, "compression_level": 9},
        "zstd 19": {**_PACKED, "compression_level": 19},
        "steps as they are": {**_PACKED, "column_encoding": split},
        "pages of 64 KB": {**_PACKED, "data_page_size": 1 << 16},
        "pages of 8 MB": {**_PACKED, "data_page_size": 8 << 20},
        "one row group": _PACKED,
        "without byte stream split": {**_PACKED, "column_encoding": None},
        "points rounded to 2^-18 of the span": _PACKED,
    }.items():
        used = tables
        if name == "one row group":
            used = [pa.concat_tables(tables).combine_chunks()]
        elif "rounded" in name:
            used = [schema.table(one) for one in map(rounded, given)]

        def write(options: Any = options, used: Any = used) -> int:
            held = io.BytesIO()
            with pq.ParquetWriter(held, schema.SCHEMA, **options) as writer:
                for table in used:
                    writer.write_table(table)
            return held.tell()

        print(f"  {name:>36}: {write() / 1e6:.2f} MB, {median(rounds, write) * 1e3:.0f} ms")
    print(f"  {'about the least, exactly':>36}: {least(given) / 1e6:.2f} MB")


def least(given: list[Episode]) -> float:
    """Returns about how many bytes exact float32 points and float64 values need at least.

    Counted for who knows each point's predecessor: the entropy of how many bits differ, and these
    bits, which nobody can foretell of a random walk.
    """
    steps = []
    for one in given:
        for trace in one.traces["cars"].values():
            bits = trace.points.astype(np.float32).view(np.int32).astype(np.int64)
            ordered = np.where(bits < 0, -(bits & 0x7FFFFFFF), bits)  # neighbours are 1 apart
            steps.append(np.diff(ordered, axis=0).ravel())
    widths = np.ceil(np.log2(np.abs(np.concatenate(steps)) + 1.0))
    shares = np.unique(widths, return_counts=True)[1] / len(widths)
    bits_each = widths.mean() - (shares * np.log2(shares)).sum()
    values = sum(series.values.nbytes for one in given for series in one.running.values())
    # Of a normal number 52 bits are the mantissa, its sign one, its exponent two.
    return float(bits_each / 8 * len(widths)) + values * 55 / 64


def reading(folder: Path, rounds: int) -> None:
    big = Store(LocalFileSystem(), str(folder / "big"))
    big.write(500, episodes(random_walks))
    small = Store(LocalFileSystem(), str(folder / "many"))
    one = episodes(lanes)[0]
    one.traces = {"cars": {"car 0": one.traces["cars"]["car 0"]}}
    for iteration in range(1, 1_001):
        small.write(iteration, [one] * 3)
    many = open_archive(folder / "many")
    count = len([*many.find()])
    print(f"list 1,000 iterations ({count} episodes): ", end="")
    print(f"{median(rounds, lambda: [*open_archive(folder / 'many').find()]):.2f} s")
    for where in ("many", "big"):
        taken = median(
            rounds,
            lambda where=where: (
                open_archive(folder / where)  # type: ignore[misc]
                .pick(Best(), iteration=500)[0]
                .load()
            ),
        )
        print(f"one episode by iteration and pick ({where}): {taken * 1e3:.0f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        against_json(Path(folder), rounds)
        variants(rounds)
        reading(Path(folder), rounds)


if __name__ == "__main__":
    main()
