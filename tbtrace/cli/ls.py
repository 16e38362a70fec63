"""`tbtrace ls`: what archives hold."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from pyarrow import fs

from tbtrace.archive.files import listed
from tbtrace.archive.reader import Stored
from tbtrace.cli import console, selection
from tbtrace.cli.parser import MOST_ROWS
from tbtrace.cli.selection import Run

_HEAD = ("iteration", "split", "episodes", "steps", "lowest", "return", "highest", "size", "entities")  # fmt: skip  # noqa: E501
_MOST_GROUPS = 4


def run(options: Any) -> int:
    """Lists runs and their iterations; returns 0, or 1 where nothing fits."""
    told = [_told(run, options) for run in selection.runs(options.directory, options.run)]
    if options.json:
        console.print_json({"directory": options.directory, "runs": told})
    else:
        for one in told:
            print(_text(one, options.limit or MOST_ROWS), end="\n\n")
        if len(told) > 1:
            print(f"{console.count(len(told), 'run')}: {_sums(told)}")
    if any(one["episodes"] for one in told):
        return 0
    return console.fail("no recorded episode fits")


def _told(run: Run, options: Any) -> dict[str, Any]:
    """Returns what is printed as JSON about one run."""
    sizes = _sizes(run)
    found = run.find(options.split, options.iteration, options.entity)
    iterations = [
        _iteration(number, split, list(stored), sizes)
        for (number, split), stored in groupby(found, lambda one: (one.iteration, one.split))
    ]
    shown = iterations[-options.limit :] if options.limit else iterations
    return {
        "run": run.name,
        "count": len({one["iteration"] for one in iterations}),
        "episodes": sum(len(one["episodes"]) for one in iterations),
        "bytes": sum(one["bytes"] for one in iterations),
        "left_out": len(iterations) - len(shown),
        "iterations": shown,
    }


def _iteration(
    number: int, split: str, stored: Sequence[Stored], sizes: Mapping[str, int]
) -> dict[str, Any]:
    return {
        "iteration": number,
        "split": split,
        "bytes": sizes.get(f"{split}-{number:06d}", 0),
        "episodes": [
            {
                "uid": one.summary.uid,
                "length": one.summary.length,
                "return": one.summary.episode_return,
                "entities": dict(one.groups),
                "media": dict(one.note["media"]),
                "metrics": dict(one.summary.metrics),
            }
            for one in stored
        ],
    }


def _sizes(run: Run) -> Counter[str]:
    """Returns the bytes of each split and iteration, media with them."""
    folder = os.path.dirname(run.files[0][0])
    sizes: Counter[str] = Counter()
    for info in listed(run.filesystem, fs.FileSelector(folder)):
        sizes[info.base_name.partition(".")[0]] += info.size or 0
    return sizes


def _text(told: Mapping[str, Any], most: int) -> str:
    rows = [_row(one) for one in told["iterations"][-most:]]
    hidden = told["left_out"] + len(told["iterations"]) - len(rows)
    lines = [f"{console.printable(told['run'])}: {_sums([told])}"]
    if hidden:
        lines.append(f"  ({hidden:,} earlier rows: --limit, --iteration)")
    if rows:
        text = console.table([_HEAD, *rows], left=(1, len(_HEAD) - 1))
        lines += [f"  {line}" for line in text.splitlines()]
    return "\n".join(lines)


def _sums(told: Sequence[Mapping[str, Any]]) -> str:
    parts = [
        console.count(sum(run["count"] for run in told), "iteration"),
        console.count(sum(run["episodes"] for run in told), "episode"),
        console.size(sum(run["bytes"] for run in told)),
    ]
    return ", ".join(parts)


def _row(told: Mapping[str, Any]) -> tuple[str, ...]:
    episodes = told["episodes"]
    returns = [one["return"] for one in episodes if math.isfinite(one["return"])]
    known = bool(returns)
    lowest, highest = (min(returns), max(returns)) if known else (math.nan, math.nan)
    average = sum(returns) / len(returns) if known else math.nan
    return (
        str(told["iteration"]),
        told["split"],
        str(len(episodes)),
        f"{sum(one['length'] for one in episodes) / len(episodes):.0f}",
        *(f"{value:.4g}" if known else "-" for value in (lowest, average, highest)),
        console.size(told["bytes"]),
        _entities([one["entities"] for one in episodes]),
    )


def _entities(groups: Sequence[Mapping[str, int]]) -> str:
    """Returns how many entities of each group there were, at the most in one episode."""
    most: dict[str, int] = {}
    for one in groups:
        for group, entities in one.items():
            most[group] = max(most.get(group, 0), entities)
    told = [f"{entities} {group}" for group, entities in list(most.items())[:_MOST_GROUPS]]
    if len(most) > _MOST_GROUPS:
        told.append("...")
    return ", ".join(told) or "-"
