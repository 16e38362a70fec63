"""Logdirs: the folders that TensorBoard was started on, with the names it gives their runs."""

from __future__ import annotations

import os
import re
from typing import Any, NamedTuple

_URI = re.compile(r"[a-zA-Z][0-9a-zA-Z.+-]*://")


class Root(NamedTuple):
    """One folder to look for runs in.

    Attributes:
        name: What TensorBoard puts before its runs' names; empty for nothing.
        path: The folder, absolute. A scan resolves its links: they may be put elsewhere, or be
            there later.
    """

    name: str
    path: str


class Logdirs(NamedTuple):
    """What the server was started on.

    Attributes:
        told: The flag's value, as text.
        roots: Folders of this machine.
        remote: Places elsewhere (`s3://...`), which are not scanned.
    """

    told: str
    roots: tuple[Root, ...]
    remote: tuple[str, ...]


def logdirs(logdir: Any, logdir_spec: Any = None) -> Logdirs:
    """Reads `--logdir`, or else `--logdir_spec`, as TensorBoard does.

    Args:
        logdir: A folder; None or empty where there is none.
        logdir_spec: `[name:]folder,...`.

    Example:
        >>> logdirs("", "a:/,s3://bucket/b")[1:]
        ((Root(name='a', path='/'),), ('s3://bucket/b',))
    """
    told = str(logdir or logdir_spec or "")
    if logdir:
        named = {_absolute(told): ""}
    else:
        parts = map(_named, filter(None, told.split(",")))
        named = {_absolute(path): name for name, path in parts}  # the last name of a folder counts
    roots = tuple(Root(name, path) for path, name in named.items() if not _URI.match(path))
    return Logdirs(told, roots, tuple(filter(_URI.match, named)))


def _named(part: str) -> tuple[str, str]:
    """Splits `name:folder`; a colon in a path that begins with a slash belongs to the path."""
    if ":" in part and part[0] != "/" and not _URI.match(part) and not os.path.splitdrive(part)[0]:
        name, _, path = part.partition(":")
        return name, path
    return "", part


def _absolute(path: str) -> str:
    # Not tidied up: `link/..` is not where it seems to be.
    return path if _URI.match(path) else os.path.join(os.getcwd(), os.path.expanduser(path))
