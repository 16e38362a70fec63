"""Reader: the fragments of a recording, file by file, of whichever kind each is."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
from pyarrow import parquet

from tbtrace.errors import Problems
from tbtrace.replay import episodes, rows, tables
from tbtrace.replay.batches import Batches, is_batch
from tbtrace.replay.files import is_parquet
from tbtrace.replay.fragments import Fragment
from tbtrace.replay.pickles import DamagedError, Opener, UntrustedError

LONGEST_LINE = 256 << 20
"""Bytes of a line of JSON that are read; gzip makes a line of any length out of few bytes."""

_TABLE_ROWS = 1


class Reader:
    """Reads a recording; what is damaged is counted (`"records"`), named once, and left out.

    Args:
        opener: Opens pickles, or refuses.
        problems: Where damage is counted.
        advance: Called with the bytes of the files that were read, now and then.
    """

    def __init__(
        self, opener: Opener, problems: Problems, advance: Callable[[float], object]
    ) -> None:
        self._opener = opener
        self._problems = problems
        self._advance = advance
        self._batches = Batches(opener, problems)

    def read(self, files: Iterable[Path]) -> Iterator[Fragment]:
        """Yields the fragments of the files, in their order.

        Raises:
            UntrustedError: What is needed is pickled, and the recording is not trusted.
        """
        for file in files:
            for found, read in self._parts(file):
                for one in found:
                    if isinstance(one, Fragment):
                        yield one
                    else:
                        self._damaged(file, one)
                self._advance(read)

    def _parts(self, file: Path) -> Iterator[tuple[list[Any], float]]:
        """Yields `(fragments or errors, bytes read)`; damage costs the rest of the file."""
        try:
            size = file.stat().st_size
            parts = self._of_parquet(file) if is_parquet(file) else self._of_json(file)
            for found, share in parts:
                yield found, share * size
        except UntrustedError:
            raise
        except Exception as error:  # Arrow, gzip, zlib, codecs: no list of theirs is complete
            yield [error], 0.0

    def _damaged(self, file: Path, error: Exception) -> None:
        # It may quote the file, which a terminal must not be steered by.
        said = "".join(c if c.isprintable() else " " for c in f"{type(error).__name__}: {error}")
        said = " ".join(said.removeprefix("DamagedError: ").split())
        self._problems.add(
            "records",
            "replay damaged",
            f"parts of the recording cannot be read, the first one in {file}: {said[:300]}",
        )

    def _of_parquet(self, file: Path) -> Iterator[tuple[list[Any], float]]:
        schema = parquet.read_schema(file)
        names = schema.names
        if names == [episodes.COLUMN]:
            return episodes.read(file, self._opener)
        its = schema.field(rows.KEY).type if rows.KEY in names else None
        is_list = its is not None and (pa.types.is_list(its) or pa.types.is_large_list(its))
        if is_batch(names, is_list):
            return self._of_table(file)
        if rows.KEY in names:
            return rows.read(file, self._opener, names)
        raise DamagedError(f"no recording of RLlib; its columns are {', '.join(names[:10])}")

    def _of_table(self, file: Path) -> Iterator[tuple[list[Any], float]]:
        for batch, share in tables.batches(file, _TABLE_ROWS):
            row = {name: value for name, (value,) in batch.items()}
            yield self._of_batch(row), share

    def _of_json(self, file: Path) -> Iterator[tuple[list[Any], float]]:
        size = max(1, file.stat().st_size)
        with ExitStack() as stack:
            raw = stack.enter_context(file.open("rb"))
            lines: Any = raw
            if file.name.endswith(".gz"):
                lines = stack.enter_context(gzip.GzipFile(fileobj=raw))
            before = 0
            for line in _lines(lines):
                if line is not None and line.isspace():
                    continue
                yield self._of_line(line), (raw.tell() - before) / size
                before = raw.tell()

    def _of_line(self, line: bytes | None) -> list[Any]:
        if line is None:
            return [DamagedError(f"a line is longer than {LONGEST_LINE >> 20} MB")]
        try:
            return self._of_batch(json.loads(line))
        except (ValueError, RecursionError) as error:
            return [error]

    def _of_batch(self, batch: Any) -> list[Any]:
        try:
            return [*self._batches.fragments(batch)]
        except DamagedError as error:
            return [error]


def _lines(file: IO[bytes]) -> Iterator[bytes | None]:
    """Yields lines; None for one that is too long, of which nothing is kept."""
    while line := file.readline(LONGEST_LINE + 1):
        is_short = len(line) <= LONGEST_LINE
        while len(line) > LONGEST_LINE and not line.endswith(b"\n"):
            line = file.readline(LONGEST_LINE + 1)
        yield line if is_short else None
