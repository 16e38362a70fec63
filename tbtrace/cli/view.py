"""`tbtrace view`: TensorBoard with the right flags, a free port, and a browser."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import webbrowser
from collections.abc import Sequence
from http.client import HTTPException
from pathlib import Path
from typing import Any

from tbtrace.cli.console import CallError, fail
from tbtrace.cli.parser import DEFAULT_STORAGE
from tbtrace.cli.staging import staging_hint

KEEP_EVERY_PICTURE = "images=100000,scalars=100000,histograms=100000,text=1000"
"""For `--samples_per_plugin`: by itself TensorBoard keeps 10 images a tag, with our loader
500, and with `images=0` it shows none."""

TENSORBOARDS_PORT = 6006
ANY_PORT = 0
"""Any free one, for the system."""

_START_SECONDS = 60.0
_END_SECONDS = 10.0
_TERMINATED = 143
"""As a shell tells of a program that SIGTERM has ended."""

_EVERYWHERE = ("0.0.0.0", "::", "")


def run(options: Any) -> int:
    """Serves a folder until Ctrl-C; returns the exit code.

    Raises:
        CallError: There is no such folder.
    """
    directory = options.directory
    if directory is None:
        directory = newest_experiment(DEFAULT_STORAGE.expanduser())
        if directory is None:
            raise CallError(f"there is no experiment in {DEFAULT_STORAGE}; name a directory")
    directory = directory.expanduser()
    if not directory.is_dir():
        raise CallError(f"{directory} is no directory")
    if hint := staging_hint(directory):
        fail(hint)
    elif not any(directory.rglob("events.out.tfevents.*")):
        fail(f"there is no event file below {directory} yet")
    wanted = (TENSORBOARDS_PORT, ANY_PORT) if options.port is None else (options.port,)
    port = free_port(options.host, wanted)
    if port is None:
        return fail(f"TensorBoard did not start: port {options.port} is not free")
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(directory)]
    command += ["--host", options.host, "--port", str(port)]
    command += ["--samples_per_plugin", KEEP_EVERY_PICTURE]
    host = "localhost" if options.host in _EVERYWHERE else options.host
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}/"
    # Else the server would live on when this program is told to end, in the midst of Popen, too.
    told: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: told.append(number))
    server = subprocess.Popen(command)
    try:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(_TERMINATED))
        if told:
            return _TERMINATED
        if not _answers(url, server):
            return fail("TensorBoard did not start")
        print(f"TensorBoard on {directory}: {url}  (Ctrl-C ends it)", flush=True)
        if not options.no_browser and _has_display():
            webbrowser.open(url)
        return server.wait()
    except KeyboardInterrupt:
        # The terminal's Ctrl-C has reached the server as well.
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(timeout=_END_SECONDS)
        return 0
    finally:
        if server.poll() is None:
            server.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.wait(timeout=_END_SECONDS)
        signal.signal(signal.SIGTERM, before)


def newest_experiment(storage: Path) -> Path | None:
    """Returns the folder in `storage` that changed last; None where there is none."""
    if not storage.is_dir():
        return None
    experiments = [path for path in storage.iterdir() if path.is_dir()]
    return max(experiments, key=lambda path: path.stat().st_mtime, default=None)


def free_port(host: str, wanted: Sequence[int] = (TENSORBOARDS_PORT, ANY_PORT)) -> int | None:
    """Returns the first of the wanted ports that is free, `ANY_PORT` as its number; or None.

    Raises:
        CallError: There is no such address here, or no port of that number.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET  # as TensorBoard decides
    for port in wanted:
        try:
            with socket.create_server((host, port), family=family) as probe:
                return int(probe.getsockname()[1])
        except OverflowError:
            raise CallError(f"--port {port} is beyond 65535") from None
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise CallError(f"--host {host}: {error.strerror or error}") from error
    return None


def _answers(url: str, server: subprocess.Popen[bytes]) -> bool:
    """Waits until the server answers; returns whether it does."""
    # No proxy of the environment comes between us and it.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + _START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        try:
            with opener.open(url, timeout=5):
                # Another program may have the port, and answer instead.
                return server.poll() is None
        except urllib.error.HTTPError:
            return server.poll() is None
        except (OSError, HTTPException):
            time.sleep(0.1)
    return False


def _has_display() -> bool:
    """Tells whether a browser would be seen; without a display a text browser would start."""
    if sys.platform in ("darwin", "win32"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
