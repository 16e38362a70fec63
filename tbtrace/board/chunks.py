"""Chunks: where a footer says that the columns of a row group lie.

Arrow knows that as well, but pyarrow ends the whole process when it is asked for a column's codec
and the footer names one that there is not.
"""

from __future__ import annotations

from typing import NamedTuple

from tbtrace.board.thrift import (
    I32,
    I64,
    STRUCT,
    Fields,
    member,
    members,
    number,
    struct,
)

ZSTD, UNCOMPRESSED = 6, 0
"""The codecs that tbtrace's files have."""

_ELSEWHERE, _ENCRYPTED = 1, 8
_DICTIONARY = 11


class Chunk(NamedTuple):
    """One column of a row group.

    Attributes:
        codec: How its pages are packed.
        values: How many it has, nulls among them.
        start: Where its first page begins in the file.
        end: Where its last one ends.
    """

    codec: int
    values: int
    start: int
    end: int


def chunks(footer: bytes, row_group: int) -> tuple[int, list[Chunk]]:
    """Returns how many rows a row group has, and its columns in the order of the schema.

    Raises:
        ValueError: The footer is damaged, or there is no such row group.
    """
    groups = members(struct(footer)[0], 4, STRUCT)
    if not row_group < len(groups):
        raise ValueError("it has fewer episodes than its footer tells of")
    group: Fields = groups[row_group]
    return number(group, 3, I64), [_chunk(column) for column in members(group, 1, STRUCT)]


def _chunk(column: Fields) -> Chunk:
    if _ELSEWHERE in column or _ENCRYPTED in column:
        raise ValueError("a column lies in another file, or is encrypted")
    told: Fields = member(column, 3, STRUCT)
    codec = number(told, 4, I32)
    if codec not in (ZSTD, UNCOMPRESSED):
        raise ValueError(f"it is packed by codec {codec}")
    start = number(told, 9, I64)
    if _DICTIONARY in told:
        start = min(start, number(told, _DICTIONARY, I64))
    return Chunk(codec, number(told, 5, I64), start, start + number(told, 7, I64))
