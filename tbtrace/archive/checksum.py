"""Checksum: of the rows of an episode, the same for what was written and what is read again.

Parquet's own checksums are of pages. They do not show that a page is of another file that was
written to the same place while it was read; this one does.
"""

from __future__ import annotations

import json
import zlib
from typing import Any

import numpy as np
import pyarrow as pa


def checksum(rows: pa.Table) -> int:
    """Returns the CRC-32 of all values of a table, whatever its chunks and encodings.

    Example:
        >>> table = pa.table({"name": ["a", "b"], "step": [[1, 2], None]})
        >>> checksum(table) == checksum(pa.concat_tables([table[:1], table[1:]]))
        True
    """
    crc = 0
    for column in rows.columns:
        crc = _added(crc, column.combine_chunks())
    return crc


def _added(crc: int, array: Any) -> int:
    kind = array.type
    if pa.types.is_list(kind) or pa.types.is_map(kind):
        crc = zlib.crc32(np.diff(array.offsets.to_numpy()).tobytes(), crc)
        crc = zlib.crc32(array.is_null().to_numpy(zero_copy_only=False).tobytes(), crc)
        first, last = (
            (array.offsets[0].as_py(), array.offsets[-1].as_py()) if len(array) else (0, 0)
        )
        inner = (array.keys, array.items) if pa.types.is_map(kind) else (array.values,)
        for values in inner:
            crc = _added(crc, values[first:last])
        return crc
    if pa.types.is_string(kind):
        words = array.dictionary_encode()
        crc = zlib.crc32(json.dumps(words.dictionary.to_pylist()).encode(), crc)
        array = words.indices.fill_null(-1)
    return zlib.crc32(array.to_numpy(zero_copy_only=False).tobytes(), crc)
