"""Reading archives: runs below a folder, their episodes by iteration, entity and return."""

from __future__ import annotations

import io
import itertools
import json
import os
import re
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs

from tbtrace.archive import notes, schema
from tbtrace.archive.notes import Note
from tbtrace.archive.store import FOLDER
from tbtrace.episode import Episode, Media
from tbtrace.errors import TbtraceError, warn_once
from tbtrace.select import EpisodeSummary, Selector, chosen

_NAME = re.compile(r"(train|evaluation)-(\d{6,})\.parquet")
_TRIES = 3
_PAUSE_SECONDS = 0.05
_READERS = 16


class ArchiveError(TbtraceError):
    """A file of an archive cannot be read; the message names it and says what to do."""


@dataclass(frozen=True, slots=True)
class Stored:
    """One episode of an archive, known from its file's footer; `load` reads the rest.

    Attributes:
        run: The run's folder, relative to what was opened; `"."` for itself.
        split: `"train"` or `"evaluation"`.
        iteration: The training iteration.
        summary: What selectors look at.
        note: All that the footer says.
    """

    run: str
    split: str
    iteration: int
    summary: EpisodeSummary
    note: Note = field(repr=False)
    _path: str = field(repr=False)
    _index: int = field(repr=False)
    _row_group: int | None = field(repr=False)
    _filesystem: fs.FileSystem = field(repr=False)

    @property
    def groups(self) -> Mapping[str, int]:
        """How many entities each group has."""
        groups: Mapping[str, int] = self.note["groups"]
        return groups

    def rows(self) -> pa.Table:
        """Reads the episode's rows, as docs/archive.md describes them.

        Raises:
            ArchiveError: Its file cannot be read.
        """
        if self._row_group is None:
            return schema.SCHEMA.empty_table()
        return _tried(self._path, lambda: _file(self._filesystem, self._path).read_row_group(
            self._row_group
        ))  # fmt: skip

    def load(self) -> Episode:
        """Reads the whole episode.

        Raises:
            ArchiveError: Its file cannot be read.
        """
        episode = schema.episode(self.rows(), self.note)
        if self.note["media"]:
            path = f"{self._path.removesuffix('.parquet')}.npz"
            episode.media = _tried(path, lambda: self._media(path))
        told = self.note.get("scene")
        if told is not None:
            background = None
            if told["background"]:
                path = f"{os.path.dirname(self._path)}/scene-{told['background']}.npz"
                background = _tried(path, lambda: self._arrays(path)["background"])
            episode.scene = notes.scene(told, background)
        return episode

    def _arrays(self, path: str) -> Any:
        with self._filesystem.open_input_file(path) as stream:
            return np.load(io.BytesIO(stream.read()), allow_pickle=False)

    def _media(self, path: str) -> dict[str, Media]:
        arrays = self._arrays(path)
        return {
            name: Media(
                arrays[f"{self._index}/{number}/steps"],
                tuple(arrays[f"{self._index}/{number}/{n}"] for n in range(count)),
            )
            for number, (name, count) in enumerate(self.note["media"].items())
        }


