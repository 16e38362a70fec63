"""Media: the arrays of an iteration's episodes in one `.npz`, which never holds pickles."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tbtrace.episode import Episode, Media

STORED = "biufcmMSU"
"""The kinds of NumPy's dtypes that are kept: everything that is no Python object."""


def storable(media: Mapping[str, Media], kinds: str = STORED) -> tuple[dict[str, Media], list[str]]:
    """Returns what can be kept of an episode's media, and the name of each array that cannot.

    Example:
        >>> arrays = (np.zeros(2), np.array([{}], object))
        >>> kept, lost = storable({"a": Media(np.array([0, 1], np.int32), arrays)})
        >>> kept["a"].steps.tolist(), lost
        ([0], ['a'])
    """
    kept, lost = {}, []
    for name, given in media.items():
        fit = np.array([value.dtype.kind in kinds for value in given.values], bool)
        if fit.all():
            kept[name] = given
            continue
        lost += [name] * int((~fit).sum())
        if fit.any():
            values = tuple(value for value, fits in zip(given.values, fit, strict=True) if fits)
            kept[name] = Media(given.steps[fit], values)
    return kept, lost


def packed(episodes: Sequence[Episode]) -> bytes:
    """Returns the file: arrays `<episode>/<media>/steps` and `.../0`, `.../1`, ... by numbers.

    Empty where there are no media.
    """
    arrays: dict[str, Any] = {
        f"{i}/{number}/{what}": value
        for i, episode in enumerate(episodes)
        for number, kept in enumerate(episode.media.values())
        for what, value in (("steps", kept.steps), *enumerate(kept.values))
    }
    if not arrays:
        return b""
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def unpacked(content: bytes, index: int, counts: Mapping[str, int]) -> dict[str, Media]:
    """Returns the media of the `index`-th episode of a file.

    Args:
        content: Of the file.
        index: Which episode.
        counts: `{name: how many arrays}` as its note says.

    Raises:
        Exception: Of any kind, where it is no such file.
    """
    arrays = opened(content)
    found = {}
    for number, (name, count) in enumerate(counts.items()):
        steps = array(arrays, f"{index}/{number}/steps")
        values = tuple(array(arrays, f"{index}/{number}/{n}") for n in range(count))
        if steps.shape != (count,):
            raise ValueError(f"media {name!r} has {count} arrays and steps of shape {steps.shape}")
        found[name] = Media(steps.astype(np.int32), values)
    return found


def opened(content: bytes) -> Any:
    """Opens a `.npz`; pickles in it are refused when they are asked for."""
    if not content.startswith(b"PK"):
        raise ValueError("it is no .npz")
    return np.load(io.BytesIO(content), allow_pickle=False)


def array(arrays: Any, name: str) -> NDArray[Any]:
    """Returns one array of an opened file."""
    found = arrays[name]
    if not isinstance(found, np.ndarray):  # a member that is no .npy comes as bytes
        raise ValueError(f"{name} is no array")
    return found


def digest(content: bytes, *more: object) -> str:
    """Returns 16 hex digits that tell contents apart."""
    told = hashlib.blake2b(content, digest_size=8)
    told.update(repr(more).encode())
    return told.hexdigest()
