"""TraceLoggerCallback: the one writer of a trial's TensorBoard run, in place of Ray's own."""

from __future__ import annotations

import atexit
import math
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ray.tune.logger.tensorboardx import TBXLoggerCallback

from tbtrace.errors import Problems, warn_once
from tbtrace.events.dashboards import Status
from tbtrace.options import Reporting
from tbtrace.report import RunReporter
from tbtrace.rllib.ledger import whole
from tbtrace.rllib.results import ResultReporter, take_parcel
from tbtrace.shelf import Shelf

if TYPE_CHECKING:
    from ray.tune.experiment import Trial

_PATIENCE = 3
_NO_RECORDER = (
    f"{_PATIENCE} results of a trial count episodes and bring nothing that tbtrace recorded, so "
    "there are no histograms and no pictures; add config.callbacks(tbtrace.EpisodeRecorder), or "
    "report the whole result if a function of yours reports parts of algo.train()"
)


@dataclass(slots=True)
class _Run:
    """One trial, from its start to its end; retries and restarts by a scheduler included."""

    results: ResultReporter
    shelf: Shelf | None
    has_reported: bool = False
    unrecorded: float = 0


@dataclass(slots=True)
class _Ended:
    """What is left of a trial until the experiment ends: its storage path is completed then."""

    shelf: Shelf | None
    closing: threading.Thread
    path: Path | None = None


