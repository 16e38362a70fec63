"""RunReporter: views, event file and histograms of one run, joined, off the caller's thread."""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tbtrace.about import About
from tbtrace.archivist import Archivist
from tbtrace.artist import Drawn
from tbtrace.episode import Episode, FloatArray
from tbtrace.errors import Problems
from tbtrace.events import dashboards, summary
from tbtrace.events.inturn import InTurn
from tbtrace.events.log import EventLog
from tbtrace.events.values import flat, told_parameters
from tbtrace.events.writer import SummaryWriter
from tbtrace.handout import Handout
from tbtrace.options import Reporting, pickled
from tbtrace.scribe import Report, Scribe
from tbtrace.select import EpisodeSummary
from tbtrace.shelf import Shelf
from tbtrace.studio import Drawing
from tbtrace.views import Context
from tbtrace.worker import Job, Worker

ROTATE_BYTES = 16_000_000
"""So large grows the event file that Tune copies every ten seconds."""

_CLOSE_SECONDS = 0.5


class RunReporter:
    """Writes one run: scalars and histograms at once, pictures as soon as they are drawn.

    `report` hands over and returns. A thread writes; another process draws, and the writer never
    waits for it. When drawing falls behind, the oldest iteration's pictures are dropped and
    counted. Nothing that goes wrong here is raised into the training loop; it is named once and
    counted.

    A run may go back to an earlier step: what it had there and later is replaced, and pictures that
    still wait are dropped.

    Args:
        logdir: The run's directory; made where it is missing. The event file is opened with the
            first report, and its name sorts after every one that is there.
        reporting: Options.
        context: What lasts over iterations (extents, colours), from an earlier reporter of the run.
        shelf: Where event files go when they are full (16 MB); without, there is one for ever.
        problems: Where is counted what gets lost; that of `shelf`, say.

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
        shelf: Shelf | None = None,
        problems: Problems | None = None,
    ) -> None:
        self.context = Context() if context is None else context
        self._reporting = Reporting() if reporting is None else reporting
        self._problems = Problems() if problems is None else problems
        self._dropped: Counter[str] = Counter()
        self._counting = threading.Lock()
        if shelf is None:
            self._log = EventLog(logdir, self._problems)
        else:
            self._log = EventLog(
                logdir,
                self._problems,
                rotate_bytes=ROTATE_BYTES,
                sealed=shelf.seal,
                after=shelf.prepare,
            )
        self._summary_writer: SummaryWriter | None = None
        self._began = time.time()
        where = shelf.uri if shelf else str(Path(logdir).absolute())
        self._about = About(self._reporting.views, where)
        take = self._reporting.on_picture
        self._handout = take and Handout(os.fspath(logdir), take, self._problems)
        self._drawing = Drawing(
            pickled(self._reporting.views),
            self._reporting.view_seconds,
            self._deliver,
            self._problems,
        )
        self._archivist = Archivist(
            None if shelf is None else shelf.filesystem,
            where if shelf is None else shelf.path,
            self._reporting.archive,
            self._reporting.retention,
            self._problems,
        )
        self._scribe = Scribe(
            self._log,
            self._archivist,
            self._drawing,
            self._about,
            self.context,
            self._problems,
            lambda: self.dropped,
        )
        self._writer = Worker("tbtrace-writer", self._failed, dropped=self._lose)
        # A script that ends without close() still gets what it handed over.
        self._process = os.getpid()
        atexit.register(self._close_at_exit)

    @property
    def path(self) -> Path | None:
        """The event file that was written last; None before the first report is written."""
        return self._log.path

    @property
    def dropped(self) -> dict[str, int]:
        """What could not be written or drawn so far, by kind (`pictures`, `values`, `records`)."""
        with self._counting:
            self._dropped.update(self._problems.take())
            return dict(self._dropped)

    @property
    def writer(self) -> SummaryWriter:
        """A tensorboardX writer on the run's event file, for a caller's own `add_*` calls.

        They are written in their turn, by the thread that writes what was reported before.
        """
        if self._summary_writer is None:
            log = InTurn(self._log, self._writer.put, self._writer.drain)
            self._summary_writer = SummaryWriter(log, self._problems)
        return self._summary_writer

    def report(
        self,
        step: int,
        result: Mapping[str, Any],
        episodes: Iterable[Episode] | Callable[[], Iterable[Episode]] = (),
        prefix: str = "",
        histograms: Mapping[str, Mapping[str, FloatArray]] | None = None,
        summaries: Mapping[str, Sequence[EpisodeSummary]] | None = None,
        iteration: int | None = None,
    ) -> None:
        """Hands one iteration over.

        Args:
            step: Where on the x axis, for everything in it.
            result: Nested dict of what to write: numbers become scalars, lists and arrays of
                numbers histograms, strings texts, arrays in the shape of images pictures. It may be
                changed once the call has returned; the arrays in it may not.
            episodes: Episodes to draw, whole, in the order in which they ended; or a function that
                returns them, called on the writer's thread. Without `histograms` and `summaries`
                they count as all that ended, and what RLlib's results hold of them with an
                `EpisodeRecorder` is written as scalars, too: `env_runners/custom_metrics/...`,
                `env_runners/episode_return_{mean,min,max}`, `episode_len_...`, and below
                `evaluation/` of those whose `split` is `"evaluation"`. A tag that `result` has
                keeps the value it has there.
            prefix: Put before every tag of `result`, of scalars of episodes and of histograms.
            histograms: `{split: {name: buckets float64 (k, 3)}}`; by default counted from
                `episodes`.
            summaries: `{split: summaries}` of every episode of the iteration, those that are not in
                `episodes` too; views pick among them. By default those of `episodes`.
            iteration: Its number, for the archive, where the step is none; the step by default.
        """
        if not callable(episodes):
            given = tuple(episodes)
            episodes = lambda: given  # noqa: E731
        number = step if iteration is None else iteration
        values = flat(result, prefix)
        report = Report(step, number, values, episodes, prefix, histograms, summaries)
        self._writer.put(lambda: self._scribe.write(report))

    def hparams(
        self,
        parameters: Mapping[str, Any],
        status: dashboards.Status = "success",
        metrics: Iterable[str] | None = None,
    ) -> None:
        """Hands over the run's row in the HParams dashboard.

        TensorBoard takes the first one of a run: call it at the end.

        Args:
            parameters: `{name: value}`, nested dicts as `a/b`; what is neither bool, number nor
                str is shown as the text that it prints.
            status: How the run ended.
            metrics: Tags of the scalars to show beside them; by default all of the last report.
        """
        told = told_parameters(parameters, self._problems)
        given, now = None if metrics is None else tuple(metrics), time.time()

        def write() -> None:
            tags = self._scribe.tags if given is None else given
            self._log.add(
                dashboards.hparams(told, tags, status=status, started=self._began, ended=now)
            )
            self._log.flush()

        self._writer.put(write)

    def flush(self, timeout: float | None = None) -> bool:
        """Waits up to `timeout` seconds until all is written and drawn; returns whether it is."""
        deadline = self._deadline(timeout)
        parts = (self._writer, self._drawing, self._archivist, self._handout)
        return all(part.drain(_left(deadline)) for part in parts if part is not None)

    def close(self, timeout: float | None = None) -> None:
        """Drains within `timeout` seconds and closes the event file; what is left is counted.

        It takes a second longer at the most, also where the disk does not answer any more.
        """
        atexit.unregister(self._close_at_exit)
        deadline = self._deadline(timeout)
        self._writer.stop(_left(deadline))
        self._drawing.stop(_left(deadline))
        self._archivist.stop(_left(deadline))
        if self._handout is not None:
            self._handout.stop(_left(deadline))
        closer = Worker("tbtrace-closer", self._failed)
        closer.put(self._close_log)
        if not closer.stop(max(_CLOSE_SECONDS, _left(deadline))):
            self._problems.add_quietly(
                "records",
                f"close {self._log.directory}",
                f"the disk of {self._log.directory} does not answer: the end of the run may be "
                "missing there",
            )

    def _close_log(self) -> None:
        if not self._log.closed and self._scribe.step is not None:
            for event in self._about.end(self._scribe.step, self.dropped):
                self._log.add(event)
        self._log.close()

    def _close_at_exit(self) -> None:
        # A fork of this process has none of its threads, and the file is not its to write.
        if os.getpid() == self._process:
            self.close()

    def _deadline(self, timeout: float | None) -> float:
        limit = self._reporting.drain_seconds if timeout is None else timeout
        return time.monotonic() + limit

    def _deliver(self, step: int, drawn: Drawn) -> None:
        self._log.add(
            summary.image(
                step,
                drawn.tag,
                drawn.encoded,
                drawn.width,
                drawn.height,
                title=drawn.title,
                description=drawn.description,
            )
        )
        self._log.flush()
        if self._handout is not None:
            for file in drawn.encoded:
                self._handout.put(drawn.tag, step, file)

    def _lose(self, job: Job) -> None:
        self._problems.add_quietly(
            "records",
            f"late {self._log.directory}",
            f"a report of the run in {self._log.directory} came after close(), or was not written "
            "within the time that close() waits (drain_seconds); it is lost",
        )

    def _failed(self, error: Exception) -> None:
        self._problems.add_error("records", "writing events", error)


def _left(deadline: float) -> float:
    return max(0.0, deadline - time.monotonic())
