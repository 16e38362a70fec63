"""What the command line may say; light, so that `tbtrace --help` answers at once."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import tbtrace
from tbtrace.cli import replay
from tbtrace.episode import SPLITS

DEFAULT_STORAGE = Path("~/ray_results")
"""Where Ray Tune keeps experiments unless told otherwise."""

FORMATS = ("csv", "json", "parquet", "npz", "rrd")
LAST = "last"
MOST_ROWS = 20

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

_ABOUT = "Per-episode metrics and trajectory pictures of RLlib runs, in TensorBoard."
_EXAMPLES = """\
first steps:
  tbtrace demo                            train on a plant for two minutes, see what comes out
  tbtrace view DIR                        look at a run in TensorBoard, every picture kept
  tbtrace ls DIR                          what was recorded, iteration by iteration
  tbtrace render DIR --view heatmap --pick best --out best.png
                                          draw recorded episodes again, otherwise
  tbtrace export DIR --format csv         take the recorded points elsewhere
  tbtrace replay PATH --logdir OUT        report what RLlib's offline API recorded
  tbtrace doctor DIR                      what is installed, what TensorBoard will show

DIR is a trial's folder, an experiment's, or any folder above; ls, render and export take
s3:// and gs:// as well. `tbtrace COMMAND --help` tells more about a command.

exit codes: 0 all well, 1 something failed, 2 a wrong call, 130 Ctrl-C, 141 nobody reads on
"""
_RENDER = """\
Draws the episodes that the run's archive (traces/*.parquet) holds, with any view and any options,
in the colours and limits that the run itself would have used.

examples:
  tbtrace render DIR --view paths --out paths.png           the newest iteration's best episode
  tbtrace render DIR --view heatmap --pick best:by=shipped --split evaluation --out best.png
  tbtrace render DIR --view animation --iteration 12 --option trail=40 --out twelve.gif
  tbtrace render DIR --view paths --iteration 10:20 --pick best --pick worst --out pictures/
  tbtrace render DIR --view timeline --out tensorboard      a TensorBoard run beside the old one
  tbtrace render DIR --view mine.py:MyView --out mine.png   a view of your own
