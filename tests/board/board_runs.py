"""Archives for tests of the board, a client of the plugin without a server, and a decoder."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from pyarrow.fs import LocalFileSystem
from tensorboard.plugins import base_plugin
from werkzeug.test import Client, TestResponse

from tbtrace.archive.store import Store
from tbtrace.board.found import Archive
from tbtrace.board.logdirs import Root
from tbtrace.board.plugin import TracesPlugin
from tbtrace.board.scan import scan
from tbtrace.episode import Episode, Scene, Series, Trace

STATES = ("idle", "moving", None)


def walkers(
    uid: str = "a",
    entities: int = 3,
    steps: int = 20,
    seed: int = 0,
    episode_return: float = 1.0,
    **more: Any,
) -> Episode:
    """An episode of random walks with a channel and states, some of them with a gap."""
    chance = np.random.default_rng(seed)
    clock = np.arange(steps, dtype=np.int32)
    ways = {}
    for i in range(entities):
        points = chance.normal(size=(steps, 2)).cumsum(0).astype(np.float32).astype(np.float64)
        points[steps // 2 : steps // 2 + i % 2] = np.nan
        states = tuple(STATES[k] for k in chance.integers(0, 3, steps))
        ways[f"a{i}"] = Trace(clock, points, {"speed": chance.random(steps)}, {"state": states})
    running = {"speed": Series(clock, chance.random(steps))}
    return Episode(uid, steps, episode_return, running, traces={"articles": ways}, **more)


def write(
    folder: Path, iterations: Any = (1,), *episodes: Episode, split: str = "train"
) -> list[Path]:
    """Writes the same episodes for each iteration; returns the files."""
    store = Store(LocalFileSystem(), str(folder))
    files = []
    for iteration in iterations:
        of_it = episodes or (walkers(),)
        for episode in of_it:
            episode.split, episode.iteration = split, iteration
        store.write(iteration, of_it)
        files.append(folder / f"traces/{split}-{iteration:06d}.parquet")
    return files


def archive(folder: Path) -> Archive:
    """Returns the only archive below a folder."""
    (found,) = scan([Root("", str(folder.resolve()))]).runs.values()
    return found


def scene(seed: int = 0, height: int = 6, width: int = 8) -> Scene:
    """A scene of random pixels."""
    pixels = np.random.default_rng(seed).integers(0, 255, (height, width, 3), np.uint8)
    return Scene(pixels, (0.0, 8.0, 0.0, 6.0), "m", {"dock": (1.0, 2.0)}, ("east", "north"))


class Tab:
    """Asks a plugin as TensorBoard would, without a server."""

    def __init__(self, plugin: TracesPlugin) -> None:
        self.plugin = plugin
        self.apps = plugin.get_plugin_apps()

    def ask(self, route: str, method: str = "GET", **query: Any) -> TestResponse:
        client = Client(self.apps[route])
        return client.open(route, method=method, query_string=query, buffered=True)

    def json(self, route: str, **query: Any) -> Any:
        answer = self.ask(route, **query)
        assert answer.status_code == 200, answer.text
        return answer.json

    def look_again(self) -> None:
        """Scans now, so that no test waits for the thread."""
        self.plugin.finder.found = scan(self.plugin.finder.logdirs.roots)


@contextmanager
def tab(logdir: str | Path = "", logdir_spec: str = "") -> Iterator[Tab]:
    """Loads the plugin on a logdir, and waits for its first scan."""
    flags = SimpleNamespace(logdir=str(logdir), logdir_spec=logdir_spec)
    plugin = TracesPlugin(base_plugin.TBContext(logdir=str(logdir), flags=flags))
    try:
        deadline = time.monotonic() + 60
        while not plugin.finder.complete:
            assert time.monotonic() < deadline
            time.sleep(0.002)
        plugin.finder.stop()  # a scan that had begun before would undo `look_again`
        yield Tab(plugin)
    finally:
        plugin.finder.stop()


def decoded(content: bytes) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Returns an episode's header and its entities with arrays in the place of offsets."""
    length = int.from_bytes(content[:4], "little")
    assert (4 + length) % 8 == 0
    header = json.loads(content[4 : 4 + length])
    body = content[4 + length :]
    used = [0]

    def array(where: list[int], dtype: Any) -> Any:
        offset, count = where
        assert offset % 8 == 0
        found = np.frombuffer(body, dtype, count, offset)
        used.append(-(-(offset + found.nbytes) // 8) * 8)
        return found

    entities = []
    for told in header.pop("entities"):
        count, steps = told["count"], told["steps"]
        if isinstance(steps, dict):
            given = np.arange(steps["first"], steps["first"] + count, dtype=np.int32)
        else:
            given = array(steps, "<i4")
        entities.append(
            {
                "group": told["group"],
                "name": told["name"],
                "steps": given,
                "points": array(told["points"], "<f4").reshape(count, told["dims"]),
                "channels": {k: array(v, "<f4") for k, v in told["channels"].items()},
                "labels": {
                    name: tuple(
                        None if code == 65535 else label["states"][code]
                        for code in array(label["codes"], "<u2")
                    )
                    for name, label in told["labels"].items()
                },
            }
        )
    assert max(used) == len(body)
    return header, entities
