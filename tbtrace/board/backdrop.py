"""Backdrop: the background of a scene as a PNG file."""

from __future__ import annotations

import io
import zipfile
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tbtrace.archive import files
from tbtrace.board.faults import TooLarge

MOST_PACKED = 64 << 20
MOST_PIXELS = 64_000_000
MOST_SIDE = 4096
"""Of the picture that is sent; every browser draws that."""

_END, _END_BYTES, _FAR_END, _FAR_END_BYTES = b"PK\x05\x06", 22, b"PK\x06\x07", 20
_DIRECTORY_BYTES = 4096


def backdrop(file: BinaryIO, key: str) -> bytes:
    """Returns the background in a file as PNG; larger ones than 4096 pixels a side are thinned.

    Raises:
        TooLarge: It is larger than the board reads.
        Exception: Of any kind, where it is none that tbtrace writes, or not the one of this key.
    """
    size = file.seek(0, io.SEEK_END)
    if size > MOST_PACKED:
        raise TooLarge("the background's file is larger than the board reads")
    file.seek(0)
    background = _array(file.read(size))
    if files.scene_key(background) != key:
        raise ValueError("it is damaged")
    thin = -(-max(background.shape) // MOST_SIDE)
    packed = io.BytesIO()
    image = Image.fromarray(np.ascontiguousarray(background[::thin, ::thin]))
    image.save(packed, "PNG", compress_level=1)
    return packed.getvalue()


def _array(content: bytes) -> NDArray[np.uint8]:
    """Returns the only array of a `.npz`, sizes checked before anything is decompressed."""
    end = content[-_END_BYTES:]
    members, directory = int.from_bytes(end[10:12], "little"), int.from_bytes(end[12:16], "little")
    far = content[-_END_BYTES - _FAR_END_BYTES : -_END_BYTES]
    if not end.startswith(_END) or far.startswith(_FAR_END):
        raise ValueError("it is no .npz of a background")
    if members != 1 or directory > _DIRECTORY_BYTES:
        raise ValueError("it holds more than a background")
    with zipfile.ZipFile(io.BytesIO(content)) as packed, packed.open("background.npy") as stream:
        if np.lib.format.read_magic(stream) != (1, 0):
            raise ValueError("it is no background")
        shape, by_columns, dtype = np.lib.format.read_array_header_1_0(stream)
        if dtype != np.uint8 or len(shape) != 3 or shape[2] != 3 or by_columns:
            raise ValueError("it is no background")
        if not all(0 < side <= MOST_PIXELS for side in shape) or shape[0] * shape[1] > MOST_PIXELS:
            raise TooLarge("the background has more pixels than the board reads")
        pixels = stream.read(shape[0] * shape[1] * 3)
    return np.frombuffer(pixels, np.uint8).reshape(shape)
