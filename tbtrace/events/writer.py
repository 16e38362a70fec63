"""A tensorboardX `SummaryWriter` that writes through an `EventLog`.

Ray's TensorBoard logger and users' own `add_*` calls expect tensorboardX. Its own writer goes
through a queue and a thread: `flush()` leaves the last records behind, a full disk blocks training
for ever, and two writers in one directory can erase each other's file. This one has no queue, no
thread and no exit hook; `flush()` is exact, and a failing disk is the event log's matter.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorboardX
from tensorboardX.summary import hparams
from tensorboardX.writer import FileWriter

from tbtrace.errors import Problems
from tbtrace.events.file import ClosedFileError
from tbtrace.events.inturn import InTurn
from tbtrace.events.log import EventLog


class SummaryWriter(tensorboardX.SummaryWriter):
    """tensorboardX's `SummaryWriter` on top of an event log, which others may write to as well.

    Every `add_*` method of tensorboardX works and writes what tensorboardX writes. `add_scalars`
    and `add_hparams` write runs of their own below this one, as they always do, each into an
    `EventLog` that starts at the step of ours. `close` closes the log for all who write to it;
    unlike tensorboardX's, a closed writer does not come to life again.

    Args:
        log: Where the events go, at once or in their turn.
        problems: Where events are counted that were lost in runs below this one.

    Raises:
        ClosedFileError: By every `add_*` once the writer or its log has been closed.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     with SummaryWriter(EventLog(directory, Problems()), Problems()) as writer:
        ...         writer.add_scalar("loss", 0.5, global_step=1)
        ...     len(list(Path(directory).iterdir()))
        1
    """

    file_writer: Any
    all_writers: Any

    def __init__(self, log: EventLog | InTurn, problems: Problems) -> None:
        self._log = log
        self._problems = problems
        super().__init__(logdir=str(log.directory))

    def _get_file_writer(self) -> FileWriter:
        # tensorboardX's one seam: its constructor and every add_* get their writer here.
        if self._log.closed:
            raise ClosedFileError(f"the writer of {self._log.directory} is closed")
        if self.all_writers is None:
            self.file_writer = _FileWriter(self._log)
            self.all_writers = {self.logdir: self.file_writer}
        return self.file_writer

    def _log_below(self, *names: str) -> EventLog:
        log = EventLog(Path(self.logdir, *names), self._problems)
        log.restart(self._log.start_step)
        return log

    def add_scalars(
        self,
        main_tag: str,
        tag_scalar_dict: Mapping[str, float],
        global_step: int | None = None,
        walltime: float | None = None,
    ) -> None:
        """Adds curves to one chart, a run `<main_tag>/<tag>` below this one each.

        Args:
            main_tag: Name of the chart.
            tag_scalar_dict: `{name of the curve: value}`.
            global_step: Where on the x axis.
            walltime: Seconds since the epoch; now where it is None.
        """
        self._get_file_writer()
        for tag in tag_scalar_dict:
            # The very key under which tensorboardX looks for a writer before it makes its own.
            run = os.path.join(self.logdir, main_tag, tag)
            if run not in self.all_writers:
                below = self._log_below(main_tag, tag)
                self._log.carry(below)
                self.all_writers[run] = _FileWriter(below)
        super().add_scalars(main_tag, tag_scalar_dict, global_step, walltime)

    def add_hparams(
        self,
        hparam_dict: dict[str, bool | str | float | int],
        metric_dict: dict[str, float],
        name: str | None = None,
        global_step: int | None = None,
    ) -> None:
        """Adds a row to the HParams dashboard, as a run of its own below this one.

        Args:
            hparam_dict: `{name: value}`.
            metric_dict: `{tag: value}`, written as scalars of that run.
            name: The run's name; the time where it is None.
            global_step: The step of the metrics.
        """
        self._get_file_writer()
        summaries = hparams(hparam_dict, metric_dict)
        with SummaryWriter(self._log_below(name or str(time.time())), self._problems) as run:
            for summary in summaries:
                run.file_writer.add_summary(summary)
            for tag, value in metric_dict.items():
                run.add_scalar(tag, value, global_step)


class _FileWriter(FileWriter):
    """tensorboardX's `FileWriter`, on an `EventLog`."""

    def __init__(self, log: EventLog | InTurn) -> None:
        # In place of super().__init__, which opens a file and starts a thread.
        self.event_writer = _EventWriter(log)
        self._default_metadata: dict[str, Any] = {}


class _EventWriter:
    """What `FileWriter` asks of tensorboardX's `EventFileWriter`."""

    def __init__(self, log: EventLog | InTurn) -> None:
        self._log = log
        self.flush = log.flush
        self.close = log.close

    def get_logdir(self) -> str:
        return str(self._log.directory)

    def add_event(self, event: Any) -> None:
        self._log.add(event.SerializeToString())

    def reopen(self) -> None:
        """Nothing: the writer is open until it is closed, and then for good."""
