"""Faults: why a request is not answered as it was asked, in one plain sentence."""

from __future__ import annotations

from tbtrace.errors import TbtraceError


class Fault(TbtraceError):
    """A request cannot be answered; the message says what to do."""

    status = 503


class BadRequest(Fault):
    """The request itself is wrong."""

    status = 400


class NotFound(Fault):
    """There is no such run, episode or background, or it cannot be read."""

    status = 404


class TooLarge(Fault):
    """The answer, or what would have to be read for it, is beyond the bounds."""

    status = 413
