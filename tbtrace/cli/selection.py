"""Which runs and episodes of which archives a command line means."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import fs

from tbtrace.archive.reader import Archive, Stored, open_archive
from tbtrace.cli.console import CallError
from tbtrace.cli.parser import LAST
from tbtrace.cli.staging import staging_hint
from tbtrace.errors import TbtraceError


@dataclass(frozen=True)
class Run:
    """One run's archive.

    Attributes:
        name: Its folder below the one that was given; `"."` for itself.
        path: Its folder on the file system.
        filesystem: Where that is.
        files: `(path, split, iteration)` of each of its files, in order.
    """

    name: str
    path: str
    filesystem: fs.FileSystem
    files: list[tuple[str, str, int]]

    def find(
        self,
        split: str | None = None,
        iteration: range | str | None = None,
        entity: str | None = None,
    ) -> Iterator[Stored]:
        """Yields stored episodes, iteration by iteration; the options are the command line's."""
        if iteration == LAST:
            newest = max((number for _, of, number in self.files if split in (None, of)), default=0)
            iteration = range(newest, newest + 1)
        assert not isinstance(iteration, str)
        # The run alone: that of everything below the given folder would list it for each run.
        archive = Archive(self.filesystem, self.path)
        return archive.find(run=".", split=split, iteration=iteration, entity=entity)

    @property
    def local(self) -> Path | None:
        """Its folder, where it is on this machine."""
        return Path(self.path) if self.filesystem.type_name == "local" else None


def runs(directory: str, pattern: str | None = None) -> list[Run]:
    """Returns the runs below a folder that have an archive, in the order of their names.

    Args:
        directory: A folder or URI.
        pattern: Only runs whose name it matches; with `*` and `?`.

    Raises:
        CallError: There is no such folder, or no run of that name.
        TbtraceError: It holds no archive; says where one may be.
    """
    if "://" in directory:
        try:
            filesystem, path = fs.FileSystem.from_uri(directory)
        except (OSError, pa.ArrowException) as error:
            raise CallError(f"{directory} cannot be opened: {error}") from error
    else:
        filesystem, path = fs.LocalFileSystem(), str(Path(directory).expanduser().absolute())
    if filesystem.get_file_info(path).type != fs.FileType.Directory:
        raise CallError(f"{directory} is no directory")
    files = open_archive(path, filesystem).files()
    found = [
        Run(name, path if name == "." else f"{path.rstrip('/')}/{name}", filesystem, its)
        for name, its in files.items()
    ]
    if not found:
        hint = staging_hint(Path(path)) if filesystem.type_name == "local" else None
        raise TbtraceError(hint or f"there is no archive (traces/*.parquet) below {directory}")
    fitting = [run for run in found if pattern is None or fnmatchcase(run.name, pattern)]
    if not fitting:
        names = ", ".join(run.name for run in found[:10])
        raise CallError(f"no run is named {pattern}; there are {names}")
    return fitting


def chosen(options: Any) -> Iterator[tuple[Run, Stored]]:
    """Yields run and episode for what `--run`, `--split`, `--iteration` and `--entity` say.

    Raises:
        CallError: As `runs`.
        TbtraceError: As `runs`.
    """
    for run in runs(options.directory, options.run):
        for stored in run.find(options.split, options.iteration, options.entity):
            yield run, stored
