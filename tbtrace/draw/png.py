"""Pixels to PNG bytes."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tbtrace.errors import ContractError

_LARGEST_ERROR = 6.0
"""Root of the mean square distance, of 255, beyond which a palette would be seen."""


def encode(image: NDArray[Any], lossless: bool = False) -> bytes:
    r"""Returns the PNG file of an image; the same pixels always give the same bytes.

    Drawings are stored with their 256 most frequent colours, rounded to five bits a channel (black
    and white stay exact): half of the bytes in half of the time. Images that this would change
    visibly, and those with transparency, are stored as they are.

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
    if image.shape[2] == 4:
        if image[..., 3].min() < 255:
            return _file(Image.fromarray(np.ascontiguousarray(image)))
        image = image[..., :3]
    return _file(
        (None if lossless else _with_palette(image)) or Image.fromarray(np.ascontiguousarray(image))
    )


def _with_palette(image: NDArray[np.uint8]) -> Image.Image | None:
    """Returns the image with its 256 most frequent colours; None where that looks different."""
    # Five bits a channel make 32768 classes of colours, which a table maps to the palette.
    high = image >> 3
    classes = high[..., 0].astype(np.uint16)
    for channel in (1, 2):
        classes <<= 5
        classes |= high[..., channel]
    counts = np.bincount(classes.ravel(), minlength=1 << 15)
    used = np.flatnonzero(counts)
    # A stable order keeps the bytes the same everywhere.
    used = used[np.argsort(-counts[used], kind="stable")]
    five = np.stack([used >> 10, used >> 5 & 31, used & 31], axis=1)
    colours = (five << 3 | five >> 2).astype(np.float32)
    palette, others = colours[:256], colours[256:]
    table = np.zeros(1 << 15, np.uint8)
    table[used[:256]] = np.arange(len(palette))
    if len(others):
        nearest = ((palette * palette).sum(1) - 2 * others @ palette.T).argmin(1)
        table[used[256:]] = nearest
        errors = ((others - palette[nearest]) ** 2).sum(1)
        if errors @ counts[used[256:]] > _LARGEST_ERROR**2 * classes.size:
            return None
    indexed = Image.fromarray(table[classes])
    indexed.putpalette(palette.astype(np.uint8).tobytes())
    return indexed


def _file(image: Image.Image) -> bytes:
    stream = BytesIO()
    # Level 1: line art gains little from a slower search.
    image.save(stream, "PNG", compress_level=1)
    return stream.getvalue()
