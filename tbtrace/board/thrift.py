"""Thrift: a strict reader of its compact protocol, in which Parquet writes headers and footers.

Where it and a lenient reader could take a different value out of the same bytes, it refuses.
"""

from __future__ import annotations

from typing import Any

TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT = range(1, 13)
"""Types on the wire."""

_DEPTH = 8
_DOUBLE_BYTES = 8

Fields = dict[int, tuple[int, Any]]
"""`{field: (type, value)}`; of a list the value is the type of its elements and a Python list."""


def struct(data: bytes) -> tuple[Fields, int]:
    """Returns the fields of a struct, and where it ends.

    Raises:
        ValueError: It is none, or does not end.

    Example:
        >>> struct(bytes([0x15, 6, 0, 99]))
        ({1: (5, 3)}, 3)
    """
    try:
        return _struct(data, 0, 0)
    except IndexError:
        raise ValueError("a header does not end") from None


def member(fields: Fields, field: int, wire: int) -> Any:
    """Returns the value of a field.

    Raises:
        ValueError: There is none of this type.
    """
    found, value = fields.get(field, (0, None))
    if found != wire:
        raise ValueError("a header lacks what it must say")
    return value


def members(fields: Fields, field: int, wire: int) -> list[Any]:
    """Returns the values of a list.

    Raises:
        ValueError: There is none of this type.
    """
    found, values = member(fields, field, LIST)
    if found != wire and values:
        raise ValueError("a header lacks what it must say")
    return values  # type: ignore[no-any-return]


def number(fields: Fields, field: int, wire: int) -> int:
    """Returns a number that is not negative.

    Raises:
        ValueError: There is none of this type.
    """
    value = int(member(fields, field, wire))
    if value < 0:
        raise ValueError("a header holds a negative number")
    return value


def _struct(data: bytes, at: int, depth: int) -> tuple[Fields, int]:
    if depth > _DEPTH:
        raise ValueError("a header is nested too deep")
    fields: Fields = {}
    field = 0
    while True:
        head = data[at]
        at += 1
        wire = head & 0x0F
        if not wire:
            return fields, at
        if head >> 4:
            field += head >> 4
        else:
            field, at = _zigzag(data, at)
        if field in fields:  # which of the two counts?
            raise ValueError("a header says something twice")
        if wire in (TRUE, FALSE):
            fields[field] = wire, wire == TRUE
            continue
        value, at = _value(data, at, wire, depth)
        fields[field] = wire, value


def _value(data: bytes, at: int, wire: int, depth: int) -> tuple[Any, int]:
    if wire in (I16, I32, I64):
        return _zigzag(data, at)
    if wire in (TRUE, FALSE, BYTE):  # of a list: a byte each
        return data[at], at + 1
    if wire == DOUBLE:
        return None, at + _DOUBLE_BYTES
    if wire == BINARY:
        length, at = _varint(data, at)
        if at + length > len(data):
            raise IndexError
        return data[at : at + length], at + length
    if wire == LIST:
        return _list(data, at, depth)
    if wire == STRUCT:
        return _struct(data, at, depth + 1)
    raise ValueError("a header holds what Parquet has not")


def _list(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    head = data[at]
    at += 1
    wire, length = head & 0x0F, head >> 4
    if length == 15:
        length, at = _varint(data, at)
    if depth > _DEPTH:
        raise ValueError("a header is nested too deep")
    values = []
    for _ in range(length):  # each takes a byte at least
        value, at = _value(data, at, wire, depth + 1)
        values.append(value)
        if at > len(data):
            raise IndexError
    return (wire, values), at


def _zigzag(data: bytes, at: int) -> tuple[int, int]:
    coded, at = _varint(data, at)
    return (coded >> 1) ^ -(coded & 1), at


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError("a number in a header does not end")
