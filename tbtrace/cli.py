"""The command `tbtrace`."""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import tbtrace

KEEP_EVERY_PICTURE = "images=100000,scalars=100000,histograms=100000,text=1000"
"""For `--samples_per_plugin`: TensorBoard keeps 10 images a tag, and with `images=0` shows none."""

DEFAULT_STORAGE = Path("~/ray_results")
"""Where Ray Tune keeps experiments unless told otherwise."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns the exit code: 0, 1 for a failed run, 2 for a wrong call.

    Args:
        arguments: The command line without the program's name; `sys.argv[1:]` by default.

    Example:
        >>> main(["--version"])
        Traceback (most recent call last):
        SystemExit: 0
    """
    options = _parser().parse_args(arguments)
    try:
        if options.command == "demo":
            return _demo(options.storage, options.iterations)
        return _view(options.directory, options.port, options.host)
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tbtrace",
        description="Per-episode metrics and trajectory pictures of RLlib runs, in TensorBoard.",
    )
    parser.add_argument("--version", action="version", version=f"tbtrace {tbtrace.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    demo = commands.add_parser(
        "demo",
        help="train PPO on the plant for about two minutes and say where to look",
        description="Trains PPO on the plant with Ray Tune: 2 env runners, evaluation, pictures.",
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
    view = commands.add_parser(
        "view",
        help="start TensorBoard on a run, every picture kept",
        description="Starts TensorBoard with the sampling flags that keep every picture.",
    )
    view.add_argument(
        "directory",
        type=Path,
        nargs="?",
        help=f"trial or experiment directory (default: the newest experiment in {DEFAULT_STORAGE})",
    )
    view.add_argument("--port", type=int, default=None, help="default: 6006, or a free one")
    view.add_argument("--host", default="localhost", help="address to bind (default: %(default)s)")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not at least 1")
    return number


def _demo(storage: Path, iterations: int | None) -> int:
    print("Loading Ray and RLlib ...", flush=True)
    try:
        from tbtrace import demo
    except ImportError as error:
        return _fail(f"the demo needs {error.name}: pip install 'tbtrace[demo]'", code=2)
    storage = storage.expanduser().absolute()
    try:
        trial = demo.run(storage, iterations or demo.ITERATIONS)
    except RuntimeError as error:
        return _fail(str(error))
    directory = shlex.quote(str(trial))
    print(f"Trial directory (scalars, histograms, pictures):\n  {trial}\n")
    print(f"Look at it:\n  {_own_name()} view {directory}\n")
    print("or, with TensorBoard alone (it keeps 10 pictures a tag unless told otherwise):")
    print(f"  {_tensorboard_name()} --logdir {directory} --samples_per_plugin images=100000")
    return 0


def _view(directory: Path | None, port: int | None, host: str) -> int:
    if directory is None:
        directory = _newest_experiment(DEFAULT_STORAGE.expanduser())
        if directory is None:
            return _fail(f"there is no experiment in {DEFAULT_STORAGE}; name a directory", code=2)
    directory = directory.expanduser()
    if not directory.is_dir():
        return _fail(f"{directory} is no directory", code=2)
    if not any(directory.rglob("events.out.tfevents.*")):
        print(f"tbtrace: there is no event file below {directory} yet", file=sys.stderr)
    port = _free_port(host) if port is None else port
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(directory)]
    command += ["--host", host, "--port", str(port), "--samples_per_plugin", KEEP_EVERY_PICTURE]
    print(f"TensorBoard on {directory}: http://{host}:{port}/  (Ctrl-C ends it)", flush=True)
    server = subprocess.Popen(command)
    try:
        return server.wait()
    except KeyboardInterrupt:
        # The terminal's Ctrl-C has reached the server as well.
        server.wait(timeout=10)
        return 0
    finally:
        if server.poll() is None:
            server.terminate()


def _newest_experiment(storage: Path) -> Path | None:
    if not storage.is_dir():
        return None
    experiments = [path for path in storage.iterdir() if path.is_dir()]
    return max(experiments, key=lambda path: path.stat().st_mtime, default=None)


def _free_port(host: str) -> int:
    """Returns TensorBoard's own port, or a free one when that is taken."""
    for port in (6006, 0):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise RuntimeError(f"no free port on {host}")


def _own_name() -> str:
    return _command_beside_python("tbtrace")


def _tensorboard_name() -> str:
    return _command_beside_python("tensorboard")


def _command_beside_python(name: str) -> str:
    """Returns how to call a command of this environment from the current directory."""
    script = Path(sys.executable).with_name(name)
    found = shutil.which(name)
    if found is not None and Path(found) == script:
        return name
    path = os.path.relpath(script)
    return shlex.quote(path if not path.startswith("..") else str(script))


def _fail(message: str, code: int = 1) -> int:
    print(f"tbtrace: {message}", file=sys.stderr)
    return code
