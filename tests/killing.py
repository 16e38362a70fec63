"""Processes that print what they have done, until they are killed."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path


def start(code: str, printed: Path, *arguments: object) -> subprocess.Popen[bytes]:
    """Starts Python code in a process whose standard output is the file `printed`."""
    with printed.open("wb") as stdout:
        return subprocess.Popen([sys.executable, "-c", code, *map(str, arguments)], stdout=stdout)


def live_and_be_killed(code: str, printed: Path, seconds: float, *arguments: object) -> int:
    """Lets it live for `seconds` after its first line; returns the last number that it printed."""
    process = start(code, printed, *arguments)
    try:
        deadline = time.monotonic() + 120
        while not printed.stat().st_size and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.002)
        time.sleep(seconds)
    finally:
        process.kill()
    assert process.wait() == -signal.SIGKILL
    return int(printed.read_text().split()[-1])
