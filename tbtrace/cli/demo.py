"""`tbtrace demo`: trains, and says where to look."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any

from tbtrace.cli.console import CallError, fail


def run(options: Any) -> int:
    """Trains PPO on the plant; returns the exit code.

    Raises:
        CallError: What the demo needs is not installed.
    """
    print("Loading Ray and RLlib ...", flush=True)
    try:
        from tbtrace import demo
    except ImportError as error:
        raise CallError(f"the demo needs {error.name}: pip install 'tbtrace[demo]'") from error
    storage = options.storage.expanduser().absolute()
    try:
        trial = demo.run(storage, options.iterations or demo.ITERATIONS)
    except RuntimeError as error:
        return fail(str(error))
    directory = shlex.quote(str(trial))
    print(f"Trial directory (scalars, histograms, pictures):\n  {trial}\n")
    print(f"Look at it:\n  {_beside_python('tbtrace')} view {directory}\n")
    print("or, with TensorBoard alone (which keeps 500 pictures a tag in this environment):")
    tensorboard = _beside_python("tensorboard")
    print(f"  {tensorboard} --logdir {directory}")
    return 0


def _beside_python(name: str) -> str:
    """Returns how to call a command of this environment from the current directory."""
    script = Path(sys.executable).with_name(name)
    found = shutil.which(name)
    if found is not None and Path(found) == script:
        return name
    path = os.path.relpath(script)
    return shlex.quote(path if not path.startswith("..") else str(script))
