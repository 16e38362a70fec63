"""Shelf: brings a trial's sealed event files to its storage path, once, and checks that they are.

Tune copies its staging folder *in full* to the storage path every ten seconds, and it may be in the
middle of that when a file is sealed. So a sealed file is moved out of the staging folder, then
uploaded, and kept until it was found whole in the storage path later: an older, shorter copy that
Tune was writing at that time is written over.
"""

from __future__ import annotations

import json
import shutil
import socket
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tbtrace.errors import Problems
from tbtrace.events.file import newest_seconds
from tbtrace.worker import Worker

POINTER = "tbtrace-run.json"
"""A file in the staging folder and in the storage path that says where each of them is."""

_KEPT_SECONDS = 300.0
_LOOK_SECONDS = 10.0
_EVENTS = "events.out.tfevents."


class Shelf:
    """The storage path of one trial, as far as its event files go.

    Nothing here raises but `seal`, and nobody waits for the storage longer than stated: a thread
    speaks to it. What cannot be stored is named once, stays on this machine, and is tried again
    with the next file, at the end, and by the next session of the trial on this machine.

    Args:
        staging: The folder that the live event file is in, `<...>/driver_artifacts/<trial>`.
        filesystem: The `pyarrow.fs.FileSystem` of the storage path.
        path: The trial's folder on it.
        uri: What a user calls that folder.
        problems: Where each failure to store is counted (`"records"`).

    Attributes:
        uri: As given.
    """

    def __init__(
        self, staging: Path, filesystem: Any, path: str, uri: str, problems: Problems
    ) -> None:
        self.uri = uri
        self._staging = staging
        # Beside what Tune copies, on the same disk.
        self._sealed = staging.parent.parent / "tbtrace_sealed" / staging.name
        self.filesystem = filesystem
        self.path = path
        self._problems = problems
        # Only the uploader's thread changes the first two, only the writer's the third.
        self._files: dict[Path, float | None] = {}
        """Files that storage may lack, and when they were sealed; None: not ours to remove."""
        self._newest_stored = 0
        self._newest_sealed = 0
        self._known = False
        self._answered = threading.Event()
        self._answered.set()
        self._patience = _LOOK_SECONDS
        self._uploader = Worker("tbtrace-uploader", self._failed)

    def prepare(self) -> int:
        """Looks what the trial has already; called before each new file.

        The first call waits up to 10 s for the storage. What an earlier, killed process of this
        machine wrote and Tune did not copy any more is uploaded then.

        Returns:
            The newest time that a name of an event file of the trial begins with.
        """
        if self._answered.is_set() and not self._known:
            self._answered.clear()
            self._uploader.put(self._look)
        if not self._answered.wait(self._patience):
            self._patience = 0.0
            self._problems.add_quietly(
                "records",
                f"look {self.uri}",
                f"{self.uri} does not answer; event files are kept in {self._staging} and "
                f"{self._sealed} until it does",
                count=0,
            )
        return max(self._newest_stored, self._newest_sealed)

    def seal(self, path: Path) -> None:
        """Takes a file that will not be written any more; returns before it is stored.

        Raises:
            OSError: The file cannot be moved out of the staging folder.
        """
        self._sealed.mkdir(parents=True, exist_ok=True)
        moved = path.replace(self._sealed / path.name)
        self._newest_sealed = max(self._newest_sealed, newest_seconds([path.name]))
        now = time.monotonic()
        self._uploader.put(lambda: self._store({moved: now}))

    def complete(self, live: Path | None) -> None:
        """Makes the storage path whole, when nobody else copies to it any more; returns at once.

        Args:
            live: The last event file, which is in the staging folder; None: nothing was written.
        """
        if live is not None:
            self._uploader.put(lambda: self._finish(live))

    def close(self, timeout: float) -> None:
        """Waits up to `timeout` seconds for the files, and says where they are otherwise."""
        if not self._uploader.stop(timeout) or self._files:
            self._problems.add_quietly(
                "records",
                f"store {self.uri}",
                f"{self.uri} has not taken all event files; what is missing is in {self._staging} "
                f"and {self._sealed}, and is stored when the run is restored on this machine",
            )

    def _finish(self, live: Path) -> None:
        self._store({live: None}, final=True)
        self._store({}, final=True)  # finds whole what the first one uploaded

    def _store(self, more: Mapping[Path, float | None], final: bool = False) -> None:
        """Uploads what is missing or short, and forgets what was found whole."""
        self._files.update(more)
        if not self._files:
            return
        sizes = self._stored_sizes()
        for path, since in list(self._files.items()):
            size = path.stat().st_size if path.exists() else 0
            if sizes.get(path.name, 0) < size:
                try:
                    self._upload(path)
                except Exception as error:  # the next file may have better luck
                    self._failed(error)
            elif since is None:
                del self._files[path]
            elif final or time.monotonic() - since > _KEPT_SECONDS:
                del self._files[path]
                path.unlink(missing_ok=True)

    def _stored_sizes(self) -> dict[str, int]:
        from pyarrow.fs import FileSelector

        selector = FileSelector(self.path, allow_not_found=True)
        files = self.filesystem.get_file_info(selector)
        return {file.base_name: file.size for file in files if file.is_file}

    def _upload(self, path: Path) -> None:
        self.filesystem.create_dir(self.path, recursive=True)
        target = f"{self.path}/{path.name}"
        with path.open("rb") as local, self.filesystem.open_output_stream(target) as stored:
            shutil.copyfileobj(local, stored, 1 << 20)

    def _look(self) -> None:
        try:
            sizes = self._stored_sizes()
            missing = [
                file
                for folder in self._earlier_folders(sizes)
                for file in folder.glob(f"{_EVENTS}*")
                if file.stat().st_size > sizes.get(file.name, 0)
            ]
            self._newest_stored = newest_seconds([*sizes, *(file.name for file in missing)])
            self._known = True
        finally:
            self._answered.set()
        self._leave_pointer(missing)
        self._store(dict.fromkeys(missing))

    def _earlier_folders(self, sizes: Mapping[str, int]) -> list[Path]:
        """Returns where earlier processes of this machine have left files of the trial."""
        if POINTER not in sizes:
            return []
        with self.filesystem.open_input_stream(f"{self.path}/{POINTER}") as stream:
            content = stream.read()
        try:
            places = json.loads(content)
            folders = [places["staging"], places["sealed"], *places["earlier"]]
            if places["host"] != socket.gethostname():
                return []
        except (ValueError, KeyError, TypeError) as error:  # torn, or not ours
            self._failed(error)
            return []
        return [folder for folder in map(Path, folders) if folder != self._staging]

    def _leave_pointer(self, missing: list[Path]) -> None:
        self._staging.mkdir(parents=True, exist_ok=True)
        places = {
            "host": socket.gethostname(),
            "storage": self.uri,
            "staging": str(self._staging),
            "sealed": str(self._sealed),
            "earlier": sorted({str(file.parent) for file in missing}),
        }
        pointer = self._staging / POINTER
        pointer.write_text(json.dumps(places, indent=2) + "\n")
        self._upload(pointer)  # now: a process may be killed before Tune's next copy

    def _failed(self, error: Exception) -> None:
        self._problems.add_error("records", f"storing event files in {self.uri}", error)
