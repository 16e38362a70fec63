"""A view of one's own: how far each article has come, as bars. One class, and one line to use it.

python examples/own_view.py [EPISODES]
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

import tbtrace
from tbtrace import Episode
from tbtrace.draw.figure import Plot
from tbtrace.envs.plant import PlantEnv
from tbtrace.views.base import Options, Picture, caption
from tbtrace.views.context import Context


@dataclass(frozen=True, kw_only=True)
class Progress(Options):
    """Draws a bar for each entity: from where to where along x it went in the episode."""

    name: str = "progress"
    group: str = "articles"

    def draw(
        self, episodes: Sequence[Episode], context: Context, title: str = ""
    ) -> Picture | None:
        traces = list(episodes[0].traces.get(self.group, {}).items())[:20]
        limits = context.limits(self.group)
        if not traces or limits is None:
            return None
        rows = [(float(row), entity) for row, (entity, _) in enumerate(traces)]
        reach = [np.nanmax(trace.points[:, 0]) for _, trace in traces]
        plot = Plot(
            (limits[0], limits[1], len(rows) - 0.5, -0.5),
            self.size,
            title=title,
            caption=caption(episodes),
            names=("x", ""),
            rows=rows,
            equal=False,
        )
        boxes = [
            (limits[0], x, row - 0.35, row + 0.35) for (row, _), x in zip(rows, reach, strict=True)
        ]
        plot.bars(np.array(boxes), [context.colour(self.group, entity) for entity, _ in traces])
        return Picture(plot.png(), *self.size, title, "How far each entity came along x.")


def main() -> None:
    logdir = tempfile.mkdtemp(prefix="own-view-")
    reporter = tbtrace.RunReporter(logdir, tbtrace.Reporting(views=[Progress()]))  # the line
    env = tbtrace.RecordTraces(PlantEnv())
    for number in range(1, 1 + int(sys.argv[1] if len(sys.argv) > 1 else 3)):
        env.reset(seed=number)
        for _ in range(300):
            env.step(env.action_space.sample())
        reporter.report(number, {}, env.drain())
    reporter.close()
    print(f"tbtrace view {logdir}")


if __name__ == "__main__":
    main()
