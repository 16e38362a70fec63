"""Alone: an algorithm that no Tune runs reports for itself."""

from __future__ import annotations

from typing import Any

from tbtrace.options import Reporting
from tbtrace.report import RunReporter
from tbtrace.rllib.results import ResultReporter


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
