"""Alone: an algorithm that no Tune runs reports for itself."""

from __future__ import annotations

from typing import Any

import ray
from ray.tune import Trainable

from tbtrace.options import Reporting
from tbtrace.report import RunReporter
from tbtrace.rllib.results import ResultReporter


def is_tuned(algorithm: Any) -> bool:
    """Tells whether Tune runs the algorithm, or the function or Trainable that made it.

    Args:
        algorithm: The RLlib algorithm.
    """
    # Only Tune gives a trainable a storage; it does not always name the trial (Ray 2.60), and its
    # context knows functions alone. The trainable is the actor that this process is there for.
    actors = getattr(ray._private.worker.global_worker, "actors", {}).values()
    trainables = (one for one in (algorithm, *actors) if isinstance(one, Trainable))
    return any(getattr(one, "_storage", None) is not None for one in trainables)


def reporter_of(algorithm: Any, reporting: Reporting) -> ResultReporter:
    """Returns a reporter for an algorithm's results, closed when the algorithm is stopped.

    Args:
        algorithm: The RLlib algorithm.
        reporting: Options; `logdir` is by default the algorithm's own.
    """
    reporter = RunReporter(reporting.logdir or algorithm.logdir, reporting)
    cleanup = algorithm.cleanup

    def close_too() -> None:
        try:
            cleanup()
        finally:
            reporter.close()

    # RLlib has no hook for the end of an algorithm; `stop` calls this.
    algorithm.cleanup = close_too
    return ResultReporter(reporter, reporting.step)
