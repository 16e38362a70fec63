"""`tbtrace replay`: RLlib's own recordings, reported like a live run."""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tbtrace.cli import console
from tbtrace.cli.console import CallError, count
from tbtrace.errors import ContractError

if TYPE_CHECKING:
    from tbtrace.cli.parser import Commands
    from tbtrace.replay.run import Replayed

Advance = Callable[[float, float], object]

_ABOUT = """\
Reads what RLlib's offline API wrote (config.offline_data(output=...)) and reports it like a live
run: scalars, histograms, pictures, archive. The x axis counts environment steps.

examples:
  tbtrace replay recording/ --logdir run
  tbtrace replay recording/ --logdir run --trace "robot=obs[0:2]" --trace "cart=obs[0],obs[2]"
  tbtrace replay recording/ --logdir run --extract mine:say --every "10000 steps"
"""


def add(commands: Commands) -> None:
    """Adds what the command line may say."""
    replay = commands.add_parser(
        "replay",
        help="report what RLlib's offline API recorded, like a live run",
        description=_ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    replay.add_argument(
        "path", metavar="PATH", type=Path, help="a file, or a folder with all below"
    )
    replay.add_argument(
        "--logdir", required=True, metavar="OUT", type=Path, help="the run's folder"
    )
    replay.add_argument(
        "--trace",
        action="append",
        default=[],
        metavar="NAME=WHERE",
        help="where an entity is: obs[0:2]; obs[0],obs[2]; obs['pose'][0:2]; action[0:2]; may be "
        "repeated",
    )
    replay.add_argument(
        "--extract",
        metavar="MODULE:FUNCTION",
        default=None,
        help="a function of yours, function(moment, info) -> dict in the shape of info['tbtrace']",
    )
    replay.add_argument(
        "--every",
        default="50 episodes",
        metavar="N",
        help="how much is one iteration: '50', '50 episodes', '10000 steps' (default: %(default)s)",
    )
    replay.add_argument(
        "--trust",
        action="store_true",
        help="open pickles; they run whatever code the recording's writer put into them",
    )
    replay.add_argument("--json", action="store_true", help="what was read, for scripts")


def run(options: Any) -> int:
    """Replays a recording; returns 0, or 1 where it holds no whole episode.

    Raises:
        CallError: An option breaks its rule, its module cannot be loaded, or `PATH` does not exist.
        TbtraceError: There is no recording, or it is not trusted and has to be.
    """
    from tbtrace.replay.run import replay

    if not options.path.expanduser().exists():
        raise CallError(f"{options.path} does not exist")
    logdir = options.logdir.expanduser()
    if logdir.exists() and not logdir.is_dir():
        raise CallError(f"--logdir {options.logdir} is no directory")
    extract = None if options.extract is None else _function(options.extract)
    with _bar() as advance:
        try:
            done = replay(
                options.path,
                logdir,
                traces=options.trace,
                extract=extract,
                every=options.every,
                trust=options.trust,
                advance=advance,
            )
        except ContractError as error:
            raise CallError(str(error)) from error
    if options.json:
        console.print_json({**dataclasses.asdict(done), "logdir": str(options.logdir)})
    else:
        print(_text(done, options.logdir))
    return 0 if done.episodes else console.fail("there is no whole episode in the recording")


def _text(done: Replayed, logdir: Path) -> str:
    lines = [
        f"{count(done.files, 'file')}, {count(done.episodes, 'whole episode')}, "
        f"{count(done.steps, 'step')}, {count(done.iterations, 'iteration')}"
    ]
    if done.incomplete:
        parts = (f"{number:,} without {what}" for what, number in done.incomplete.items())
        lines.append(f"incomplete episodes, left out: {', '.join(parts)}")
    if done.repeated:
        lines.append(f"recorded more than once, read once: {count(done.repeated, 'fragment')}")
    if done.dropped:
        parts = (f"{number:,} {kind}" for kind, number in done.dropped.items())
        lines.append(f"could not be used: {', '.join(parts)}")
    lines.append(f"Look at it: tbtrace view {logdir}")
    return "\n".join(lines)


@contextmanager
def _bar() -> Iterator[Advance]:
    """Gives what moves a bar on standard error; nothing where that is no terminal."""
    if not sys.stderr.isatty():
        yield lambda read, total: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("replaying", total=None)
        yield lambda read, total: progress.update(task, completed=read, total=total)


def _function(text: str) -> Any:
    """Returns the function that `MODULE:FUNCTION` names, modules of this folder included."""
    module, colon, name = text.partition(":")
    if not (module and colon and name):
        raise CallError(f"--extract {text}: write MODULE:FUNCTION")
    sys.path.insert(0, os.getcwd())
    try:
        function = getattr(importlib.import_module(module), name, None)
    except Exception as error:  # what is in the module may raise anything
        raise CallError(f"--extract {text}: {type(error).__name__}: {error}") from error
    if not callable(function):
        raise CallError(f"--extract {text}: {module} has no function {name}")
    return function
