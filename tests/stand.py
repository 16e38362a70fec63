"""Episodes and views for tests of reporting. The artist imports this module, so it stays light."""

from __future__ import annotations

import ctypes
import os
import pickle
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tbtrace.artist import Content
from tbtrace.episode import Episode, Series, Trace
from tbtrace.errors import TbtraceWarning
from tbtrace.select import Last
from tbtrace.views import Context, Picture

Act = Callable[[Sequence[Episode]], object]


def episode(uid: str, episode_return: float = 0.0, split: str = "train") -> Episode:
    steps = np.arange(5, dtype=np.int32)
    points = np.column_stack((np.linspace(0, 9, 5), np.linspace(0, 4, 5)))
    return Episode(
        uid,
        length=4,
        episode_return=episode_return,
        running={"speed": Series(steps, np.linspace(0, 1, 5))},
        final={"won": 1.0},
        traces={"cars": {"a": Trace(steps, points)}},
        split=split,
        iteration=1,
    )


def content(uid: str) -> bytes:
    """What is sent to the artist of an iteration with one episode."""
    return pickle.dumps(Content(Context(), (episode(uid),)))


@dataclass
class Stand:
    """A view that does what it is told, and draws the episode's uid."""

    name: str = "stand"
    act: Act | None = None
    picks: tuple[Any, ...] = (Last(),)
    splits: tuple[str, ...] = ("train",)

    def draw(self, episodes: Sequence[Episode], context: Context, title: str = "") -> Picture:
        if self.act is not None:
            self.act(episodes)
        return Picture(b"png of " + episodes[0].uid.encode(), 2, 2)


def sleep_for_ever(episodes: Sequence[Episode]) -> None:
    while True:
        time.sleep(60.0)


def leave(episodes: Sequence[Episode]) -> None:
    os._exit(1)


def quit_python(episodes: Sequence[Episode]) -> None:
    sys.exit(1)


def segfault(episodes: Sequence[Episode]) -> None:
    ctypes.string_at(0)


def chatter(episodes: Sequence[Episode]) -> None:
    print("x" * 100_000)
    os.write(1, b"straight to the descriptor")
    assert sys.stdin.read() == ""
    assert os.read(0, 10) == b""


def fail(episodes: Sequence[Episode]) -> None:
    raise ZeroDivisionError("nothing to divide")


def warn(episodes: Sequence[Episode]) -> None:
    warnings.warn("a view says so", TbtraceWarning, stacklevel=1)


@dataclass(frozen=True)
class WaitFor:
    """Waits until a file is there."""

    path: str

    def __call__(self, episodes: Sequence[Episode]) -> None:
        while not os.path.exists(self.path):
            time.sleep(0.01)


@dataclass(frozen=True)
class Note:
    """Writes the artist's process id to a file, then goes on with another act."""

    path: str
    act: Act | None = None

    def __call__(self, episodes: Sequence[Episode]) -> None:
        with open(f"{self.path}.new", "w") as file:
            file.write(str(os.getpid()))
        os.replace(f"{self.path}.new", self.path)
        if self.act is not None:
            self.act(episodes)
