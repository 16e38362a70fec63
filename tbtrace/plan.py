"""Plan: which view draws which episode under which tag."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from tbtrace.episode import SPLITS, Episode, split_of
from tbtrace.errors import Problems
from tbtrace.select import EpisodeSummary, Selector, chosen, merging, name_of
from tbtrace.stats import summarise
from tbtrace.views import View


class Planned(NamedTuple):
    """One picture to draw."""

    view: View
    tag: str
    episode: Episode


def tags(selector: Selector, k: int) -> list[str]:
    """Returns what to call the first `k` picks of a selector: `best`, `best-2`, `best-3`, ...

    Raises:
        ContractError: As `name_of`.

    Example:
        >>> from tbtrace.select import Best
        >>> tags(Best(n=3), 3)
        ['best', 'best-2', 'best-3']
    """
    name = name_of(selector)
    return [name if i == 0 else f"{name}-{i + 1}" for i in range(k)]


def plan(
    views: Sequence[View],
    episodes: Sequence[Episode],
    told: Mapping[str, Sequence[EpisodeSummary]],
    problems: Problems,
) -> tuple[Planned, ...]:
    """Plans the pictures of one iteration.

    A selector picks among all episodes of the iteration. One that does not merge and picks an
    episode that is not here chooses among those that are; its pick is missing where none is.

    Args:
        views: What to draw; each says which splits and picks.
        episodes: The episodes that are here whole.
        told: `{split: summaries}` of every episode of the iteration, to pick among; those of
            `episodes` where a split is missing.
        problems: Where picks that are not here whole are counted (`"pictures"`) and named once a
            view and selector, and selectors that raise.

    Returns:
        The pictures in the order of views, splits and picks.
    """
    whole = {episode.uid: episode for episode in episodes}
    planned = []
    for split in SPLITS:
        here = [episode for episode in episodes if split_of(episode) == split]
        summaries = told.get(split) or [summarise(episode) for episode in here]
        for view in views:
            if split not in view.splits or not summaries:
                continue
            for selector in view.picks:
                for pick, uid in _picks(view, selector, summaries, whole, problems):
                    if uid in whole:
                        tag = f"traces/{view.name}/{split}/{pick}"
                        planned.append(Planned(view, tag, whole[uid]))
                    else:
                        problems.add(
                            "pictures",
                            f"{view.name} {name_of(selector)} not kept",
                            f"view {view.name!r} picks {pick!r}, but that episode did not travel "
                            f"whole: give EpisodeRecorder(keep=[...]) {selector!r} as well, unless "
                            "it is there and a budget was spent (another warning says so)",
                        )
    return tuple(planned)


def shown(planned: Planned, episodes: Sequence[Episode]) -> list[Episode]:
    """Returns the episodes that the view gets: the picked one first.

    Behind it stand, where the view's attribute `together` is true, all others of its split that are
    here whole.

    Args:
        planned: The picture.
        episodes: The episodes of the iteration that are here whole.
    """
    picked = planned.episode
    if not getattr(planned.view, "together", False):
        return [picked]
    split = split_of(picked)
    others = (other for other in episodes if other.uid != picked.uid and split_of(other) == split)
    return [picked, *others]


def _picks(
    view: View,
    selector: Selector,
    summaries: Sequence[EpisodeSummary],
    whole: Collection[str],
    problems: Problems,
) -> list[tuple[str, str]]:
    """Returns name and uid of what the selector picks."""
    try:
        uids = [summaries[index].uid for index in chosen(selector, summaries)]
        here = [summary for summary in summaries if summary.uid in whole]
        if here and not merging([selector]) and not all(uid in whole for uid in uids):
            uids = [here[index].uid for index in selector(here)]
        return list(zip(tags(selector, len(uids)), uids, strict=True))
    except Exception as error:
        problems.add_error("pictures", f"a selector of view {view.name!r}", error)
        return []
