"""A scan: one walk over the logdir, which finds archives and Tune's staging folders.

It follows no link to a folder: one that leads to a place inside the logdir shows nothing that is
not found there, one that leads outside must not be followed, and without links no walk is endless.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tbtrace.board.logdirs import Root

FOLDER = "traces"
POINTER = "tbtrace-run.json"
SPLITS = ("train", "evaluation")

_FILE = re.compile(r"(train|evaluation)-([0-9]{6,15})\.parquet")
_SCENE = re.compile(r"scene-([0-9a-f]{16})\.npz")
_CHECKPOINT = re.compile(r"checkpoint_[0-9]+")
_POINTER_BYTES = 1 << 16
_STORAGE_LETTERS = 4096
_LOOK_AT_CLOCK = 256


class File(NamedTuple):
    """One file of an archive; files sort by iteration, training before evaluation."""

    iteration: int
    split: int
    path: str
    mtime_ns: int
    size: int


@dataclass(frozen=True, slots=True)
class Archive:
    """The archive of one run, as far as names and sizes of its files tell.

    Attributes:
        run: The run's name, as TensorBoard names it.
        root: The folder, with links resolved, that all its files lie in.
        files: In order.
        scenes: `{key: path}` of the backgrounds.
        version: Changes when a file is added, changed or removed.
    """

    run: str
    root: str
    files: tuple[File, ...]
    scenes: Mapping[str, str]
    version: str

    def file(self, split: str, iteration: int) -> File | None:
        """Returns the file of an iteration, or None."""
        wanted = (iteration, SPLITS.index(split))
        return next((one for one in self.files if one[:2] == wanted), None)


@dataclass(frozen=True, slots=True)
class Found:
    """What a scan found.

    Attributes:
        runs: `{run: its archive}`, sorted by name.
        staging: `{run: storage path}` of folders that Tune only stages files in.
        left_out: What was not looked at, and why; a sentence each.
    """

    runs: Mapping[str, Archive] = field(default_factory=dict)
    staging: Mapping[str, str] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far a scan goes.

    Attributes:
        depth: So many folders below the logdir.
        entries: So many files and folders in all.
        seconds: So long.
    """

    depth: int = 12
    entries: int = 500_000
    seconds: float = 5.0


class _Full(Exception):
    """A bound is reached; says which one."""


def scan(roots: Sequence[Root], bounds: Bounds | None = None) -> Found:
    """Walks over folders, the upper ones first; what cannot be read is passed over.

    Args:
        roots: Where to look; missing ones are empty.
        bounds: How far; 12 deep, 500,000 entries, 5 seconds by default.
    """
    walk = _Walk(Bounds() if bounds is None else bounds)
    try:
        walk.over(roots)
    except _Full as full:
        walk.left_out[f"the scan ended {full}: start TensorBoard on a folder further down"] = None
    runs, staging = walk.runs, walk.staging
    return Found(
        {run: runs[run] for run in sorted(runs)},
        {run: staging[run] for run in sorted(staging.keys() - runs.keys())},
        tuple(walk.left_out),
    )


