"""What `--pick` may say: selectors by name."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tbtrace import select
from tbtrace.cli.console import CallError
from tbtrace.errors import ContractError
from tbtrace.select import EpisodeSummary, Selector

_KNOWN: dict[str, Any] = {
    "best": select.Best,
    "worst": select.Worst,
    "last": select.Last,
    "every": select.Every,
    "median": select.Median,
}
_PICK = re.compile(r"([a-z]+)(?:-([0-9]+))?(?::(.*))?")


@dataclass(frozen=True)
class Ranked:
    """Picks what another selector picks at one place, e.g. the third best: `best-3`.

    Attributes:
        of: The selector that ranks.
        place: From 1.
        name: The tag's end.
    """

    of: Selector
    place: int
    name: str

    def __call__(self, summaries: Sequence[EpisodeSummary], /) -> Sequence[int]:
        """Returns the one index, or none where there are fewer."""
        return self.of(summaries)[self.place - 1 : self.place]


def selector(text: str) -> Selector:
    """Returns the selector that a text names.

    Args:
        text: A name of `tbtrace.select` in small letters; behind a colon its arguments, the first
            one also without its name. `-3` behind the name is the third one, as in the pictures'
            tags.

    Raises:
        CallError: It is none.

    Example:
        >>> selector("best:2"), selector("best:by=speed_avg"), selector("every:50").k
        (Best(n=2, by='return', name='best'), Best(n=1, by='speed_avg', name='best'), 50)
        >>> selector("worst-3").name
        'worst-3'
    """
    match = _PICK.fullmatch(text)
    if match is None or match[1] not in _KNOWN:
        raise CallError(f"--pick {text}: known are {', '.join(_KNOWN)}, e.g. best-3, best:by=speed")
    name, place, arguments = match[1], match[2], match[3]
    kind = _KNOWN[name]
    known = [field.name for field in dataclasses.fields(kind)]
    given: dict[str, Any] = {}
    for part in arguments.split(",") if arguments else ():
        option, equals, value = part.partition("=")
        if not equals:
            option, value = known[0], part
        if option not in known:
            raise CallError(f"--pick {text}: {name} has {', '.join(known)}, no {option!r}")
        given[option] = int(value) if option in ("n", "k") and value.isdecimal() else value
    try:
        if place is None:
            return kind(**given)  # type: ignore[no-any-return]
        if "n" not in known or "n" in given or int(place) < 1:
            raise CallError(f"--pick {text}: a place goes with best, worst and last alone, from 1")
        tag = str(given.get("name", name))
        if int(place) > 1:
            tag = f"{tag}-{int(place)}"
        return Ranked(kind(n=int(place), **given), int(place), tag)
    except (ContractError, TypeError) as error:
        raise CallError(f"--pick {text}: {error}") from error
