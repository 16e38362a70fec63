"""Pages: what a column chunk's pages claim, read before anything is decompressed or decoded.

Parquet compresses so well that a file of some kilobytes may become terabytes in memory. What its
footer says of sizes is only said; what a reader allocates, it takes from the header of each page,
a struct in Thrift's compact protocol. This reads these headers and nothing else, and takes only
what tbtrace writes: where a strict and a lenient reader could differ, it refuses.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tbtrace.board.thrift import I32, STRUCT, member, number, struct

DATA, DICTIONARY, DATA_2 = 0, 2, 3
"""Kinds of pages."""

ENCODINGS = {0: "PLAIN", 2: "PLAIN_DICTIONARY", 3: "RLE", 5: "DELTA_BINARY_PACKED", 8: "RLE_DICTIONARY", 9: "BYTE_STREAM_SPLIT"}  # fmt: skip # noqa: E501
"""Those that tbtrace's files have. Others can repeat a long text for a few bits."""

_HEADER_BYTES = 1 << 14
_DETAILS = {DATA: (5, 2), DICTIONARY: (7, 2), DATA_2: (8, 4)}
"""Kind: the fields of its own header and of the encoding in it."""


class Page(NamedTuple):
    """What a page's header says.

    Attributes:
        kind: `DATA`, `DICTIONARY` or `DATA_2`.
        size: Its bytes when it is decompressed.
        values: How many values it has, nulls among them.
        start: Where its compressed bytes begin.
        end: Where they end.
    """

    kind: int
    size: int
    values: int
    start: int
    end: int


def pages(chunk: bytes) -> Iterator[Page]:
    """Yields the pages of a column chunk.

    Raises:
        ValueError: It is none that tbtrace writes.
    """
    at = 0
    while at < len(chunk):
        header, start = struct(chunk[at : at + _HEADER_BYTES])
        start += at
        kind, size, packed = (number(header, i, I32) for i in (1, 2, 3))
        if kind not in _DETAILS:
            raise ValueError(f"a page is of kind {kind}")
        details, encoding = _DETAILS[kind]
        inner = member(header, details, STRUCT)
        if number(inner, encoding, I32) not in ENCODINGS:
            raise ValueError(f"a page has encoding {number(inner, encoding, I32)}")
        at = start + packed
        if at > len(chunk):
            raise ValueError("a page goes beyond its column")
        yield Page(kind, size, number(inner, 1, I32), start, at)


def longest_text(page: bytes) -> int:
    """Returns the length of the longest of the texts in a decompressed page, each after its length.

    Example:
        >>> longest_text(bytes([1, 0, 0, 0, 65, 2, 0, 0, 0, 65, 66]))
        2
    """
    at = longest = 0
    while at + 4 <= len(page):
        length = int.from_bytes(page[at : at + 4], "little")
        longest = max(longest, length)
        at += 4 + length
    return longest
