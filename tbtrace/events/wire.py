"""The wire format of Protocol Buffers, written by hand.

An encoded message is its encoded fields, one after the other. A field is a key, which says its
number and how its value is laid out, and the value: an integer of variable length (varint), 8 or 4
bytes, or a length and as many bytes, which may be a text or a message. A field that repeats is just
there several times. So joining encoded fields makes a message, and nothing needs to be built first:
that is several times as fast as filling in generated classes.

Source: https://protobuf.dev/programming-guides/encoding/. Readers take a field that is absent as
zero or empty; the functions here write it all the same.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from operator import index

from tbtrace.errors import ContractError

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
"""How a value is laid out: the wire types of the specification that are in use."""

_double = struct.Struct("<d").pack


def varint(value: int) -> bytes:
    """Returns an integer in groups of seven bits, the lowest first, all but the last marked.

    Args:
        value: An int64. Negative ones are written as their two's complement, in ten bytes.

    Raises:
        ContractError: `value` is beyond int64.
        TypeError: `value` is no integer.

    Example:
        >>> varint(150).hex(), len(varint(-1))
        ('9601', 10)
    """
    if 0 <= value < 0x80:
        return bytes((value,))  # most are lengths and numbers of fields
    value = index(value)
    if not -(1 << 63) <= value < 1 << 63:
        raise ContractError(f"{value} is beyond a signed integer of 64 bits")
    value &= (1 << 64) - 1
    groups = bytearray()
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    groups.append(value)
    return bytes(groups)


@lru_cache(maxsize=256)
def key(field: int, wire_type: int) -> bytes:
    """Returns what precedes the value of the field with number `field`.

    Example:
        >>> key(1, LENGTH).hex()
        '0a'
    """
    return varint(field << 3 | wire_type)


def integer(field: int, value: int) -> bytes:
    """Returns a field of an integer type (int32, int64), a bool or an enum.

    Raises:
        ContractError: `value` is beyond int64.
        TypeError: `value` is no integer.

    Example:
        >>> integer(1, 150).hex(), integer(1, True).hex()
        ('089601', '0801')
    """
    return key(field, VARINT) + varint(value)


def double(field: int, value: float) -> bytes:
    """Returns a field of the type double; NaN and infinities are written as they are.

    Raises:
        OverflowError: `value` is an int beyond float64.

    Example:
        >>> double(1, 1.0).hex()
        '09000000000000f03f'
    """
    return key(field, FIXED64) + _double(float(value))


def data(field: int, *parts: bytes) -> bytes:
    """Returns a field of bytes, or of a message: the joined `parts`.

    Example:
        >>> data(3, integer(1, 150)).hex()
        '1a03089601'
    """
    content = b"".join(parts)
    return b"".join((key(field, LENGTH), varint(len(content)), content))


def text(field: int, value: str) -> bytes:
    """Returns a field of text in UTF-8; what UTF-8 cannot say (lone surrogates) becomes `?`.

    Example:
        >>> text(2, "testing").hex()
        '120774657374696e67'
    """
    return data(field, value.encode(errors="replace"))
