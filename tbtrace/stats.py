"""Exact statistics: of one episode, of an iteration's episodes, and histogram buckets.

An episode's values are reduced once (average and sum of a running quantity, last value of a final
one), then mean, min and max are taken over the episodes. Sums are correctly rounded (`math.fsum`),
so the result does not depend on which env runner an episode ran in.
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from tbtrace.episode import Episode, FloatArray, Series, Tally
from tbtrace.errors import Problems
from tbtrace.select import EpisodeSummary

NAN = float("nan")
BINS = 30  # what TensorBoard re-bins every histogram to
_MOST = float(np.finfo(np.float64).max)
_WIDE = 1e-6  # a range so wide, relative to its ends, that places in it are exact to 1e-9 buckets
_BLOCK = 1 << 15  # values that are counted at once: they and their places stay in the cache


def mean_and_sum(values: FloatArray) -> tuple[float, float]:
    """Returns average and sum of the finite values; NaN and NaN where there is none.

    Args:
        values: float64 `(n,)`.

    Example:
        >>> mean_and_sum(np.array([0.1] * 10 + [np.nan]))
        (0.1, 1.0)
    """
    finite = values[np.isfinite(values)]
    if not finite.size:
        return NAN, NAN
    try:
        total = math.fsum(finite)
    except OverflowError:  # a partial sum is beyond a float; average and sum need not be
        scaled = math.fsum(finite * 2.0**-64)
        return scaled / finite.size * 2.0**64, scaled * 2.0**64
    return total / finite.size, total


def tally_of(series: Series) -> Tally:
    """Returns exact numbers about all finite values of a series, of a sample as well.

    Example:
        >>> tally_of(Series(np.arange(4, dtype=np.int32), np.array([1.0, 2.0, np.nan, 3.0])))
        Tally(count=3, average=2.0, total=6.0, squares=14.0, minimum=1.0, maximum=3.0)
    """
    if series.tally is not None:
        return series.tally
    finite = series.values[np.isfinite(series.values)]
    if not finite.size:
        return Tally(0, NAN, NAN, NAN, NAN, NAN)
    with np.errstate(over="ignore"):
        squares = float(np.square(finite).sum())
    low, high = float(finite.min()), float(finite.max())
    return Tally(finite.size, *mean_and_sum(finite), squares, low, high)


def _free_name(name: str, taken: Container[str]) -> str:
    """Returns `name`, with `_final` behind it while it is taken."""
    while name in taken:
        name = f"{name}_final"
    return name


@dataclass(slots=True)
class Names:
    """The running and final names that a run has mentioned so far, in the order of first sight.

    They say which metrics every result holds: a metric that is missing once kills a Tune
    experiment whose scheduler watches it.
    """

    running: dict[str, None] = field(default_factory=dict)
    final: dict[str, None] = field(default_factory=dict)

    def see(self, episode: Episode) -> None:
        """Adds the names of a finished episode."""
        self.add(episode.running, episode.final)

    def add(self, running: Iterable[str] = (), final: Iterable[str] = ()) -> None:
        """Adds names; those that are known stay in their place."""
        self.running.update(dict.fromkeys(running))
        self.final.update(dict.fromkeys(final))

    def final_bases(self) -> dict[str, str]:
        """Returns `{base of the metric: final name}`, collisions with running names resolved."""
        taken = {f"{name}_{kind}" for name in self.running for kind in ("avg", "sum")}
        bases: dict[str, str] = {}
        for name in self.final:
            base = _free_name(name, taken)
            taken.add(base)
            bases[base] = name
        return bases

    def bases(self) -> list[str]:
        """Returns the name of each number of an episode: `<running>_avg`, `..._sum`, `<final>`."""
        running = [f"{name}_{kind}" for name in self.running for kind in ("avg", "sum")]
        return [*running, *self.final_bases()]

    def warn_collisions(self, problems: Problems) -> None:
        """Names each final quantity once that had to give way to a running one."""
        for base, name in self.final_bases().items():
            if base != name:
                problems.add(
                    "values",
                    f"collision {name!r}",
                    f"final {name!r} collides with the statistics of a running quantity; "
                    f"it is reported as '{base}_mean', '_min', '_max'; rename one of the two",
                    count=0,
                )


def summarise(episode: Episode, names: Names | None = None) -> EpisodeSummary:
    """Reduces an episode to its numbers, `<running>_avg`, `<running>_sum` and `<final>`.

    Args:
        episode: The episode.
        names: The run's names, which say how collisions are resolved; the episode's own by default.

    Returns:
        Its summary; NaN for a name of the run that the episode has no finite value of.
    """
    if names is None:
        names = Names()
        names.see(episode)
    metrics = dict.fromkeys(names.bases(), NAN)
    for name, series in episode.running.items():
        average_and_sum = (
            mean_and_sum(series.values)
            if series.tally is None
            else (series.tally.average, series.tally.total)
        )
        metrics[f"{name}_avg"], metrics[f"{name}_sum"] = average_and_sum
    for base, name in names.final_bases().items():
        if math.isfinite(episode.final.get(name, NAN)):
            metrics[base] = episode.final[name]
    return EpisodeSummary(episode.uid, episode.length, episode.episode_return, metrics)


def over_episodes(summaries: Sequence[EpisodeSummary], names: Names) -> dict[str, float]:
    """Returns `<base>_mean`, `_min`, `_max` over the episodes, for every name of the run.

    An episode counts for a metric when it has a finite value of it.

    Args:
        summaries: The episodes that ended in the iteration; may be empty.
        names: The names to report; NaN where no episode has a value.

    Example:
        >>> names = Names(final={"shipped": None})
        >>> episodes = [Episode("a", 1, 0.0, final={"shipped": 2.0}),
        ...             Episode("b", 1, 0.0, final={"shipped": 4.0})]
        >>> over_episodes([summarise(episode, names) for episode in episodes], names)
        {'shipped_mean': 3.0, 'shipped_min': 2.0, 'shipped_max': 4.0}
        >>> over_episodes([], names)
        {'shipped_mean': nan, 'shipped_min': nan, 'shipped_max': nan}
    """
    metrics: dict[str, float] = {}
    for base in names.bases():
        values = np.array([summary.metrics.get(base, NAN) for summary in summaries], np.float64)
        finite = values[np.isfinite(values)]
        metrics[f"{base}_mean"], _ = mean_and_sum(finite)
        metrics[f"{base}_min"] = float(finite.min()) if finite.size else NAN
        metrics[f"{base}_max"] = float(finite.max()) if finite.size else NAN
    return metrics


def buckets(
    values: FloatArray,
    bins: int = BINS,
    weights: FloatArray | None = None,
    bounds: tuple[float, float] | None = None,
) -> FloatArray:
    """Counts the finite values in equal buckets between their minimum and maximum.

    Args:
        values: float64 `(n,)`, any order.
        bins: How many buckets.
        weights: float64 `(n,)`, for how many each value stands; 1 by default.
        bounds: Minimum and maximum of what the values stand for; their own by default.

    Returns:
        float64 `(bins, 3)`, rows of left edge, right edge, count; the last bucket holds the
        maximum. One row of width 1 (or as narrow as floats allow) round a constant, which is
        TensorBoard's own rule; `(0, 3)` where nothing is finite.

    Example:
        >>> buckets(np.array([0.0, 1.0, 1.0, 4.0]), bins=2).tolist()
        [[0.0, 2.0, 3.0], [2.0, 4.0, 1.0]]
        >>> buckets(np.array([3.0, 3.0])).tolist()
        [[2.5, 3.5, 2.0]]
    """
    if not values.size:
        return np.empty((0, 3))
    low, high = float(values.min()), float(values.max())
    if not (math.isfinite(low) and math.isfinite(high)):
        known = np.isfinite(values)
        weights = None if weights is None else weights[known]
        return buckets(values[known], bins, weights, bounds)
    counted = float(values.size) if weights is None else float(weights.sum())
    low, high = bounds or (low, high)
    scale = 1.0 if math.isfinite(high - low) else 0.25  # the range itself may overflow
    edges = np.linspace(low * scale, high * scale, bins + 1) / scale
    if not (np.diff(edges) > 0).all():  # a constant, or as good as one
        margin = max(0.5, math.ulp(max(-low, high)))
        left, right = np.clip((low - margin, high + margin), -_MOST, _MOST)
        return np.array([[left, right, counted]])
    if 1e-300 < _WIDE * max(-low, high) < high - low < 1e300:
        counts = _quick_counts(values, weights, low, high, bins)
    else:
        told = np.histogram(values * scale, bins, (low * scale, high * scale), weights=weights)
        counts = told[0].astype(np.float64)
    return np.column_stack((edges[:-1], edges[1:], counts))


def _quick_counts(
    values: FloatArray, weights: FloatArray | None, low: float, high: float, bins: int
) -> FloatArray:
    """As `np.histogram`, in a fifth of the time; a value on an edge may be rounded to its left."""
    counts = np.zeros(bins)
    for start in range(0, values.size, _BLOCK):
        place = values[start : start + _BLOCK] - low
        place *= bins  # before the division: where the edge is a whole number it stays on it
        place /= high - low
        some = np.bincount(
            place.astype(np.intp),
            None if weights is None else weights[start : start + _BLOCK],
            bins + 1,
        )
        some[bins - 1] += some[bins]
        counts += some[:bins]
    return counts


def _finals(episode: Episode, name: str) -> list[float]:
    each = [said[name] for said in episode.agents.values() if name in said]
    return each or ([episode.final[name]] if name in episode.final else [])


def histograms(episodes: Iterable[Episode], names: Names | None = None) -> dict[str, FloatArray]:
    """Returns `{name: buckets}` of every running value, and of the final values, of the episodes.

    Args:
        episodes: The episodes; may be empty.
        names: The run's names; those of the episodes by default. A final quantity named like a
            running one of the run is `<name>_final`. Of an episode with agents each one's last
            value counts.

    Returns:
        Buckets as `buckets` makes them; names without a finite value are left out.
    """
    episodes = list(episodes)
    if names is None:
        names = Names()
        for episode in episodes:
            names.see(episode)
    counted: dict[str, FloatArray] = {}
    for name in names.running:
        counted[name] = _counted([e.running[name] for e in episodes if name in e.running])
    for name in names.final:
        finals = np.array([value for e in episodes for value in _finals(e, name)], np.float64)
        counted[_free_name(name, counted)] = buckets(finals)
    return {name: rows for name, rows in counted.items() if len(rows)}


def _counted(parts: Sequence[Series]) -> FloatArray:
    if not parts:
        return np.empty((0, 3))
    if all(series.tally is None for series in parts):
        return buckets(np.concatenate([series.values for series in parts]))
    tallies = [tally for tally in map(tally_of, parts) if tally.count]
    if not tallies:
        return np.empty((0, 3))
    values, weights = zip(*map(_weighed, parts), strict=True)
    bounds = min(tally.minimum for tally in tallies), max(tally.maximum for tally in tallies)
    return buckets(np.concatenate(values), weights=np.concatenate(weights), bounds=bounds)


def _weighed(series: Series) -> tuple[FloatArray, FloatArray]:
    """Returns the values that a histogram counts, and for how many each of them stands."""
    values, tally = series.values, series.tally
    if tally is None:
        return values, np.ones(values.size)
    if tally.count and not values.size:  # an agent's own, of which the sample holds none
        values = np.array([tally.average])
    return values, np.full(values.size, tally.count / max(1, values.size))
