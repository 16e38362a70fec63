"""RunReporter: views, event file and histograms of one run, joined, off the caller's thread."""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tbtrace import stats
from tbtrace.episode import Episode, FloatArray
from tbtrace.errors import ContractError, Problems
from tbtrace.events import summary
from tbtrace.events.file import EventFile
from tbtrace.events.values import Values, flat
from tbtrace.events.writer import SummaryWriter
from tbtrace.plan import SPLITS, Planned, plan, split_of
from tbtrace.select import EpisodeSummary
from tbtrace.views import Context, Paths, View
from tbtrace.worker import Job, Worker

_PLACES = {"train": "env_runners", "evaluation": "evaluation/env_runners"}
"""Where RLlib's results, and so the tags of histograms, hold each split."""

_WAITING_ITERATIONS = 8


@dataclass(frozen=True, slots=True)
class Reporting:
    """The options of reporting.

    Attributes:
        views: What is drawn of the episodes; their names are part of the tags.
        drain_seconds: How long the end of a run waits for what is not written or drawn yet.

    Raises:
        ContractError: Two views have one name.

    Example:
        >>> Reporting(views=[Paths(), Paths(name="only-cars", group="cars")]).views[1].name
        'only-cars'
    """

    views: Sequence[View] = (Paths(),)
    drain_seconds: float = 60.0

    def __post_init__(self) -> None:
        for name, count in Counter(view.name for view in self.views).items():
            if count > 1:
                raise ContractError(f"{count} views have the name {name!r}; give each its own")


@dataclass(frozen=True, slots=True)
class _Pictures:
    """A job for the artist: the pictures of one iteration."""

    draw: Callable[[_Pictures], None]
    step: int
    episodes: tuple[Episode, ...]
    planned: tuple[Planned, ...]

    def __call__(self) -> None:
        self.draw(self)


