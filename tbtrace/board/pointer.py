"""The pointer: a small file in the folder that Tune stages in, which says where the run is kept."""

from __future__ import annotations

import json
import os

POINTER = "tbtrace-run.json"

_MOST_BYTES = 1 << 16
_MOST_LETTERS = 4096
_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
"""A link is not followed, and a pipe of that name is not waited for."""


def storage(folder: str) -> str | None:
    """Returns where the storage path is of a folder that Tune stages files in, else None.

    Args:
        folder: With links resolved; a pointer file that was copied elsewhere says nothing.
    """
    try:
        descriptor = os.open(os.path.join(folder, POINTER), _FLAGS)
        with os.fdopen(descriptor, "rb") as file:
            places = json.loads(file.read(_MOST_BYTES))
        staging, kept = places["staging"], places["storage"]
        if os.path.realpath(staging) == folder and isinstance(kept, str):
            return kept[:_MOST_LETTERS]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        pass  # torn, or not ours
    return None
