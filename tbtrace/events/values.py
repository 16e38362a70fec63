"""What a result holds, sorted by how TensorBoard can show it.

The tags, steps and values are those of Ray's own `TBXLoggerCallback`, except: every numeric type is
a scalar (Ray drops `np.bool_`, float16 and the small ints), so are arrays of one element;
infinities are left out; ragged lists and tuples of numbers are histograms, too; lists of pictures
are animations; strings are texts; and what cannot be shown is named once instead of raising.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tbtrace.errors import Problems
from tbtrace.events.pixels import MOST_PIXELS, Images, are_positions, channels_last
from tbtrace.info import MAPPING, PLAIN, describe, number

_BIGGEST = float(np.finfo(np.float32).max)
_DEEPEST = 32
_LONGEST_TEXT = 100_000
_LISTS = (list, tuple, deque)
_CONTAINERS = (*_LISTS, str, bytes, bytearray, set, frozenset, *MAPPING)

_GIVE = "give numbers, arrays or lists of them, pictures or texts"
_PICTURES = (
    "pictures are (channels, height, width) or (height, width, channels) with 1, 3 or 4 channels, "
    "batches and videos have one or two axes before these"
)
_POSITIONS = (
    "as pixels these would be 0..1, or whole numbers in 0..255; scale pictures, "
    "and give positions as info['tbtrace']['traces']"
)


def flat(values: Mapping[Any, Any], prefix: str = "") -> dict[str, Any]:
    """Flattens nested mappings to `{tag: value}`, names joined by `/`, `prefix` put in front.

    Keys may be anything, and of equal tags the last one counts. Empty mappings vanish. A mapping
    that holds itself, or stands deeper than 32 levels, or cannot be read is kept as a value, which
    `Values.sort` names. Nothing raises.

    Example:
        >>> flat({"a": {"b": 1, "c": {}}}, "ray/tune/")
        {'ray/tune/a/b': 1}
    """
    flattened: dict[str, Any] = {}
    _flatten(values, prefix, (), flattened)
    return flattened


def _flatten(
    values: Mapping[Any, Any], prefix: str, above: tuple[int, ...], into: dict[str, Any]
) -> None:
    try:
        items = list(values.items())  # at once: another thread may add a key
    except Exception:  # a mapping of somebody's own
        into[prefix.removesuffix("/")] = values
        return
    above = (*above, id(values))
    for key, value in items:
        try:
            tag = f"{prefix}{key}"
        except Exception:  # a key that cannot be spelled
            tag = f"{prefix}{type(key).__name__}"
        is_mapping = type(value) not in PLAIN and isinstance(value, MAPPING)
        if is_mapping and id(value) not in above and len(above) < _DEEPEST:
            _flatten(value, f"{tag}/", above, into)
        else:
            into[tag] = value


def told_parameters(
    parameters: Mapping[Any, Any], problems: Problems
) -> dict[str, bool | int | float | str]:
    """Flattens hyper-parameters for the HParams dashboard; nothing raises.

    Bools, numbers and strings stay, anything else becomes the text that it prints. What cannot be
    read is counted (`"values"`) and named.

    Example:
        >>> told_parameters({"model": {"widths": [8, 8]}, "lr": 0.1}, Problems())
        {'model/widths': '[8, 8]', 'lr': 0.1}
    """
    told: dict[str, bool | int | float | str] = {}
    for name, value in flat(parameters).items():
        try:
            if isinstance(value, bool | str):
                told[name] = value
            else:
                numeric = number(value)
                told[name] = str(value) if numeric is None else numeric
        except Exception as error:  # an object of somebody's own
            problems.add_error("values", f"reading the hyper-parameter {name!r}", error)
    return told


@dataclass(frozen=True, slots=True)
class Values:
    """The values of one result.

    Attributes:
        scalars: `{tag: finite number}`.
        histograms: `{tag: float64 (n,)}`, n > 0; may hold non-finite values, but not alone.
        images: `{tag: Images}`.
        texts: `{tag: markdown}`, not empty.
    """

    scalars: dict[str, float] = field(default_factory=dict)
    histograms: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    images: dict[str, Images] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)

    @classmethod
    def sort(cls, values: Mapping[str, Any], problems: Problems) -> Values:
        """Sorts `{tag: value}`; nothing raises, and no array of pixels is copied.

        * A number (`tbtrace.info.number`) is a scalar. NaN, infinities and what is beyond float32
          are left out: nothing happened there.
        * An array of 1 or 2 axes is a histogram; so is a list or tuple of numbers and such arrays,
          nested or ragged, over all their numbers, also of one.
        * An array of 3 to 5 axes, or a list of them, is `Images`.
        * A string is a text, cut after 100,000 characters; a list of strings, or of strings and
          numbers, is a text with a bullet for each.
        * None and empty containers are nothing.

        Everything else is counted (`"values"`) and named once.

        Example:
            >>> found = Values.sort({"a": np.int8(1), "b": [1, (2, 3)], "c": "x"}, Problems())
            >>> found.scalars, found.histograms["b"].tolist(), found.texts
            ({'a': 1.0}, [1.0, 2.0, 3.0], {'c': 'x'})
        """
        found = cls()
        scalars = found.scalars
        for tag, value in values.items():
            if type(value) in PLAIN:
                try:
                    numeric = float(value)
                except OverflowError:  # an int
                    continue
                if -_BIGGEST <= numeric <= _BIGGEST:
                    scalars[tag] = numeric
            elif value is not None:
                try:
                    with np.errstate(all="ignore"):
                        advice = found._sort_other(tag, value)
                    what = advice and f"{tag} is {describe(value)}; {advice}"
                except Exception as error:  # an object of somebody's own
                    problems.add_error("values", f"reading {tag!r}", error)
                else:
                    if what:
                        problems.add_quietly("values", tag, what)
        return found

    def _sort_other(self, tag: str, value: Any) -> str | None:
        """Takes a value in; returns what its giver should do where that cannot be done."""
        numeric = number(value)
        if numeric is not None:
            if abs(numeric) <= _BIGGEST:
                self.scalars[tag] = numeric
            return None
        # An int that is no number is beyond any float.
        if isinstance(value, int) or (isinstance(value, _CONTAINERS) and not value):
            return None
        if isinstance(value, str):
            self._add_text(tag, value)
            return None
        if isinstance(value, _LISTS):
            return self._sort_list(tag, value)
        array = _as_array(value)
        return _GIVE if array is None else self._sort_arrays(tag, [array], listed=False)

    def _sort_list(self, tag: str, items: Sequence[Any]) -> str | None:
        parts = list(_parts(items, ()))
        if any(isinstance(part, str) for part in parts):
            lines = [item for item in items if item is not None]
            if not all(isinstance(item, str) or number(item) is not None for item in lines):
                return "a list with strings holds strings and numbers only"
            bullets = (f"- {line}".replace("\n", "\n  ") for line in lines)
            self._add_text(tag, "\n".join(bullets))
            return None
        arrays = [_as_array(part) for part in parts]
        known = [array for array in arrays if array is not None]
        if len(known) < len(arrays):
            return _GIVE
        return self._sort_arrays(tag, known, listed=True)

    def _sort_arrays(self, tag: str, arrays: list[NDArray[Any]], listed: bool) -> str | None:
        arrays = [array for array in arrays if array.size]
        if not arrays:
            return None
        if not all(array.dtype.kind in "biuf" for array in arrays):
            return _GIVE
        if all(array.ndim <= 2 or array.size == 1 for array in arrays):
            flattened = [array.ravel() for array in arrays]
            numbers = np.concatenate(flattened, dtype=np.float64, casting="unsafe")
            if np.isfinite(numbers).any():
                self.histograms[tag] = numbers
            return None
        which = f"its first array has the shape {arrays[0].shape}; " if listed else ""
        last = channels_last(arrays)
        if last is None:
            return f"{which}{_PICTURES}"
        if any(are_positions(array) for array in arrays):
            return f"{which}{_POSITIONS}"
        images = Images(tuple(arrays), last, listed)
        height, width = images.size
        if height * width > MOST_PIXELS:
            return f"{height} x {width} pixels are too many, give at most {MOST_PIXELS:,}"
        self.images[tag] = images
        return None

    def _add_text(self, tag: str, text: str) -> None:
        if len(text) > _LONGEST_TEXT:
            text = f"{text[:_LONGEST_TEXT]}... (cut, {len(text):,} characters)"
        self.texts[tag] = str(text)


def _parts(items: Sequence[Any], above: tuple[int, ...]) -> Iterator[Any]:
    """Yields what stands in nested lists; numbers that stand side by side as one array."""
    if id(items) in above or len(above) >= _DEEPEST:
        raise ValueError("a list holds itself, or lists too deep in each other")
    if set(map(type, items)) <= PLAIN:
        yield _numbers(items)
        return
    for item in items:
        if isinstance(item, _LISTS):
            yield from _parts(item, (*above, id(items)))
        elif item is not None:
            yield item


def _numbers(items: Sequence[Any]) -> NDArray[np.float64]:
    try:
        return np.array(items, np.float64)
    except OverflowError:  # an int beyond any float, which becomes NaN
        return np.array([number(item) for item in items], np.float64)


def _as_array(value: Any) -> NDArray[Any] | None:
    """Returns arrays, tensors and single numbers as an array; None for anything else."""
    if isinstance(value, np.ndarray):
        return value
    numeric = number(value)
    if numeric is not None:
        return np.array(numeric)
    if not (hasattr(value, "__array__") and hasattr(value, "dtype")):
        return None
    detach = getattr(value, "detach", None)  # torch refuses tensors that have a gradient
    return np.asarray(value if detach is None else detach())
