"""A picture that the user's own function draws."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tbtrace.draw import agg, png
from tbtrace.episode import Episode
from tbtrace.errors import ContractError, ViewError
from tbtrace.views.base import Options, Picture
from tbtrace.views.context import Context

_DESCRIPTION = "Drawn by a function of this project (`tbtrace.views.Figure`)."
_SIGNATURE, _HEADER = b"\x89PNG\r\n\x1a\n", struct.Struct(">II")
_REMEDY = (
    "return a matplotlib Figure, an array (height, width), (height, width, 3) or "
    "(height, width, 4) of uint8 or of floats from 0 to 1, the bytes of a PNG file, or None for "
    "no picture"
)


@dataclass(frozen=True)
class Figure(Options):
    r"""Shows what a function of yours draws of an episode.

    The function is called with the episode, in the process that draws; it may be a lambda, a
    closure or a function of the main script, and is sent there with cloudpickle. What it returns is
    the picture:

    * a matplotlib `Figure`, which is drawn with Agg. Figures that it opened with pyplot are closed;
      a figure that it keeps and draws on again is fine, and several times as fast. No window is
      opened where pyplot's backend is Agg, as it is without a display.
    * an array `(height, width)`, `(height, width, 3)` or `(height, width, 4)`: grey, RGB, RGBA;
      uint8, bool, or floats from 0 to 1. Floats are clipped, and NaN is 0.
    * the bytes of a PNG file, animated or not.
    * None, where there is nothing to draw.

    Drawings are stored with a palette of 256 colours, photographs with all of theirs.

    Attributes:
        function: What draws.
        together: Whether the function gets a list of episodes: the picked one, then all others of
            its split and iteration that are here whole.

    `size` does not count; the function says how large its picture is.

    Raises:
        ContractError: `function` cannot be called.

    Example:
        >>> def speeds(episode):
        ...     return np.full((40, 60), episode.episode_return / 10)
        >>> picture = Figure(speeds, name="speeds").draw([Episode("e1", 3, 5.0)], Context())
        >>> picture.width, picture.height
        (60, 40)
    """

    function: Callable[[Any], Any]
    _: KW_ONLY
    name: str = "figure"
    together: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not callable(self.function):
            raise ContractError(
                f"view {self.name!r} got {self.function!r} to draw; give a function of an episode"
            )

    def draw(
        self, episodes: Sequence[Episode], context: Context, title: str = ""
    ) -> Picture | None:
        """Returns the picture; None when the function returns None or there is no episode.

        Args:
            episodes: The function gets the first one, or with `together` all.
            context: Not used.
            title: The picture's; it is not written on it.

        Raises:
            ViewError: The function returns something else, or no pixels.
            Exception: Whatever the function raises.
        """
        if not episodes:
            return None
        given = list(episodes) if self.together else episodes[0]
        drawn = agg.closing(lambda: self._drawn(given))
        if drawn is None:
            return None
        data, (width, height) = drawn
        return Picture(data, width, height, title, _DESCRIPTION)

    def _drawn(self, given: Any) -> tuple[bytes, tuple[int, int]] | None:
        result = self.function(given)
        if result is None:
            return None
        if isinstance(result, bytes | bytearray | memoryview):
            file = bytes(result)
            if file[:8] != _SIGNATURE or len(file) < 33:
                raise self._wrong(f"{len(file)} bytes that are no PNG file")
            return file, _HEADER.unpack_from(file, 16)
        pixels = agg.pixels_of(result)
        if pixels is None:
            pixels = self._pixels(result)
        return png.encode(pixels), (pixels.shape[1], pixels.shape[0])

    def _pixels(self, result: Any) -> NDArray[np.uint8]:
        if not isinstance(result, np.ndarray):
            kind = type(result)
            raise self._wrong(f"a {kind.__module__}.{kind.__qualname__}")
        shaped = result.ndim == 2 or (result.ndim == 3 and result.shape[2] in (3, 4))
        if (
            not shaped
            or not result.size
            or (result.dtype.kind not in "bf" and result.dtype != "u1")
        ):
            raise self._wrong(f"an array {result.dtype} {result.shape}")
        if result.dtype.kind == "f":
            result = np.nan_to_num(np.clip(result, 0, 1) * 255, nan=0).round()
        elif result.dtype.kind == "b":
            result = result * 255
        pixels: NDArray[np.uint8] = result.astype(np.uint8, copy=False)
        return np.repeat(pixels[..., np.newaxis], 3, axis=2) if pixels.ndim == 2 else pixels

    def _wrong(self, what: str) -> ViewError:
        name = getattr(self.function, "__qualname__", repr(self.function))
        return ViewError(f"{name} of view {self.name!r} returned {what}; {_REMEDY}")
