"""Retention: how much of an archive is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tbtrace.errors import ContractError


@dataclass(frozen=True, slots=True)
class Retention:
    """How much of the archive is kept, of both splits together; by default everything.

    The newest iteration stays always. Backgrounds of scenes, which are kept once a run, go with the
    last episode in them and do not count as megabytes.

    Attributes:
        last: So many of the newest iterations stay.
        every: Every so many-th iteration stays, besides the newest or the `last` ones.
        megabytes: So much in all (10^6 bytes); beyond, the oldest go, whatever the others say.

    Raises:
        ContractError: A number is below 1, or `last` or `every` is no int.

    Example:
        >>> Retention(last=100, every=50).last
        100
    """

    last: int | None = None
    every: int | None = None
    megabytes: float | None = None

    def __post_init__(self) -> None:
        for name, kinds in (("last", int), ("every", int), ("megabytes", (int, float))):
            value = getattr(self, name)
            if value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, kinds) or not value >= 1:
                what = "a number" if name == "megabytes" else "an int"
                raise ContractError(f"Retention({name}={value!r}): give {what} of at least 1")

    def surplus(self, sizes: Mapping[int, int]) -> set[int]:
        """Returns the iterations to delete.

        Args:
            sizes: `{iteration: bytes}` of all that are there, the oldest first.

        Example:
            >>> Retention(last=2, every=3).surplus({1: 9, 2: 9, 3: 9, 4: 9, 5: 9})
            {1, 2}
        """
        doomed: set[int] = set()
        if self.last is not None or self.every is not None:
            older = list(sizes)[: -(self.last or 1)]
            doomed = {i for i in older if self.every is None or i % self.every}
        if self.megabytes is not None:
            total = sum(size for iteration, size in sizes.items() if iteration not in doomed)
            for iteration in list(sizes)[:-1]:
                if total > self.megabytes * 1e6 and iteration not in doomed:
                    doomed.add(iteration)
                    total -= sizes[iteration]
        return doomed
