"""`tbtrace doctor`: what is installed, what TensorBoard will show, what to fix."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tbtrace.cli import console, installation
from tbtrace.cli.console import CallError


def run(options: Any) -> int:
    """Prints what was found; returns 1 where something should be fixed.

    Raises:
        CallError: There is no such folder.
    """
    directory = options.directory
    if directory is not None and not directory.expanduser().is_dir():
        raise CallError(f"{directory} is no directory")
    versions = installation.versions()
    fixes = installation.missing(versions)
    installed = versions["tensorboard"] is not None
    slow = installation.data_server() if installed else "TensorBoard is not installed"
    told: dict[str, Any] = {
        "versions": versions,
        "data_server": slow is None,
        "plugin": installation.plugin(),
    }
    if directory is not None and not fixes:
        from tbtrace.cli import health  # here, as it loads what `fixes` may name

        told["board"] = health.board(directory.expanduser())
        fixes = told["board"].pop("fixes")
    told["fixes"] = fixes
    if options.json:
        console.print_json(told)
    else:
        _print(told, slow)
    return 1 if fixes else 0


def _print(told: Mapping[str, Any], slow: str | None) -> None:
    print("Installed")
    versions = [(name, version or "no") for name, version in told["versions"].items()]
    _indented(console.table(versions, left=(0, 1)))
    print("\nTensorBoard here")
    print(f"  data server       {'active: loads fast' if slow is None else f'no: {slow}'}")
    print(f"  tbtrace's plugin  {'installed' if told['plugin'] else 'not part of this version'}")
    if "board" in told:
        _print_board(told["board"])
    if told["fixes"]:
        print("\nTo fix")
        for number, fix in enumerate(told["fixes"], 1):
            print(f"  {number}. {console.printable(fix)}")
    else:
        print("\nNothing to fix.")


def _print_board(board: Mapping[str, Any]) -> None:
    print(f"\nWhat TensorBoard will show of {board['directory']}")
    kinds = ("scalars", "histograms", "images", "text", "other")
    head = ("run", "files", "size", *kinds, "pictures")
    rows = [
        (
            one["run"],
            str(one["files"]),
            console.size(one["bytes"]),
            *(str(one[kind]) for kind in kinds),
            str(one["pictures"]),
        )
        for one in board["runs"]
    ]
    if rows:
        _indented(console.table([head, *rows], left=(0,)))
        print("  (tags of each kind; pictures are those of all tags)")
    for one in board["archives"]:
        name, iterations = (
            console.printable(one["run"]),
            console.count(one["iterations"], "iteration"),
        )
        print(f"\n  archive of {name}: {iterations}, {console.count(one['episodes'], 'episode')}")
    for note in board["notes"]:
        print(f"\n  Note: {console.printable(note)}")


def _indented(text: str) -> None:
    for line in text.splitlines():
        print(f"  {line}")
