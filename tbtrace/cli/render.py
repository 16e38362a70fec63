"""`tbtrace render`: draws recorded episodes again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from tbtrace.cli import console, picks, selection, viewing
from tbtrace.cli.gallery import Gallery, OneFile, gallery
from tbtrace.cli.parser import LAST
from tbtrace.cli.selection import Run
from tbtrace.episode import Episode
from tbtrace.errors import Problems
from tbtrace.plan import plan, shown
from tbtrace.views import Context, View


def run(options: Any) -> int:
    """Draws; returns 0, or 1 where something could not be drawn or there is nothing to draw.

    Raises:
        CallError: The command line names a view, option, pick or file that cannot be.
    """
    out = gallery(options.out)
    runs = selection.runs(options.directory, options.run)
    view = _view(options, alone=isinstance(out, OneFile), runs=runs)
    iteration = options.iteration
    if iteration is None and isinstance(out, OneFile):
        iteration = LAST
    problems, drawn = Problems(), 0
    for one in runs:
        drawn += _draw(one, view, _wanted(one, view, iteration), out, problems)
    if not drawn:
        return console.fail(f"{view.name}: there is nothing to draw in the episodes that fit")
    print(out.close())
    failed = problems.take().get("pictures", 0)
    return console.fail(f"{console.count(failed, 'picture')} could not be drawn") if failed else 0


def _view(options: Any, alone: bool, runs: Sequence[Run]) -> View:
    """Returns the view; where one picture is wanted, with one pick and one split."""
    more: dict[str, Any] = {}
    given = list(options.option)
    if options.pick:
        more["pick"] = tuple(picks.selector(text) for text in options.pick)
        if viewing.together(options.view) and not any(o.startswith("together=") for o in given):
            given.append("together=no")  # who names an episode wants to see that one
    if options.split:
        more["split"] = options.split
    view = viewing.view(options.view, given, more)
    if alone:
        if "pick" not in more and len(view.picks) > 1:
            more["pick"] = view.picks[0]
        splits = {split for one in runs for _, split, _ in one.files}
        if "split" not in more and len(view.splits) > 1:
            more["split"] = "evaluation" if "evaluation" in splits else "train"
        view = viewing.view(options.view, given, more)
    return view


def _wanted(run: Run, view: View, iteration: range | str | None) -> list[int]:
    """Returns the iterations to draw, in order."""
    there = sorted({number for _, split, number in run.files if split in view.splits})
    if iteration == LAST:
        return there[-1:]
    return [number for number in there if iteration is None or number in iteration]


def _draw(run: Run, view: View, wanted: Sequence[int], out: Gallery, problems: Problems) -> int:
    """Draws the iterations of one run; returns how many pictures there are."""
    if not wanted:
        return 0
    context, drawn = Context(), 0
    numbers = {number for _, _, number in run.files if number <= wanted[-1]}
    doing = f"{view.name} of {run.name}"
    for number, episodes in console.progress(_iterations(run, wanted), doing, total=len(numbers)):
        # As in the run: what an iteration is drawn in depends on all that came before it.
        context.observe(episodes)
        if number not in wanted:
            continue
        for planned in plan([view], episodes, {}, problems):
            title = planned.tag.rsplit("/", 1)[-1]
            try:
                picture = view.draw(shown(planned, episodes), context, title=title)
            except Exception as error:
                problems.add_error("pictures", f"view {view.name!r}", error)
                continue
            if picture is not None:
                out.put(run, number, planned, picture)
                drawn += 1
    return drawn


def _iterations(run: Run, wanted: Sequence[int]) -> Iterator[tuple[int, list[Episode]]]:
    """Yields all iterations up to the last wanted one; those that are not come without media."""
    found = run.find(iteration=range(wanted[-1] + 1))
    for number, stored in groupby(found, lambda one: one.iteration):
        episodes = list(stored)
        if number not in wanted:
            # Of their scenes the last one counts, whichever episode gave it.
            told = [one for one in episodes if one.note.get("scene") is not None]
            last = told[-1] if told else None
            episodes = [one.bare(scene=one is last) for one in episodes]
        yield number, [one.load() for one in episodes]