class _Walk:
    def __init__(self, bounds: Bounds) -> None:
        self.runs: dict[str, Archive] = {}
        self.staging: dict[str, str] = {}
        self.left_out: dict[str, None] = {}
        self._bounds = bounds
        self._entries = 0
        self._deadline = time.monotonic() + bounds.seconds

    def over(self, roots: Sequence[Root]) -> None:
        waiting = deque((root, root.path, 0) for root in roots)
        while waiting:
            root, folder, depth = waiting.popleft()
            for entry in self._listed(folder):
                if self._is_further(root, folder, entry):
                    if depth < self._bounds.depth:
                        waiting.append((root, entry.path, depth + 1))
                    else:
                        self.left_out[
                            f"folders more than {self._bounds.depth} below the logdir are left out"
                        ] = None

    def _is_further(self, root: Root, folder: str, entry: os.DirEntry[str]) -> bool:
        """Takes what an entry tells; returns whether it is a folder to look into."""
        try:
            if entry.is_symlink():
                self._refuse_if_outside(root, entry)
            elif entry.name == POINTER:
                if storage := _storage(folder):
                    self.staging[_run(root, folder)] = storage
            elif entry.is_dir(follow_symlinks=False):
                if entry.name != FOLDER:
                    return not _CHECKPOINT.fullmatch(entry.name)
                self._add(root, folder, entry.path)
        except OSError:
            pass  # it went away, or is a link to itself
        return False

    def _listed(self, folder: str) -> Iterator[os.DirEntry[str]]:
        """Yields the entries of a folder, as long as no bound is reached."""
        if time.monotonic() > self._deadline:
            raise _Full(f"after {self._bounds.seconds:g} seconds")
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    self._entries += 1
                    if self._entries > self._bounds.entries:
                        raise _Full(f"after {self._bounds.entries:,} files")
                    if not self._entries % _LOOK_AT_CLOCK and time.monotonic() > self._deadline:
                        raise _Full(f"after {self._bounds.seconds:g} seconds")
                    yield entry
        except OSError:
            return  # it may be gone, or not be ours to read

    def _refuse_if_outside(self, root: Root, entry: os.DirEntry[str]) -> None:
        if entry.is_dir() and not is_inside(os.path.realpath(entry.path), root.path):
            self.left_out[
                "links that lead out of the logdir are not followed: name their folders with "
                "--logdir_spec"
            ] = None

    def _add(self, root: Root, folder: str, traces: str) -> None:
        files, scenes = [], {}
        for entry in self._listed(traces):
            if match := _FILE.fullmatch(entry.name):
                known = _known(root, entry)
                if known is not None:
                    files.append(File(int(match[2]), SPLITS.index(match[1]), *known))
            elif match := _SCENE.fullmatch(entry.name):
                known = _known(root, entry)
                if known is not None:
                    scenes[match[1]] = known[0]
        if not files:
            return
        run = _run(root, folder)
        if run in self.runs:
            self.left_out[
                f"two folders are called {run!r}, of which the first is shown: give each a name, "
                "--logdir_spec name:folder,..."
            ] = None
            return
        in_order = tuple(sorted(files))
        version = f"{hash((in_order, *sorted(scenes))) & (1 << 64) - 1:016x}"
        self.runs[run] = Archive(run, root.path, in_order, scenes, version)


def is_inside(path: str, root: str) -> bool:
    """Tells whether a path, with links resolved, lies in a folder.

    Example:
        >>> is_inside("/a/b", "/a"), is_inside("/ab", "/a"), is_inside("/a", "/")
        (True, False, True)
    """
    return path.startswith(root.rstrip(os.sep) + os.sep)


def _known(root: Root, entry: os.DirEntry[str]) -> tuple[str, int, int] | None:
    """Returns path, time of change and size of a regular file that lies in the logdir."""
    try:
        path = entry.path
        if entry.is_symlink():
            path = os.path.realpath(path)
            if not is_inside(path, root.path):
                return None
        if not entry.is_file():
            return None
        told = entry.stat()
    except OSError:
        return None
    return path, told.st_mtime_ns, told.st_size


def _storage(folder: str) -> str | None:
    """Returns where the storage path is of a folder that Tune stages files in, else None."""
    try:
        descriptor = os.open(os.path.join(folder, POINTER), _FLAGS)
        with os.fdopen(descriptor, "rb") as file:
            places = json.loads(file.read(_POINTER_BYTES))
        staging, storage = places["staging"], places["storage"]
        if os.path.realpath(staging) == folder and isinstance(storage, str):
            return storage[:_STORAGE_LETTERS]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        pass  # torn, or not ours
    return None


_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
"""A link is not followed, and a pipe of that name is not waited for."""


def _run(root: Root, folder: str) -> str:
    """Returns a run's name, as TensorBoard makes it; letters that are no UTF-8 are replaced."""
    run = os.path.relpath(folder, root.path)
    if root.name:
        run = os.path.join(root.name, run)
    shown = run.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return shown.replace(os.sep, "/")
