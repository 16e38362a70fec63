"""Run: replays a recording as the run that would have been seen live."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tbtrace.episode import Episode
from tbtrace.errors import DROPPED, Problems
from tbtrace.info import MAPPING, Contract
from tbtrace.options import Reporting
from tbtrace.recording import AgentsRecording, Recording
from tbtrace.replay.assemble import Assembly
from tbtrace.replay.cut import EVERY, Cut
from tbtrace.replay.files import recorded
from tbtrace.replay.iteration import Iteration
from tbtrace.replay.pickles import Opener
from tbtrace.replay.positions import Position, Positions
from tbtrace.replay.reader import Reader
from tbtrace.report import RunReporter
from tbtrace.roll import Roll
from tbtrace.stats import Names

PREFIX = "ray/tune/"
"""Before every tag, as in a live run."""

PER_AGENT = 16
"""So many agents have metrics of their own, as in a live run."""


Extract = Callable[[Any, Any], Mapping[str, Any]]


@dataclass(slots=True)
class Replayed:
    """What a replay has read and reported.

    Attributes:
        files: Files that were read.
        episodes: Whole episodes, all of which are in the statistics.
        steps: Their environment steps.
        iterations: How many there are in the run.
        incomplete: How many episodes lack their `"start"`, `"middle"` or `"end"`.
        repeated: Fragments of episodes that were in the recording before.
        dropped: What could not be used, by kind.
        names: The running and final names that infos have mentioned.
    """

    files: int = 0
    episodes: int = 0
    steps: int = 0
    iterations: int = 0
    incomplete: dict[str, int] = field(default_factory=dict)
    repeated: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)


def replay(
    path: str | os.PathLike[str],
    logdir: str | os.PathLike[str],
    *,
    traces: Sequence[str] = (),
    extract: Extract | None = None,
    every: str = EVERY,
    trust: bool = False,
    reporting: Reporting | None = None,
    advance: Callable[[float, float], object] = lambda read, total: None,
) -> Replayed:
    """Reads what RLlib's offline API has written and reports it like a live run.

    Infos are read by the same rules as live. The x axis counts environment steps of whole episodes.

    Args:
        path: A file or folder of a recording, of either API stack; all files below a folder.
        logdir: The run's directory; made where it is missing.
        traces: Where entities are, e.g. `"robot=obs[0:2]"`; see `Position.parse`.
        extract: `callable(moment, info) -> dict` in the shape of `info["tbtrace"]`; the moment has
            the `observation`, `action` and `reward` (`fragments.Moment`).
        every: How much is one iteration, e.g. `"50"` episodes or `"10000 steps"`.
        trust: Open pickles, which run whatever code their writer put into them.
        reporting: Options of reporting; its `step`, unless None, is the x axis.
        advance: Called with the bytes read so far and those of all files.

    Returns:
        What was read and reported.

    Raises:
        ContractError: An option breaks its rule.
        TbtraceError: There is no recording.
        UntrustedError: What is needed is pickled; what was read until then has been reported.
    """
    reporting = Reporting() if reporting is None else reporting
    problems = Problems()
    positions = Positions(tuple(map(Position.parse, traces)), problems)
    cut = Cut.parse(every)
    opener = Opener(
        trust,
        needed=[source for source in ("obs", "action") if positions.reads(source)],
        welcome=("obs", "action") if extract is not None else (),
    )
    files = recorded(Path(path).expanduser())
    total = float(sum(file.stat().st_size for file in files))
    read = 0.0

    def count(some: float) -> None:
        nonlocal read
        read += some
        advance(read, total)

    contract = Contract(extract=_extracting(positions, extract) if traces or extract else None)
    assembly = Assembly(lambda has_agents: _recording(contract, problems, has_agents), problems)
    run = _Run(logdir, reporting, cut, problems)
    try:
        for fragment in Reader(opener, problems, count).read(files):
            for episode in assembly.add(fragment):
                run.add(episode)
        assembly.close()
    finally:
        run.close(assembly)
    run.replayed.files = len(files)
    return run.replayed


def _recording(contract: Contract, problems: Problems, has_agents: bool) -> Recording:
    return (AgentsRecording if has_agents else Recording)(contract, problems)


def _extracting(positions: Positions, extract: Extract | None) -> Extract:
    """Returns what says both what positions and what a function of the caller's say."""

    def both(moment: Any, info: Any) -> Any:
        points = positions.of(moment)
        said = None if extract is None else extract(moment, info)
        if not points or not (said is None or isinstance(said, MAPPING)):
            return said
        said = {} if said is None else said
        more = said.get("traces", {})
        return {**said, "traces": {**points, **more}} if isinstance(more, MAPPING) else said

    return both


