"""Tune's staging folder: where a run's storage path is, when somebody names the other one."""

from __future__ import annotations

from pathlib import Path

from tbtrace.board.pointer import POINTER, storage


def staging_hint(directory: Path) -> str | None:
    """Returns where the storage path is of a folder that Tune only stages files in, else None.

    Only the newest event file is there; the archive is not.
    """
    directory = directory.resolve()
    for pointer in (directory / POINTER, *sorted(directory.glob(f"*/{POINTER}"))):
        kept = storage(str(pointer.parent))
        if kept is not None:
            where = kept if pointer.parent == directory else kept.rpartition("/")[0]
            return (
                f"{directory} is Tune's staging folder, which holds the newest event file alone; "
                f"the run is in its storage path: {where}"
            )
    return None
