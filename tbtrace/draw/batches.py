"""Batches of arrays: so many rows at once that they stay in the processor's cache."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

_T = TypeVar("_T")

ROWS = 8192
"""Rows of two float64 that stay in the cache while something is worked out of them."""


def batches(
    items: Iterable[_T], rows: int = ROWS, size: Callable[[_T], int] | None = None
) -> Iterator[list[_T]]:
    """Yields items in their order, in lists of about `rows` rows; one that has more stands alone.

    Args:
        items: Arrays, or whatever else has rows; empty ones are yielded, too.
        rows: A list ends with the item that makes it so many, or more.
        size: How many rows an item has; None for its length.

    Example:
        >>> list(batches(["five.", "two", "", "of these"], 6))
        [['five.', 'two'], ['', 'of these']]
    """
    count: Callable[[Any], int] = size or len
    some: list[_T] = []
    found = 0
    for item in items:
        some.append(item)
        found += count(item)
        if found >= rows:
            yield some
            some, found = [], 0
    if some:
        yield some
