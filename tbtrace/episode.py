"""What one finished episode recorded: plain arrays, ready to travel, to be drawn and stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
StepArray = NDArray[np.int32]

SPLITS = ("train", "evaluation")
"""What an episode may be of, in the order in which it is shown."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Exact numbers about the finite ones among some values.

    Attributes:
        count: How many there are.
        average: Their average; NaN where there is none, as for the others.
        total: Their sum, correctly rounded.
        squares: The sum of their squares; may be infinite.
        minimum: The lowest.
        maximum: The highest.
    """

    count: int
    average: float
    total: float
    squares: float
    minimum: float
    maximum: float


@dataclass(frozen=True, slots=True)
class Series:
    """The values of one running quantity in one episode, in the order of its steps.

    Attributes:
        steps: int32 `(n,)`, the episode's step of each value; 0 is the reset.
        values: float64 `(n,)`; NaN and infinities stand as the environment gave them.
        agents: int32 `(n,)`, who gave each value, as an index into the order of `Episode.agents`;
            None where the environment has no agents.
        tally: None where all values are here. Else these are a uniform sample of the finite ones,
            each of which stands for `tally.count / n`, and the tally is of all of them.
        tallies: `{index: tally}` of each agent's own values, where there are agents and a tally.
    """

    steps: StepArray
    values: FloatArray
    agents: StepArray | None = None
    tally: Tally | None = None
    tallies: Mapping[int, Tally] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Trace:
    """Where one entity was, in the order of the episode's steps.

    Attributes:
        steps: int32 `(n,)`; 0 is the reset.
        points: float64 `(n, 2)` or `(n, 3)` in the scene's units. A row of NaN is a gap: the entity
            was away from that step on; the line must not cross it.
        channels: `{name: float64 (n,)}`, numbers that came with the points; NaN where none came.
        labels: `{name: (str or None, ...)}` of length n, states that came with the points; None
            where none came.
    """

    steps: StepArray
    points: FloatArray
    channels: Mapping[str, FloatArray] = field(default_factory=dict)
    labels: Mapping[str, tuple[str | None, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Media:
    """What an environment put under one media name in one episode, copied at the step.

    Attributes:
        steps: int32 `(n,)`; 0 is the reset.
        values: n arrays; `uint8 (H, W, 3)` ones are frames. Shapes may differ.
    """

    steps: StepArray
    values: tuple[NDArray[Any], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """What entities move in.

    Attributes:
        background: uint8 `(H, W, 3)` image that fills `extent`, its first row at `y1`; or None.
        extent: `(x0, x1, y0, y1)` in the units of the points, left, right, bottom, top; or None.
        units: The unit of the coordinates, e.g. `"m"`; or None.
        places: `{text: (x, y)}`, names to write at points of the scene.
        axes: Names of the axes, e.g. `("east", "north")`; empty for x, y, z.
    """

    background: NDArray[np.uint8] | None = None
    extent: tuple[float, float, float, float] | None = None
    units: str | None = None
    places: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    axes: tuple[str, ...] = ()


@dataclass(slots=True, eq=False)
class Episode:
    """One finished episode.

    Attributes:
        uid: Unique id, RLlib's own `episode.id_` where there is one.
        split: `"train"` or `"evaluation"`; empty until the episode has been drained.
        iteration: The `training_iteration` in which the episode was reported; 0 until then.
        env_steps: Environment steps sampled for training in the whole run when it was reported.
        length: Steps of the episode (calls of `env.step`).
        episode_return: Sum of the environment's rewards, undiscounted.
        running: `{name: Series}`, every value of every running quantity, of all agents together.
        final: `{name: float}`, the last value given in the episode; with agents the mean of the
            finite ones among their last values, NaN where there is none.
        agents: `{agent: {final name: its last value}}` of all that said anything in a multi-agent
            environment, which itself is `"__common__"`; empty where there are no agents.
        traces: `{group: {entity: Trace}}`; empty when the episode was not picked to travel whole.
        media: `{name: Media}`; empty when the episode was not picked to travel whole.
        scene: The scene that this episode's infos gave, or None.
    """

    uid: str
    length: int
    episode_return: float
    running: Mapping[str, Series] = field(default_factory=dict)
    final: Mapping[str, float] = field(default_factory=dict)
    agents: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    traces: Mapping[str, Mapping[str, Trace]] = field(default_factory=dict)
    media: Mapping[str, Media] = field(default_factory=dict)
    scene: Scene | None = None
    split: str = ""
    iteration: int = 0
    env_steps: int = 0


def split_of(episode: Episode) -> str:
    """Returns the episode's split; one that says none, or another, is training: nothing is lost.

    Example:
        >>> split_of(Episode("a", 9, 2.0)), split_of(Episode("b", 9, 2.0, split="evaluation"))
        ('train', 'evaluation')
    """
    return SPLITS[episode.split == SPLITS[1]]