class RunReporter:
    """Writes one run: scalars and histograms at once, pictures as soon as they are drawn.

    `report` hands over and returns. One thread writes, another one draws; the writer never waits
    for a view. When drawing falls behind, the oldest iteration's pictures are dropped and counted.
    Nothing that goes wrong here is raised into the training loop; it is named once and counted.

    Args:
        logdir: The run's directory; made where it is missing. The event file is opened with the
            first report, and its name sorts after every one that is there.
        reporting: Options.
        context: What lasts over iterations (extents, colours), from an earlier reporter of the run.

    Attributes:
        context: As above.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as logdir:
        ...     reporter = RunReporter(logdir)
        ...     reporter.report(1, {"loss": 0.5})
        ...     reporter.close()
        ...     len(os.listdir(logdir))
        1
    """

    def __init__(
        self,
        logdir: str | os.PathLike[str],
        reporting: Reporting | None = None,
        context: Context | None = None,
    ) -> None:
        self.context = Context() if context is None else context
        self._logdir = Path(logdir)
        self._reporting = Reporting() if reporting is None else reporting
        self._problems = Problems()
        self._dropped: Counter[str] = Counter()
        self._file: EventFile | None = None
        self._summary_writer: SummaryWriter | None = None
        self._opening = threading.Lock()
        self._writer = Worker("tbtrace-writer", self._failed("records", "writing events"))
        self._artist = Worker(
            "tbtrace-artist",
            self._failed("pictures", "drawing"),
            limit=_WAITING_ITERATIONS,
            dropped=self._drop,
        )
        # A script that ends without close() still gets what it handed over.
        atexit.register(self.close)

    @property
    def path(self) -> Path | None:
        """The event file; None before the first report."""
        return None if self._file is None else self._file.path

    @property
    def dropped(self) -> dict[str, int]:
        """What could not be written or drawn so far, by kind (`pictures`, `values`, `records`)."""
        self._dropped.update(self._problems.take())
        return dict(self._dropped)

    def writer(self, step: int = 0) -> SummaryWriter:
        """Returns a tensorboardX writer on the run's event file, for a caller's own `add_*` calls.

        Args:
            step: Where the event file begins if this opens it.
        """
        file = self._event_file(step)
        if self._summary_writer is None:
            self._summary_writer = SummaryWriter(file)
        return self._summary_writer

    def report(
        self,
        step: int,
        result: Mapping[str, Any],
        episodes: Iterable[Episode] = (),
        prefix: str = "",
        histograms: Mapping[str, Mapping[str, FloatArray]] | None = None,
        summaries: Mapping[str, Sequence[EpisodeSummary]] | None = None,
    ) -> None:
        """Hands one iteration over.

        Args:
            step: Where on the x axis, for everything in it; growing.
            result: Nested dict of what to write: numbers become scalars, lists and arrays of
                numbers histograms, arrays in the shape of images pictures. It may be changed once
                the call has returned; the arrays in it may not.
            episodes: Episodes to draw, whole, in the order in which they ended.
            prefix: Put before every tag of `result` and of histograms.
            histograms: `{split: {name: buckets float64 (k, 3)}}`; by default counted from
                `episodes`.
            summaries: `{split: summaries}` of every episode of the iteration, those that are not in
                `episodes` too; views pick among them. By default those of `episodes`.
        """
        values = flat(result, prefix)
        drawn = tuple(episodes)
        self._writer.put(lambda: self._write(step, values, drawn, prefix, histograms, summaries))

    def flush(self, timeout: float | None = None) -> bool:
        """Waits until all is written and drawn; returns False when `timeout` seconds did not do."""
        limit = self._reporting.drain_seconds if timeout is None else timeout
        deadline = time.monotonic() + limit
        return self._writer.drain(limit) and self._artist.drain(deadline - time.monotonic())

    def close(self, timeout: float | None = None) -> None:
        """Drains within `timeout` seconds and closes the event file; what is left is counted."""
        atexit.unregister(self.close)
        limit = self._reporting.drain_seconds if timeout is None else timeout
        deadline = time.monotonic() + limit
        self._writer.stop(limit)
        self._artist.stop(max(0.0, deadline - time.monotonic()))
        with self._opening:
            if self._file is not None:
                self._file.close()

    def _event_file(self, step: int) -> EventFile:
        with self._opening:
            if self._file is None:
                # Also the first file of a run: after a restore nobody here may know of the others.
                self._file = EventFile(self._logdir, start_step=step)
            return self._file

    def _write(
        self,
        step: int,
        values: Mapping[str, Any],
        episodes: tuple[Episode, ...],
        prefix: str,
        histograms: Mapping[str, Mapping[str, FloatArray]] | None,
        summaries: Mapping[str, Sequence[EpisodeSummary]] | None,
    ) -> None:
        file = self._event_file(step)
        sorted_values = Values.sort(values, self._problems)
        file.add(summary.scalars(step, sorted_values.scalars))
        for tag, numbers in sorted_values.histograms.items():
            file.add(summary.histogram(step, tag, stats.buckets(numbers)))
        for tag, picture in sorted_values.images.items():
            try:
                picture.write(self.writer(step), tag, step)
            except Exception as error:
                self._problems.add_error("pictures", f"writing {tag!r}", error)
        if histograms is None:
            histograms = {
                split: stats.histograms(e for e in episodes if split_of(e) == split)
                for split in SPLITS
            }
        for split, by_name in histograms.items():
            for name, rows in by_name.items():
                tag = f"{prefix}{_PLACES[split]}/hist_stats/{name}"
                about = f"Every value of `{name}` in the {split} episodes that ended in this step."
                file.add(summary.histogram(step, tag, rows, description=about))
        file.flush()
        planned = plan(self._reporting.views, episodes, summaries or {}, self._problems)
        if planned:
            self._artist.put(_Pictures(self._draw, step, episodes, planned))

    def _draw(self, job: _Pictures) -> None:
        self.context.observe(job.episodes)
        for view, tag, episode in job.planned:
            try:
                picture = view.draw([episode], self.context, title=tag.rsplit("/", 1)[-1])
                if picture is None:
                    continue
                if self._event_file(job.step).closed:  # the run has not waited for this view
                    self._problems.count("pictures")
                    continue
                event = summary.image(
                    job.step,
                    tag,
                    [picture.png],
                    picture.width,
                    picture.height,
                    title=tag.removeprefix("traces/").replace("/", " · "),
                    description=picture.description,
                )
                self._event_file(job.step).add(event)
            except Exception as error:
                self._problems.add_error("pictures", f"view {view.name!r}", error)
        self._event_file(job.step).flush()

    def _failed(self, kind: str, doing: str) -> Callable[[Exception], None]:
        return lambda error: self._problems.add_error(kind, doing, error)

    def _drop(self, job: Job) -> None:
        if isinstance(job, _Pictures):
            self._problems.add(
                "pictures",
                "behind",
                f"drawing is behind: the {len(job.planned)} pictures of step {job.step} are "
                "dropped; use fewer or cheaper views",
                count=len(job.planned),
            )
