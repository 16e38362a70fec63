"""What a camera of the environment saw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tbtrace.draw import anim, film
from tbtrace.episode import Episode, Media
from tbtrace.errors import ContractError
from tbtrace.views.base import Options, Picture, caption
from tbtrace.views.context import Context
from tbtrace.views.evenly import evenly

MOST_FRAMES = 200
"""So many frames has an animation; more are thinned evenly."""

_FILM = (
    "What a camera of the environment saw in one episode. The number is the step of each frame; "
    "*n of m frames* says how many of the recorded ones are shown, evenly spaced."
)
_STRIP = (
    "What a camera of the environment saw in one episode, row by row, with the step of each frame "
    "below it; *n of m frames* says how many of the recorded ones are shown, evenly spaced."
)
_HOLD = 1.0


@dataclass(frozen=True, kw_only=True)
class Frames(Options):
    r"""Shows the frames that the environment recorded as media: an animation, or a film strip.

    Frames are arrays uint8 `(height, width, 3)`, at the steps at which they were recorded. They
    keep their aspect: small ones are enlarged by a whole factor, so that their pixels stay sharp,
    large ones are averaged. An animation has 200 frames at most, and 8 million pixels before small
    frames are enlarged; where more were recorded, evenly spaced ones are shown, and the text says
    so. It has about 250 colours, as a GIF has; a strip has all of them where fewer would be seen.

    `size` is the largest that the picture may be; it is as large as its frames need.

    Attributes:
        media: The name of the media; None for the first one that has frames.
        strip: None for an animation, else how many frames the strip shows at most, evenly spaced;
            fewer where `size` has no room for so many.
        fps: Frames a second of the animation, from 0.02 to 1000. The last one stands a second
            longer.

    Raises:
        ContractError: `strip` is below 1, or another `fps`.

    Example:
        >>> seen = tuple(np.full((8, 8, 3), 60 * step, np.uint8) for step in range(4))
        >>> media = {"camera": Media(np.arange(4, dtype=np.int32), seen)}
        >>> episode = Episode("e1", 3, 1.5, media=media)
        >>> picture = Frames().draw([episode], Context())
        >>> b"acTL" in picture.png, b"acTL" in Frames(strip=3).draw([episode], Context()).png
        (True, False)
    """

    name: str = "frames"
    size: tuple[int, int] = (400, 480)
    media: str | None = None
    strip: int | None = None
    fps: float = 10.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.strip is not None and self.strip < 1:
            raise ContractError(f"strip={self.strip!r} of view {self.name!r}; give 1 or more")
        anim.check(self.fps)

    def draw(
        self, episodes: Sequence[Episode], context: Context, title: str = ""
    ) -> Picture | None:
        """Returns the picture; None when the first episode has no frames of that name.

        A single frame makes a still.

        Args:
            episodes: Only the first one is shown.
            context: Not used.
            title: Stands in front of what the first lines tell about the episode.
        """
        found = self._found(episodes[0].media) if episodes else None
        if found is None:
            return None
        name, steps, frames = found
        heads = [title, *caption(episodes[:1]).split(" · "), name]
        labels = [f"step {step}" for step in steps]
        if self.strip:
            longest = [*heads, _told(len(frames), len(frames))]
            most = min(self.strip, film.most_in_strip(labels, longest, self.size))
        else:
            most = _affordable(frames, self.size)
        shown = evenly(len(frames), most).tolist()
        told = _told(len(shown), len(frames)) if len(shown) < len(frames) else ""
        reel = film.Film(
            frames=[frames[place] for place in shown],
            labels=[labels[place] for place in shown],
            heads=[*heads, told],
            size=self.size,
        )
        data, size = film.strip(reel) if self.strip else film.play(reel, self.fps, _HOLD)
        return Picture(data, *size, title, _STRIP if self.strip else _FILM)

    def _found(
        self, media: Mapping[str, Media]
    ) -> tuple[str, list[int], list[NDArray[np.uint8]]] | None:
        """Returns name, steps and frames of the media to show."""
        for name, one in media.items():
            if self.media in (None, name):
                places = [place for place, value in enumerate(one.values) if _is_frame(value)]
                if places:
                    steps = [int(one.steps[place]) for place in places]
                    return name, steps, [one.values[place] for place in places]
        return None


def _told(shown: int, count: int) -> str:
    return f"{shown} of {count} frames"


def _is_frame(value: NDArray[np.generic]) -> bool:
    return value.dtype == np.uint8 and value.ndim == 3 and value.shape[2] == 3 and value.size > 0


def _affordable(frames: Sequence[NDArray[np.uint8]], size: tuple[int, int]) -> int:
    """Returns how many frames an animation may have."""
    largest = 1.0
    for height, width, _ in {frame.shape for frame in frames}:
        smaller = min(1.0, size[0] / width, size[1] / height)
        largest = max(largest, width * height * smaller**2)
    return max(2, min(MOST_FRAMES, int(film.MOST_PIXELS / largest)))
