"""Results: reports what RLlib and Tune return from a training iteration as one run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ray.tune.result import TIME_TOTAL_S, TRAINING_ITERATION

from tbtrace.axis import Axis, Step
from tbtrace.episode import Episode
from tbtrace.report import RunReporter
from tbtrace.rllib.load import Receiver
from tbtrace.rllib.parcel import PARCEL, Contents, Parcel

PREFIX = "ray/tune/"
"""Before every tag, as Ray's own TensorBoard logger has it."""

_NOT_WRITTEN = ("config", "pid", "timestamp", TIME_TOTAL_S, TRAINING_ITERATION)
_TUNES_TEXTS = ("trial_id", "date", "hostname", "node_ip", "experiment_tag")
"""Tune's own texts in every result: they say nothing about the training."""


class ResultReporter:
    """Reports results, each with the parcel that the recorder put into it.

    Args:
        reporter: Where they go.
        step: The x axis.

    Attributes:
        reporter: As above.
    """

    def __init__(self, reporter: RunReporter, step: Step | None = None) -> None:
        self.reporter = reporter
        self._receiver = Receiver()
        self._axis = Axis(step)

    def report(self, result: dict[str, Any], parcel: Any) -> None:
        """Hands a result over and returns; what this process dropped is added to its counters.

        Args:
            result: As `algo.train()` returns it, the parcel taken out.
            parcel: The parcel; anything else for a result without one.

        Raises:
            KeyError: The result has no `training_iteration`.
        """
        _add_dropped(result, self.reporter.dropped)
        written = {key: value for key, value in result.items() if key not in _NOT_WRITTEN}
        for key in _TUNES_TEXTS:
            if isinstance(written.get(key), str):
                del written[key]
        contents = parcel.open() if isinstance(parcel, Parcel) else None
        contents = Contents() if contents is None else contents
        self.reporter.report(
            self._axis.step(result),
            written,
            lambda: self._episodes_of(contents),
            prefix=PREFIX,
            histograms=contents.histograms,
            summaries=contents.summaries,
            iteration=int(result[TRAINING_ITERATION]),
        )

    def _episodes_of(self, contents: Contents) -> Iterable[Episode]:
        return self._receiver.unpack(contents.load)


def take_parcel(result: dict[str, Any]) -> Any:
    """Takes the parcel out of a result, so that no other logger sees it; None without one."""
    return result.pop(PARCEL, None)


def _add_dropped(result: Mapping[str, Any], dropped: Mapping[str, int]) -> None:
    counters = result.get("tbtrace")
    if not isinstance(counters, dict) or not isinstance(counters.get("dropped"), dict):
        return
    for kind, count in dropped.items():
        counters["dropped"][kind] = counters["dropped"].get(kind, 0) + count
