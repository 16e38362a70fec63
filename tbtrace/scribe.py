"""Scribe: writes one report after the other, on the writer's thread."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tbtrace import stats
from tbtrace.about import About
from tbtrace.archivist import Archivist
from tbtrace.artist import Content
from tbtrace.episode import Episode, FloatArray
from tbtrace.errors import Problems
from tbtrace.events import summary
from tbtrace.events.log import EventLog
from tbtrace.events.values import Values
from tbtrace.plan import SPLITS, split_of
from tbtrace.select import EpisodeSummary
from tbtrace.studio import Drawing
from tbtrace.views import Context

_PLACES = {"train": "env_runners", "evaluation": "evaluation/env_runners"}
"""Where RLlib's results, and so the tags of histograms, hold each split."""


@dataclass(frozen=True, slots=True)
class Report:
    """What `RunReporter.report` was given; `values` are flat, with their tags."""

    step: int
    iteration: int
    values: Mapping[str, Any]
    episodes: Callable[[], Iterable[Episode]]
    prefix: str = ""
    histograms: Mapping[str, Mapping[str, FloatArray]] | None = None
    summaries: Mapping[str, Sequence[EpisodeSummary]] = field(default_factory=dict)


class Scribe:
    """Brings reports to where they belong: the event log, the archive, the artist.

    Args:
        log: Takes scalars, histograms and texts.
        archivist: Takes episodes.
        drawing: Takes episodes and images of the result, to draw them.
        about: Says what the run shows.
        context: Observes every episode before it is drawn.
        problems: Where is counted what cannot be shown.
        dropped: What was lost so far, for the card.

    Attributes:
        step: The last report's step; None before the first.
        tags: The tags of its scalars.
    """

    def __init__(
        self,
        log: EventLog,
        archivist: Archivist,
        drawing: Drawing,
        about: About,
        context: Context,
        problems: Problems,
        dropped: Callable[[], Mapping[str, int]],
    ) -> None:
        self.step: int | None = None
        self.tags: tuple[str, ...] = ()
        self._log = log
        self._archivist = archivist
        self._drawing = drawing
        self._about = about
        self._context = context
        self._problems = problems
        self._dropped = dropped
        self._said: dict[str, str] = {}

    def write(self, report: Report) -> None:
        """Writes one report, the metrics first."""
        if self.step is None or report.step <= self.step:
            # Also the first of a run: after a restore nobody here may know of earlier files.
            self._drawing.forget_from(report.step)
            self._archivist.forget_from(report.iteration)
            self._said.clear()
            self._log.restart(report.step)
        self.step = report.step
        values = Values.sort(report.values, self._problems)
        self._write_values(report.step, values)
        episodes = tuple(report.episodes())
        names = self._write_histograms(report, episodes)
        for event in self._about.see(report.step, values.scalars, names, episodes, self._dropped()):
            self._log.add(event)
        self._log.flush()
        self._archivist.put(report.iteration, episodes)
        self._context.observe(episodes)
        if values.images or episodes or any(report.summaries.values()):
            content = Content(self._context, episodes, report.summaries, values.images)
            if values.images or self._drawing.views:
                self._drawing.put(report.step, pickle.dumps(content, protocol=5))

    def _write_values(self, step: int, values: Values) -> None:
        self.tags = tuple(values.scalars)
        self._log.add(summary.scalars(step, values.scalars))
        for tag, numbers in values.histograms.items():
            self._log.add(summary.histogram(step, tag, stats.buckets(numbers)))
        for tag, text in values.texts.items():
            if self._said.get(tag) != text:
                self._said[tag] = text
                self._log.add(summary.text(step, tag, text))
        self._log.flush()

    def _write_histograms(self, report: Report, episodes: Sequence[Episode]) -> list[str]:
        """Returns the names of what was recorded."""
        histograms = report.histograms
        if histograms is None:
            histograms = {
                split: stats.histograms(e for e in episodes if split_of(e) == split)
                for split in SPLITS
            }
        for split, by_name in histograms.items():
            for name, rows in by_name.items():
                tag = f"{report.prefix}{_PLACES[split]}/hist_stats/{name}"
                about = f"Every value of `{name}` in the {split} episodes that ended in this step."
                self._log.add(summary.histogram(report.step, tag, rows, description=about))
        return [name for by_name in histograms.values() for name in by_name]
