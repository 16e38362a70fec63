"""About: the run explains itself: a text card, and charts of mean, minimum and maximum."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from tbtrace.episode import Episode
from tbtrace.events import dashboards, summary
from tbtrace.events.dashboards import Margin
from tbtrace.select import name_of
from tbtrace.views import View

TAG = "tbtrace/about"
_MOST_NAMES = 60
_MOST_CHARTS = 300
_LONGEST = 100

_LOST = {
    "values": "values that were no finite numbers, or could not be shown",
    "points": "positions that could not be read",
    "episodes": "episodes that were not kept whole",
    "pictures": "pictures that were not drawn",
    "records": "records that did not arrive or were not written",
    "aborted": "episodes that a reset cut off",
    "uncounted": "episodes that RLlib does not count",
}
_COUNTERS = re.compile(r"(?:^|/)tbtrace/(?:dropped/)?(\w+)$")

_LEGEND = """\
### How to read it

Each point of a curve, and each step of a slider, is one iteration. Tags with `evaluation` are of \
evaluation episodes.

* **Scalars**, mean, minimum and maximum over the episodes that ended in the iteration (a gap \
where none did):
    * `custom_metrics/<name>_avg_mean`, `_avg_min`, `_avg_max`: a *running* quantity, averaged \
over each episode
    * `custom_metrics/<name>_sum_mean`, ...: the same, summed over each episode
    * `custom_metrics/<name>_mean`, ...: a *final* quantity, its last value in each episode
* **Custom Scalars**: the same as one chart each, the mean in a band from minimum to maximum
* **Histograms** `hist_stats/<name>`: every value of the iteration's episodes
* **Images** `traces/<view>/<split>/<pick>`: the ways of the entities in one picked episode
"""


class About:
    """Writes the card `tbtrace/about` and the layout of charts, again whenever they change.

    Args:
        views: What is drawn.
        path: Where the run is, as `tbtrace view` takes it.
    """

    def __init__(self, views: Sequence[View], path: str) -> None:
        self._views = views
        self._path = path
        self._names: dict[str, None] = {}
        self._groups: Counter[str] = Counter()
        self._counted: dict[str, int] = {}
        self._tags: set[str] = set()
        self._charts: dict[str, list[Margin]] = {}
        self._known: tuple[int, ...] = ()
        self._text = ""
        self._card_step: int | None = None
        self._layout_step: int | None = None

    def see(
        self,
        step: int,
        scalars: Mapping[str, float],
        names: Iterable[str],
        episodes: Iterable[Episode],
        dropped: Mapping[str, int],
    ) -> list[bytes]:
        """Returns the events to write at `step`, most often none.

        Args:
            step: The iteration's step. Going back to one at or before a card or a layout writes
                that again, since TensorBoard forgets it.
            scalars: Those of the iteration, by tag; the recorder's counters are among them.
            names: Of its running and final quantities.
            episodes: Those that are here whole.
            dropped: What this process lost so far, by kind.
        """
        events = []
        self._names.update(dict.fromkeys(names))
        for episode in episodes:
            for group, traces in episode.traces.items():
                self._groups[group] = max(self._groups[group], len(traces))
        for tag, value in scalars.items():
            if (counter := _COUNTERS.search(tag)) and counter[1] in _LOST:
                self._counted[counter[1]] = int(value)
        known = (len(self._names), len(self._groups), len(self._lost(dropped)))
        if known != self._known or _back(step, self._card_step):
            self._known = known
            events.append(self._card(step, self.markdown(dropped)))
        new = {tag for tag in scalars if tag.endswith(("_mean", "_min", "_max"))} - self._tags
        self._tags |= new
        charts = margins(self._tags) if new else self._charts
        if charts != self._charts or _back(step, self._layout_step):
            self._charts, self._layout_step = charts, step
            events.append(dashboards.layout(charts, step=step))
        return events

    def end(self, step: int, dropped: Mapping[str, int]) -> list[bytes]:
        """Returns the last card, with final counts, where it differs and has a step of its own."""
        text = self.markdown(dropped)
        if text == self._text or _back(step, self._card_step):
            return []
        return [self._card(step, text)]

    def markdown(self, dropped: Mapping[str, int]) -> str:
        """Returns the card's text; `dropped` as for `see`."""
        lost = [f"{count} {_LOST.get(kind, kind)}" for kind, count in self._lost(dropped).items()]
        groups = [
            f"{_code(group)} ({'1 entity' if most == 1 else f'up to {most} entities'})"
            for group, most in self._groups.items()
        ]
        views = [
            f"{_code(view.name)} of {', '.join(_code(name_of(pick)) for pick in view.picks)}"
            for view in self._views
        ]
        lines = [
            "### What this run shows",
            "",
            "tbtrace has recorded what the environment says in its `info`.",
            "",
            f"* **Quantities:** {_listed(map(_code, self._names))}",
            f"* **Traces:** {_listed(groups)}",
            f"* **Views, and the episodes that they pick:** {_listed(views, '; ')}",
            f"* **Left out so far:** {_listed(lost, '; ')}",
            "",
            "TensorBoard keeps 500 pictures of a tag, 10 where tbtrace is missing. All of them:",
            "",
            f"    tbtrace view {shlex.quote(' '.join(self._path.splitlines()))}",
            "",
            _LEGEND,
        ]
        return "\n".join(lines)

    def _card(self, step: int, text: str) -> bytes:
        self._card_step, self._text = step, text
        return summary.text(step, TAG, text)

    def _lost(self, dropped: Mapping[str, int]) -> dict[str, int]:
        # The recorder's counters hold what this process had dropped by then.
        lost = {kind: max(dropped.get(kind, 0), self._counted.get(kind, 0)) for kind in _LOST}
        return {kind: count for kind, count in lost.items() if count}


def margins(tags: Iterable[str]) -> dict[str, list[Margin]]:
    """Returns a chart for each tag that comes as `_mean`, `_min` and `_max`, by the tags' folder.

    Example:
        >>> margins({"a/x_mean", "a/x_min", "a/x_max", "a/y_mean"})
        {'a': [Margin(title='x', value='a/x_mean', lower='a/x_min', upper='a/x_max')]}
    """
    known = set(tags)
    charts: dict[str, list[Margin]] = {}
    bases = sorted(tag.removesuffix("_mean") for tag in known if tag.endswith("_mean"))
    whole = [base for base in bases if {f"{base}_min", f"{base}_max"} <= known]
    for base in whole[:_MOST_CHARTS]:
        folder, _, title = base.rpartition("/")
        margin = Margin(title, f"{base}_mean", f"{base}_min", f"{base}_max")
        charts.setdefault(folder or title, []).append(margin)
    return charts


def _back(step: int, before: int | None) -> bool:
    return before is not None and step <= before


def _listed(texts: Iterable[str], between: str = ", ") -> str:
    every = list(texts)
    more = f" and {len(every) - _MOST_NAMES} more" if len(every) > _MOST_NAMES else ""
    return between.join(every[:_MOST_NAMES]) + more if every else "nothing"


def _code(name: str) -> str:
    told = " ".join(name.replace("`", "'").split())
    return f"`{told[:_LONGEST]}`" if told else "(no name)"
