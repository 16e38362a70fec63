"""What travels: records from env runners to the algorithm, one parcel from there to the driver."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tbtrace.episode import FloatArray
from tbtrace.rllib.load import Load
from tbtrace.select import EpisodeSummary

RECORDS = "tbtrace"
"""The one MetricsLogger key, below `env_runners`, that records travel under."""

PARCEL = "tbtrace_parcel"
"""The key of the parcel in the result dict."""


@dataclass(frozen=True, slots=True)
class Record:
    """What one env runner has to say after one call of `sample()`; opaque to RLlib.

    Attributes:
        load: The episodes that ended, in that order; those that nobody will look at without
            traces, media and scene.
        running: Running names that this env runner mentions for the first time.
        final: Final names, likewise.
        agents: `{agent: (running names, final names)}`, those that agents of open episodes mention
            for the first time.
        counts: What could not be used since the last record, by kind.
    """

    load: Load = field(default_factory=Load)
    running: tuple[str, ...] = ()
    final: tuple[str, ...] = ()
    agents: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Contents:
    """What the driver needs of one iteration.

    Attributes:
        load: The episodes that are drawn and stored, whole, in the order in which they ended.
        histograms: `{split: {name: buckets float64 (k, 3)}}`, over every episode of the iteration.
        summaries: `{split: (EpisodeSummary, ...)}`, of every episode of the iteration.
    """

    load: Load = field(default_factory=Load)
    histograms: Mapping[str, Mapping[str, FloatArray]] = field(default_factory=dict)
    summaries: Mapping[str, tuple[EpisodeSummary, ...]] = field(default_factory=dict)


class Parcel:
    """Holds its contents until it has been pickled once, on its way to the driver.

    Tune pickles a result again with every checkpoint and into the experiment's state; from the
    second time on the parcel is empty, and so is one that has arrived, which nobody may have
    opened. A copy in memory shares the contents.

    Example:
        >>> import pickle
        >>> parcel = Parcel(Contents())
        >>> parcel
        <Parcel of 0 episodes>
        >>> arrived = pickle.loads(pickle.dumps(parcel))
        >>> parcel, arrived, pickle.loads(pickle.dumps(arrived))
        (<empty Parcel>, <Parcel of 0 episodes>, <empty Parcel>)
    """

    __slots__ = ("_arrived", "contents")

    def __init__(self, contents: Contents | None = None, arrived: bool = False) -> None:
        self.contents = contents
        self._arrived = arrived

    def __reduce__(self) -> tuple[Any, ...]:
        if self._arrived:
            return Parcel, ()
        contents, self.contents = self.contents, None
        return Parcel, (contents, True)

    def __deepcopy__(self, memo: dict[int, Any]) -> Parcel:
        return Parcel(self.contents, self._arrived)

    def __copy__(self) -> Parcel:
        return Parcel(self.contents, self._arrived)

    def __repr__(self) -> str:
        if self.contents is None:
            return "<empty Parcel>"
        return f"<Parcel of {len(self.contents.load.episodes)} episodes>"
