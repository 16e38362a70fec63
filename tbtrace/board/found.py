"""Found: what a scan of the logdir finds, as names and sizes of files tell it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

SPLITS = ("train", "evaluation")

T = TypeVar("T")


class File(NamedTuple):
    """One file of an archive; files sort by iteration, training before evaluation."""

    iteration: int
    split: int
    path: str
    mtime_ns: int
    size: int


@dataclass(frozen=True, slots=True)
class Archive:
    """The archive of one run, as far as names and sizes of its files tell.

    Attributes:
        run: The run's name, as TensorBoard names it.
        root: The folder, with links resolved, that all its files lie in.
        files: In order.
        scenes: `{key: path}` of the backgrounds.
        version: Changes when a file is added, changed or removed.
    """

    run: str
    root: str
    files: tuple[File, ...]
    scenes: Mapping[str, str]
    version: str

    def file(self, split: str, iteration: int) -> File | None:
        """Returns the file of an iteration, or None."""
        wanted = (iteration, SPLITS.index(split))
        return next((one for one in self.files if one[:2] == wanted), None)


@dataclass(frozen=True, slots=True)
class Found:
    """What a scan found.

    Attributes:
        runs: `{run: its archive}`, sorted by name.
        staging: `{run: storage path}` of folders that Tune only stages files in.
        left_out: What was not looked at, and why; a sentence each.
    """

    runs: Mapping[str, Archive] = field(default_factory=dict)
    staging: Mapping[str, str] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()

    def besides(self, before: Found) -> Found:
        """Returns this, and what was found before and was not come to again yet."""
        runs, staging = {**before.runs, **self.runs}, {**before.staging, **self.staging}
        return Found.of(runs, staging, before.left_out or self.left_out)

    @classmethod
    def of(
        cls, runs: Mapping[str, Archive], staging: Mapping[str, str], left_out: Iterable[str]
    ) -> Found:
        """Returns runs and staging folders in order; what holds an archive is not staging."""
        kept = {run: staging[run] for run in staging.keys() - runs.keys()}
        return cls(_by_name(runs), _by_name(kept), tuple(left_out))


def _by_name(found: Mapping[str, T]) -> dict[str, T]:
    return {name: found[name] for name in sorted(found)}
