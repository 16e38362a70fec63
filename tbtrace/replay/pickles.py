"""Pickles: parts of a recording that run code when they are opened."""

from __future__ import annotations

import base64
import binascii
import pickle
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from tbtrace.errors import TbtraceError

UNREADABLE = (
    ArithmeticError,  # infinity as a number of steps
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What reading data of a shape that nobody has checked may raise."""

_CALLED = {"obs": "observations", "action": "actions"}


class UntrustedError(TbtraceError):
    """A recording can only be read by opening pickles, and nobody said that it is trusted."""


class DamagedError(TbtraceError):
    """A part of a recording is not what it should be; the rest of it may be."""


@dataclass(frozen=True, slots=True)
class Pickled:
    """A pickle that nobody has opened.

    Attributes:
        data: The pickle; RLlib's `pack` makes it base64 of LZ4 of one.
    """

    data: bytes | str


class Opener:
    """Opens pickles if the recording is trusted.

    A pickle may hold any call, which runs when it is opened: whoever can write into the recording
    could do whatever the reader may do.

    Args:
        trust: Whether the caller says that the recording is trusted.
        needed: `"obs"`, `"action"`: what is opened of a step besides its info, or refused.
        welcome: What is opened of a step if it is no pickle or trusted, and missing else.

    Example:
        >>> Opener(trust=True).open(Pickled(pickle.dumps([1.5])), "infos")
        [1.5]
        >>> Opener(trust=False).open(Pickled(b""), "infos")
        Traceback (most recent call last):
        tbtrace.replay.pickles.UntrustedError: the recording holds infos as pickles, and ...
    """

    def __init__(
        self, trust: bool, needed: Collection[str] = (), welcome: Collection[str] = ()
    ) -> None:
        self._trust = trust
        self._needed = needed
        self._welcome = welcome

    def open(self, value: Any, what: str) -> Any:
        """Returns what a pickle holds; anything else as it is.

        Args:
            value: What was read.
            what: What it is, for the message.

        Raises:
            UntrustedError: It is a pickle, and the recording is not trusted.
            DamagedError: It is a pickle and cannot be opened.
        """
        if not isinstance(value, Pickled):
            return value
        if not self._trust:
            raise UntrustedError(
                f"the recording holds {what} as pickles, and opening a pickle runs whatever code "
                "its writer put into it; if you trust whoever could write to these files, say "
                "--trust (or record with output_compress_columns=[] and as JSON)"
            )
        try:
            return pickle.loads(_unpacked(value.data))
        except Exception as error:
            raise DamagedError(
                f"{what} cannot be opened ({type(error).__name__}: {error})"
            ) from error

    def reads(self, source: str) -> bool:
        """Tells whether anybody wants `"obs"` or `"action"`."""
        return source in self._needed or source in self._welcome

    def see(self, value: Any, source: str) -> Any:
        """Returns an observation or action as it is wanted; None where it is not.

        Raises:
            UntrustedError: As `open`.
            DamagedError: As `open`.
        """
        if source in self._needed:
            return self.open(value, _CALLED[source])
        if source not in self._welcome or (isinstance(value, Pickled) and not self._trust):
            return None
        return self.open(value, _CALLED[source])


def _unpacked(data: bytes | str) -> bytes:
    """Undoes RLlib's `pack`, if there is something to undo."""
    if isinstance(data, bytes):
        return data
    import lz4.frame  # type: ignore[import-untyped]

    try:
        packed = base64.b64decode(data, validate=True)
    except binascii.Error as error:
        raise ValueError(f"no base64: {error}") from error
    unpacked: bytes = lz4.frame.decompress(packed)
    return unpacked
