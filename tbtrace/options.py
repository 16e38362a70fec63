"""Reporting: the options of reporting, checked where they are given."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import cloudpickle

from tbtrace import axis
from tbtrace.archive.retention import Retention
from tbtrace.errors import ContractError
from tbtrace.handout import OnPicture
from tbtrace.views import Paths, View

_EVERYTHING = Retention()


@dataclass(frozen=True, slots=True)
class Reporting:
    """The options of reporting.

    Attributes:
        views: What is drawn of the episodes; their names are part of the tags. They are drawn in a
            process of their own, so they must pickle (cloudpickle), and what they print or change
            is not seen here.
        archive: How the drawn episodes are kept, to be drawn again: `"parquet"` in `traces/`
            (`tbtrace.open_archive` reads it), `"json"` as the files of the forum's recipe in
            `episode_data/`, None not at all.
        retention: How much of the archive is kept; everything by default.
        step: The x axis of everything under Tune: `"iteration"`, `"env_steps"`, or None for what
            Ray's own logger takes (`timesteps_total` where a result has it, else the iteration).
        logdir: The run's directory, for `EpisodeRecorder(reporting=...)` without Tune; by default
            the algorithm's own.
        view_seconds: A view may take for its pictures of one iteration. One that takes longer is
            named, counted, and not drawn any more.
        drain_seconds: How long the end of a run waits for what is not written or drawn yet.
        on_picture: `callable(logdir, tag, step, file)`, called with each picture that is written,
            for other trackers: the run's directory (under Tune the trial's `local_path`), its tag
            and step, the bytes of a PNG file (APNG where it moves). It is called in this process,
            in a thread of its own, one picture after the other; a run that goes back draws a step
            again. What it raises is named once and counted (`"pictures"`). The end of a run waits
            for it, too. Under Tune and in an `EpisodeRecorder` it must pickle.

    Raises:
        ContractError: Two views have one name, a view does not pickle, an unknown `step` or
            `archive`, seconds that are no number above 0, an `on_picture` that cannot be called.

    Example:
        >>> Reporting(views=[Paths(), Paths(name="only-cars", group="cars")]).views[1].name
        'only-cars'
    """

    views: Sequence[View] = (Paths(),)
    archive: Literal["parquet", "json"] | None = "parquet"
    retention: Retention = _EVERYTHING
    step: axis.Step | None = None
    logdir: str | os.PathLike[str] | None = None
    view_seconds: float = 60.0
    drain_seconds: float = 30.0
    on_picture: OnPicture | None = None

    def __post_init__(self) -> None:
        axis.check(self.step)
        if self.archive not in (None, "parquet", "json"):
            raise ContractError(f"archive={self.archive!r}; known: 'parquet', 'json', None")
        for option in ("view_seconds", "drain_seconds"):
            if not 0 < getattr(self, option) <= threading.TIMEOUT_MAX:
                raise ContractError(f"{option}={getattr(self, option)!r}; give seconds above 0")
        if self.on_picture is not None and not callable(self.on_picture):
            raise ContractError(f"on_picture={self.on_picture!r} cannot be called")
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
