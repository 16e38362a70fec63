"""Reporting: the options of reporting, checked where they are given."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cloudpickle

from tbtrace import axis
from tbtrace.errors import ContractError
from tbtrace.views import Paths, View


@dataclass(frozen=True, slots=True)
class Reporting:
    """The options of reporting.

    Attributes:
        views: What is drawn of the episodes; their names are part of the tags. They are drawn in a
            process of their own, so they must pickle (cloudpickle), and what they print or change
            is not seen here.
        step: The x axis of everything under Tune: `"iteration"`, `"env_steps"`, or None for what
            Ray's own logger takes (`timesteps_total` where a result has it, else the iteration).
        view_seconds: A view may take for its pictures of one iteration. One that takes longer is
            named, counted, and not drawn any more.
        drain_seconds: How long the end of a run waits for what is not written or drawn yet.

    Raises:
        ContractError: Two views have one name, a view does not pickle, an unknown `step`, seconds
            that are no number above 0.

    Example:
        >>> Reporting(views=[Paths(), Paths(name="only-cars", group="cars")]).views[1].name
        'only-cars'
    """

    views: Sequence[View] = (Paths(),)
    step: axis.Step | None = None
    view_seconds: float = 60.0
    drain_seconds: float = 30.0

    def __post_init__(self) -> None:
        axis.check(self.step)
        for option in ("view_seconds", "drain_seconds"):
            if not 0 < getattr(self, option) <= threading.TIMEOUT_MAX:
                raise ContractError(f"{option}={getattr(self, option)!r}; give seconds above 0")
        for name, count in Counter(view.name for view in self.views).items():
            if count > 1:
                raise ContractError(f"{count} views have the name {name!r}; give each its own")
        pickled(self.views)


def pickled(views: Iterable[View]) -> list[tuple[str, bytes]]:
    """Returns name and pickle of each view.

    Raises:
        ContractError: One does not pickle.
    """
    pickles = []
    for view in views:
        try:
            pickles.append((view.name, cloudpickle.dumps(view)))
        except Exception as error:
            raise ContractError(
                f"view {view.name!r} cannot be sent to the process that draws ({error}); a view "
                "must pickle: give it plain options, and open files or locks when it draws"
            ) from error
    return pickles
