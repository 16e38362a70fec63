"""The tree of errors, and the warnings that are said once.

```
TbtraceError
├── ContractError(ValueError)   an option or a scene breaks the info contract
└── ViewError                   a view could not draw
```

Bad input from an environment never raises: it is named once by a `TbtraceWarning` and counted.
"""

from __future__ import annotations

import logging
import threading
import traceback
import warnings
from collections import Counter

DROPPED = ("values", "points", "episodes", "pictures", "records")
"""What `Problems` counts by: what was left out."""


class TbtraceError(Exception):
    """Base class of every error that tbtrace raises on purpose."""


class ContractError(TbtraceError, ValueError):
    """An option of tbtrace, or a call, breaks a documented rule."""


class ViewError(TbtraceError):
    """A view could not draw the episodes that it was given."""


class TbtraceWarning(UserWarning):
    """Something was left out of the report; the message says what, why and what to do."""


_said: set[str] = set()
_said_lock = threading.Lock()


def warn_once(key: str, message: str) -> None:
    """Issues `message` as a `TbtraceWarning`, once per process and `key`.

    Args:
        key: What makes two warnings the same, e.g. the metric's name and the kind of problem.
        message: One sentence: the key, the value's type and shape, the rule, the remedy.

    Example:
        >>> import warnings
        >>> with warnings.catch_warnings(record=True) as caught:
        ...     warnings.simplefilter("always")
        ...     warn_once("doc/speed", "speed is a str")
        ...     warn_once("doc/speed", "speed is a str")
        >>> len(caught)
        1
    """
    with _said_lock:
        if key in _said:
            return
        _said.add(key)
    warnings.warn(message, TbtraceWarning, stacklevel=2)


def forget_warnings() -> None:
    """Lets every warning be said once more (for tests)."""
    with _said_lock:
        _said.clear()


class Problems:
    """Counts what could not be used, and names each kind of it once per process.

    Counts are kept per kind (`"values"`, `"points"`, `"episodes"`, `"pictures"`, `"records"`, and
    `"aborted"`, `"uncounted"`) until `take` hands them on.

    Example:
        >>> problems = Problems()
        >>> import warnings
        >>> with warnings.catch_warnings():
        ...     warnings.simplefilter("ignore")
        ...     problems.add("values", "doc/name", "'name' is a str; give a number")
        >>> problems.take()
        {'values': 1}
        >>> problems.take()
        {}
    """

    __slots__ = ("_counts", "_lock")

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()  # the reporter's threads count while the caller takes

    def __reduce__(self) -> tuple[type[Problems], tuple[()]]:
        # A copy in another process starts at zero: counts are reported where they were made.
        return Problems, ()

    def add(self, kind: str, key: str, message: str, count: int = 1) -> None:
        """Counts `count` things of `kind` and warns with `message` once per process and `key`."""
        self.count(kind, count)
        warn_once(f"{kind}:{key}", message)

    def count(self, kind: str, count: int = 1) -> None:
        """Counts `count` things of `kind` that need no warning."""
        with self._lock:
            self._counts[kind] += count

    def add_error(self, kind: str, doing: str, error: BaseException) -> None:
        """Counts an error that must not leave tbtrace, and says once where it was raised.

        It never raises, not even where the user has made warnings errors (`python -W error`): an
        exception in one of RLlib's or Tune's hooks would end the training.
        """
        frames = traceback.extract_tb(error.__traceback__)
        place = f" in {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
        try:
            told = str(error)
        except Exception:  # somebody's own
            told = "(it cannot say what)"
        message = f"{doing} raised {type(error).__name__}: {told}{place}; it goes on without it"
        self.add_quietly(kind, f"{doing} {type(error).__name__}{place}", message)

    def add_quietly(self, kind: str, key: str, message: str, count: int = 1) -> None:
        """As `add`, and logs where warnings are errors: for threads and hooks of others."""
        try:
            self.add(kind, key, message, count)
        except TbtraceWarning:
            logging.getLogger("tbtrace").warning(message)

    def take(self) -> dict[str, int]:
        """Returns the counts since the last call and starts again at zero."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
        return {kind: count for kind, count in counts.items() if count}
