"""Links: what lies in a logdir once they are resolved, and which of them a walk may follow."""

from __future__ import annotations

import os
from collections.abc import Iterable

UNFOLLOWED = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
"""To open a file with: a link is not followed, and a pipe of that name is not waited for."""


def is_inside(path: str, root: str) -> bool:
    """Tells whether a path, with links resolved, lies in a folder.

    Example:
        >>> is_inside("/a/b", "/a"), is_inside("/ab", "/a"), is_inside("/a", "/")
        (True, False, True)
    """
    return path.startswith(root.rstrip(os.sep) + os.sep)


def is_above(path: str, others: Iterable[str]) -> bool:
    """Tells whether a folder is one of the others, or one of them lies in it.

    Example:
        >>> is_above("/a", ["/b", "/a/c"]), is_above("/a/c", ["/a"])
        (True, False)
    """
    return any(path == other or is_inside(other, path) for other in others)
