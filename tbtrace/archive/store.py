"""Store: writes each iteration's episodes into the run's archive, whole files only."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from tbtrace.archive import files, media, notes, recipe, schema
from tbtrace.archive.checksum import checksum
from tbtrace.archive.retention import Retention
from tbtrace.episode import SPLITS, Episode, Scene, split_of
from tbtrace.errors import Problems

FOLDER = "traces"
RECIPE_FOLDER = "episode_data"
_UNFINISHED = ".unfinished"
_NAME = re.compile(
    r"(?:(?:train|evaluation)-([0-9]{6,})\.(?:parquet|npz)|data-([0-9]{8,})\.json"
    rf"|scene-([0-9a-f]{{16}})\.npz)({re.escape(_UNFINISHED)})?"
)
_PACKED = {
    "compression": "zstd",
    "compression_level": 5,  # to 1: a tenth more time, 1 to 8 % fewer bytes; beyond 9 it gets slow
    "column_encoding": {
        # Neighbouring numbers share their high bytes: stored byte by byte they pack better.
        **{f"{name}.list.element": "BYTE_STREAM_SPLIT" for name in ("x", "y", "z", "values")},
        "step.list.element": "DELTA_BINARY_PACKED",  # steps count up
    },
    "use_dictionary": ["split", "kind", "group"],
    "write_statistics": False,
    "write_page_checksum": True,
}


class Store:
    """The archive of one run, as far as writing goes; used by one thread at a time.

    Args:
        filesystem: A `pyarrow.fs.FileSystem`.
        path: The run's folder on it; the archive is `<path>/traces`, or `<path>/episode_data`.
        kind: `"parquet"`, or `"json"` for the files of the forum's recipe.
        retention: What is kept; everything by default.
        problems: Where media that cannot be kept are counted (`"values"`).
    """

    def __init__(
        self,
        filesystem: Any,
        path: str,
        kind: str = "parquet",
        retention: Retention | None = None,
        problems: Problems | None = None,
    ) -> None:
        self._filesystem = filesystem
        self._folder = f"{path}/{FOLDER if kind == 'parquet' else RECIPE_FOLDER}"
        self._kind = kind
        self._retention = Retention() if retention is None else retention
        self._problems = Problems() if problems is None else problems
        self._made = False
        self._abandoned: int | None = None
        self._written: set[str] = set()
        self._needed: dict[str, set[str]] = {}
        """The keys of the backgrounds that each Parquet file needs."""

    def write(self, iteration: int, episodes: Sequence[Episode]) -> None:
        """Writes the episodes of one iteration, a file for each split that has any.

        Args:
            iteration: The reported iteration; it names the files, and stands for the iteration of
                episodes that know none, as outside of RLlib.
            episodes: Whole episodes, in the order in which they ended. Their files replace those of
                an earlier run through the same iteration.

        Raises:
            OSError: The storage cannot be written.
        """
        self._forget_abandoned()
        if episodes and not self._made:
            self._filesystem.create_dir(self._folder, recursive=True)
            self._made = True
        kept = [self._storable(episode, iteration) for episode in episodes]
        if self._kind == "json":
            if kept:
                self._put(f"{self._folder}/data-{iteration:08d}.json", recipe.dump(kept))
            return
        for split in SPLITS:
            of_split = [episode for episode in kept if split_of(episode) == split]
            if of_split:
                self._write_file(f"{self._folder}/{split}-{iteration:06d}", of_split)

    def keep_context(self, content: bytes) -> None:
        """Writes what lasts over the run's iterations.

        Raises:
            OSError: The storage cannot be written.
        """
        self._put(f"{self._folder}/{files.CONTEXT}", content)

    def context(self, most_bytes: int) -> bytes | None:
        """Returns what was kept by `keep_context`, also in an earlier life of the run.

        Args:
            most_bytes: So many are read, and one more of a larger file.

        Raises:
            OSError: The storage cannot be read.
        """
        return files.read_context(self._filesystem, self._folder, most_bytes)

    def forget_from(self, iteration: int) -> None:
        """Deletes what an abandoned life of the run wrote: `iteration` and later ones.

        So are files that it left unfinished. What cannot be deleted now is before the next write.

        Raises:
            OSError: The storage cannot be written.
        """
        self._abandoned = iteration
        self._forget_abandoned()

    def tidy(self) -> None:
        """Deletes what retention does not keep.

        Raises:
            OSError: The storage cannot be written.
        """
        if self._retention == Retention():
            return
        found = self._files()
        sizes: dict[int, int] = {}
        for info, match in found:
            if (iteration := _iteration(match)) is not None:
                sizes[iteration] = sizes.get(iteration, 0) + info.size
        doomed = self._retention.surplus(dict(sorted(sizes.items())))
        if not doomed:
            return
        for info, match in found:
            if _iteration(match) in doomed:
                self._filesystem.delete_file(info.path)
                self._needed.pop(info.path, None)
        self._forget_scenes([each for each in found if _iteration(each[1]) not in doomed])

    def _storable(self, episode: Episode, iteration: int) -> Episode:
        kinds = media.STORED if self._kind == "parquet" else recipe.STORED
        kept, lost = media.storable(episode.media, kinds)
        for name in lost:
            self._problems.add_quietly(
                "values",
                f"archive media {name}",
                f"media {name!r} holds what the archive ({self._kind}) has no type for; it is left "
                "out of it: give arrays of numbers",
            )
        return dataclasses.replace(
            episode,
            media=kept,
            split=split_of(episode),
            iteration=episode.iteration or iteration,
        )

    def _write_file(self, path: str, episodes: Sequence[Episode]) -> None:
        npz = media.packed(episodes)
        if npz:
            self._put(f"{path}.npz", npz)
        tables = [schema.table(episode) for episode in episodes]
        keys = [self._keep_scene(episode.scene) for episode in episodes]
        digest = media.digest(npz)
        told = [
            notes.note(episode, rows.num_rows, checksum(rows), digest, key)
            for episode, rows, key in zip(episodes, tables, keys, strict=True)
        ]
        written = io.BytesIO()
        about = schema.SCHEMA.with_metadata(notes.footer(told))
        with pq.ParquetWriter(written, about, **_PACKED) as writer:
            for rows in tables:  # a row group each: one episode is read without the others
                if rows.num_rows:
                    writer.write_table(rows.replace_schema_metadata(about.metadata))
        self._put(f"{path}.parquet", written.getvalue())
        self._needed[f"{path}.parquet"] = set(keys)

    def _keep_scene(self, scene: Scene | None) -> str:
        """Writes a background, once, and returns what names it."""
        if scene is None or scene.background is None:
            return ""
        key = files.scene_key(scene.background)
        if key not in self._written:
            packed = io.BytesIO()
            np.savez_compressed(packed, background=scene.background)
            self._put(files.scene_file(self._folder, key), packed.getvalue())
            self._written.add(key)
        return key

    def _put(self, path: str, content: bytes) -> None:
        """Writes a whole file: other names are given away at once, or objects at their end."""
        if self._filesystem.type_name != "local":
            with self._filesystem.open_output_stream(path) as stream:
                stream.write(content)
            return
        unfinished = f"{path}{_UNFINISHED}"
        try:
            with self._filesystem.open_output_stream(unfinished) as stream:
                stream.write(content)
            self._filesystem.move(unfinished, path)
        except Exception:
            with contextlib.suppress(Exception):  # a full disk has no room for half a file
                self._filesystem.delete_file(unfinished)
            raise

    def _files(self) -> list[tuple[Any, re.Match[str]]]:
        from pyarrow.fs import FileSelector

        selector = FileSelector(self._folder, allow_not_found=True)
        infos = files.listed(self._filesystem, selector)
        matches = ((info, _NAME.fullmatch(info.base_name)) for info in infos)
        return [(info, match) for info, match in matches if match]

    def _forget_abandoned(self) -> None:
        if self._abandoned is None:
            return
        for info, match in self._files():
            iteration = _iteration(match)
            if match[4] or (iteration is not None and iteration >= self._abandoned):
                self._filesystem.delete_file(info.path)
                self._needed.pop(info.path, None)
        self._abandoned = None

    def _forget_scenes(self, found: Sequence[tuple[Any, re.Match[str]]]) -> None:
        """Deletes backgrounds that no file needs any more."""
        scenes: Mapping[str, str] = {match[3]: info.path for info, match in found if match[3]}
        for info, _ in found if scenes else ():
            if info.path.endswith(".parquet") and info.path not in self._needed:
                told = files.tried(
                    info.path, partial(files.read_notes, self._filesystem, info.path)
                )
                self._needed[info.path] = {n["scene"]["background"] for n in told if "scene" in n}
        for key in scenes.keys() - set().union(*self._needed.values()):
            self._filesystem.delete_file(scenes[key])
            self._written.discard(key)


def _iteration(match: re.Match[str]) -> int | None:
    number = match[1] or match[2]
    return None if number is None else int(number)
