"""`tbtrace replay` on the command line."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from plant_run import Call

SAID = {"tbtrace": {"running": {"v": 1.0}}}


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    batch = {
        "type": "SampleBatch",
        "eps_id": [1, 1, 2, 2, 3],
        "t": [0, 1, 0, 1, 0],
        "rewards": [1.0] * 5,
        "terminateds": [False, True, False, True, False],
        "obs": [[0.0, 1.0]] * 5,
        "new_obs": [[2.0, 3.0]] * 5,
        "infos": [SAID] * 5,
    }
    (tmp_path / "batches.json").write_text(json.dumps(batch))
    source = "def say(moment, info):\n    return {'running': {'x': moment.observation[0]}}\n"
    (tmp_path / "mine.py").write_text(source)
    return tmp_path


def _call(folder: Path, *arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tbtrace", "replay", *arguments]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more}
    return subprocess.run(command, cwd=folder, text=True, timeout=180, check=False, **pipes)


def test_it_reports_and_tells(recording: Path) -> None:
    done = _call(
        recording,
        "batches.json",
        "--logdir=run",
        "--trace=robot=obs[0:2]",
        "--extract=mine:say",
        "--every=1",
        "--json",
    )
    told = json.loads(done.stdout)
    assert done.returncode == 0
    assert (told["episodes"], told["steps"], told["iterations"]) == (2, 4, 2)
    assert told["incomplete"] == {"end": 1}
    assert told["names"] == ["v", "x"]
    assert list((recording / "run" / "traces").glob("*.parquet"))
    assert "lacks the end" in done.stderr
    text = _call(recording, "batches.json", "--logdir=again").stdout
    assert "2 whole episodes, 4 steps, 1 iteration" in text
    assert "1 without end" in text


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("nowhere", "--logdir=run"), 2, "nowhere does not exist"),
        (("batches.json", "--logdir=run", "--trace=robot"), 2, "'robot' says no position"),
        (("batches.json", "--logdir=run", "--every=0"), 2, "'0': write how many"),
        (("batches.json", "--logdir=run", "--extract=mine"), 2, "write MODULE:FUNCTION"),
        (("batches.json", "--logdir=run", "--extract=mine:x"), 2, "mine has no function x"),
        (("batches.json", "--logdir=run", "--extract=none:x"), 2, "No module named 'none'"),
        (("batches.json", "--logdir=mine.py"), 2, "--logdir mine.py is no directory"),
        (("mine.py", "--logdir=run"), 1, "no whole episode"),
    ],
)
@pytest.mark.filterwarnings("ignore:parts of the recording:tbtrace.errors.TbtraceWarning")
def test_errors_are_one_line(
    recording: Path,
    call: Call,
    arguments: tuple[str, ...],
    code: int,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "mine", raising=False)
    done = call("replay", *arguments, cwd=recording)
    assert done.returncode == code
    assert message in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_a_terminal_sees_a_bar(recording: Path) -> None:
    ours, its = pty.openpty()
    done = _call(recording, "batches.json", "--logdir=run", stderr=its)
    os.close(its)
    assert done.returncode == 0
    assert b"replaying" in os.read(ours, 100_000)
    os.close(ours)
