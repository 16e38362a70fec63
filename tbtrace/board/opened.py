"""Opened: one file of an archive, read without ever taking more than a bound of it.

The bytes that are checked are the bytes that are used: they are read once, and Arrow gets them
from memory, whatever happens to the file meanwhile.
"""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from tbtrace.archive import files
from tbtrace.archive.notes import Note
from tbtrace.archive.schema import SCHEMA
from tbtrace.board.chunks import ZSTD, Chunk, chunks
from tbtrace.board.faults import NotFound, TooLarge
from tbtrace.board.links import UNFOLLOWED, is_inside
from tbtrace.board.pages import DICTIONARY, longest_text, pages

MOST_POINTS = 4_000_000
MOST_FOOTER = 8 << 20
MOST_BYTES = 256 << 20
"""Of an episode's rows, compressed, decompressed, and of its texts when they are written out."""
MOST_VALUES = 32_000_000
MOST_ROWS = 50_000
MOST_PAGES = 20_000

_TAIL = 1 << 16
_END = 8


@contextmanager
def opened(path: str, root: str) -> Iterator[BinaryIO]:
    """Opens a file.

    Args:
        path: Of a file that a scan found.
        root: The folder that it must lie in when links are resolved.

    Raises:
        NotFound: It lies elsewhere now, or is no regular file.
        OSError: It is gone, or cannot be read.
    """
    real = os.path.realpath(path)
    if not is_inside(real, root):
        raise NotFound(f"{os.path.basename(path)} leads out of the logdir, and is not read")
    with os.fdopen(os.open(real, UNFOLLOWED), "rb", buffering=0) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise NotFound(f"{os.path.basename(path)} is no file")
        yield file


