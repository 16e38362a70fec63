"""`tbtrace export`: recorded episodes in other formats."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from tbtrace.archive import media, recipe, schema
from tbtrace.archive.reader import Stored
from tbtrace.cli import arrays, console, recording, selection, spreadsheet
from tbtrace.cli.console import CallError
from tbtrace.cli.selection import Run
from tbtrace.episode import Episode
from tbtrace.errors import warn_once

Found = Sequence[tuple[Run, Stored]]

STDOUT = "-"


class _Format(NamedTuple):
    write: Callable[[Found, IO[bytes]], None]
    streams: bool = False
    """Whether it may go to standard output."""


def run(options: Any) -> int:
    """Writes the file; returns 0, or 1 where nothing fits.

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
    found = list(selection.chosen(options))
    if not found:
        return console.fail("no recorded episode fits")
    if out == STDOUT:
        form.write(found, sys.stdout.buffer)
        return 0
    unfinished = path.with_name(f"{path.name}.unfinished")
    try:
        with unfinished.open("wb") as stream:
            form.write(found, stream)
        unfinished.replace(path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            unfinished.unlink()
    print(f"{path}: {console.count(len(found), 'episode')}, {console.size(path.stat().st_size)}")
    return 0


def _each(found: Found) -> Iterator[tuple[Run, Stored]]:
    return console.progress(found, "exporting", len(found))


def _json(found: Found, stream: IO[bytes]) -> None:
    """Writes the list of the forum's recipe, an episode at a time, with the run's name in front.

    Media that JSON has no numbers for are left out, which is said once for each name.
    """
    separator = b"["
    for run, stored in _each(found):
        episode = stored.load()
        episode.media, lost = media.storable(episode.media, recipe.STORED)
        for name in lost:
            warn_once(f"export {name!r}", f"media {name!r}: JSON knows no such arrays; left out")
        stream.write(separator)
        stream.write(b'{"run": ' + json.dumps(run.name).encode() + b", ")
        stream.write(recipe.dump([episode])[len(b"[{") : -len(b"]")])
        separator = b",\n"
    stream.write(b"]\n")


def _parquet(found: Found, stream: IO[bytes]) -> None:
    """Writes the archive's rows with one column more in front: the run's name."""
    columns = pa.schema([("run", pa.string()), *schema.SCHEMA])
    with pq.ParquetWriter(stream, columns, compression="zstd") as writer:
        for run, stored in _each(found):
            rows = stored.rows()
            if rows.num_rows:
                names = pa.repeat(pa.scalar(run.name), rows.num_rows)
                writer.write_table(rows.add_column(0, columns.field(0), names).cast(columns))


def _loaded(found: Iterable[tuple[Run, Stored]]) -> Iterator[tuple[str, Episode]]:
    return ((run.name, stored.load()) for run, stored in found)


def _bare(found: Iterable[tuple[Run, Stored]]) -> Iterator[tuple[str, Episode]]:
    """Yields runs' names and episodes for formats without media and scenes."""
    return _loaded((run, stored.bare()) for run, stored in found)


def _csv(found: Found, stream: IO[bytes]) -> None:
    names = spreadsheet.names(_bare(found))
    spreadsheet.write(_bare(_each(found)), names, stream)


def _npz(found: Found, stream: IO[bytes]) -> None:
    arrays.write(_loaded(_each(found)), stream)


def _rrd(found: Found, stream: IO[bytes]) -> None:
    recording.write(_bare(_each(found)), Path(stream.name))


_FORMATS = {
    "csv": _Format(_csv, streams=True),
    "json": _Format(_json, streams=True),
    "parquet": _Format(_parquet),
    "npz": _Format(_npz),
    "rrd": _Format(_rrd),
}
