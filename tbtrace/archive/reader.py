"""Reading archives: runs below a folder, their episodes by iteration, entity and return."""

from __future__ import annotations

import itertools
import operator
import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, SupportsIndex

import pyarrow as pa
from pyarrow import fs

from tbtrace.archive import files, notes, schema
from tbtrace.archive.files import ArchiveError
from tbtrace.archive.store import FOLDER
from tbtrace.archive.stored import Stored
from tbtrace.episode import SPLITS, Episode
from tbtrace.errors import ContractError, warn_once
from tbtrace.select import Selector, chosen

__all__ = ["Archive", "ArchiveError", "Stored", "open_archive"]

_NAME = re.compile(r"(train|evaluation)-([0-9]{6,})\.parquet")
_READERS = 16
_AT_ONCE = 64

_File = tuple[str, str, int]


class Archive:
    """The archives of all runs below a folder; made by `open_archive`.

    Nothing is read before it is asked for; listing reads the files' footers only. It may be read
    while it is written: each call looks again.
    """

    def __init__(self, filesystem: fs.FileSystem, path: str) -> None:
        self._filesystem = filesystem
        self._path = path.rstrip("/") or path

    def files(self) -> dict[str, list[_File]]:
        """Returns `{run: [(path, split, iteration), ...]}`, runs and iterations in order.

        Raises:
            ArchiveError: The storage does not answer.
        """
        selector = fs.FileSelector(self._path, recursive=True, allow_not_found=True)
        runs: dict[str, list[_File]] = {}
        for info in files.tried(self._path, lambda: files.listed(self._filesystem, selector)):
            match = _NAME.fullmatch(info.base_name)
            folder = os.path.dirname(info.path)
            if match and info.is_file and os.path.basename(folder) == FOLDER:
                run = "."
                if folder != self._path:
                    run = os.path.relpath(os.path.dirname(folder), self._path).replace(os.sep, "/")
                runs.setdefault(run, []).append((info.path, match[1], int(match[2])))
        # The training of an iteration stands before its evaluation.
        return {
            run: sorted(runs[run], key=lambda file: (file[2], file[1] == "evaluation"))
            for run in sorted(runs)
        }

    def find(
        self,
        *,
        run: str | None = None,
        split: str | None = None,
        iteration: SupportsIndex | range | None = None,
        entity: str | None = None,
        least_return: float | None = None,
        most_return: float | None = None,
    ) -> Iterator[Stored]:
        """Yields the stored episodes that fit, in the order of runs, iterations and ends.

        A file that cannot be read is skipped with one warning.

        Args:
            run: A run's folder as `files` names it.
            split: `"train"` or `"evaluation"`.
            iteration: One, or a range of them.
            entity: Only episodes that have a trace of this name; reads their names.
            least_return: Only returns of at least this; a return of NaN is none.
            most_return: Only returns of at most this.

        Raises:
            ContractError: There is no such split.
        """
        if split not in (None, *SPLITS):
            raise ContractError(f"split={split!r}: give {' or '.join(map(repr, SPLITS))}, or None")
        if iteration is None or isinstance(iteration, range):
            wanted = iteration
        else:
            number = operator.index(iteration)  # NumPy's ints, too: data frames give them
            wanted = range(number, number + 1)
        for name, of_run in self.files().items():
            if run is not None and name != run:
                continue
            fitting = [
                file
                for file in of_run
                if (split is None or file[1] == split) and (wanted is None or file[2] in wanted)
            ]
            for stored in self._stored(name, fitting):
                value = stored.summary.episode_return
                if least_return is not None and not value >= least_return:
                    continue
                if most_return is not None and not value <= most_return:
                    continue
                if entity is None or or_warned(stored.has, entity):
                    yield stored

    def episodes(self, **filters: Any) -> Iterator[Episode]:
        """Yields whole episodes, one at a time; the filters are those of `find`.

        One that cannot be read is skipped, with one warning for its file.
        """
        for stored in self.find(**filters):
            episode = or_warned(stored.load)
            if episode is not None:
                yield episode

    def pick(self, selector: Selector, **filters: Any) -> list[Stored]:
        """Returns what a selector picks among the episodes that fit, e.g. `select.Best()`."""
        stored = [*self.find(**filters)]
        return [stored[i] for i in chosen(selector, [one.summary for one in stored])]

    def to_arrow(self, **filters: Any) -> pa.Table:
        """Returns the rows of the episodes that fit as one `pyarrow.Table`; as `episodes`."""
        tables = [or_warned(stored.rows) for stored in self.find(**filters)]
        known = [table for table in tables if table is not None]
        return pa.concat_tables([schema.SCHEMA.empty_table(), *known])

    def to_pandas(self, **filters: Any) -> Any:
        """Returns the rows of the episodes that fit as one `pandas.DataFrame`; as `episodes`."""
        return self.to_arrow(**filters).to_pandas()

    def _stored(self, run: str, of_run: list[_File]) -> Iterator[Stored]:
        def read(file: _File) -> list[Stored] | None:
            return or_warned(self._read, run, *file)  # type: ignore[no-any-return]

        with ThreadPoolExecutor(_READERS) as readers:
            for first in range(0, len(of_run), _AT_ONCE):  # who stops early has not read all
                for found in readers.map(read, of_run[first : first + _AT_ONCE]):
                    yield from found or ()

    def _read(self, run: str, path: str, split: str, iteration: int) -> list[Stored]:
        def read() -> list[Stored]:
            row_groups = itertools.count()
            return [
                Stored(
                    run,
                    split,
                    iteration,
                    path,
                    notes.summary(note),
                    note,
                    index,
                    next(row_groups) if note["rows"] else None,
                    self._filesystem,
                )
                for index, note in enumerate(files.read_notes(self._filesystem, path))
            ]

        return files.tried(path, read)  # type: ignore[no-any-return]


def open_archive(path: str | os.PathLike[str], filesystem: fs.FileSystem | None = None) -> Archive:
    """Opens the archives of a trial, an experiment, or any folder above.

    Opening a stranger's archive is safe: nothing in it is ever executed or unpickled, and no name
    in it becomes a path.

    Args:
        path: A local folder (`~` is the home), or a URI such as `s3://bucket/folder` or `gs://...`.
        filesystem: A `pyarrow.fs.FileSystem` that `path` lies on; found from the URI by default.

    Raises:
        ArchiveError: There is no such folder, or no file system for the URI.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     [*open_archive(folder).find()]
        []
    """
    where = os.fspath(path)
    try:
        if filesystem is None and "://" in where:
            filesystem, where = fs.FileSystem.from_uri(where)
        elif filesystem is None:
            where = os.path.abspath(os.path.expanduser(where))
            filesystem = fs.LocalFileSystem()
        kind = filesystem.get_file_info(where).type
    except (OSError, pa.ArrowException) as error:
        raise ArchiveError(f"{path} cannot be opened: {error}") from error
    if kind != fs.FileType.Directory:
        raise ArchiveError(f"{path}: there is no such folder")
    return Archive(filesystem, where)


def or_warned(read: Any, *args: Any) -> Any:
    """Returns what `read` returns; None, with one warning for its file, where it cannot be read."""
    try:
        return read(*args)
    except ArchiveError as error:
        warn_once(f"archive {error}", f"{error}; it is left out")
        return None