class _Run:
    """Reports iterations as they fill up."""

    def __init__(
        self,
        logdir: str | os.PathLike[str],
        reporting: Reporting,
        cut: Cut,
        problems: Problems,
    ) -> None:
        self.replayed = Replayed()
        self._cut = cut
        self._by_iteration = reporting.step == "iteration"
        self._problems = problems
        self._counts: Counter[str] = Counter()
        self._reporter = RunReporter(logdir, reporting)
        self._selectors = [pick for view in reporting.views for pick in view.picks]
        self._names, self._roll = Names(), Roll(PER_AGENT)
        self._said_anything = False
        self._iteration = self._begun()

    def _begun(self) -> Iteration:
        return Iteration(self._names, self._roll, self._selectors, self._problems)

    def add(self, episode: Episode) -> None:
        # Not as soon as it is full: the last one says what was still open at the end.
        if self._cut.is_full(len(self._iteration), self._iteration.steps):
            self._report(())
        for agent in episode.agents:
            self._roll.admit(agent)
        self._said_anything |= bool(
            episode.running or episode.final or episode.traces or episode.media
        )
        self._iteration.add(episode)

    def _report(self, incomplete: Any) -> None:
        done = self.replayed
        done.iterations += 1
        done.episodes += len(self._iteration)
        done.steps += self._iteration.steps
        self._names.warn_collisions(self._problems)
        closed = self._iteration.close(done.iterations, done.steps)
        self._iteration = self._begun()
        result = {
            "env_runners": closed.runners,
            "num_env_steps_sampled_lifetime": done.steps,
            "training_iteration": done.iterations,
            "tbtrace": {
                "dropped": {kind: self._dropped()[kind] for kind in DROPPED},
                "incomplete": dict(incomplete),
            },
        }
        self._reporter.report(
            done.iterations if self._by_iteration else done.steps,
            result,
            closed.episodes,
            prefix=PREFIX,
            histograms=closed.histograms,
            summaries=closed.summaries,
            iteration=done.iterations,
        )
        # Nobody trains here: it may wait for pictures, and none is dropped.
        self._reporter.flush()

    def _dropped(self) -> Counter[str]:
        self._counts.update(self._problems.take())
        return self._counts + Counter(self._reporter.dropped)

    def close(self, assembly: Assembly) -> None:
        """Reports what is left."""
        if len(self._iteration):
            self._report(assembly.incomplete.items())
        done = self.replayed
        if done.episodes and not self._said_anything:
            self._problems.add(
                "records",
                "replay silent",
                "no info in this recording says anything to tbtrace. EpisodeRecorder takes "
                "info['tbtrace'] out before RLlib stores it: record without it or with consume=(); "
                "the new API stack stores infos with output_write_episodes=True alone; --trace and "
                "--extract read observations",
                count=0,
            )
        self._reporter.close()
        done.incomplete, done.repeated = dict(assembly.incomplete), assembly.repeated
        done.dropped = {kind: count for kind, count in self._dropped().items() if count}
        done.names = [*self._names.running, *self._names.final]
