"""`tbtrace view`: TensorBoard with every picture, and a browser where one would be seen."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tbtrace
from tbtrace.cli import view
from tbtrace.shelf import POINTER

PICTURES = 15  # more than TensorBoard keeps of its own accord


def test_the_newest_experiment_is_the_default(tmp_path: Path) -> None:
    for index, name in enumerate(("b", "c", "a")):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (index, index))
    (tmp_path / "file").touch()
    assert view.newest_experiment(tmp_path) == tmp_path / "a"
    assert view.newest_experiment(tmp_path / "none") is None


def test_a_taken_port_is_passed_over() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        try:
            taken6006 = socket.create_server(("127.0.0.1", 6006))
        except OSError:
            taken6006 = None  # somebody else has it, which serves as well
        assert view.free_port("127.0.0.1") not in (6006, taken.getsockname()[1])
        assert view.free_port("127.0.0.1", taken.getsockname()[1:]) is None
        if taken6006 is not None:
            taken6006.close()


def test_an_address_of_ipv6() -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 here")
    assert view.free_port("::1", [0])


def wait_for(file: Path) -> None:
    """Waits until something is written in a file."""
    deadline = time.monotonic() + 120
    while not (file.exists() and file.stat().st_size):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def port_of_nobody() -> int:
    """A free port that the system gives to nobody who asks for any, as it may in the meantime."""
    for port in random.Random(os.getpid()).sample(range(12_000, 30_000), 100):
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port
    raise AssertionError("no port is free")


_VIEWS = """
import pathlib, sys
from tbtrace.cli import main, view
sys.executable = sys.argv[2]
view._answers = lambda url, server: pathlib.Path(sys.argv[3]).write_text(url) > 0
sys.exit(main(["view", sys.argv[1], "--no-browser"]))
"""


def test_the_server_ends_with_who_is_told_to_end(tmp_path: Path) -> None:
    server, said, asked = tmp_path / "server", tmp_path / "pid", tmp_path / "asked"
    server.write_text(f"#!/bin/sh\necho $$ > {said}.new\nmv {said}.new {said}\nexec sleep 60\n")
    server.chmod(0o755)
    viewer = subprocess.Popen(
        [sys.executable, "-c", _VIEWS, str(tmp_path), str(server), str(asked)],
        stdout=subprocess.DEVNULL,
    )
    for file in (said, asked):  # the server is there, and whoever started it knows it
        wait_for(file)
    viewer.send_signal(signal.SIGTERM)
    assert viewer.wait(timeout=60) == 143
    with pytest.raises(ProcessLookupError):
        os.kill(int(said.read_text()), 0)


_TOLD_WHILE_IT_STARTS = """
import os, signal, subprocess, sys
from tbtrace.cli import main, view

class Started(subprocess.Popen):
    def __init__(self, command):
        super().__init__(["sleep", "300"])
        print(self.pid, flush=True)
        os.kill(os.getpid(), signal.SIGTERM)

view.subprocess.Popen = Started
sys.exit(main(["view", sys.argv[1], "--no-browser"]))
"""


def test_the_server_ends_also_with_who_is_told_to_end_while_it_starts(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _TOLD_WHILE_IT_STARTS, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 143
    with pytest.raises(ProcessLookupError):
        os.kill(int(done.stdout), 0)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run of more pictures than TensorBoard keeps."""
    reporter = tbtrace.RunReporter(tmp_path / "run")
    steps = np.arange(3, dtype=np.int32)
    for step in range(1, PICTURES + 1):
        trace = tbtrace.Trace(steps, np.array([(0.0, 0.0), (step, 1.0), (9.0, step)]))
        episode = tbtrace.Episode("a", 3, 1.0, traces={"cars": {"a": trace}}, iteration=step)
        reporter.report(step, {"loss": 1.0 / step}, [episode])
        reporter.flush()
    reporter.close()
    return tmp_path / "run"


def test_view_serves_every_picture_and_ends_on_ctrl_c(run: Path) -> None:
    port = port_of_nobody()
    command = [sys.executable, "-m", "tbtrace", "view", str(run), "--host", "127.0.0.1"]
    # A browser that writes down what it is told to open, and a display.
    browser = run.parent / "browser"
    browser.write_text(f"#!/bin/sh\necho $1 > {run.parent}/opened\n")
    browser.chmod(0o755)
    viewer = subprocess.Popen(
        [*command, "--port", str(port)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "DISPLAY": ":9", "BROWSER": f"{browser} %s"},
    )
    try:
        assert viewer.stdout is not None
        assert f"http://127.0.0.1:{port}/" in viewer.stdout.readline()
        url = f"http://127.0.0.1:{port}/data/plugin/images/images"
        url += "?run=.&tag=traces/paths/train/best&sample=0"
        # No proxy of the environment comes between us and 127.0.0.1.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        deadline = time.monotonic() + 120
        pictures: list[object] = []
        while len(pictures) < PICTURES and time.monotonic() < deadline:
            time.sleep(0.3)
            try:
                with opener.open(url, timeout=30) as answer:
                    pictures = json.load(answer)
            except OSError:
                continue
        assert len(pictures) == PICTURES
        wait_for(run.parent / "opened")
        assert (run.parent / "opened").read_text() == f"http://127.0.0.1:{port}/\n"
    finally:
        # What a terminal does on Ctrl-C: the whole process group is told.
        os.killpg(viewer.pid, signal.SIGINT)
        assert viewer.wait(timeout=60) == 0


def test_the_browser_stays_shut_without_a_display(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert not view._has_display()
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    assert view._has_display()


def test_a_server_that_does_not_start_is_a_failure(call: Any, tmp_path: Path) -> None:
    staging = tmp_path / "staging"
    staging.mkdir()
    (staging / POINTER).write_text(json.dumps({"staging": str(staging), "storage": "s3://b/run"}))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = call("view", staging, "--host", "127.0.0.1", "--port", port, "--no-browser")
    assert done.returncode == 1
    assert "the run is in its storage path: s3://b/run" in done.stderr
    assert "TensorBoard did not start" in done.stderr
