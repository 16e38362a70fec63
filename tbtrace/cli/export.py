"""`tbtrace export`: recorded episodes in other formats."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from tbtrace.archive import media, recipe, schema
from tbtrace.archive.reader import Stored, or_warned
from tbtrace.cli import arrays, console, recording, selection, spreadsheet
from tbtrace.cli.console import CallError
from tbtrace.cli.selection import Run
from tbtrace.episode import Episode
from tbtrace.errors import warn_once

STDOUT = "-"


class _Found:
    """The episodes that are asked for, read one at a time; those that cannot be are left out.

    Attributes:
        lost: How many could not be read the last time.
    """

    def __init__(self, stored: Sequence[tuple[Run, Stored]]) -> None:
        self.lost = 0
        self._stored = stored

    def __len__(self) -> int:
        return len(self._stored)

    def each(
        self, read: Callable[[Stored], Any], doing: str = "exporting"
    ) -> Iterator[tuple[str, Any]]:
        """Yields runs' names and what `read` returns of each episode."""
        self.lost = 0
        for run, stored in console.progress(self._stored, doing, len(self)):
            got = or_warned(read, stored)
            if got is None:
                self.lost += 1
            else:
                yield run.name, got


class _Format(NamedTuple):
    write: Callable[[_Found, IO[bytes]], None]
    streams: bool = False
    """Whether it may go to standard output."""


def run(options: Any) -> int:
    """Writes the file; returns 0, or 1 where nothing fits or some cannot be read.

    Raises:
        CallError: The file cannot be that one.
    """
    form = _FORMATS[options.format]
    out = options.out or f"tbtrace-export.{options.format}"
    if out == STDOUT and not form.streams:
        raise CallError(f"--format {options.format} needs --out FILE")
    path = Path(out).expanduser()
    if out != STDOUT and (path.is_dir() or not path.parent.is_dir()):
        raise CallError(f"--out {out}: give a file in a folder that is there")
    if options.format == "rrd":
        recording.check()
    found = _Found(list(selection.chosen(options)))
    if not len(found):
        return console.fail("no recorded episode fits")
    if out == STDOUT:
        form.write(found, sys.stdout.buffer)
        return _judged(found)
    unfinished = path.with_name(f"{path.name}.unfinished")
    try:
        with unfinished.open("wb") as stream:
            form.write(found, stream)
        if found.lost < len(found):
            unfinished.replace(path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            unfinished.unlink()
    written = len(found) - found.lost
    if written:
        print(f"{path}: {console.count(written, 'episode')}, {console.size(path.stat().st_size)}")
    return _judged(found)


def _judged(found: _Found) -> int:
    """Returns the exit code; says what is missing."""
    if not found.lost:
        return 0
    return console.fail(f"{console.count(found.lost, 'episode')} could not be read, and left out")


def _json(found: _Found, stream: IO[bytes]) -> None:
    """Writes the list of the forum's recipe, an episode at a time, with the run's name in front.

    Media that JSON has no numbers for are left out, which is said once for each name.
    """
    separator = b"["
    for run, episode in found.each(Stored.load):
        episode.media, lost = media.storable(episode.media, recipe.STORED)
        for name in lost:
            warn_once(f"export {name!r}", f"media {name!r}: JSON knows no such arrays; left out")
        stream.write(separator)
        stream.write(b'{"run": ' + json.dumps(run).encode() + b", ")
        stream.write(recipe.dump([episode])[len(b"[{") : -len(b"]")])
        separator = b",\n"
    stream.write(b"]\n" if found.lost < len(found) else b"[]\n")


def _parquet(found: _Found, stream: IO[bytes]) -> None:
    """Writes the archive's rows with one column more in front: the run's name."""
    columns = pa.schema([("run", pa.string()), *schema.SCHEMA])
    with pq.ParquetWriter(stream, columns, compression="zstd") as writer:
        for run, rows in found.each(Stored.rows):
            if rows.num_rows:
                names = pa.repeat(pa.scalar(run), rows.num_rows)
                writer.write_table(rows.add_column(0, columns.field(0), names).cast(columns))


def _bare(stored: Stored) -> Episode:
    """Returns an episode for formats without media and scenes."""
    return stored.bare().load()


def _csv(found: _Found, stream: IO[bytes]) -> None:
    names = spreadsheet.names(found.each(_bare, "reading names"))
    spreadsheet.write(found.each(_bare), names, stream)


def _npz(found: _Found, stream: IO[bytes]) -> None:
    arrays.write(found.each(Stored.load), stream)


def _rrd(found: _Found, stream: IO[bytes]) -> None:
    recording.write(found.each(_bare), Path(stream.name))


_FORMATS = {
    "csv": _Format(_csv, streams=True),
    "json": _Format(_json, streams=True),
    "parquet": _Format(_parquet),
    "npz": _Format(_npz),
    "rrd": _Format(_rrd),
}
