"""TraceLoggerCallback: the one writer of a trial's TensorBoard run, in place of Ray's own."""

from __future__ import annotations

import math
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ray.tune.logger.tensorboardx import TBXLoggerCallback
from ray.tune.result import TIME_TOTAL_S, TIMESTEPS_TOTAL, TRAINING_ITERATION

from tbtrace.errors import Problems, warn_once
from tbtrace.events.values import Values, flat
from tbtrace.report import Reporting, RunReporter
from tbtrace.rllib.ledger import whole
from tbtrace.rllib.load import Receiver
from tbtrace.rllib.parcel import PARCEL, Contents, Parcel
from tbtrace.views import Context

if TYPE_CHECKING:
    from ray.tune.experiment import Trial

PREFIX = "ray/tune/"
_PATIENCE = 3
_NO_RECORDER = (
    f"{_PATIENCE} results of a trial count episodes and bring nothing that tbtrace recorded, so "
    "there are no histograms and no pictures; add config.callbacks(tbtrace.EpisodeRecorder), or "
    "report the whole result if a function of yours reports parts of algo.train()"
)
_NOT_WRITTEN = ("config", "pid", "timestamp", TIME_TOTAL_S, TRAINING_ITERATION)


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

    In a trainable of your own hand on the whole result: `tune.report(algo.train())` in a function,
    `return self.algo.train()` in `step` of a class.

    Args:
        reporting: Options of reporting, as one object.
        **options: Or the same options one by one, e.g. `views=[...]`.

    Raises:
        TypeError: Both are given, or an option that does not exist.
    """

    def __init__(self, reporting: Reporting | None = None, **options: Any) -> None:
        super().__init__()
        if reporting is not None and options:
            raise TypeError(f"give reporting=, or {', '.join(options)}, not both")
        self._reporting = Reporting(**options) if reporting is None else reporting
        self._reporters: dict[Trial, RunReporter] = {}
        self._contexts: dict[Trial, Context] = {}
        self._receivers: dict[Trial, Receiver] = {}
        self._unrecorded: dict[Trial, float] = {}
        self._problems = Problems()

    def __getstate__(self) -> dict[str, Any]:
        # Tune pickles callbacks before a run and unpickles them to restore it.
        live = ("_reporters", "_receivers", "_contexts", "_unrecorded")
        theirs = ("_trial_writer", "_trial_result")
        return {**self.__dict__, **{name: {} for name in (*live, *theirs)}}

    def log_trial_start(self, trial: Trial) -> None:
        """Opens the trial's reporter; on a retry the old one is closed and a new file begins."""
        try:
            trial.init_local_path()
            self._close(trial)
            context = self._contexts.setdefault(trial, Context())
            self._reporters[trial] = RunReporter(trial.local_path, self._reporting, context)
            self._receivers.setdefault(trial, Receiver())
            self._trial_result[trial] = {}
        except Exception as error:
            self._problems.add_error("records", "starting a trial's report", error)

    def log_trial_result(self, iteration: int, trial: Trial, result: dict[str, Any]) -> None:
        """Takes the parcel out of the result, hands both over and returns."""
        parcel = result.pop(PARCEL, None)
        try:
            if trial not in self._reporters:
                self.log_trial_start(trial)
            reporter = self._reporters[trial]
            self._count_dropped(result, reporter)
            step = int(result.get(TIMESTEPS_TOTAL) or result[TRAINING_ITERATION])
            written = {key: value for key, value in result.items() if key not in _NOT_WRITTEN}
            contents = parcel.open() if isinstance(parcel, Parcel) else None
            contents = Contents() if contents is None else contents
            episodes = self._receivers[trial].unpack(contents.load)
            reporter.report(
                step,
                written,
                episodes,
                prefix=PREFIX,
                histograms=contents.histograms,
                summaries=contents.summaries,
            )
            self._trial_writer[trial] = reporter.writer(step)
            self._trial_result[trial] = written
            self._miss_recorder(trial, result, parcel)
        except Exception as error:
            self._problems.add_error("records", "reporting a result", error)

    def log_trial_end(self, trial: Trial, failed: bool = False) -> None:
        """Drains the trial's reporter, writes the hyper-parameters and closes the event file."""
        self._end(trial)
        self._contexts.pop(trial, None)
        self._receivers.pop(trial, None)
        self._unrecorded.pop(trial, None)

    def on_experiment_end(self, trials: list[Trial], **info: Any) -> None:
        """Ends the trials that never ended, as on Ctrl-C, and completes them in the storage path.

        Tune has copied its staging folder for the last time by then.
        """
        for trial in list(self._reporters):
            path = self._end(trial)
            try:
                if path is not None and trial.storage is not None:
                    _upload(path, trial.storage)
            except Exception as error:
                self._problems.add_error("records", "uploading an event file", error)

    def _end(self, trial: Trial) -> Path | None:
        try:
            self._log_hparams(trial)
        except Exception as error:
            self._problems.add_error("records", "writing hyper-parameters", error)
        return self._close(trial)

    def _log_hparams(self, trial: Trial) -> None:
        result = self._trial_result.get(trial)
        if result and trial.evaluated_params and trial in self._trial_writer:
            values = Values.sort(flat(result, PREFIX), Problems())
            self._try_log_hparams(trial, values.scalars)

    def _close(self, trial: Trial) -> Path | None:
        """Drains and closes the trial's reporter; returns its event file."""
        reporter = self._reporters.pop(trial, None)
        self._trial_writer.pop(trial, None)
        self._trial_result.pop(trial, None)
        if reporter is None:
            return None
        try:
            reporter.close()
        except Exception as error:
            self._problems.add_error("records", "closing an event file", error)
        return reporter.path

    def _miss_recorder(self, trial: Trial, result: Mapping[str, Any], parcel: Any) -> None:
        """Warns once when three results of a trial had episodes and none of them a parcel."""
        runners = result.get("env_runners")
        if parcel is not None:
            self._unrecorded[trial] = -math.inf  # for good: a function may report parts in between
        elif isinstance(runners, dict) and whole(runners.get("num_episodes")) > 0:
            self._unrecorded[trial] = self._unrecorded.get(trial, 0) + 1
            if self._unrecorded[trial] == _PATIENCE:
                warn_once("results unrecorded", _NO_RECORDER)

    def _count_dropped(self, result: Mapping[str, Any], reporter: RunReporter) -> None:
        """Adds what this process dropped to the counters that the recorder put into the result."""
        counters = result.get("tbtrace")
        if not isinstance(counters, dict) or not isinstance(counters.get("dropped"), dict):
            return
        for kind, count in reporter.dropped.items():
            counters["dropped"][kind] = counters["dropped"].get(kind, 0) + count


def _upload(path: Path, storage: Any) -> None:
    """Copies a file of the staging folder to its place in the storage path, local or remote."""
    target = Path(storage.trial_fs_path, path.name).as_posix()
    with path.open("rb") as staged, storage.storage_filesystem.open_output_stream(target) as stored:
        shutil.copyfileobj(staged, stored)
