"""Retention: how much of an archive is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tbtrace.errors import ContractError


@dataclass(frozen=True, slots=True)
class Retention:
    """How much of the archive is kept; what is older than allowed is deleted, oldest first.

    Attributes:
        last: So many of the newest iterations of each split; None: all.
        every: Of the older ones every so many-th iteration stays, whatever `last` says; None: none.
        megabytes: So much in all, in both splits together; None: no limit.

    Raises:
        ContractError: A number is below 1.

    Example:
        >>> Retention(last=100, every=50).last
        100
    """

    last: int | None = None
    every: int | None = None
    megabytes: float | None = None

    def __post_init__(self) -> None:
        for name in ("last", "every", "megabytes"):
            value = getattr(self, name)
            if value is not None and not value >= 1:
                raise ContractError(f"Retention({name}={value!r}): give a number of at least 1")

    def surplus(self, sizes: Mapping[int, int]) -> set[int]:
        """Returns the iterations to delete.

        Args:
            sizes: `{iteration: bytes}` of all that are there, the oldest first.

        Example:
            >>> Retention(last=2, every=3).surplus({1: 9, 2: 9, 3: 9, 4: 9, 5: 9})
            {1, 2}
        """
        iterations = list(sizes)
        doomed: set[int] = set()
        if self.last is not None:
            doomed = set(iterations[: -self.last])
            if self.every is not None:
                doomed = {iteration for iteration in doomed if iteration % self.every}
        if self.megabytes is not None:
            total = sum(size for iteration, size in sizes.items() if iteration not in doomed)
            for iteration in iterations[:-1]:  # the newest stays, however large
                if total <= self.megabytes * 1e6:
                    break
                if iteration not in doomed:
                    doomed.add(iteration)
                    total -= sizes[iteration]
        return doomed