"""


def parser() -> argparse.ArgumentParser:
    """Returns the parser of the whole command line.

    Example:
        >>> parser().parse_args(["ls", "run", "--iteration", "3:5"]).iteration
        range(3, 6)
    """
    tool = argparse.ArgumentParser(
        prog="tbtrace",
        description=_ABOUT,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    tool.add_argument("--version", action="version", version=f"tbtrace {tbtrace.__version__}")
    commands = tool.add_subparsers(
        dest="command", required=True, metavar="COMMAND", title="commands"
    )
    for add in (_demo, _view, _ls, _render, _export, replay.add, _doctor):
        add(commands)
    return tool


def _add(commands: Commands, name: str, summary: str, description: str) -> argparse.ArgumentParser:
    return commands.add_parser(
        name,
        help=summary,
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _demo(commands: Commands) -> None:
    demo = _add(
        commands,
        "demo",
        "train PPO on the plant for about two minutes and say where to look",
        "Trains PPO on the plant with Ray Tune: 2 env runners, evaluation, pictures.",
    )
    demo.add_argument(
        "--storage",
        type=Path,
        default=DEFAULT_STORAGE,
        help="folder for the experiment (default: %(default)s)",
    )
    demo.add_argument(
        "--iterations", type=_positive, default=None, help="training iterations at the most"
    )


def _view(commands: Commands) -> None:
    view = _add(
        commands,
        "view",
        "start TensorBoard on a run, every picture kept",
        "Starts TensorBoard with the sampling flags that keep every picture, and opens the\n"
        "browser where there is a display. Ctrl-C ends it.",
    )
    view.add_argument(
        "directory",
        metavar="DIR",
        type=Path,
        nargs="?",
        help=f"trial or experiment folder (default: the newest experiment in {DEFAULT_STORAGE})",
    )
    view.add_argument("--port", type=int, default=None, help="default: 6006, or a free one")
    view.add_argument("--host", default="localhost", help="address to bind (default: %(default)s)")
    view.add_argument("--no-browser", action="store_true", help="do not open the browser")


def _ls(commands: Commands) -> None:
    ls = _add(
        commands,
        "ls",
        "list recorded runs, iterations, episodes, entities, returns",
        "Lists what the archives (traces/*.parquet) below a folder hold.",
    )
    _choosing(ls)
    ls.add_argument("--json", action="store_true", help="every episode, for scripts")
    ls.add_argument(
        "--limit",
        type=_positive,
        metavar="N",
        default=None,
        help=f"the newest N rows of each run (default: {MOST_ROWS}; all with --json)",
    )


def _render(commands: Commands) -> None:
    render = _add(commands, "render", "draw recorded episodes again, with any view", _RENDER)
    _choosing(render, entity=False)
    render.add_argument(
        "--view", required=True, metavar="NAME", help="a view of tbtrace.views, or FILE.py:NAME"
    )
    render.add_argument(
        "--pick",
        action="append",
        metavar="PICK",
        help="best, worst, last, median, best-3 (the third), best:3 (the best three), "
        "best:by=METRIC, every:50; may be repeated (default: the view's, for a FILE its first)",
    )
    render.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="an option of the view; may be repeated; a wrong one lists them all",
    )
    out = "a .png, .apng or .gif file; a folder; or `tensorboard`: a run beside the old one"
    render.add_argument("--out", required=True, metavar="OUT", help=out)


def _export(commands: Commands) -> None:
    export = _add(
        commands,
        "export",
        "write recorded episodes as CSV, JSON, Parquet, NumPy or Rerun file",
        "Writes recorded episodes into one file. csv: a row a point or value; json: a list of\n"
        "episodes; parquet: a row a series (docs/archive.md); npz: arrays for NumPy; rrd: for the\n"
        "Rerun viewer (pip install 'tbtrace[rerun]').",
    )
    _choosing(export)
    export.add_argument("--format", required=True, choices=FORMATS, help="what to write")
    out = "default: tbtrace-export.FORMAT here; - for standard output (csv, json)"
    export.add_argument("--out", metavar="FILE", help=out)


def _doctor(commands: Commands) -> None:
    doctor = _add(
        commands,
        "doctor",
        "what is installed, what TensorBoard will show of DIR, what to fix",
        "Looks at this installation, and at a folder with TensorBoard's eyes. The exit code is 1\n"
        "where something should be fixed.",
    )
    doctor.add_argument("directory", metavar="DIR", type=Path, nargs="?", help="a local folder")
    doctor.add_argument("--json", action="store_true", help="for scripts")


def _choosing(command: argparse.ArgumentParser, entity: bool = True) -> None:
    command.add_argument("directory", metavar="DIR", help="a folder, or s3://..., gs://...")
    command.add_argument(
        "--run", metavar="PATTERN", default=None, help="only runs named so, e.g. 'PPO_*_0000*'"
    )
    command.add_argument("--split", choices=SPLITS, default=None)
    command.add_argument(
        "--iteration",
        type=_iterations,
        metavar="N|A:B|last",
        default=None,
        help="one, from A to B (either may be missing), or each run's newest",
    )
    if entity:
        command.add_argument(
            "--entity", default=None, metavar="NAME", help="only episodes in which it was"
        )


def _positive(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number") from None
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not at least 1")
    return number


def _iterations(text: str) -> range | str:
    if text == LAST:
        return text
    first, colon, last = text.partition(":")
    try:
        start = int(first) if first or not colon else 0
        stop = (int(last) if last else 1 << 62) if colon else start
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not N, A:B or last") from None
    if stop < start:
        raise argparse.ArgumentTypeError(f"{text!r} ends before it begins")
    return range(start, stop + 1)
