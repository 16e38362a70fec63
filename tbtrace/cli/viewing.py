"""What `--view` and `--option` may say: views by name, options by the types of their fields."""

from __future__ import annotations

import dataclasses
import importlib.util
import sys
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Union

from tbtrace import views
from tbtrace.cli.console import CallError
from tbtrace.errors import TbtraceError
from tbtrace.views import View
from tbtrace.views.base import Options

_ELSEWHERE = ("pick", "split")
_TRUTHS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def view(name: str, options: Sequence[str], more: Mapping[str, Any]) -> View:
    """Returns the view of a command line.

    Args:
        name: `Heatmap`, `heatmap`, `time-space`, ...; or `FILE.py:NAME`, a view class or a view of
            the caller's own.
        options: `KEY=VALUE`, read by the type of the view's field of that name.
        more: Further options, ready: `pick` and `split`.

    Raises:
        CallError: There is no such view or option, or a value does not fit; it says what does.
    """
    kind = _imported(name) if ":" in name else _known(name)
    if not hasattr(kind, "draw"):
        raise CallError(f"{name} is no view: a view has a method draw")
    ready = not isinstance(kind, type)
    if ready and not dataclasses.is_dataclass(kind) and (options or more):
        raise CallError(f"{name} is no dataclass, so it has no options")
    given = {**_given(type(kind) if ready else kind, options), **more}
    try:
        if not ready:
            return kind(**given)  # type: ignore[no-any-return]
        return dataclasses.replace(kind, **given) if given else kind  # type: ignore[no-any-return]
    except (TbtraceError, TypeError, ValueError) as error:
        raise CallError(f"--view {name}: {error}") from error


def together(name: str) -> bool:
    """Tells whether a view draws whole iterations unless its option `together` says otherwise."""
    kind = None if ":" in name else _known(name)
    fields = {} if kind is None else {field.name: field for field in dataclasses.fields(kind)}
    return "together" in fields and fields["together"].default is True


def _known(name: str) -> Any:
    kinds = {
        each.lower(): kind
        for each in views.__all__
        if isinstance(kind := getattr(views, each), type) and issubclass(kind, Options)
    }
    kind = kinds.get(name.lower().replace("-", "").replace("_", ""))
    if kind is None:
        names = ", ".join(each.__name__ for each in kinds.values())
        raise CallError(f"there is no view {name!r}; there are {names}, and FILE.py:NAME")
    return kind


def _given(kind: type, options: Sequence[str]) -> dict[str, Any]:
    if not options:
        return {}
    hints = typing.get_type_hints(kind)
    fields = {
        field.name: hints[field.name]
        for field in (dataclasses.fields(kind) if dataclasses.is_dataclass(kind) else ())
        if field.name not in _ELSEWHERE
    }
    given = {}
    for option in options:
        key, equals, text = option.partition("=")
        if not equals or key not in fields:
            known = ", ".join(f"{name} ({_spelled(hint)})" for name, hint in fields.items())
            what = f"has no option {key!r}" if equals else f"got {option!r}, which is no KEY=VALUE"
            raise CallError(f"{kind.__name__} {what}; it has {known}; and --pick, --split")
        try:
            given[key] = value(fields[key], text)
        except ValueError as error:
            raise CallError(
                f"--option {key}={text}: {kind.__name__} takes {_spelled(fields[key])} there"
            ) from error
    return given


def value(hint: Any, text: str) -> Any:
    """Returns what a text says as a value of a type.

    Raises:
        ValueError: It says nothing of that type.

    Example:
        >>> value(int | None, "none"), value(tuple[int, int], "640x480"), value(bool, "yes")
        (None, (640, 480), True)
        >>> value(str | tuple[str, ...], "a,b"), value(Literal["x", "y"] | None, "y")
        (('a', 'b'), 'y')
    """
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, types.UnionType):
        # "a,b" is a tuple where there may be one, and "12" a number.
        for each in sorted(inner, key=_order):
            try:
                return value(each, text)
            except ValueError:
                continue
        raise ValueError(text)
    if hint is type(None) and text.lower() == "none":
        return None
    if hint is bool and text.lower() in _TRUTHS:
        return _TRUTHS[text.lower()]
    if hint in (int, float):
        return hint(text)
    if hint is str:
        return text
    if origin is Literal and text in inner:
        return text
    if origin is tuple:
        parts = text.replace("x", ",").split(",") if int in inner else text.split(",")
        each = [inner[0]] * len(parts) if inner[-1] is Ellipsis else inner
        if len(each) == len(parts) and (inner[-1] is not Ellipsis or len(parts) > 1 or text):
            return tuple(value(one, part.strip()) for one, part in zip(each, parts, strict=True))
    if origin is Callable or getattr(origin, "__name__", "") == "Callable":
        return _imported(text)
    raise ValueError(text)


def _order(hint: Any) -> int:
    """Returns when to try a type of a union: a text is anything, so it comes last."""
    if hint is str:
        return 3
    return {tuple: 2}.get(typing.get_origin(hint), 1)


def _spelled(hint: Any) -> str:
    if typing.get_origin(hint) in (Union, types.UnionType):
        return " or ".join(_spelled(each) for each in typing.get_args(hint))
    if typing.get_origin(hint) is Literal:
        return " or ".join(map(str, typing.get_args(hint)))
    if typing.get_origin(hint) is tuple:
        return ",".join(_spelled(each) for each in typing.get_args(hint)).replace("Ellipsis", "...")
    if getattr(typing.get_origin(hint), "__name__", "") == "Callable":
        return "FILE.py:FUNCTION"
    return "none" if hint is type(None) else getattr(hint, "__name__", str(hint))


def _imported(text: str) -> Any:
    """Returns what a Python file of the caller holds under a name."""
    place, _, name = text.rpartition(":")
    path = Path(place).expanduser()
    spec = None
    if path.is_file():
        # A name of its own: a file of the caller's may be called json.py.
        spec = importlib.util.spec_from_file_location(f"_tbtrace_given_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise CallError(f"{text}: {place or text} is no Python file; write FILE.py:NAME")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look there for what annotations mean
    try:
        spec.loader.exec_module(module)
        return getattr(module, name)
    except Exception as error:
        raise CallError(f"{text}: {type(error).__name__}: {error}") from error
