"""Pixels to PNG bytes."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tbtrace.draw import quantise
from tbtrace.errors import ContractError


def encode(image: NDArray[Any], lossless: bool = False) -> bytes:
    r"""Returns the PNG file of an image; the same pixels always give the same bytes.

    Drawings are stored with a palette (`tbtrace.draw.quantise`): half of the bytes in half of the
    time. Images that this would change visibly, and those with transparency, are stored as they
    are.

    Args:
        image: uint8 `(height, width, 3)` or `(height, width, 4)`, RGB or RGBA.
        lossless: Store every pixel as it is, of drawings as well.

    Raises:
        ContractError: Another dtype or shape, or no pixels.

    Example:
        >>> encode(np.zeros((2, 3, 3), np.uint8))[:4]
        b'\x89PNG'
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] not in (3, 4) or not image.size:
        raise ContractError(
            f"a picture is {image.dtype} {image.shape}; expected uint8 (height, width, 3 or 4)"
        )
    if image.shape[2] == 4 and image[..., 3].min() < 255:
        return _file(image)
    if not lossless:
        found = quantise.indexed([image])
        if found is not None:
            (pixels,), colours = found
            return indexed(pixels, colours)
    return _file(image[..., :3])


def indexed(pixels: NDArray[np.uint8], colours: NDArray[np.uint8]) -> bytes:
    """Returns the PNG file of an image of indices.

    Args:
        pixels: uint8 `(height, width)`, each a row of `colours`.
        colours: uint8 `(n, 3)`, RGB; 256 of them at most.
    """
    height, width = pixels.shape
    rows = np.empty((height, 1 + width), np.uint8)
    rows[:, 0] = 0  # the filter: none, as neighbouring indices have nothing in common
    rows[:, 1:] = pixels
    head = struct.pack(">2I5B", width, height, 8, 3, 0, 0, 0)
    # Level 2 takes the time of level 1 and gives a tenth less; more is slow.
    parts = ((b"IHDR", head), (b"PLTE", colours.tobytes()), (b"IDAT", zlib.compress(rows.data, 2)))
    return b"".join([b"\x89PNG\r\n\x1a\n", *(_chunk(*part) for part in parts), _chunk(b"IEND")])


def _chunk(name: bytes, data: bytes = b"") -> bytes:
    checksum = zlib.crc32(data, zlib.crc32(name))
    return b"".join([struct.pack(">I", len(data)), name, data, struct.pack(">I", checksum)])


def _file(image: NDArray[np.uint8]) -> bytes:
    stream = BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(stream, "PNG", compress_level=1)
    return stream.getvalue()
