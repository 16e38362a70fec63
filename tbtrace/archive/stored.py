"""Stored: one episode of an archive, of which only the footer has been read."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa
from pyarrow import fs

from tbtrace.archive import files, media, notes, rows, schema
from tbtrace.archive.notes import Note
from tbtrace.archive.spelling import spell
from tbtrace.episode import Episode
from tbtrace.select import EpisodeSummary


@dataclass(frozen=True, slots=True)
class Stored:
    """One episode of an archive, known from its file's footer; `load` reads the rest.

    Attributes:
        run: The run's folder, relative to what was opened; `"."` for itself.
        split: `"train"` or `"evaluation"`.
        iteration: The training iteration.
        path: The file that holds it, on the file system that was opened.
        summary: What selectors look at.
        note: All that the footer says.
    """

    run: str
    split: str
    iteration: int
    path: str
    summary: EpisodeSummary
    note: Note = field(repr=False)
    _index: int = field(repr=False)
    _row_group: int | None = field(repr=False)
    _filesystem: fs.FileSystem = field(repr=False)

    @property
    def groups(self) -> Mapping[str, int]:
        """How many entities each group has."""
        groups: Mapping[str, int] = self.note["groups"]
        return groups

    def rows(self) -> pa.Table:
        """Reads the episode's rows, as docs/archive.md describes them.

        Raises:
            ArchiveError: Its file cannot be read, or was written again since it was listed.
        """
        row_group = self._row_group
        if row_group is None:
            return schema.SCHEMA.empty_table()
        return files.tried(
            self.path,
            lambda: files.read_rows(self._filesystem, self.path, row_group, self.note),
        )

    def load(self) -> Episode:
        """Reads the whole episode.

        Raises:
            ArchiveError: One of its files cannot be read, or was written again since it was listed.
        """
        table = self.rows()
        return files.tried(self.path, lambda: self._loaded(table))  # type: ignore[no-any-return]

    def bare(self, scene: bool = False) -> Stored:
        """Returns the same episode so that it loads without media, which take most of the time.

        Args:
            scene: Whether it loads with its scene.
        """
        note = {**self.note, "media": {}}
        return replace(self, note=note if scene else {**note, "scene": None})

    def has(self, entity: str) -> bool:
        """Tells whether the episode has a trace of this name; reads the names.

        Raises:
            ArchiveError: Its file cannot be read.
        """
        row_group = self._row_group
        if row_group is None:
            return False
        return spell(entity) in files.tried(
            self.path, lambda: files.read_entities(self._filesystem, self.path, row_group)
        )

    def _loaded(self, table: pa.Table) -> Episode:
        episode = rows.episode(table, self.note)
        counts = self.note["media"]
        if counts:
            path = f"{self.path.removesuffix('.parquet')}.npz"
            episode.media = files.tried(path, lambda: self._media(path, counts))
        scene = self.note.get("scene")
        if scene is not None:
            key = scene["background"]
            episode.scene = notes.scene(scene, self._background(key) if key else None)
        return episode

    def _media(self, path: str, counts: Mapping[str, int]) -> Any:
        content = files.read_npz(self._filesystem, path, self.note["npz"])
        return media.unpacked(content, self._index, counts)

    def _background(self, key: str) -> Any:
        path = files.scene_file(os.path.dirname(self.path), key)
        return files.tried(path, lambda: files.read_background(self._filesystem, path, key))
