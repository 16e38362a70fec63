"""Tune's staging folder: where a run's storage path is, when somebody names the other one."""

from __future__ import annotations

import json
from pathlib import Path

from tbtrace.shelf import POINTER


def staging_hint(directory: Path) -> str | None:
    """Returns where the storage path is of a folder that Tune only stages files in, else None.

    Only the newest event file is there; the archive is not.
    """
    directory = directory.resolve()
    for pointer in (directory / POINTER, *sorted(directory.glob(f"*/{POINTER}"))):
        try:
            places = json.loads(pointer.read_text())
            staging, storage = Path(places["staging"]), str(places["storage"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if staging.resolve() == pointer.parent:
            where = storage if pointer.parent == directory else storage.rpartition("/")[0]
            return (
                f"{directory} is Tune's staging folder, which holds the newest event file alone; "
                f"the run is in its storage path: {where}"
            )
    return None
