"""Colours to a palette of at most 256, where nobody sees the difference."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tbtrace.draw.palette import nearest

LARGEST_ERROR = 7.0
"""Root of the mean square distance, of 255, beyond which a palette would be seen."""

_EXACT = 0.4
"""So much of the palette is for the most frequent colours, the rest for averages of the others."""


def runs(image: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.intp]]:
    """Returns the runs of one colour, row after row: in drawings they are few.

    Args:
        image: uint8 `(..., 3 or 4)`, RGB or RGBA, with at least one pixel.

    Returns:
        RGBA of each run, uint8 `(n, 4)`, and how many pixels it has, `(n,)`.

    Example:
        >>> colours, lengths = runs(np.array([[[9, 9, 9], [9, 9, 9], [0, 0, 0]]], np.uint8))
        >>> colours.tolist(), lengths.tolist()
        ([[9, 9, 9, 255], [0, 0, 0, 255]], [2, 1])
    """
    channels = image.shape[-1]
    flat = np.ascontiguousarray(image).reshape(-1, channels)
    if channels == 4:
        whole = flat.view(np.uint32)[:, 0]
        ends = np.flatnonzero(whole[1:] != whole[:-1])
    else:
        octets = flat.ravel()
        ends = np.flatnonzero(octets[channels:] != octets[:-channels]) // channels
        ends = ends[np.diff(ends, prepend=-1) > 0]  # there is one for each byte that differs
    ends = np.append(ends, len(flat) - 1)
    colours = np.full((len(ends), 4), 255, np.uint8)
    colours[:, :channels] = flat[ends]
    return colours, np.diff(ends, prepend=-1)


def indexed(
    images: Sequence[NDArray[np.uint8]], most: int = 256, largest_error: float = LARGEST_ERROR
) -> tuple[list[NDArray[np.uint8]], NDArray[np.uint8]] | None:
    """Returns images as places in one palette.

    Colours that are the same in the five high bits of each channel become their average: a drawing
    of few colours keeps them exactly. Where these are more than the palette has room for, the most
    frequent ones stay and the others take the nearest of these and of coarser averages. The same
    pixels always give the same palette.

    Args:
        images: uint8 `(..., 3 or 4)` each, RGB or RGBA, with pixels; an alpha is not looked at.
        most: So many colours at most, from 1 to 256.
        largest_error: Root of the mean square distance to the true colours, of 255, that is
            tolerated.

    Returns:
        Places, uint8 `(...)` each, and the palette, uint8 `(n, 3)`, the most frequent first; None
        where the error would be larger.

    Example:
        >>> places, palette = indexed([np.array([[[0, 0, 0], [255, 255, 255]]], np.uint8)])
        >>> places[0].tolist(), palette.tolist()
        ([[0, 1]], [[0, 0, 0], [255, 255, 255]])
    """
    classed = [_classes(image) for image in images]
    counts, sums = np.zeros(1 << 15), np.zeros((3, 1 << 15))
    for classes, colours, lengths in classed:
        counts += np.bincount(classes, lengths, 1 << 15)
        for channel, total in enumerate(sums):
            total += np.bincount(classes, lengths * colours[:, channel], 1 << 15)
    used = np.flatnonzero(counts)
    # A stable order keeps the places the same everywhere.
    used = used[np.argsort(-counts[used], kind="stable")]
    true = (sums[:, used] / counts[used]).T.round().astype(np.float32)
    palette, chosen = true, np.arange(len(true))
    if len(used) > most:
        kept = int(most * _EXACT)
        averages = _averages(used[kept:], true[kept:], counts[used[kept:]], most - kept)
        palette = np.concatenate([true[:kept], averages])
        chosen[kept:] = nearest(true[kept:], palette)
        errors = ((true - palette[chosen]) ** 2).sum(1)
        if errors @ counts[used] > largest_error**2 * counts.sum():
            return None
    table = np.zeros(1 << 15, np.uint8)
    table[used] = chosen
    places = [
        np.repeat(table[classes], lengths).reshape(image.shape[:-1])
        for image, (classes, _, lengths) in zip(images, classed, strict=True)
    ]
    return places, palette.astype(np.uint8)


def _averages(
    classes: NDArray[np.intp], true: NDArray[np.float32], counts: NDArray[np.float64], most: int
) -> NDArray[np.float32]:
    """Returns the averages of the most frequent coarse classes, three bits a channel."""
    coarse = classes >> 6 & 0o700 | classes >> 4 & 0o70 | classes >> 2 & 0o7
    weights = np.bincount(coarse, counts, 512)
    largest = np.argsort(-weights, kind="stable")[:most]
    largest = largest[weights[largest] > 0]
    sums = [np.bincount(coarse, counts * channel, 512)[largest] for channel in true.T]
    return (sums / weights[largest]).T.round().astype(np.float32)


def _classes(
    image: NDArray[np.uint8],
) -> tuple[NDArray[np.uint16], NDArray[np.uint8], NDArray[np.int32]]:
    """Returns class, colour and length of each run, in few bytes, as films have many."""
    colours, lengths = runs(image)
    high = (colours[:, :3] >> 3).astype(np.uint16)
    classes = (high[:, 0] << 10 | high[:, 1] << 5 | high[:, 2]).astype(np.uint16, copy=False)
    return classes, colours, lengths.astype(np.int32)
