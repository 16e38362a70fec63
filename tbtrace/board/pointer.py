"""The pointer: a small file in the folder that Tune stages in, which says where the run is kept."""

from __future__ import annotations

import json
import os

from tbtrace.board.links import UNFOLLOWED

POINTER = "tbtrace-run.json"

_MOST_BYTES = 1 << 16
_MOST_LETTERS = 4096


def storage(folder: str) -> str | None:
    """Returns where the storage path is of a folder that Tune stages files in, else None.

    Args:
        folder: With links resolved; a pointer file that was copied elsewhere says nothing.
    """
    try:
        descriptor = os.open(os.path.join(folder, POINTER), UNFOLLOWED)
        with os.fdopen(descriptor, "rb") as file:
            places = json.loads(file.read(_MOST_BYTES))
        staging, kept = places["staging"], places["storage"]
        if os.path.realpath(staging) == folder and isinstance(kept, str):
            return kept[:_MOST_LETTERS]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        pass  # torn, or not ours
    return None
