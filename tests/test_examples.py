"""Every example runs, in a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
ARGUMENTS: dict[str, list[str]] = {
    "ant.py": ["1"],
    "highway.py": ["1"],
    "minigrid_keys.py": ["1"],
    "own_env.py": ["2"],
}


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.glob("*.py")))
def test_an_example_runs_and_names_its_run(name: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name), *ARGUMENTS[name]],
        capture_output=True,
        text=True,
        timeout=240,
        env={**os.environ, "HOME": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    named = re.search(r"tbtrace view (\S+)", done.stdout)
    assert named is not None
    assert list(Path(named[1]).glob("events.out.tfevents.*"))