class TraceLoggerCallback(TBXLoggerCallback):
    """Writes everything that Ray's own TensorBoard logger writes, and what tbtrace recorded.

    Give it to Tune: `tune.RunConfig(callbacks=[tbtrace.TraceLoggerCallback()])`. Tune then adds no
    TensorBoard logger of its own: two writers in one directory can erase each other's file. List it
    before other loggers of yours; it takes the recorded episodes out of the result.

    In the same run, at the same steps as Tune's metrics: histograms
    `ray/tune/env_runners/hist_stats/<name>` (and `evaluation/...`) of every running and final
    value, and pictures `traces/<view>/<split>/<pick>`. It hands over to a `RunReporter` and
    returns, since it runs in Tune's own loop. Errors are warned about once and never reach Tune.
    So is a missing `EpisodeRecorder`, after three results of a trial in which episodes ended.

    What is not written and drawn when a trial ends is waited for up to `drain_seconds` (30), when
    the experiment ends at the latest; other trials go on meanwhile. Event files beyond 16 MB leave
    Tune's staging folder, which it copies in full every ten seconds, and go to the storage path
    (`result.path`) once.

    In a trainable of your own hand on the whole result: `tune.report(algo.train())` in a function,
    `return self.algo.train()` in `step` of a class.

    Args:
        reporting: Options of reporting, as one object.
        **options: Or the same options one by one, e.g. `views=[...]`.

    Raises:
        TypeError: Both are given, or an option that does not exist.
        ContractError: An option breaks its rule.
    """

    def __init__(self, reporting: Reporting | None = None, **options: Any) -> None:
        super().__init__()
        if reporting is not None and options:
            raise TypeError(f"give reporting=, or {', '.join(options)}, not both")
        self._reporting = Reporting(**options) if reporting is None else reporting
        self._runs: dict[Trial, _Run] = {}
        self._ended: list[_Ended] = []
        self._problems = Problems()
        self._process = 0

    def __getstate__(self) -> dict[str, Any]:
        # Tune pickles callbacks before a run and unpickles them to restore it.
        live = ("_runs", "_trial_writer")
        return {**self.__dict__, **{name: {} for name in live}, "_ended": []}

    def log_trial_start(self, trial: Trial) -> None:
        """Opens the trial's reporter; on a retry, or after a pause, it goes on."""
        try:
            if trial not in self._runs:
                self._start(trial)
        except Exception as error:
            self._problems.add_error("records", "starting a trial's report", error)

    def _start(self, trial: Trial) -> None:
        trial.init_local_path()
        shelf, problems = None, Problems()
        if trial.storage is not None:
            staging, storage = Path(trial.local_path), trial.storage
            places = (storage.storage_filesystem, str(storage.trial_fs_path), str(trial.path))
            shelf = Shelf(staging, *places, problems)
        reporter = RunReporter(trial.local_path, self._reporting, shelf=shelf, problems=problems)
        self._runs[trial] = _Run(ResultReporter(reporter, self._reporting.step), shelf)
        self._trial_writer[trial] = reporter.writer
        # A script that is interrupted before Tune says that the experiment ends.
        self._process = os.getpid()
        atexit.unregister(self._complete_at_exit)
        atexit.register(self._complete_at_exit)

    def log_trial_result(self, iteration: int, trial: Trial, result: dict[str, Any]) -> None:
        """Takes the parcel out of the result, hands both over and returns."""
        parcel = take_parcel(result)
        try:
            if trial not in self._runs:
                self._start(trial)
            run = self._runs[trial]
            run.results.report(result, parcel)
            run.has_reported = True
            _miss_recorder(run, result, parcel)
        except Exception as error:
            self._problems.add_error("records", "reporting a result", error)

    def log_trial_end(self, trial: Trial, failed: bool = False) -> None:
        """Writes the hyper-parameters, drains and closes, while the other trials go on."""
        self._end(trial, "failure" if failed else "success")

    def on_experiment_end(self, trials: list[Trial], **info: Any) -> None:
        """Waits for all ends, also of trials that never ended, and completes the storage path.

        On Ctrl-C Tune calls nothing else, and it has copied its staging folder for the last time.
        """
        self._complete()

    def _complete_at_exit(self) -> None:
        if os.getpid() == self._process:  # a fork has none of our threads
            self._complete()

    def _complete(self) -> None:
        atexit.unregister(self._complete_at_exit)
        for trial in list(self._runs):
            self._end(trial, "running")
        ended, self._ended = self._ended, []
        limit = self._reporting.drain_seconds
        deadline = time.monotonic() + limit + 1  # each closes within the limit by itself
        for end in ended:
            if end.closing.ident is not None:
                end.closing.join(max(0.0, deadline - time.monotonic()))
        shelves = [(end.shelf, end.path) for end in ended if end.shelf is not None]
        for shelf, path in shelves:
            shelf.complete(path)
        deadline = time.monotonic() + limit
        for shelf, _ in shelves:
            shelf.close(max(0.0, deadline - time.monotonic()))

    def _end(self, trial: Trial, status: Status) -> None:
        run = self._runs.pop(trial, None)
        self._trial_writer.pop(trial, None)
        if run is None:
            return
        try:
            if run.has_reported and trial.evaluated_params:
                run.results.reporter.hparams(_present(trial.evaluated_params, trial.config), status)
        except Exception as error:
            self._problems.add_error("records", "writing hyper-parameters", error)

        def close() -> None:
            try:
                run.results.reporter.close()
                end.path = run.results.reporter.path
            except Exception as error:
                self._problems.add_error("records", "closing an event file", error)

        # In a thread: in Tune's loop the last pictures of one trial would hold up all others.
        end = _Ended(run.shelf, threading.Thread(target=close, name="tbtrace-end", daemon=True))
        self._ended.append(end)
        try:
            end.closing.start()
        except RuntimeError:  # Python starts no threads while it exits
            close()


def _miss_recorder(run: _Run, result: Mapping[str, Any], parcel: Any) -> None:
    """Warns once when three results of a trial had episodes and none of them a parcel."""
    runners = result.get("env_runners")
    if parcel is not None:
        run.unrecorded = -math.inf  # for good: a function may report parts in between
    elif isinstance(runners, dict) and whole(runners.get("num_episodes")) > 0:
        run.unrecorded += 1
        if run.unrecorded == _PATIENCE:
            warn_once("results unrecorded", _NO_RECORDER)


def _present(evaluated: Mapping[str, Any], config: Any) -> dict[str, Any]:
    """Returns the hyper-parameters as they are now: schedulers change the trial's config alone."""
    present = {}
    for name, value in evaluated.items():
        place = config
        for part in name.split("/"):
            place = place.get(part, value) if isinstance(place, Mapping) else value
        present[name] = place
    return present