class Parquet:
    """A Parquet file of an archive; its footer is read at once.

    Args:
        file: An opened file.

    Raises:
        TooLarge: Its footer is beyond the bound.
        ValueError: It is no Parquet file, or not whole at this moment.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._size = os.fstat(file.fileno()).st_size
        tail = self._bytes(max(0, self._size - _TAIL), self._size)
        if len(tail) <= _END or tail[-4:] != b"PAR1":
            raise ValueError("it is no Parquet file, or not whole")
        length = int.from_bytes(tail[-8:-4], "little") + _END
        if length > MOST_FOOTER:
            raise TooLarge(f"its footer has {length:,} bytes, more than the board reads")
        self._start = self._size - length
        if self._start < 0:
            raise ValueError("it is not whole")
        if length <= len(tail):
            self._footer = tail[-length:]
        else:
            self._footer = self._bytes(self._start, self._size)

    def notes(self, name: str) -> list[Note]:
        """Returns what the footer says about the episodes.

        Args:
            name: What messages call the file.

        Raises:
            ArchiveError: It is of something else, or newer than this tbtrace.
            Exception: It is damaged.
        """
        return files.read_notes(_Memory({0: self._footer}), name)

    def rows(self, row_group: int, told: Note) -> pa.Table:
        """Returns the rows of one episode.

        Raises:
            TooLarge: They would be beyond the bounds.
            Exception: They are not those that the note is about.
        """
        rows, columns = chunks(self._footer[:-_END], row_group)
        leaves = self._leaves()
        if rows != told["rows"] or len(leaves) != len(columns):
            raise ValueError("its rows are not those that its footer tells of")
        if rows > MOST_ROWS:
            raise TooLarge(f"the episode has {rows:,} entities and quantities")
        parts = {}
        budget = _Budget()
        for column, leaf in zip(columns, leaves, strict=True):
            if leaf.root not in SCHEMA.names:
                continue  # of a later tbtrace; it is not read
            if column.end > self._start:
                raise ValueError("a column lies outside of the file")
            budget.add_packed(column.end - column.start)
            parts[column.start] = self._bytes(column.start, column.end)
            budget.add(column, leaf, parts[column.start])
        parts[self._start] = self._footer
        return files.read_rows(_Memory(parts), "", row_group, told)

    def _leaves(self) -> list[_Leaf]:
        """Returns what the schema says of each column; what a row group says of it may differ."""
        stored = pq.read_metadata(pa.BufferReader(self._footer)).schema
        schema = stored.to_arrow_schema()
        for field in SCHEMA:
            if schema.names.count(field.name) != 1 or schema.field(field.name).type != field.type:
                raise ValueError(f"its column {field.name} is none that tbtrace writes")
        columns = [stored.column(index) for index in range(len(stored))]
        return [
            _Leaf(column.path.partition(".")[0], column.physical_type == "BYTE_ARRAY")
            for column in columns
        ]

    def _bytes(self, start: int, end: int) -> bytes:
        self._file.seek(start)
        parts, missing = [], end - start
        while missing and (part := self._file.read(missing)):
            parts.append(part)
            missing -= len(part)
        if missing:
            raise ValueError("it is not whole")
        return b"".join(parts)


class _Leaf(NamedTuple):
    """A column of the schema: the name that it lies below, and whether it holds texts."""

    root: str
    is_text: bool


class _Budget:
    """What the rows of an episode may take, as their pages claim it."""

    def __init__(self) -> None:
        self._packed = self._size = self._values = self._pages = self._texts = 0

    def add_packed(self, size: int) -> None:
        self._packed += size
        self._check(self._packed <= MOST_BYTES)

    def add(self, column: Chunk, leaf: _Leaf, chunk: bytes) -> None:
        words, values = 0, 0
        dictionary: bytes | None = None
        for page in pages(chunk):
            self._pages += 1
            self._size += page.size
            self._values += page.values
            self._check(
                self._size <= MOST_BYTES
                and self._values <= MOST_VALUES
                and self._pages <= MOST_PAGES
            )
            if page.kind == DICTIONARY:
                if dictionary is not None or values:
                    raise ValueError("a column has two dictionaries")
                dictionary, words = chunk[page.start : page.end], page.size
            else:
                values += page.values
        if values != column.values:
            raise ValueError("a column does not hold what its footer says")
        if leaf.root == "x" and values > MOST_POINTS + MOST_ROWS:
            raise TooLarge(f"the episode has {values:,} points; at most {MOST_POINTS:,} are shown")
        if dictionary is not None and leaf.is_text:
            # Each value may be the longest word; all words together are a quick bound of that.
            if self._texts + values * words > MOST_BYTES:
                if column.codec == ZSTD:
                    dictionary = pa.decompress(dictionary, words, "zstd", asbytes=True)
                words = longest_text(dictionary)
            self._texts += values * words
            self._check(self._texts <= MOST_BYTES)

    def _check(self, within: bool) -> None:
        if not within:
            raise TooLarge("the episode is larger in memory than the board reads")


class _Memory:
    """A file system of one file, of which some parts are there."""

    def __init__(self, parts: dict[int, bytes]) -> None:
        self._parts = parts

    def open_input_file(self, path: str) -> Any:
        if len(self._parts) == 1:  # the footer alone: a whole file, as far as it goes
            return pa.BufferReader(self._parts[0])
        return pa.PythonFile(_Parts(self._parts), mode="r")


class _Parts(io.RawIOBase):
    """Some parts of a file, with zeros between them."""

    def __init__(self, parts: dict[int, bytes]) -> None:
        self._parts = parts
        self._size = max(start + len(part) for start, part in parts.items())
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + (0, self._at, self._size)[whence]
        return self._at

    def read(self, size: int = -1) -> bytes:
        begin = self._at
        self._at = end = self._size if size < 0 else min(begin + size, self._size)
        if end - begin > MOST_BYTES:
            raise OSError("more is asked for than was checked")
        for start, part in self._parts.items():
            if start <= begin and end <= start + len(part):
                return part[begin - start : end - start]
        found = bytearray(max(0, end - begin))
        for start, part in self._parts.items():
            first, last = max(begin, start), min(end, start + len(part))
            if first < last:
                found[first - begin : last - begin] = part[first - start : last - start]
        return bytes(found)