class Archive:
    """The archives of all runs below a folder; made by `open_archive`.

    Nothing is read before it is asked for; listing reads the files' footers only. It may be read
    while it is written: each call looks again.
    """

    def __init__(self, filesystem: fs.FileSystem, path: str) -> None:
        self._filesystem = filesystem
        self._path = path.rstrip("/") or path

    def files(self) -> dict[str, list[tuple[str, str, int]]]:
        """Returns `{run: [(path, split, iteration), ...]}`, runs and iterations in order."""
        selector = fs.FileSelector(self._path, recursive=True, allow_not_found=True)
        runs: dict[str, list[tuple[str, str, int]]] = {}
        for info in self._filesystem.get_file_info(selector):
            match = _NAME.fullmatch(info.base_name)
            folder = os.path.dirname(info.path)
            if match and os.path.basename(folder) == FOLDER:
                run = os.path.relpath(os.path.dirname(folder), self._path).replace(os.sep, "/")
                runs.setdefault(run, []).append((info.path, match[1], int(match[2])))
        return {run: sorted(runs[run], key=lambda f: (f[2], f[1] == "evaluation")) for run in sorted(runs)}  # fmt: skip  # noqa: E501

    def find(
        self,
        *,
        run: str | None = None,
        split: str | None = None,
        iteration: int | range | None = None,
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
            least_return: Only returns of at least this.
            most_return: Only returns of at most this.
        """
        wanted = iteration if isinstance(iteration, range) else None
        for name, files in self.files().items():
            if run is not None and name != run:
                continue
            fitting = [
                file
                for file in files
                if (split is None or file[1] == split)
                and (iteration is None or file[2] in (wanted or (iteration,)))
            ]
            for stored in self._stored(name, fitting):
                value = stored.summary.episode_return
                if least_return is not None and not value >= least_return:
                    continue
                if most_return is not None and not value <= most_return:
                    continue
                if entity is None or _has(stored, entity):
                    yield stored

    def episodes(self, **filters: Any) -> Iterator[Episode]:
        """Yields whole episodes, one at a time; the filters are those of `find`."""
        for stored in self.find(**filters):
            yield stored.load()

    def pick(self, selector: Selector, **filters: Any) -> list[Stored]:
        """Returns what a selector picks among the episodes that fit, e.g. `select.Best()`."""
        stored = [*self.find(**filters)]
        return [stored[i] for i in chosen(selector, [one.summary for one in stored])]

    def to_pandas(self, **filters: Any) -> Any:
        """Returns the rows of the episodes that fit as one `pandas.DataFrame`."""
        tables = [stored.rows() for stored in self.find(**filters)]
        return pa.concat_tables(tables or [schema.SCHEMA.empty_table()]).to_pandas()

    def _stored(self, run: str, files: list[tuple[str, str, int]]) -> Iterator[Stored]:
        def read(file: tuple[str, str, int]) -> list[Stored] | ArchiveError:
            path, split, iteration = file
            try:
                told = _tried(path, lambda: _footer(self._filesystem, path))
                groups = itertools.count()
                return [
                    Stored(
                        run,
                        split,
                        iteration,
                        notes.summary(one),
                        one,
                        path,
                        index,
                        next(groups) if one["rows"] else None,
                        self._filesystem,
                    )
                    for index, one in enumerate(told)
                ]
            except ArchiveError as error:
                return error

        with ThreadPoolExecutor(_READERS) as readers:
            for found in readers.map(read, files):
                if isinstance(found, ArchiveError):
                    warn_once(f"archive {found}", f"{found}; it is left out")
                else:
                    yield from found


def open_archive(path: str | os.PathLike[str], filesystem: fs.FileSystem | None = None) -> Archive:
    """Opens the archives of a trial, an experiment, or any folder above.

    Opening a stranger's archive is safe: nothing in it is ever executed or unpickled.

    Args:
        path: A local folder, or a URI such as `s3://bucket/folder` or `gs://...`.
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
            filesystem, where = fs.LocalFileSystem(), os.path.abspath(where)
        if filesystem.get_file_info(where).type == fs.FileType.NotFound:
            raise ArchiveError(f"{path}: there is no such folder")
    except (OSError, pa.ArrowInvalid) as error:
        raise ArchiveError(f"{path} cannot be opened: {error}") from error
    return Archive(filesystem, where)


def _file(filesystem: fs.FileSystem, path: str) -> pq.ParquetFile:
    return pq.ParquetFile(filesystem.open_input_file(path))


def _footer(filesystem: fs.FileSystem, path: str) -> list[Note]:
    with filesystem.open_input_file(path) as stream:
        metadata = pq.read_metadata(stream).metadata or {}
    if notes.KEY not in metadata:
        raise ArchiveError(f"{path} is a Parquet file of something else")
    told = json.loads(metadata[notes.KEY])
    if told["version"] > notes.VERSION:
        raise ArchiveError(
            f"{path} was written by a newer tbtrace (format {told['version']}; this one reads up "
            f"to {notes.VERSION}): update tbtrace"
        )
    episodes: list[Note] = told["episodes"]
    return episodes


def _has(stored: Stored, entity: str) -> bool:
    rows = stored.rows().select(["kind", "name"]).to_pylist()
    return {"kind": "trace", "name": entity} in rows


def _tried(path: str, read: Callable[[], Any]) -> Any:
    """Reads a file, again where it may just be written by someone else."""
    for attempt in range(_TRIES):
        try:
            return read()
        except ArchiveError:
            raise
        except (OSError, pa.ArrowException, ValueError, KeyError, zipfile.BadZipFile) as error:
            if attempt == _TRIES - 1:
                raise ArchiveError(f"{path} cannot be read: {error}") from error
            time.sleep(_PAUSE_SECONDS)
    raise AssertionError
