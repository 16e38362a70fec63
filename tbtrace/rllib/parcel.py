"""What travels: records from env runners to the algorithm, one parcel from there to the driver."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tbtrace.episode import FloatArray
from tbtrace.errors import TbtraceWarning, warn_once
from tbtrace.rllib.load import Load
from tbtrace.select import EpisodeSummary

RECORDS = "tbtrace"
"""The one MetricsLogger key, below `env_runners`, that records travel under."""

PARCEL = "tbtrace_parcel"
"""The key of the parcel in the result dict."""

_PATIENCE = 3
_NO_LOGGER = (
    f"{_PATIENCE} results came with episodes of tbtrace.EpisodeRecorder and nobody looks at them: "
    "scalars are reported, histograms and pictures are not; add the logger, "
    "run_config=tune.RunConfig(callbacks=[tbtrace.TraceLoggerCallback()]), or, without Tune, "
    "EpisodeRecorder(reporting=tbtrace.Reporting()). Where the logger is there, results must go to "
    "Tune straight from the process that trains: what is recorded travels once"
)


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


class Post:
    """Notices that parcels arrive in this process and nobody opens them: the logger is missing.

    Tune shows its callbacks what came in one sending before it takes in the next. One sending is
    what was pickled with no new parcel made in between: one result, or several of a trial
    (`TUNE_RESULT_BUFFER_LENGTH`). So when the third sending arrives two were left unopened. Opening
    one begins the count anew: the next experiment of this process may lack the logger.

    Attributes:
        sending: The name of the sending that the next pickled parcel of this process is part of.
    """

    def __init__(self) -> None:
        self.sending = ""
        self._unopened: set[str] = set()

    def open(self) -> None:
        """Takes note that a parcel is opened."""
        self._unopened.clear()

    def arrive(self, contents: Contents, sending: str) -> None:
        """Takes note of an arrival; warns once when it is the third sending since an opening.

        Args:
            contents: Of the parcel; one without episodes and histograms does not count.
            sending: The sender's `sending`.
        """
        something = contents.load.episodes or any(contents.histograms.values())
        if not something:
            return
        if len(self._unopened) < _PATIENCE:
            self._unopened.add(sending)
        if len(self._unopened) == _PATIENCE:
            try:
                warn_once("parcels unopened", _NO_LOGGER)
            except TbtraceWarning:  # `python -W error`: raised while unpickling it fails the trial
                logging.getLogger("tbtrace").warning(_NO_LOGGER)


_POST = Post()


class Parcel:
    """Holds its contents until it has been pickled once, on its way to the driver.

    Tune pickles a result again with every checkpoint and into the experiment's state; from the
    second time on the parcel is empty, and so is one that has arrived, which nobody may have
    opened. A copy in memory shares the contents. When parcels arrive in a process and none of them
    is opened there, that is warned about once.

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
        if not arrived:
            _POST.sending = uuid.uuid4().hex

    def open(self) -> Contents | None:
        """Returns the contents, which stay in it; None when it is empty."""
        _POST.open()
        return self.contents

    def __reduce__(self) -> tuple[Any, ...]:
        if self._arrived:
            return Parcel, ()
        contents, self.contents = self.contents, None
        return _arrived, (contents, _POST.sending)

    def __deepcopy__(self, memo: dict[int, Any]) -> Parcel:
        return Parcel(self.contents, self._arrived)

    def __copy__(self) -> Parcel:
        return Parcel(self.contents, self._arrived)

    def __repr__(self) -> str:
        if self.contents is None:
            return "<empty Parcel>"
        return f"<Parcel of {len(self.contents.load.episodes)} episodes>"


def _arrived(contents: Contents | None, sending: str) -> Parcel:
    if contents is not None:
        _POST.arrive(contents, sending)
    return Parcel(contents, arrived=True)
