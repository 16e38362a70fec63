"""Tables: rows of Parquet files, batch by batch, without opening what is pickled in them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from tbtrace.replay.pickles import Pickled

_PICKLED = "ray.data.arrow_pickled_object"
_NAME, _METADATA = b"ARROW:extension:name", b"ARROW:extension:metadata"
_BUFFER = 1 << 20


def batches(
    path: Path, rows: int, wanted: Sequence[str] | None = None
) -> Iterator[tuple[dict[str, list[Any]], float]]:
    """Yields `({column: values}, share of the file's rows)`, of up to `rows` rows at once.

    Values are Python's own; tensors of Ray Data are arrays, and what it has pickled is `Pickled`.

    Args:
        path: The file.
        rows: How many rows may be in memory.
        wanted: Columns; all by default.

    Raises:
        pyarrow.ArrowException: It is damaged.
        OSError: It cannot be read.
    """
    # A column's pages are read as they are needed: a row group may be larger than the memory.
    with parquet.ParquetFile(path, buffer_size=_BUFFER, pre_buffer=False) as file:
        total = max(1, file.metadata.num_rows)
        for batch in file.iter_batches(batch_size=rows, columns=wanted, use_threads=False):
            read = {
                field.name: _values(field, column)
                for field, column in zip(batch.schema, batch.columns, strict=True)
            }
            yield read, batch.num_rows / total


def _values(field: Any, column: Any) -> list[Any]:
    """Returns a column's values.

    Where Ray has been imported it has taught Arrow its own types, whose values would be opened
    here; where it has not, they are told by the field's metadata.
    """
    kind, told = (field.metadata or {}).get(_NAME, b"").decode(), None
    if isinstance(field.type, pa.BaseExtensionType):
        kind, column = field.type.extension_name, column.storage
        told = getattr(field.type, "shape", None)
    values: list[Any] = column.to_pylist()
    if kind == _PICKLED:
        return [None if value is None else Pickled(value) for value in values]
    if "tensor" not in kind:
        return values
    if told is None and _METADATA in (field.metadata or {}):
        told = json.loads(field.metadata[_METADATA] or b"null")
    return [None if value is None else _tensor(value, told) for value in values]


def _tensor(value: Any, shape: Any) -> Any:
    if isinstance(value, dict):  # of a column in which shapes differ
        value, shape = value.get("data"), value.get("shape")
    array = np.asarray(value)
    fits = isinstance(shape, (list, tuple)) and int(np.prod(shape)) == array.size
    return array.reshape(shape) if fits else array


def without_none(value: Any) -> Any:
    """Returns a value without what Arrow fills in: every dict of a column gets the same keys."""
    if isinstance(value, dict):
        return {key: without_none(one) for key, one in value.items() if one is not None}
    if isinstance(value, list):
        return [without_none(one) for one in value]
    return value
