"""A storage that fails, hangs, and counts what is written to it, for tests of who writes there."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from pyarrow.fs import LocalFileSystem


class Storage:
    """A local folder that raises while it is `broken`, and hangs while `goes_on` is not set.

    Attributes:
        broken: Whether everything raises an `OSError`.
        goes_on: Everything waits for it; set it at the end, else a thread is left.
        written: The names of the files that were opened for writing.
    """

    def __init__(self) -> None:
        self._local = LocalFileSystem()
        self.broken = False
        self.goes_on = threading.Event()
        self.goes_on.set()
        self.written: list[str] = []

    def __getattr__(self, name: str) -> Any:
        self.goes_on.wait()
        if self.broken:
            raise OSError("the storage is away")
        return getattr(self._local, name)

    def open_output_stream(self, path: str) -> Any:
        stream = self.__getattr__("open_output_stream")(path)
        self.written.append(Path(path).name)
        return stream
