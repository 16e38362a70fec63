"""Every example runs, in a process of its own."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from test_loops import LOOPS
from test_trackers import TRACKERS

EXAMPLES = Path(__file__).parents[1] / "examples"
ARGUMENTS: dict[str, list[str]] = {
    "ant.py": ["1"],
    "highway.py": ["1"],
    "minigrid_keys.py": ["1"],
    "own_env.py": ["1"],
    "own_view.py": ["1"],
}
ELSEWHERE = {"gallery.py", *LOOPS, *TRACKERS}
"""Examples that have tests of their own."""


def test_every_example_is_tested() -> None:
    assert {path.name for path in EXAMPLES.glob("*.py")} == {*ARGUMENTS, *ELSEWHERE}


# Two that train under Tune take 20 s each: one of them shows that users' own files do. So does
# minigrid_keys.py of what records environments as they are.
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(n, marks=pytest.mark.slow if n in {"highway.py", "ant.py"} else ())
        for n in sorted(ARGUMENTS)
    ],
)
def test_an_example_runs_and_names_its_run(name: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name), *ARGUMENTS[name]],
        capture_output=True,
        text=True,
        timeout=600,
        env={**os.environ, "HOME": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    named = re.search(r"tbtrace view (\S+)", done.stdout)
    assert named is not None
    assert list(Path(named[1]).glob("events.out.tfevents.*"))


@pytest.mark.parametrize("name", ["ant.py", "highway.py", "minigrid_keys.py"])
def test_recording_a_strangers_environment_takes_at_most_ten_lines(name: str) -> None:
    text = (EXAMPLES / name).read_text()
    looks = [
        node.end_lineno - node.lineno + 1
        for node in ast.parse(text).body
        if isinstance(node, ast.FunctionDef) and node.name == "look" and node.end_lineno
    ]
    recorders = [
        line for line in text.splitlines() if re.search("RecordTraces|EpisodeRecorder|FEET =", line)
    ]
    assert len(looks) == 1
    assert recorders
    assert looks[0] + len(recorders) <= 10
