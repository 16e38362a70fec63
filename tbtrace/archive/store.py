"""Store: writes each iteration's episodes into the run's archive, whole files only."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from tbtrace.archive import notes, recipe, schema
from tbtrace.archive.retention import Retention
from tbtrace.episode import Episode, Scene

FOLDER = "traces"
_NAME = re.compile(r"(train|evaluation)-(\d{6,})\.(parquet|npz)")
_PACKED = {
    "compression": "zstd",
    "compression_level": 1,
    # Neighbouring numbers share their high bytes: stored byte by byte they pack to a half.
    "use_byte_stream_split": [f"{name}.list.element" for name in ("x", "y", "z", "values")],
    "use_dictionary": ["split", "kind", "group"],
    "write_statistics": False,
}


class Store:
    """The archive of one run, as far as writing goes; used by one thread at a time.

    Args:
        filesystem: A `pyarrow.fs.FileSystem`.
        path: The run's folder on it; the archive is `<path>/traces`.
        kind: `"parquet"`, or `"json"` for the files of the forum's recipe.
        retention: What is kept; everything by default.
    """

    def __init__(
        self, filesystem: Any, path: str, kind: str = "parquet", retention: Retention | None = None
    ) -> None:
        self._filesystem = filesystem
        self._path = path
        self._kind = kind
        self._retention = Retention() if retention is None else retention
        self._scenes: set[str] = set()
        self._folders: set[str] = set()

    def write(self, step: int, episodes: Sequence[Episode]) -> None:
        """Writes the episodes of one iteration, a file for each split that has any.

        Args:
            step: The step of the reported iteration; stands for the iteration of episodes that
                know none, as outside of RLlib.
            episodes: Whole episodes, in the order in which they ended. Their file replaces the one
                of an earlier run through the same iteration.

        Raises:
            OSError: The storage cannot be written.
        """
        if self._kind == "json":
            if episodes:
                folder = self._folder("episode_data")
                self._put(f"{folder}/data-{step:08d}.json", recipe.dump(episodes))
            return
        for split in ("train", "evaluation"):
            of_split = [e for e in episodes if (e.split or "train") == split]
            if of_split:
                name = f"{split}-{of_split[0].iteration or step:06d}"
                self._write_split(f"{self._folder(FOLDER)}/{name}", of_split)
        if self._retention != Retention():
            self._forget_surplus()

    def forget_from(self, iteration: int) -> None:
        """Deletes what an abandoned life of the run wrote: `iteration` and later ones.

        Raises:
            OSError: The storage cannot be written.
        """
        for path, found, _ in self._files():
            if found >= iteration:
                self._filesystem.delete_file(path)

    def _write_split(self, path: str, episodes: Sequence[Episode]) -> None:
        tables = [schema.table(episode) for episode in episodes]
        told = [
            notes.note(episode, rows.num_rows, self._keep_scene(episode.scene))
            for episode, rows in zip(episodes, tables, strict=True)
        ]
        media = {
            f"{i}/{number}/{what}": value
            for i, episode in enumerate(episodes)
            for number, kept in enumerate(episode.media.values())
            for what, value in (
                ("steps", kept.steps),
                *((str(n), array) for n, array in enumerate(kept.values)),
            )
        }
        if media:
            packed = io.BytesIO()
            np.savez_compressed(packed, allow_pickle=False, **media)
            self._put(f"{path}.npz", packed.getvalue())
        written = io.BytesIO()
        about = schema.SCHEMA.with_metadata(notes.footer(told))
        with pq.ParquetWriter(written, about, **_PACKED) as writer:
            for rows in tables:  # a row group each: one episode is read without the others
                if rows.num_rows:
                    writer.write_table(rows.replace_schema_metadata(about.metadata))
        self._put(f"{path}.parquet", written.getvalue())

    def _keep_scene(self, scene: Scene | None) -> str:
        """Writes a background once a run and returns what names it."""
        if scene is None or scene.background is None:
            return ""
        pixels = np.ascontiguousarray(scene.background)
        digest = hashlib.blake2b(pixels.tobytes(), digest_size=8)
        digest.update(repr(pixels.shape).encode())
        key = digest.hexdigest()
        if key not in self._scenes:
            packed = io.BytesIO()
            np.savez_compressed(packed, allow_pickle=False, background=pixels)
            self._put(f"{self._folder(FOLDER)}/scene-{key}.npz", packed.getvalue())
            self._scenes.add(key)
        return key

    def _folder(self, name: str) -> str:
        folder = f"{self._path}/{name}"
        if folder not in self._folders:
            self._filesystem.create_dir(folder, recursive=True)
            self._folders.add(folder)
        return folder

    def _put(self, path: str, content: bytes) -> None:
        """Writes a whole file: other names are given away at once, or objects at their end."""
        if self._filesystem.type_name != "local":
            with self._filesystem.open_output_stream(path) as stream:
                stream.write(content)
            return
        with self._filesystem.open_output_stream(f"{path}.unfinished") as stream:
            stream.write(content)
        self._filesystem.move(f"{path}.unfinished", path)

    def _files(self) -> list[tuple[str, int, int]]:
        """Returns path, iteration and bytes of the archive's files, oldest iteration first."""
        from pyarrow.fs import FileSelector

        selector = FileSelector(f"{self._path}/{FOLDER}", allow_not_found=True)
        infos = self._filesystem.get_file_info(selector)
        matches = [(info, _NAME.fullmatch(info.base_name)) for info in infos]
        files = [(info.path, int(match[2]), info.size) for info, match in matches if match]
        return sorted(files, key=lambda file: (file[1], file[0]))

    def _forget_surplus(self) -> None:
        files = self._files()
        sizes: dict[int, int] = {}
        for _, iteration, size in files:
            sizes[iteration] = sizes.get(iteration, 0) + size
        doomed = self._retention.surplus(sizes)
        for path, iteration, _ in files:
            if iteration in doomed:
                self._filesystem.delete_file(path)
