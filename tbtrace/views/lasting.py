"""What lasts over a run's iterations as a file, so that it lasts over its restarts, too."""

from __future__ import annotations

import json

from tbtrace.errors import ContractError
from tbtrace.views.context import Context

VERSION = 1
MOST_BYTES = 16_000_000
"""A larger file is none of ours."""


def dumped(context: Context, iteration: int) -> bytes:
    """Returns the file: JSON without the scene, which comes with the next episode.

    Args:
        context: What lasts.
        iteration: The last one that it observed.

    Example:
        >>> resume(Context(), dumped(Context(), 7))
        7
    """
    told = {"tbtrace_context": VERSION, "iteration": iteration, **context.told()}
    return json.dumps(told, separators=(",", ":")).encode()


def resume(context: Context, content: bytes) -> int:
    """Lets a context remember what a file holds, which may be a stranger's.

    Args:
        context: It forgets everything that it observed but the scene.
        content: Of the file.

    Returns:
        The last iteration that was observed.

    Raises:
        ContractError: It is no such file, or of a newer tbtrace; nothing is changed then.
    """
    try:
        if len(content) > MOST_BYTES:
            raise ValueError(f"more than {MOST_BYTES} bytes")
        told = json.loads(content)
        if told["tbtrace_context"] != VERSION:
            raise ValueError(f"format {told['tbtrace_context']}, this tbtrace reads {VERSION}")
        iteration = int(told["iteration"])
        context.resume(told)
        return iteration
    except Exception as error:  # a stranger's file may fail anywhere
        raise ContractError(f"it holds no context ({type(error).__name__}: {error})") from error
