"""Where `tbtrace render` puts pictures: one file, a folder, or a TensorBoard run."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Protocol

from PIL import Image

from tbtrace.cli.console import CallError, count
from tbtrace.cli.selection import Run
from tbtrace.errors import Problems, TbtraceError
from tbtrace.events import summary
from tbtrace.events.log import EventLog
from tbtrace.plan import Planned
from tbtrace.views import Picture

TENSORBOARD = "tensorboard"
_SUFFIXES = (".png", ".apng", ".gif")


class Gallery(Protocol):
    """Takes pictures, and says at the end where they are."""

    def put(self, run: Run, iteration: int, planned: Planned, picture: Picture) -> None:
        """Takes one picture."""
        ...

    def close(self) -> str:
        """Finishes and returns where the pictures are."""
        ...


def gallery(out: str) -> Gallery:
    """Returns the gallery that `--out` means.

    Raises:
        CallError: It is a file of another kind.
    """
    if out == TENSORBOARD:
        return Board()
    path = Path(out).expanduser()
    if out.endswith("/") or path.is_dir() or not path.suffix:
        return Folder(path)
    if path.suffix.lower() not in _SUFFIXES:
        raise CallError(f"--out {out}: give a {', '.join(_SUFFIXES)}, a folder, or {TENSORBOARD}")
    if not path.parent.is_dir():
        raise CallError(f"--out {out}: there is no folder {path.parent}")
    return OneFile(path)


class OneFile:
    """One picture in one file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._taken: tuple[str, Picture] | None = None

    def put(self, run: Run, iteration: int, planned: Planned, picture: Picture) -> None:
        """Takes the picture.

        Raises:
            CallError: It is the second one.
        """
        name = f"{planned.tag} of iteration {iteration}, run {run.name}"
        if self._taken is not None:
            raise CallError(
                f"--out {self._path} takes one picture, but there are {self._taken[0]}, and {name}:"
                " choose by --run, --iteration, --split and --pick, or name a folder"
            )
        self._taken = name, picture

    def close(self) -> str:
        """Writes the file, GIF through Pillow."""
        if self._taken is None:
            return ""
        name, picture = self._taken
        data = gif(picture.png) if self._path.suffix.lower() == ".gif" else picture.png
        self._path.write_bytes(data)
        return f"{self._path}: {name}"


class Folder:
    """A file a picture: `[<run>/]<view>-<split>-<pick>-<iteration>.png`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._count = 0

    def put(self, run: Run, iteration: int, planned: Planned, picture: Picture) -> None:
        """Writes the picture's file, over one of an earlier call."""
        _, *parts = planned.tag.split("/")
        folder = self._path / run.name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{'-'.join(parts)}-{iteration:06d}.png").write_bytes(picture.png)
        self._count += 1

    def close(self) -> str:
        """Says how many there are."""
        return f"{self._path}: {count(self._count, 'picture')}"


class Board:
    """A TensorBoard run in the folder of each run, `tbtrace-render-<view>`."""

    def __init__(self) -> None:
        self._logs: dict[str, EventLog] = {}
        self._problems = Problems()
        self._count = 0

    def put(self, run: Run, iteration: int, planned: Planned, picture: Picture) -> None:
        """Writes the picture at the step of its iteration; replaces those of an earlier call.

        Raises:
            CallError: The run is not on this machine.
        """
        log = self._logs.get(run.name)
        if log is None:
            if run.local is None:
                raise CallError(f"--out {TENSORBOARD}: {run.path} is not here; name a folder")
            folder = run.local / f"tbtrace-render-{planned.view.name.replace('/', '-')}"
            log = self._logs[run.name] = EventLog(folder, self._problems)
            log.restart(iteration)
        title = planned.tag.removeprefix("traces/").replace("/", " · ")
        files, sizes = [picture.png], (picture.width, picture.height)
        log.add(
            summary.image(iteration, planned.tag, files, *sizes, title, str(picture.description))
        )
        log.flush()
        self._count += 1

    def close(self) -> str:
        """Closes the event files and says where they are.

        Raises:
            TbtraceError: Some could not be written.
        """
        for log in self._logs.values():
            log.close()
        if lost := self._problems.take().get("records"):
            raise TbtraceError(f"{count(lost, 'record')} could not be written")
        folders = ", ".join(str(log.directory) for log in self._logs.values())
        return f"{folders}: {count(self._count, 'picture')}"


def gif(png: bytes) -> bytes:
    """Returns a PNG file, animated or not, as a GIF with the same frames and durations."""
    written = io.BytesIO()
    with Image.open(io.BytesIO(png)) as picture:
        picture.save(written, "GIF", save_all=True, loop=0)
    return written.getvalue()
