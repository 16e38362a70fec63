"""Files of an archive, read with care: they may be damaged, foreign, hostile, or just written."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tbtrace.archive import media, notes
from tbtrace.archive.checksum import checksum
from tbtrace.archive.notes import Note
from tbtrace.archive.schema import SCHEMA
from tbtrace.errors import TbtraceError, warn_once

CONTEXT = "context.json"
"""The name of the file of what lasts over a run's iterations."""

_TRIES = 3
_PAUSE_SECONDS = 0.05
_KEY = re.compile(r"[0-9a-f]{16}")


class ArchiveError(TbtraceError):
    """A file of an archive cannot be read; the message names it and says what to do."""


def tried(path: str, read: Callable[[], Any]) -> Any:
    """Reads a file, again where it may just be written by someone else.

    Raises:
        ArchiveError: It cannot be read, for whatever reason: a stranger's file may fail anywhere.
    """
    for attempt in range(_TRIES):
        try:
            return read()
        except ArchiveError:
            raise
        except Exception as error:
            if attempt == _TRIES - 1:
                said = f"{type(error).__name__}: {error}"
                raise ArchiveError(f"{path} cannot be read ({said})") from error
            time.sleep(_PAUSE_SECONDS)
    raise AssertionError


def listed(filesystem: Any, selector: Any) -> list[Any]:
    """Returns the `pyarrow.fs.FileInfo` of what a selector finds.

    What has a name that is no UTF-8 is passed over, since pyarrow cannot say it; with one warning
    where it would be an archive's file.

    Raises:
        OSError: The storage does not answer.
    """
    found = []
    for info in filesystem.get_file_info(selector):
        try:
            info.path  # noqa: B018
        except UnicodeDecodeError as error:
            if error.object.endswith(b".parquet"):
                said = (
                    f"{error.object!r} is no UTF-8, which pyarrow needs; it is left out: rename it"
                )
                warn_once(f"archive name {selector.base_dir}", said)
        else:
            found.append(info)
    return found


def read_notes(filesystem: Any, path: str) -> list[Note]:
    """Returns what a Parquet file says about its episodes; reads its footer only.

    Raises:
        ArchiveError: It is of something else, or newer than this tbtrace.
        Exception: It is damaged, or not whole at this moment.
    """
    with filesystem.open_input_file(path) as stream:
        metadata = pq.read_metadata(stream).metadata or {}
    if notes.KEY not in metadata:
        raise ArchiveError(f"{path} is a Parquet file of something else")
    version, told = notes.read(metadata)
    if version > notes.VERSION:
        raise ArchiveError(
            f"{path} was written by a newer tbtrace (format {version}; this one reads up to "
            f"{notes.VERSION}): update tbtrace"
        )
    return told


def read_rows(filesystem: Any, path: str, row_group: int, told: Note) -> Any:
    """Returns a `pyarrow.Table` of the rows of one episode.

    Raises:
        Exception: They are not those that the note is about.
    """
    with (
        filesystem.open_input_file(path) as stream,
        pq.ParquetFile(stream, page_checksum_verification=True) as file,
    ):
        rows = file.read_row_group(row_group, columns=SCHEMA.names).replace_schema_metadata()
    if rows.schema != SCHEMA or rows.num_rows != told["rows"] or checksum(rows) != told["crc32"]:
        raise ValueError("it is damaged, or was written again since it was listed")
    return rows


def read_entities(filesystem: Any, path: str, row_group: int) -> set[str]:
    """Returns the names of the entities of one episode, as they are spelled.

    Raises:
        Exception: They are damaged, or not whole at this moment.
    """
    with (
        filesystem.open_input_file(path) as stream,
        pq.ParquetFile(stream, page_checksum_verification=True) as file,
    ):
        rows = file.read_row_group(row_group, columns=["kind", "name"]).to_pylist()
    return {row["name"] for row in rows if row["kind"] == "trace"}


def read_npz(filesystem: Any, path: str, digest: str) -> bytes:
    """Returns the content of a file of media.

    Raises:
        Exception: It is not the file that the notes are about.
    """
    with filesystem.open_input_file(path) as stream:
        content: bytes = stream.read()
    if media.digest(content) != digest:
        raise ValueError("it is damaged, or was written again since it was listed")
    return content


def read_context(filesystem: Any, folder: str, most_bytes: int) -> bytes | None:
    """Returns what lasts over a run's iterations, as it was kept; None where nothing was.

    Args:
        filesystem: A `pyarrow.fs.FileSystem`.
        folder: That of the archive, `traces`.
        most_bytes: So many are read, and one more of a larger file.

    Raises:
        OSError: The storage cannot be read.
    """
    path = f"{folder}/{CONTEXT}"
    if not filesystem.get_file_info(path).is_file:
        return None
    with filesystem.open_input_file(path) as stream:
        content: bytes = stream.read(most_bytes + 1)
    return content


def scene_file(folder: str, key: str) -> str:
    """Returns the path of a background's file.

    Raises:
        ValueError: The key is none; a stranger's may be a path.
    """
    if not _KEY.fullmatch(key):
        raise ValueError(f"{key!r} names no background")
    return f"{folder}/scene-{key}.npz"


def scene_key(background: NDArray[Any]) -> str:
    """Returns what names the file of a background: a digest of it."""
    return media.digest(np.ascontiguousarray(background).tobytes(), background.shape)


def read_background(filesystem: Any, path: str, key: str) -> NDArray[np.uint8]:
    """Returns a background, uint8 `(H, W, 3)`.

    Raises:
        Exception: It is not the one of this key.
    """
    with filesystem.open_input_file(path) as stream:
        background = media.array(media.opened(stream.read()), "background")
    if scene_key(background) != key:
        raise ValueError("it is damaged")
    return background.astype(np.uint8, copy=False)
