"""Scribe: writes one report after the other, on the writer's thread."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from tbtrace import stats
from tbtrace.about import About
from tbtrace.archivist import Archivist
from tbtrace.artist import Content
from tbtrace.census import PLACES, Census, Counted
from tbtrace.episode import Episode, FloatArray
from tbtrace.errors import ContractError, Problems
from tbtrace.events import summary
from tbtrace.events.log import EventLog
from tbtrace.events.values import Values
from tbtrace.select import EpisodeSummary
from tbtrace.studio import Drawing
from tbtrace.views import Context, lasting


@dataclass(frozen=True, slots=True)
class Report:
    """What `RunReporter.report` was given; `values` are flat, with their tags."""

    step: int
    iteration: int
    values: Mapping[str, Any]
    episodes: Callable[[], Iterable[Episode]]
    prefix: str = ""
    histograms: Mapping[str, Mapping[str, FloatArray]] | None = None
    summaries: Mapping[str, Sequence[EpisodeSummary]] | None = None


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
        self._first = 0
        """The first iteration that the context observed, in an earlier life of the run, too."""
        self._census = Census(problems)

    def write(self, report: Report) -> None:
        """Writes one report, the metrics first."""
        if self.step is None or report.step <= self.step:
            # Also the first of a run: after a restore nobody here may know of earlier files.
            if self.step is None:
                self._first = self._recalled(report.iteration)
            self._first = min(self._first, report.iteration)
            self._drawing.forget_from(report.step)
            self._archivist.forget_from(report.iteration)
            self._said.clear()
            self._log.restart(report.step)
        self.step = report.step
        values = Values.sort(report.values, self._problems)
        self._write_values(report.step, values)
        episodes = tuple(report.episodes())
        counted = self._counted(report, episodes)
        own = {tag: number for tag, number in counted.scalars.items() if tag not in report.values}
        if own:
            self._log.add(summary.scalars(report.step, own))
        scalars = {**values.scalars, **own}
        self.tags = tuple(scalars)
        names = self._write_histograms(report, counted)
        for event in self._about.see(report.step, scalars, names, episodes, self._dropped()):
            self._log.add(event)
        self._log.flush()
        self._context.observe(episodes)
        observed = lasting.Span(self._first, report.iteration)
        lasts = partial(lasting.dumped, self._context, observed)
        self._archivist.put(report.iteration, episodes, lasts)
        if values.images or episodes or any(counted.summaries.values()):
            content = Content(self._context, episodes, counted.summaries, values.images)
            if values.images or self._drawing.views:
                self._drawing.put(report.step, pickle.dumps(content, protocol=5))

    def _recalled(self, iteration: int) -> int:
        """Goes on with the axes and colours of an earlier life of the run, where it kept them.

        Returns:
            The first iteration that they are of.
        """
        begins = iteration <= 1 or self._context.longest
        content = None if begins else self._archivist.recall(lasting.MOST_BYTES)
        if content is None:
            return iteration
        try:
            return lasting.resume(self._context, content, at=iteration).first
        except ContractError as error:
            self._problems.add_quietly(
                "records",
                f"context {self._log.directory}",
                f"the run goes on with new axes and colours: in context.json {error}",
                count=0,
            )
            return iteration

    def _write_values(self, step: int, values: Values) -> None:
        self._log.add(summary.scalars(step, values.scalars))
        for tag, numbers in values.histograms.items():
            self._log.add(summary.histogram(step, tag, stats.buckets(numbers)))
        for tag, text in values.texts.items():
            if self._said.get(tag) != text:
                self._said[tag] = text
                self._log.add(summary.text(step, tag, text))
        self._log.flush()

    def _counted(self, report: Report, episodes: Sequence[Episode]) -> Counted:
        """Returns the statistics that were given; those of the episodes in place of the others."""
        histograms, summaries = report.histograms, report.summaries
        if histograms is not None and summaries is not None:
            return Counted({}, histograms, summaries)
        counted = self._census.take(episodes)
        if histograms is None and summaries is None:
            tagged = {f"{report.prefix}{tag}": value for tag, value in counted.scalars.items()}
            return replace(counted, scalars=tagged)
        # Whoever knows more episodes than those that are here has worked out their metrics.
        return Counted(
            {},
            counted.histograms if histograms is None else histograms,
            counted.summaries if summaries is None else summaries,
        )

    def _write_histograms(self, report: Report, counted: Counted) -> list[str]:
        """Returns the names of what was recorded."""
        for split, by_name in counted.histograms.items():
            for name, rows in by_name.items():
                tag = f"{report.prefix}{PLACES[split]}/hist_stats/{name}"
                about = f"Every value of `{name}` in the {split} episodes that ended in this step."
                self._log.add(summary.histogram(report.step, tag, rows, description=about))
        return [name for by_name in counted.histograms.values() for name in by_name]
