"""Files: which files of a folder make up a recording, in the order in which they were written."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pyarrow import parquet

from tbtrace.errors import TbtraceError
from tbtrace.replay.tables import batches

_OF_RAY_DATA = re.compile(r"(?P<write>.+)_(?P<number>\d{6,})(?:-\d+)?\.\w+(?:\.gz)?")
_OF_ENV_RUNNER = re.compile(r"run-\w+-\d+")
_AT_ONCE = 16
_KEPT_BESIDE = re.compile(
    r".*/(traces/((train|evaluation)-\d{6,}\.parquet|context\.json)"
    r"|episode_data/data-\d{8,}\.json|result\.json|params\.json)"
)
"""What tbtrace's archive and Tune keep in a run's folder, where `output="logdir"` records, too."""

_SUFFIXES = (".parquet", ".json", ".jsonl", ".json.gz", ".jsonl.gz")


def is_parquet(path: Path) -> bool:
    """Tells a Parquet file from one of JSON lines, by its name."""
    return path.name.endswith(".parquet")


def recorded(path: Path) -> list[Path]:
    """Returns the files of a recording.

    RLlib's env runners write what they have recorded so far again with every sample, unless
    `output_max_rows_per_file` is set: of writes that repeat an earlier one the last is returned.

    Args:
        path: A file, or a folder that is searched with all below it; what tbtrace and Tune keep
            there is passed over.

    Raises:
        TbtraceError: There is no such file, or none in the folder.
    """
    if path.is_file():
        return [path]
    found = [
        file
        for file in path.rglob("*")
        if file.name.endswith(_SUFFIXES)
        and not _KEPT_BESIDE.fullmatch(file.absolute().as_posix())
        and file.is_file()
    ]
    if not found:
        raise TbtraceError(
            f"there is no recording in {path}: no file *{', *'.join(_SUFFIXES)}"
            if path.is_dir()
            else f"{path} does not exist"
        )
    return list(_without_repeated(sorted(found, key=_order)))


def _natural(text: str) -> list[tuple[int, str]]:
    """Sorts `9` before `10`."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", text)]


def _order(file: Path) -> tuple[list[tuple[int, str]], str, list[tuple[int, str]]]:
    match = _OF_RAY_DATA.fullmatch(file.name)
    # What Ray puts before the number is a random id that must not be read as one.
    write, rest = (match["write"], match["number"]) if match else ("", file.name)
    return _natural(str(file.parent)), write, _natural(rest)


@dataclass(frozen=True, slots=True)
class _Write:
    """What one env runner wrote at once."""

    files: list[Path]
    rows: list[int]

    def row(self, index: int) -> bytes:
        """Returns the digest of a row."""
        for file, rows in zip(self.files, self.rows, strict=True):
            if index >= rows:
                index -= rows
                continue
            for batch, _ in batches(file, _AT_ONCE):
                count = len(next(iter(batch.values())))
                if index < count:
                    return _digest([values[index] for values in batch.values()])
                index -= count
        raise IndexError(index)

    def repeats(self, other: _Write) -> bool:
        """Tells whether it begins with all that the other one holds."""
        last = sum(other.rows) - 1
        return last < sum(self.rows) and self.row(last) == other.row(last)


def _digest(row: list[Any]) -> bytes:
    """Returns 32 bytes that tell one row from others, whatever its size."""
    digest = hashlib.sha256()
    for value in row:
        # The text of a long array leaves out its middle.
        said = value.tobytes() if isinstance(value, np.ndarray) else repr(value).encode()
        digest.update(b"%d:%b" % (len(said), said))
    return digest.digest()


def _without_repeated(files: Iterable[Path]) -> Iterator[Path]:
    writes: dict[tuple[str, str], list[Path]] = {}
    for file in files:
        match = _OF_RAY_DATA.fullmatch(file.name)
        runner = _OF_ENV_RUNNER.fullmatch(file.parent.name)
        if match and runner and is_parquet(file):
            writes.setdefault((str(file.parent), match["write"]), []).append(file)
        else:
            yield file
    chains: dict[tuple[Path, str, bytes | str], list[_Write]] = {}
    for (folder, _), its in writes.items():
        worker = Path(folder).name.rpartition("-")[0]
        try:
            write = _Write(its, [parquet.read_metadata(file).num_rows for file in its])
            chain = chains.setdefault((Path(folder).parent, worker, write.row(0)), [])
            if chain and write.repeats(chain[-1]):
                chain[-1] = write
            else:
                chain.append(write)
        except Exception:  # of Arrow's there is no complete list
            # Whoever reads it says what is wrong with it.
            chains[Path(folder), its[0].name, ""] = [_Write(its, [])]
    for chain in chains.values():
        for write in chain:
            yield from write.files
