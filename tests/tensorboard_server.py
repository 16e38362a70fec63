"""A real TensorBoard server for tests, and a small client of its HTTP API.

What TensorBoard's Python readers return is not what its servers show (they purge and sample
differently), and the two loading modes differ from each other: so tests ask a server, in both.

    with serve(logdir, fast=True) as board:
        board.wait_for(lambda: len(board.scalars("run", "loss")) == 10)
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeVar

from tensorboard.data.server_ingester import get_server_binary

T = TypeVar("T")

_START_SECONDS = 120.0
# No proxy of the environment comes between us and 127.0.0.1.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Board:
    """Asks one running server. A run or tag that is not loaded (yet) raises HTTPError.

    Attributes:
        url: Where the server listens, with a slash at the end.
        logdir: What it serves.
        fast: Whether through the data server.
    """

    url: str
    logdir: Path
    fast: bool

    def get(self, path: str, **query: str) -> tuple[bytes, str]:
        """Returns the body and content type of `data/<path>?<query>`."""
        url = f"{self.url}data/{path}?{urllib.parse.urlencode(query)}"
        with _opener.open(url, timeout=60) as response:
            return response.read(), response.headers.get_content_type()

    def json(self, path: str, **query: str) -> Any:
        return json.loads(self.get(path, **query)[0])

    def runs(self) -> list[str]:
        return self.json("runs")

    def tags(self, plugin: str) -> dict[str, dict[str, Any]]:
        """Returns `{run: {tag: what the plugin says of it}}`; the text plugin says nothing."""
        answer = self.json(f"plugin/{plugin}/tags")
        return {
            run: tags if isinstance(tags, dict) else {tag: {} for tag in tags}
            for run, tags in answer.items()
        }

    def scalars(self, run: str, tag: str) -> list[tuple[int, float]]:
        """Returns `(step, value)` in the order in which the server has them."""
        rows = self.json("plugin/scalars/scalars", run=run, tag=tag)
        return [(step, value) for _, step, value in rows]

    def histograms(self, run: str, tag: str) -> list[tuple[int, list[list[float]]]]:
        """Returns `(step, rows of (left, right, count))`."""
        rows = self.json("plugin/histograms/histograms", run=run, tag=tag)
        return [(step, buckets) for _, step, buckets in rows]

    def images(self, run: str, tag: str, sample: int = 0) -> list[tuple[int, bytes, str]]:
        """Returns `(step, encoded picture, content type)`, as the browser gets them."""
        rows = self.json("plugin/images/images", run=run, tag=tag, sample=str(sample))
        return [
            (
                row["step"],
                *self.get(
                    "plugin/images/individualImage", **dict(urllib.parse.parse_qsl(row["query"]))
                ),
            )
            for row in rows
        ]

    def text(self, run: str, tag: str) -> list[tuple[int, str]]:
        """Returns `(step, html)`."""
        rows = self.json("plugin/text/text", run=run, tag=tag)
        return [(row["step"], row["text"]) for row in rows]

    def wait_for(self, predicate: Callable[[], T], timeout: float = 60.0) -> T:
        """Calls `predicate` until it returns something true, and returns that.

        An error of HTTP or of a look-up counts as "not yet": the server has not loaded it all.

        Raises:
            AssertionError: It did not within `timeout` seconds; says what came last.
        """
        deadline = time.monotonic() + timeout
        while True:
            last: object
            try:
                result = predicate()
                if result:
                    return result
                last = result
            except (urllib.error.HTTPError, TimeoutError, LookupError) as error:
                last = error
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {timeout} s; last: {last!r}")
            time.sleep(0.1)


@contextmanager
def serve(
    logdir: str | os.PathLike[str],
    fast: bool,
    samples: str = "images=100000,scalars=100000,histograms=100000",
    flags: Sequence[str] = (),
) -> Iterator[Board]:
    """Runs a TensorBoard server on `logdir`, on a free port of 127.0.0.1, and stops it at the end.

    Args:
        logdir: May be empty at first: the server looks again every second.
        fast: Through the data server (`--load_fast=true`) or TensorBoard's Python reader.
        samples: For `--samples_per_plugin`.
        flags: More of them.

    Raises:
        NoDataServerError: `fast`, and there is no data server for this platform.
        RuntimeError: The server did not start; holds what it printed.
    """
    if fast:
        get_server_binary()
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", os.fspath(logdir)]
    command += ["--host", "127.0.0.1", "--port", "0", "--reload_interval", "1"]
    command += [f"--load_fast={str(fast).lower()}", f"--samples_per_plugin={samples}", *flags]
    with tempfile.TemporaryFile("w+") as log:
        # A session of its own: the signal below reaches the data server too, and nobody else.
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        try:
            yield Board(_wait_for_url(process, log), Path(logdir), fast)
        finally:
            _stop(process)


def _wait_for_url(process: subprocess.Popen[bytes], log: IO[str]) -> str:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        log.seek(0)
        found = re.search(r"TensorBoard \S+ at (http://\S+/)", log.read())
        if found:
            return found[1]
        time.sleep(0.05)
    log.seek(0)
    raise RuntimeError(f"TensorBoard did not start: {log.read()}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return  # Its data server ends with it.
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
