"""What a view is, and what it gives back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from tbtrace.draw.figure import SMALLEST
from tbtrace.episode import SPLITS, Episode, Trace
from tbtrace.errors import ContractError
from tbtrace.select import Best, Last, Selector, Worst, name_of
from tbtrace.views.context import Context


@dataclass(frozen=True, slots=True)
class Picture:
    """One finished picture.

    Attributes:
        png: The bytes of a PNG file.
        width: Pixels.
        height: Pixels.
        title: One line of text.
        description: Markdown: how to read the picture. The same for every picture of a view, as
            TensorBoard shows the first one of a tag.
    """

    png: bytes
    width: int
    height: int
    title: str = ""
    description: str = ""


class View(Protocol):
    """Draws episodes. Any object with these members is a view.

    A view is pure: the same episodes and context give the same picture, and it changes neither. It
    may be called from several threads at the same time.

    A view that compares episodes has an attribute `together` that is true: it gets, behind the
    picked one, all other episodes of its split and iteration that are here whole.
    """

    @property
    def name(self) -> str:
        """What the picture's tag names it; unique among the views of a run."""
        ...

    @property
    def picks(self) -> tuple[Selector, ...]:
        """Which episodes of an iteration are drawn, one picture for each picked one."""
        ...

    @property
    def splits(self) -> tuple[str, ...]:
        """Of which splits: `"train"`, `"evaluation"`."""
        ...

    def draw(
        self, episodes: Sequence[Episode], context: Context, title: str = ""
    ) -> Picture | None:
        """Returns the picture of `episodes`, or None when there is nothing to draw.

        Args:
            episodes: The one that a selector picked; see above for `together`.
            context: What lasts over the iterations of the run; it has observed `episodes`.
            title: First line of the picture, e.g. the pick's tag.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options that all views of tbtrace share, checked.

    Attributes:
        name: What the pictures' tags name the view.
        pick: One selector or several: which episodes of an iteration are drawn.
        split: `"train"`, `"evaluation"` or both.
        size: `(width, height)` of the picture in pixels, at least 240x180.

    Raises:
        ContractError: An option breaks its rule; two selectors have the same name.
    """

    name: str
    pick: Selector | tuple[Selector, ...] = (Best(), Worst(), Last())
    split: str | tuple[str, ...] = SPLITS
    size: tuple[int, int] = (640, 480)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.strip("/ "):
            raise ContractError(f"name={self.name!r}: a view needs a name")
        for option, value in (("pick", self.pick), ("split", self.split)):
            if isinstance(value, list):
                raise ContractError(f"{option}={value!r} of view {self.name!r}; give a tuple")
        names = [name_of(selector) for selector in self.picks]
        if not names or len(set(names)) < len(names):
            raise ContractError(f"pick of view {self.name!r} is {names}; give each its own name=")
        if not self.splits or not set(self.splits) <= set(SPLITS):
            raise ContractError(f"split={self.split!r} of view {self.name!r}; known: {SPLITS}")
        pair = isinstance(self.size, tuple) and len(self.size) == 2
        sides = pair and all(isinstance(side, int) for side in self.size)
        if not sides or self.size[0] < SMALLEST[0] or self.size[1] < SMALLEST[1]:
            raise ContractError(f"size={self.size!r}: give (width, height) of at least {SMALLEST}")

    @property
    def picks(self) -> tuple[Selector, ...]:
        """The selectors, as a tuple."""
        return self.pick if isinstance(self.pick, tuple) else (self.pick,)

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits, as a tuple."""
        return self.split if isinstance(self.split, tuple) else (self.split,)


def traces_of(episodes: Sequence[Episode], group: str | None) -> Iterator[tuple[str, str, Trace]]:
    """Yields group, entity and trace of all entities of a group; of all groups for None."""
    for episode in episodes:
        for name, traces in episode.traces.items():
            if group in (None, name):
                for entity, trace in traces.items():
                    yield name, entity, trace


def caption(episodes: Sequence[Episode]) -> str:
    """Returns one line about the episodes: iteration, split, return, steps.

    Example:
        >>> caption([Episode("a", length=250, episode_return=31.4, split="train", iteration=12)])
        'iteration 12 · train · return 31.4 · 250 steps'
    """
    first = episodes[0]
    parts = [f"iteration {first.iteration}"] if first.iteration else []
    parts += [first.split] if first.split else []
    if len(episodes) > 1:
        parts.append(f"{len(episodes)} episodes")
    else:
        steps = "1 step" if first.length == 1 else f"{first.length} steps"
        value = first.episode_return
        told = f"{value:.0f}" if 999.5 <= abs(value) < 1e9 else f"{value:.3g}"
        parts += [f"return {told}", steps]
    return " · ".join(parts)
