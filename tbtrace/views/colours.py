"""Colours of names: by order of first sight, the same in all iterations and views of a run."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

from tbtrace.views.memory import MOST_NAMES

PALETTE = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#332288",
    "#33BBEE",
    "#661100",
    "#6B4EFF",
    "#004D40",
    "#AA3377",
    "#A0522D",
)
"""Twelve colours that stay apart for colour-blind eyes (Okabe-Ito without yellow, then darker ones)
and are dark enough on white."""


class Colours:
    """The colours of entities: twelve for the first twelve of a run, and so on.

    At most 4096 are remembered; they can be pickled, and read in other threads while they grow.

    Args:
        names: `(group, entity)` in the order of first sight.

    Example:
        >>> colours = Colours([("robots", "r2")])
        >>> colours.see("robots", ["r2", "c3"])
        >>> colours.of("robots", "c3"), colours.of("robots", "never seen") in PALETTE
        ('#D55E00', True)
    """

    def __init__(self, names: Iterable[tuple[str, str]] = ()) -> None:
        self._numbers: dict[tuple[str, str], int] = {}
        for group, entity in names:
            self.see(group, [entity])

    @property
    def names(self) -> tuple[tuple[str, str], ...]:
        """The names in the order of first sight."""
        return tuple(self._numbers)

    def see(self, group: str, entities: Iterable[str]) -> None:
        """Remembers the entities that are new in a group, while there is room."""
        for entity in entities:
            if len(self._numbers) >= MOST_NAMES:
                return
            self._numbers.setdefault((group, entity), len(self._numbers))

    def of(self, group: str, entity: str) -> str:
        """Returns an entity's colour, `#rrggbb`; one by its name alone where it was never seen."""
        number = self._numbers.get((group, entity))
        return of_number(f"{group}\0{entity}", number)


def of_number(name: str, number: int | None) -> str:
    """Returns the colour of the `number`-th name, `#rrggbb`; by a stable hash of it for None."""
    if number is None:
        number = zlib.crc32(name.encode("utf-8", "surrogatepass"))
    return PALETTE[number % len(PALETTE)]
