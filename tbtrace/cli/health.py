"""What TensorBoard will show of a folder, and what is wrong with it."""

from __future__ import annotations

import warnings
from collections import defaultdict
from pathlib import Path
from typing import Any

from tbtrace.archive.reader import open_archive
from tbtrace.board.loader import PICTURES
from tbtrace.cli.eventscan import KINDS, Scan, scan
from tbtrace.cli.staging import staging_hint
from tbtrace.errors import TbtraceWarning

_EVENTS = "events.out.tfevents.*"


def board(directory: Path) -> dict[str, Any]:
    """Returns what TensorBoard will show of a folder, run by run, what is odd and what to fix."""
    files: defaultdict[Path, list[Path]] = defaultdict(list)
    for path in sorted(directory.rglob(_EVENTS)):
        files[path.parent].append(path)
    fixes: list[str] = []
    notes: list[str] = []
    if hint := staging_hint(directory):
        fixes.append(hint)
    if not files:
        fixes.append(f"there is no event file below {directory}: TensorBoard will show nothing")
    runs = []
    for folder, its in files.items():
        name = str(folder.relative_to(directory))
        found = scan(its)
        _judge(name, found, fixes, notes)
        runs.append(
            {
                "run": name,
                "files": len(its),
                "bytes": found.bytes,
                **{kind: len(found.tags[kind]) for kind in KINDS},
                "pictures": sum(found.pictures.values()),
                "most_pictures": max(found.pictures.values(), default=0),
                "lost": found.lost,
            }
        )
    return {
        "directory": str(directory),
        "runs": runs,
        "archives": _archives(directory, fixes),
        "notes": notes,
        "fixes": fixes,
    }


def _judge(name: str, found: Scan, fixes: list[str], notes: list[str]) -> None:
    fixes += [
        f"run {name}: {file} was still written when a later event file had begun; without the data "
        "server TensorBoard does not follow it: let one program write to a run, or start "
        "TensorBoard with --reload_multifile=true"
        for file in found.overlapping
    ]
    fixes += [
        f"run {name}: {file} is damaged; without the data server TensorBoard stops reading there: "
        "copy it again from where it was written"
        for file in found.damaged
    ]
    for file in found.torn:
        if file == found.files[-1]:
            notes.append(f"run {name}: {file} ends within a record; it may be written just now")
        else:
            notes.append(f"run {name}: {file} ends within a record, as after a crash; that is lost")
    lost = ", ".join(f"{count:.0f} {kind}" for kind, count in found.lost.items() if count)
    if lost:
        notes.append(f"run {name}: tbtrace could not use everything ({lost}); its warnings say why")
    most = max(found.pictures.values(), default=0)
    if most > PICTURES:
        notes.append(
            f"run {name}: up to {most} pictures a tag, of which TensorBoard keeps {PICTURES} "
            "(10 where tbtrace is not installed) unless started by `tbtrace view` or with "
            "--samples_per_plugin images=100000"
        )


def _archives(directory: Path, fixes: list[str]) -> list[dict[str, Any]]:
    """Returns what the archives hold; files that cannot be read are something to fix."""
    archive = open_archive(directory)
    episodes: defaultdict[str, int] = defaultdict(int)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", TbtraceWarning)
        for stored in archive.find():
            episodes[stored.run] += 1
    fixes += [f"archive: {one.message}" for one in caught]
    return [
        {"run": run, "iterations": len({file[2] for file in files}), "episodes": episodes[run]}
        for run, files in archive.files().items()
    ]
