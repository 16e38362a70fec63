"""A scan: one walk over the logdir, which finds archives and Tune's staging folders.

TensorBoard follows links to folders, so that a folder of links to runs shows these runs. A walk
follows those that stay inside the logdir, under the names that TensorBoard gives what they lead to,
and tells of those that lead out. Links come after all folders, and none leads back to where it came
from: a maze of them hides nothing, and ends.
"""

from __future__ import annotations

import os
import posixpath
import re
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tbtrace.board.found import SPLITS, Archive, File, Found
from tbtrace.board.links import is_above, is_inside
from tbtrace.board.logdirs import Root
from tbtrace.board.pointer import POINTER, storage

FOLDER = "traces"

_FILE = re.compile(r"(train|evaluation)-([0-9]{6,15})\.parquet")
_SCENE = re.compile(r"scene-([0-9a-f]{16})\.npz")
_CHECKPOINT = re.compile(r"checkpoint_[0-9]+")
_MOST_NAMED = 5
_LONGEST_NAME = 200
_LONG_PATH = 512


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far a scan goes.

    Attributes:
        depth: So many folders below the logdir.
        entries: So many files and folders in all; one with a very long path counts as several.
        seconds: So long at a stretch.
    """

    depth: int = 12
    entries: int = 500_000
    seconds: float = 5.0


class _Full(Exception):
    """There are more files than a walk looks at."""


class _Folder(NamedTuple):
    """A folder to look into.

    Attributes:
        root: What it was found in.
        run: Its path below that, by the names that led to it.
        path: Where it is, with links resolved.
        depth: How many folders below the root it is, by the names that led to it.
        came_by: The folders that hold the links that led to it.
    """

    root: Root
    run: str
    path: str
    depth: int
    came_by: tuple[str, ...]


def scan(roots: Sequence[Root], bounds: Bounds | None = None) -> Found:
    """Walks over folders to the end.

    Args:
        roots: Where to look; missing ones are empty.
        bounds: How far; 12 deep and 500,000 entries by default.
    """
    walk = Walk(roots, bounds)
    while not walk.go_on():
        pass
    return walk.found()


class Walk:
    """A walk over folders, the upper ones first; what cannot be read is passed over.

    Args:
        roots: Where to look; missing ones are empty.
        bounds: How far; 12 deep, 500,000 entries, and 5 seconds at a stretch by default.
    """

    def __init__(self, roots: Sequence[Root], bounds: Bounds | None = None) -> None:
        self._bounds = Bounds() if bounds is None else bounds
        self._roots = [Root(root.name, os.path.realpath(root.path)) for root in roots]
        self._folders = deque(_Folder(root, "", root.path, 0, ()) for root in self._roots)
        self._linked: deque[_Folder] = deque()
        self._entries = 0
        self._runs: dict[str, Archive] = {}
        self._staging: dict[str, str] = {}
        self._left_out: dict[str, None] = {}
        self._outside: dict[str, None] = {}

    def go_on(self) -> bool:
        """Walks for a stretch; a folder that was begun is finished. Returns whether all is done."""
        deadline = time.monotonic() + self._bounds.seconds
        try:
            while self._folders or self._linked:
                folder = (self._folders or self._linked).popleft()
                for entry in self._listed(folder.path):
                    self._take(folder, entry)
                if time.monotonic() > deadline:
                    break
        except _Full:
            said = f"the scan ended after {self._bounds.entries:,} files"
            self._left_out[f"{said}: start TensorBoard on a folder further down"] = None
            self._folders.clear()
            self._linked.clear()
        return not (self._folders or self._linked)

    def found(self) -> Found:
        """Returns what was found so far."""
        left_out = (*self._left_out, *_told(self._outside))
        return Found.of(self._runs, self._staging, left_out)

    def _take(self, folder: _Folder, entry: os.DirEntry[str]) -> None:
        """Takes what an entry of a folder tells."""
        try:
            if entry.name == POINTER:
                if kept := storage(folder.path):
                    self._staging[_named(folder.root, folder.run)] = kept
            elif entry.is_dir() and not _CHECKPOINT.fullmatch(entry.name):
                path = self._resolved(folder, entry)
                if path is not None and entry.name == FOLDER:
                    self._add(folder, path)
                elif path is not None:
                    self._go_into(folder, entry, path)
        except OSError:
            pass  # it went away, or is a link to itself

    def _go_into(self, folder: _Folder, entry: os.DirEntry[str], path: str) -> None:
        if folder.depth >= self._bounds.depth:
            said = f"folders more than {self._bounds.depth} below the logdir are left out"
            self._left_out[said] = None
            return
        came_by, waiting = folder.came_by, self._folders
        if entry.is_symlink():
            came_by = (*came_by, folder.path)
        if came_by:
            waiting = self._linked
        run = posixpath.join(folder.run, entry.name)
        waiting.append(_Folder(folder.root, run, path, folder.depth + 1, came_by))

    def _resolved(self, folder: _Folder, entry: os.DirEntry[str]) -> str | None:
        """Returns where an entry is; None where it leads out of the logdir, or back."""
        if not entry.is_symlink():
            return entry.path
        path = os.path.realpath(entry.path)
        if is_above(path, (folder.path, *folder.came_by)):
            return None
        if is_inside(path, folder.root.path):
            return path
        if not any(path == root.path or is_inside(path, root.path) for root in self._roots):
            is_run = os.path.isdir(path) and entry.name != FOLDER
            run = posixpath.join(folder.run, entry.name) if is_run else folder.run
            self._outside[_named(folder.root, run)] = None
        return None

    def _listed(self, folder: str) -> Iterator[os.DirEntry[str]]:
        """Yields the entries of a folder, as long as no bound is reached."""
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    self._entries += 1 + len(entry.path) // _LONG_PATH
                    if self._entries > self._bounds.entries:
                        raise _Full
                    yield entry
        except OSError:
            return  # it may be gone, or not be ours to read

    def _add(self, folder: _Folder, traces: str) -> None:
        files, scenes = [], {}
        inner = folder._replace(path=traces)
        for entry in self._listed(traces):
            if match := _FILE.fullmatch(entry.name):
                known = self._known(inner, entry)
                if known is not None:
                    files.append(File(int(match[2]), SPLITS.index(match[1]), *known))
            elif match := _SCENE.fullmatch(entry.name):
                known = self._known(inner, entry)
                if known is not None:
                    scenes[match[1]] = known[0]
        if not files:
            return
        run = _named(folder.root, folder.run)
        if run in self._runs:
            self._left_out[
                f"two folders are called {run[:_LONGEST_NAME]!r}, of which the first is shown: "
                "give each a name, --logdir_spec name:folder,..."
            ] = None
            return
        in_order = tuple(sorted(files))
        version = f"{hash((in_order, *sorted(scenes))) & (1 << 64) - 1:016x}"
        self._runs[run] = Archive(run, folder.root.path, in_order, scenes, version)

    def _known(self, folder: _Folder, entry: os.DirEntry[str]) -> tuple[str, int, int] | None:
        """Returns path, time of change and size of a regular file that lies in the logdir."""
        try:
            path = self._resolved(folder, entry) if entry.is_file() else None
            told = entry.stat()
        except OSError:
            return None
        return None if path is None else (path, told.st_mtime_ns, told.st_size)


def _told(outside: Mapping[str, None]) -> Iterator[str]:
    """Yields a sentence on the runs that lie outside of the logdir, where there are any."""
    if outside:
        names = [repr(name[:_LONGEST_NAME]) for name in sorted(outside)]
        shown = ", ".join(names[:_MOST_NAMED])
        more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
        yield (
            f"links that lead out of the logdir are not followed, which leaves out {shown}{more}: "
            "name the folders where they are with --logdir_spec"
        )


def _named(root: Root, run: str) -> str:
    """Returns a run's name, as TensorBoard makes it; letters that are no UTF-8 are replaced."""
    name = posixpath.join(root.name, run or ".")
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
