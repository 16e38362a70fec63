"""The info contract: what one info dict says to tbtrace, and what of it is forwarded.

An environment speaks in either of two spellings, or through options of the recorder::

    info["tbtrace"] = {"running": ..., "final": ..., "traces": ..., "media": ..., "scene": ...}
    info["data"] = {"running": ..., "final": ...}; info["media"] = {...}

Each spelling that is found is one *source*: a mapping with some of the five parts.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tbtrace.errors import ContractError, Problems

PARTS = ("running", "final", "traces", "media", "scene")
_CONSUMABLE = ("tbtrace", "data", "media")
_RECIPE_PARTS = frozenset(("running", "final"))

MAPPING = (dict, Mapping)
"""For `isinstance`: with `dict` in front it knows a dict five times as fast as the ABC alone."""

_CODES = "?" + np.typecodes["AllInteger"] + np.typecodes["Float"]
PLAIN = frozenset((float, int, bool, *(np.dtype(code).type for code in _CODES)))
"""Types of numbers that `array("d")` takes as they are; every other value goes through `number`.

It raises OverflowError for an int beyond the range of a float.
"""


@dataclass(frozen=True, slots=True)
class Contract:
    """How infos are read.

    Attributes:
        consume: Top-level info keys that are taken out of the info before RLlib sees it; any of
            `"tbtrace"`, `"data"`, `"media"`.
        info_keys: `{"running": [...], "final": [...]}`, names of the info's own entries that are
            wanted as they are, e.g. `{"final": ["is_success"]}`.
        extract: `callable(env, info) -> dict` with some of the five parts, called after every
            reset and step, for environments that cannot be edited.

    Raises:
        ContractError: An option names a key or part that does not exist.

    Example:
        >>> contract = Contract(info_keys={"final": ["is_success"]})
        >>> info = {"is_success": True, "tbtrace": {"running": {"v": 1.0}}}
        >>> list(contract.sources(info, None, Problems()))
        [{'running': {'v': 1.0}}, {'final': {'is_success': True}}]
        >>> contract.forward(info)
        {'is_success': True}
    """

    consume: tuple[str, ...] = ("tbtrace",)
    info_keys: Mapping[str, Sequence[str]] | None = None
    extract: Callable[[Any, Any], Mapping[str, Any]] | None = None

    def __post_init__(self) -> None:
        if isinstance(self.consume, str) or not set(self.consume) <= set(_CONSUMABLE):
            raise ContractError(
                f"consume={self.consume!r}: give a tuple of some of {', '.join(_CONSUMABLE)}"
            )
        for part, names in (self.info_keys or {}).items():
            if part not in _RECIPE_PARTS:
                raise ContractError(f"info_keys[{part!r}]: the parts are 'running' and 'final'")
            if isinstance(names, str):
                raise ContractError(f"info_keys[{part!r}]={names!r}: give a list of names")

    @property
    def has_one_source(self) -> bool:
        """Whether only `info["tbtrace"]` speaks in an info without `"data"` and `"media"`."""
        return "tbtrace" in self.consume and self.extract is None and not self.info_keys

    def forward(self, info: Any) -> Mapping[str, Any]:
        """Returns what of an info goes on to RLlib.

        The same object, or a shallow copy without the consumed keys: the environment's own dict is
        never changed. An info that is no mapping is forwarded as `{}`: gymnasium's vectorisation
        would die of it.
        """
        if not isinstance(info, MAPPING):
            return {}
        for key in self.consume:
            if key in info:
                rest = dict(info)
                for consumed in self.consume:
                    rest.pop(consumed, None)
                return rest
        return info

    def sources(self, info: Any, env: Any, problems: Problems) -> Iterator[Mapping[str, Any]]:
        """Yields the sources of one info; `extract` comes last, so that its errors cost no other.

        Args:
            info: The raw info of one reset or step.
            env: What `extract` is called with.
            problems: Where infos and sources that are no mappings are counted (`"records"`).
        """
        if not isinstance(info, MAPPING):
            problems.add(
                "records", "info", f"info is {describe(info)}; an environment returns a dict"
            )
            return
        if "tbtrace" in info:
            said = info["tbtrace"]
            if isinstance(said, MAPPING):
                yield said
            else:
                problems.add(
                    "records",
                    "tbtrace",
                    f"info['tbtrace'] is {describe(said)}; give a dict of {', '.join(PARTS)}",
                )
        # The forum recipe's keys are common words: they count only in the recipe's shape.
        if "data" in info and _is_recipe(info["data"]):
            yield info["data"]
        if "media" in info and isinstance(info["media"], MAPPING):
            yield {"media": info["media"]}
        if self.info_keys:
            yield {
                part: {name: info[name] for name in names if name in info}
                for part, names in self.info_keys.items()
            }
        yield from self.extracted(info, env, problems)

    def extracted(self, info: Any, env: Any, problems: Problems) -> Iterator[Mapping[str, Any]]:
        """Yields what `extract` says of an info, where there is such an option."""
        if self.extract is not None:
            said = self.extract(env, info)
            if isinstance(said, MAPPING):
                yield said
            elif said is not None:
                problems.add(
                    "records",
                    "extract",
                    f"extract returned {describe(said)}; return a dict of {', '.join(PARTS)}",
                )


def _is_recipe(data: Any) -> bool:
    return isinstance(data, MAPPING) and bool(data) and data.keys() <= _RECIPE_PARTS


def check_part(part: Any, problems: Problems) -> None:
    """Names an unknown part with the closest known one, and counts it."""
    problems.add(
        "values",
        f"part {part!r}",
        f"info part {part!r} is unknown{closest(str(part), PARTS)}; "
        f"the parts are {', '.join(PARTS)}",
    )


def closest(word: str, known: tuple[str, ...]) -> str:
    """Returns " (did you mean 'x'?)" for the known name nearest to `word`, or nothing."""
    match = difflib.get_close_matches(word, known, n=1)
    return f" (did you mean {match[0]!r}?)" if match else ""


def number(value: Any) -> float | None:
    """Reads a number, or returns None for what is none.

    A number is a bool, int, float, NumPy scalar, or anything of size 1 with `.item()` (torch, jax,
    0-d and 1-element arrays); never str, bytes, complex or a time. NaN and infinities are numbers.
    An int beyond the range of a float is none.

    Example:
        >>> import numpy as np
        >>> number(np.int8(3)), number([3]), number("3"), number(np.ones((1, 1)))
        (3.0, None, None, 1.0)
    """
    if not isinstance(value, (float, int)):
        value = _item(value)
        if value is None:
            return None
    try:
        return float(value)
    except OverflowError:
        return None


def _item(value: Any) -> Any:
    """Returns the one real number in an array, tensor or NumPy scalar, or None."""
    if getattr(getattr(value, "dtype", None), "kind", None) in ("m", "M"):  # items may be ints
        return None
    try:
        item = value.item()
    except (AttributeError, TypeError, ValueError, RuntimeError):  # none, or several elements
        return None
    # A long double's item is a long double: Python has none.
    return item if isinstance(item, (float, int, np.longdouble)) else None


def coordinate(value: Any) -> float | None:
    """Reads one coordinate of a point: a number, or None (no position), which becomes NaN."""
    return float("nan") if value is None else number(value)


def flat_items(values: Mapping[Any, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yields `(name, value)` of nested mappings, names joined by `/`.

    Example:
        >>> list(flat_items({"energy": {"grid": 1.0, 0: 2.0}}))
        [('energy/grid', 1.0), ('energy/0', 2.0)]
    """
    for key, value in values.items():
        name = f"{prefix}{key}"
        if isinstance(value, MAPPING):
            yield from flat_items(value, f"{name}/")
        else:
            yield name, value


def describe(value: Any) -> str:
    """Names the type and shape of `value` for a message.

    Example:
        >>> describe("fast"), describe([1, 2]), describe(None)
        ('a str', 'a list of length 2', 'None')
    """
    if value is None:
        return "None"
    name = type(value).__name__
    article = "an" if name[0].lower() in "aeiou" else "a"
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple):
        return f"{article} {name} of shape {shape} and dtype {getattr(value, 'dtype', '?')}"
    if isinstance(value, list | tuple | set | dict):
        return f"{article} {name} of length {len(value)}"
    return f"{article} {name}"
