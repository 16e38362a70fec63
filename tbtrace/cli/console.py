"""What commands print: errors, tables, sizes, and a progress bar where somebody watches."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

from tbtrace.errors import TbtraceError

T = TypeVar("T")


class CallError(TbtraceError):
    """The command line asks for what does not exist; the exit code is 2."""


def fail(message: str, code: int = 1) -> int:
    """Says in one line what went wrong, on standard error, and returns the exit code."""
    print(line(message), file=sys.stderr)
    return code


def line(message: str) -> str:
    r"""Returns what is said on standard error: one line that a terminal may show.

    Example:
        >>> line("no such\n  folder")
        'tbtrace: no such folder'
    """
    return f"tbtrace: {printable(' '.join(message.split()))}"


def printable(text: str) -> str:
    r"""Returns a text without what steers a terminal, or is no UTF-8: names may be a stranger's.

    Example:
        >>> printable("a\x1b[31m \ud800 ü")
        'a\\x1b[31m \\ud800 ü'
    """
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)


def table(rows: Sequence[Sequence[str]], left: Sequence[int] = ()) -> str:
    """Returns rows as aligned text; the first one is the head.

    Args:
        rows: Cells; all rows have as many. They may be a stranger's texts.
        left: The columns that are words; the others are numbers, which stand right.

    Example:
        >>> print(table([("run", "size"), ("a", "12 kB"), ("bcd", "4 kB")], left=[0]))
        run   size
        a    12 kB
        bcd   4 kB
    """
    rows = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(
            cell.ljust(width) if i in left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)


def count(number: int, what: str) -> str:
    """Returns a number of things.

    Example:
        >>> count(1, "episode"), count(1200, "episode")
        ('1 episode', '1,200 episodes')
    """
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def size(bytes_: int) -> str:
    """Returns a size as people read it.

    Example:
        >>> size(999), size(12_345), size(3_200_000)
        ('999 B', '12.3 kB', '3.2 MB')
    """
    number, unit = float(bytes_), "B"
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000 or unit == "GB":
            break
        number /= 1000
    return f"{number:.0f} B" if unit == "B" else f"{number:.1f} {unit}"


def print_json(value: Any) -> None:
    """Prints what a script reads; NaN and infinities, which JSON lacks, are null."""
    print(json.dumps(_plain(value), indent=2, allow_nan=False))


def progress(things: Iterable[T], doing: str, total: int | None = None) -> Iterator[T]:
    """Yields `things`, with a bar on standard error where that is a terminal.

    Args:
        things: What takes long, one after the other.
        doing: Stands before the bar; may hold a stranger's text.
        total: How many there are; their length by default.
    """
    if not sys.stderr.isatty():
        yield from things
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import track

    said = escape(printable(doing))
    yield from track(things, said, total, console=Console(stderr=True), transient=True)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
