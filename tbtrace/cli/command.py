"""Runs a command line: exit codes, one-line errors, quiet ends."""

from __future__ import annotations

import importlib
import os
import sys
import warnings
from collections.abc import Sequence
from typing import Any

from tbtrace.cli.console import CallError, fail, line
from tbtrace.cli.parser import parser
from tbtrace.errors import TbtraceError, TbtraceWarning

_INTERRUPTED = 130
_PIPE_BROKEN = 141
"""As a shell tells of a program that SIGPIPE has ended."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns the exit code.

    It is 0 where all went well, 1 where something failed, 2 for a wrong call, 130 after Ctrl-C and
    141 where nobody reads the output any more. Errors are one line on standard error.

    Args:
        arguments: The command line without the program's name; `sys.argv[1:]` by default.

    Raises:
        SystemExit: As argparse does, after `--help`, `--version` and a wrong call.

    Example:
        >>> main(["--version"])
        Traceback (most recent call last):
        SystemExit: 0
    """
    options = parser().parse_args(arguments)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always", TbtraceWarning)
            warnings.showwarning = _told(warnings.showwarning)
            # Each command loads what it needs, and no more: `ls` must not wait for Ray.
            command = importlib.import_module(f"tbtrace.cli.{options.command}")
            code: int = command.run(options)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        # Else Python would complain about what it cannot write at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _PIPE_BROKEN
    except CallError as error:
        return fail(str(error), code=2)
    except (TbtraceError, OSError) as error:
        return fail(str(error))
    except ImportError as error:
        return fail(f"{options.command} needs {error.name}, which cannot be loaded: {error}")


def _told(otherwise: Any) -> Any:
    """Returns how to show warnings: ours as one line, others as before."""

    def show(message: Warning | str, category: type[Warning], *rest: Any, **more: Any) -> None:
        if issubclass(category, TbtraceWarning):
            # In one piece: threads that read warn as well.
            sys.stderr.write(f"{line(str(message))}\n")
        else:
            otherwise(message, category, *rest, **more)

    return show
