"""How thick lines and marks are drawn, for so many entities."""

from __future__ import annotations

from typing import NamedTuple

from tbtrace.views.colours import PALETTE


class Stroke(NamedTuple):
    """Sizes in pixels; a mark of 0 is not drawn.

    Attributes:
        width: Of lines.
        start: The radius of the ring where an entity was first seen.
        end: The radius of the dot where it was last seen.
    """

    width: float
    start: float
    end: float


def stroke(count: int) -> Stroke:
    """Returns how `count` entities are drawn: many with fewer and smaller marks.

    Lines are never thinner than two pixels, which TensorBoard's small pictures need, and never
    paler: a line has the colour of its entry in the legend or of its value in the bar, and the same
    one in every picture of the run, however many entities there are.

    Example:
        >>> stroke(3).width, stroke(1000)
        (2.5, Stroke(width=2.0, start=0.0, end=0.0))
    """
    if count <= len(PALETTE):
        return Stroke(2.5, 6.0, 5.0)
    if count <= 60:
        return Stroke(2.0, 4.6, 3.5)
    return Stroke(2.0, 0.0, 2.5 if count <= 300 else 0.0)
