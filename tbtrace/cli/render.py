"""`tbtrace render`: draws recorded episodes again."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from tbtrace.archive.files import read_context
from tbtrace.archive.reader import or_warned
from tbtrace.cli import console, picks, selection, viewing
from tbtrace.cli.gallery import Gallery, OneFile, gallery
from tbtrace.cli.parser import LAST
from tbtrace.cli.selection import Run
from tbtrace.episode import Episode
from tbtrace.errors import Problems, TbtraceError
from tbtrace.plan import plan, shown
from tbtrace.views import Context, View, lasting


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
    print(console.printable(out.close()))  # it names runs
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
    kept = _kept(run) if wanted == [max(number for _, _, number in run.files)] else None
    context, drawn = kept or Context(), 0
    first = 0 if kept is None else wanted[0]
    numbers = {number for _, _, number in run.files if first <= number <= wanted[-1]}
    doing = f"{view.name} of {run.name}"
    found = _iterations(run, range(first, wanted[-1] + 1), wanted)
    for number, read in console.progress(found, doing, total=len(numbers)):
        episodes = [episode for episode in read if episode is not None]
        # As in the run: what an iteration is drawn in depends on all that came before it.
        context.observe(episodes)
        if number not in wanted:
            continue
        if len(episodes) < len(read):  # the best of what is left need not be the best
            problems.count("pictures")
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


def _kept(run: Run) -> Context | None:
    """Returns what lasts over the run's iterations, where it kept that of the newest one."""
    newest_path, _, newest = max(run.files, key=lambda file: file[2])
    try:
        content = read_context(run.filesystem, os.path.dirname(newest_path), lasting.MOST_BYTES)
        context = Context()
        if content is None or lasting.resume(context, content).last != newest:
            return None
        scenes = [one for one in run.find() if one.note.get("scene") is not None]
        if scenes:
            context.scene = scenes[-1].bare(scene=True).load().scene
    except (OSError, TbtraceError):
        return None  # what it says is in the episodes, too
    return context


def _iterations(
    run: Run, numbers: range, wanted: Sequence[int]
) -> Iterator[tuple[int, list[Episode | None]]]:
    """Yields iterations in order; those that are not wanted come without media.

    What cannot be read is None, with one warning for its file.
    """
    found = run.find(iteration=numbers)
    for number, stored in groupby(found, lambda one: one.iteration):
        episodes = list(stored)
        if number not in wanted:
            # Of their scenes the last one counts, whichever episode gave it.
            told = [one for one in episodes if one.note.get("scene") is not None]
            last = told[-1] if told else None
            episodes = [one.bare(scene=one is last) for one in episodes]
        yield number, [or_warned(one.load) for one in episodes]
