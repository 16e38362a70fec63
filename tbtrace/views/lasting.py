"""What lasts over a run's iterations as a file, so that it lasts over its restarts, too."""

from __future__ import annotations

import json
import operator
from typing import NamedTuple

from tbtrace.errors import ContractError
from tbtrace.views.context import Context

VERSION = 1
MOST_BYTES = 16_000_000
"""A larger file is none of ours."""


class Span(NamedTuple):
    """The first and the last iteration that a context observed."""

    first: int
    last: int


def dumped(context: Context, span: Span) -> bytes:
    """Returns the file: JSON without the scene, which comes with the next episode.

    Args:
        context: What lasts.
        span: What it observed.

    Example:
        >>> resume(Context(), dumped(Context(), Span(1, 7)))
        Span(first=1, last=7)
    """
    told = {"tbtrace_context": VERSION, "iterations": span, **context.told()}
    # NumPy's ints, too: a hand-written loop may count with them.
    return json.dumps(told, separators=(",", ":"), default=operator.index).encode()


def resume(context: Context, content: bytes, at: int | None = None) -> Span:
    """Lets a context remember what a file holds, which may be a stranger's.

    Args:
        context: It forgets everything that it observed but the scene.
        content: Of the file.
        at: Where the run goes on. Where that is not behind the first iteration it is another run,
            or begins anew; the context stays as it is.

    Returns:
        What the file's context observed.

    Raises:
        ContractError: It is no such file, or of a newer tbtrace; nothing is changed then.
    """
    try:
        if len(content) > MOST_BYTES:
            raise ValueError(f"more than {MOST_BYTES} bytes")
        told = json.loads(content)
        if told["tbtrace_context"] != VERSION:
            raise ValueError(f"format {told['tbtrace_context']}, this tbtrace reads {VERSION}")
        span = Span(*map(int, told["iterations"]))
        if at is None or at > span.first:
            context.resume(told)
        return span
    except Exception as error:  # a stranger's file may fail anywhere
        raise ContractError(f"it holds no context ({type(error).__name__}: {error})") from error
