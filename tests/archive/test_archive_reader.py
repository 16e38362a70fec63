"""The reader: filters, other tools, and files that are not what they should be."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import pickle
import random
import threading
import time
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from archive_shapes import assert_same, walkers
from pyarrow.fs import LocalFileSystem

import tbtrace
from tbtrace.archive import files, media, notes
from tbtrace.archive.reader import Archive, ArchiveError
from tbtrace.archive.store import Store
from tbtrace.episode import Episode, Media, Scene
from tbtrace.errors import ContractError, TbtraceWarning
from tbtrace.select import Best

PARQUET = "traces/train-000001.parquet"


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_PAUSE_SECONDS", 0.001)


def rich(seed: int = 0) -> Episode:
    chance = np.random.default_rng(seed)
    frames = tuple(chance.integers(0, 255, (4, 4, 3), np.uint8) for _ in range(2))
    scene = Scene(chance.integers(0, 255, (3, 4, 3), np.uint8), (0.0, 1.0, 0.0, 1.0), "m")
    return walkers(seed=seed, media={"f": Media(np.arange(2, dtype=np.int32), frames)}, scene=scene)


def write(folder: Path, iteration: int = 1, *episodes: Episode) -> Path:
    Store(LocalFileSystem(), str(folder)).write(iteration, episodes or (rich(),))
    return folder / f"traces/train-{iteration:06d}.parquet"


@pytest.fixture
def runs(tmp_path: Path) -> Archive:
    for run in ("b", "a"):
        for iteration in (10, 2):
            write(tmp_path / run, iteration, walkers("x", 1.0), walkers("y", float("nan")))
        evaluation = walkers("z", 3.0, split="evaluation")
        del evaluation.traces["articles"]["a7"]  # type: ignore[attr-defined]
        write(tmp_path / run, 2, evaluation)
    (tmp_path / "a/traces/train-000003.parquet").mkdir()
    (tmp_path / "a/train-000004.parquet").write_bytes(b"not in a folder of ours")
    return tbtrace.open_archive(tmp_path)


def found(archive: Archive, **filters: Any) -> list[tuple[str, str, int, str]]:
    return [(s.run, s.split, s.iteration, s.summary.uid) for s in archive.find(**filters)]


def test_runs_iterations_and_splits_are_in_order(runs: Archive) -> None:
    of_a = [
        ("a", "train", 2, "x"),
        ("a", "train", 2, "y"),
        ("a", "evaluation", 2, "z"),
        ("a", "train", 10, "x"),
        ("a", "train", 10, "y"),
    ]
    assert found(runs) == [*of_a, *(("b", *rest) for _, *rest in of_a)]


@pytest.mark.parametrize(
    ("filters", "uids"),
    [
        ({"split": "evaluation"}, "z"),
        ({"iteration": 10}, "xy"),
        ({"iteration": range(3)}, "xyz"),
        ({"iteration": range(0)}, ""),
        ({"entity": "a8"}, "xyzxy"),
        ({"entity": "a7"}, "xyxy"),
        ({"entity": "speed"}, ""),
        ({"least_return": 2}, "z"),
        ({"most_return": 2}, "xx"),
    ],
)
def test_filters(runs: Archive, filters: Any, uids: str) -> None:
    assert "".join(uid for *_, uid in found(runs, run="a", **filters)) == uids


def test_a_split_that_cannot_be_is_an_error_rather_than_nothing(runs: Archive) -> None:
    with pytest.raises(ContractError, match="split='eval': give 'train' or 'evaluation', or None"):
        runs.pick(Best(), split="eval")


def test_a_pick(runs: Archive) -> None:
    (best,) = runs.pick(Best(), run="b")
    assert (best.split, best.load().episode_return) == ("evaluation", 3.0)


def test_a_number_of_numpy_is_an_iteration(runs: Archive) -> None:
    newest = runs.to_pandas(run="a")["iteration"].max() + 1  # its walkers are all of iteration 1
    assert "".join(uid for *_, uid in found(runs, run="a", iteration=newest)) == "xyz"


def test_the_home_may_be_named(runs: Archive, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert found(tbtrace.open_archive("~/a"), run=".", iteration=10)


def test_bare_is_the_same_without_media_and_scene(tmp_path: Path) -> None:
    path = write(tmp_path)
    (stored,) = tbtrace.open_archive(tmp_path).find()
    path.with_suffix(".npz").unlink()
    whole = rich()
    for scene in (True, False):
        expected = dataclasses.replace(whole, media={}, scene=whole.scene if scene else None)
        assert_same(stored.bare(scene=scene).load(), expected)


def test_a_traces_folder_may_be_opened_itself(runs: Archive, tmp_path: Path) -> None:
    assert len(found(tbtrace.open_archive(tmp_path / "a/traces"), run=".")) == 5


def test_who_stops_early_has_not_read_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for iteration in range(1, 201):
        write(tmp_path, iteration, walkers())
    read: list[str] = []
    real = files.read_notes
    monkeypatch.setattr(files, "read_notes", lambda f, path: read.append(path) or real(f, path))
    assert next(tbtrace.open_archive(tmp_path).find()).iteration == 1
    assert len(read) <= 64


def test_what_is_no_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "none", tmp_path / "file", "nonsense://x"):
        with pytest.raises(ArchiveError, match=str(path)):
            tbtrace.open_archive(path)


def as_dict(value: Any) -> dict[str, Any]:
    """A map, as one of the tools shows it: a dict, its items, or structs of key and value."""
    if not isinstance(value, dict):
        value = [tuple(v.values()) if isinstance(v, dict) else v for v in value]
    return dict(value)


def test_pandas_polars_and_duckdb_read_it_without_tbtrace(tmp_path: Path) -> None:
    duckdb, polars = pytest.importorskip("duckdb"), pytest.importorskip("polars")
    import pandas

    episode = walkers()
    trace = episode.traces["articles"]["a7"]
    trace.channels["load"] = np.arange(50.0)  # type: ignore[index]
    trace.labels["state"] = ("waiting", None) * 25  # type: ignore[index]
    path = write(tmp_path, 1, episode)
    x = trace.points[:, 0].astype(np.float32)
    frames = {
        "pandas": pandas.read_parquet(path).to_dict("records"),
        "polars": polars.read_parquet(path).to_dicts(),
        "duckdb": duckdb.sql(f"select * from '{path}'").df().to_dict("records"),
    }
    for tool, rows in frames.items():
        assert [(row["kind"], row["name"]) for row in rows] == [
            ("trace", "a7"),
            ("trace", "a8"),
            ("running", "speed"),
            ("final", "shipped"),
        ], tool
        assert np.array_equal(np.asarray(rows[0]["x"], np.float32), x), tool
        assert np.array_equal(rows[0]["step"], np.arange(50)), tool
        assert np.array_equal(rows[2]["values"], episode.running["speed"].values), tool
        channels, labels = as_dict(rows[0]["channels"]), as_dict(rows[0]["labels"])
        assert channels["load"][3] == 3.0, tool
        assert list(labels["state"][:2]) == ["waiting", None], tool
    asked = f"select channels['load'][4], labels['state'][1] from '{path}' where name = 'a7'"
    assert duckdb.sql(asked).fetchall() == [(3.0, "waiting")]


def test_a_data_frame_of_many_files(runs: Archive) -> None:
    frame = runs.to_pandas(split="train", run="a")
    assert frame.groupby("uid", sort=False).size().to_dict() == {"x": 8, "y": 8}
    assert len(runs.to_pandas(run="nobody")) == 0


# Files that are not what they should be.


def replaced(path: Path, told: Any) -> None:
    """Writes the file again with another footer, whose checksum fits."""
    text = told if isinstance(told, bytes) else json.dumps(told).encode()
    table = pq.read_table(path)
    check = str(zlib.crc32(text)).encode()
    pq.write_table(table.replace_schema_metadata({notes.KEY: text, notes.CHECK: check}), path)


def footer(path: Path) -> Any:
    return json.loads(pq.read_metadata(path).metadata[notes.KEY])


def flipped(content: bytes, chance: random.Random) -> bytes:
    changed = bytearray(content)
    changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


@pytest.mark.parametrize("file", ["parquet", "npz", "scene"])
@pytest.mark.parametrize("flips", [100, pytest.param(3000, marks=pytest.mark.slow)])
def test_a_flipped_bit_is_an_error_or_harmless(tmp_path: Path, file: str, flips: int) -> None:
    path = write(tmp_path)
    if file == "npz":
        path = path.with_suffix(".npz")
    elif file == "scene":
        (path,) = path.parent.glob("scene-*")
    whole, chance, harmless = path.read_bytes(), random.Random(1), 0
    archive = tbtrace.open_archive(tmp_path)
    for _ in range(flips):
        path.write_bytes(flipped(whole, chance))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", TbtraceWarning)
            for stored in archive.find():
                try:
                    assert_same(stored.load(), rich())
                    harmless += 1
                except ArchiveError as error:
                    assert path.name in str(error)  # noqa: PT017
    assert harmless < flips / 2


def test_a_flipped_bit_makes_no_other_entity(tmp_path: Path) -> None:
    path = write(tmp_path, 1, walkers())
    whole, chance, refused = path.read_bytes(), random.Random(2), 0
    metadata = pq.read_metadata(path).row_group(0)
    (column,) = (c for i in range(16) if (c := metadata.column(i)).path_in_schema == "name")
    first, size = column.data_page_offset, column.total_compressed_size
    for _ in range(100):
        page = flipped(whole[first : first + size], chance)
        path.write_bytes(whole[:first] + page + whole[first + size :])
        try:
            names = files.read_entities(LocalFileSystem(), str(path), 0)
        except Exception:
            refused += 1
        else:
            assert names == {"a7", "a8"}
    assert refused > 50


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_a_short_file_is_named(tmp_path: Path, share: float) -> None:
    path = write(tmp_path)
    (stored,) = tbtrace.open_archive(tmp_path).find()
    for short in (path, path.with_suffix(".npz"), next(path.parent.glob("scene-*"))):
        content = short.read_bytes()
        short.write_bytes(content[: int(len(content) * share)])
        with pytest.raises(ArchiveError, match=short.name):
            stored.load()
        short.write_bytes(content)
    assert_same(stored.load(), rich())


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    path = write(tmp_path)
    (stored,) = tbtrace.open_archive(tmp_path).find()
    for missing in (path.with_suffix(".npz"), next(path.parent.glob("scene-*")), path):
        missing.rename(tmp_path / "away")
        with pytest.raises(ArchiveError, match=missing.name):
            stored.load()
        (tmp_path / "away").rename(missing)


def test_bad_files_among_many_are_skipped_with_one_warning_each(tmp_path: Path) -> None:
    for iteration in range(1, 6):
        write(tmp_path, iteration, walkers(str(iteration)))
    folder = tmp_path / "traces"
    (folder / "train-000002.parquet").write_bytes(b"")
    pq.write_table(pa.table({"a": [1]}), folder / "train-000003.parquet")
    newer = folder / "train-000004.parquet"
    replaced(newer, {**footer(newer), "version": 99})
    archive = tbtrace.open_archive(tmp_path)
    with pytest.warns(TbtraceWarning) as said:
        assert [uid for *_, uid in found(archive)] == ["1", "5"]
        assert [episode.uid for episode in archive.episodes()] == ["1", "5"]
    texts = sorted(str(warning.message) for warning in said)
    assert len(texts) == 3
    for text, name, why in zip(
        texts, "234", ("cannot be read", "something else", "update tbtrace"), strict=True
    ):
        assert f"train-00000{name}.parquet" in text
        assert why in text


def test_names_that_are_no_utf8_are_passed_over(tmp_path: Path) -> None:
    write(tmp_path, 1, walkers("1"))
    odd = os.fsencode(tmp_path) + b"/odd-\xff"
    try:
        os.mkdir(odd)
    except OSError:
        pytest.skip("the file system takes UTF-8 alone")
    archive = tbtrace.open_archive(tmp_path)
    assert [one.summary.uid for one in archive.find()] == ["1"]
    os.mkdir(odd + b"/traces")
    with open(odd + b"/traces/train-000001.parquet", "wb"):
        pass
    with pytest.warns(TbtraceWarning, match="odd-.*is no UTF-8"):
        assert [one.summary.uid for one in archive.find()] == ["1"]


def test_damaged_rows_are_skipped_when_there_are_many(tmp_path: Path) -> None:
    path = write(tmp_path, 1, walkers("1"))
    write(tmp_path, 2, walkers("2"))
    content = bytearray(path.read_bytes())
    content[len(content) // 4] ^= 1
    path.write_bytes(content)
    archive = tbtrace.open_archive(tmp_path)
    with pytest.warns(TbtraceWarning, match=path.name) as said:
        assert [episode.uid for episode in archive.episodes()] == ["2"]
        assert set(archive.to_pandas()["uid"]) == {"2"}
    assert len(said) == 1


HOSTILE: list[Callable[[Any], Any]] = [
    lambda told: b"[" * 100_000,
    lambda told: b"{",
    lambda told: b"\xff",
    lambda told: None,
    lambda told: [],
    lambda told: {"version": "1", "episodes": []},
    lambda told: {"version": True},
    lambda told: {"version": 1},
    lambda told: {"version": 1, "episodes": [{}]},
    lambda told: {"version": 1, "episodes": {"a": 1}},
    *(
        lambda told, key=key, value=value: {
            "version": 1,
            "episodes": [{**told["episodes"][0], key: value}],
        }
        for key in ("uid", "return", "metrics", "agents", "samples", "rows", "groups", "media")
        for value in (None, [[]], {"a": {}}, 1e999, "x")
        if (key, value) not in (("uid", "x"), ("return", 1e999), ("samples", {"a": {}}))
    ),
]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_hostile_footer_is_an_error(tmp_path: Path, hostile: Callable[[Any], Any]) -> None:
    path = write(tmp_path, 1, walkers())
    replaced(path, hostile(footer(path)))
    with pytest.warns(TbtraceWarning, match=r"train-000001\.parquet") as said:
        assert [*tbtrace.open_archive(tmp_path).episodes()] == []
    assert len(said) == 1


@pytest.mark.parametrize(
    ("scene", "said"),
    [
        ({"background": "../../secret"}, "names no background"),
        ({"background": 7}, "TypeError"),
        ({"background": "", "extent": [1]}, "ValueError"),
        ("x", "TypeError"),
    ],
)
def test_a_hostile_scene_is_an_error(tmp_path: Path, scene: Any, said: str) -> None:
    np.savez(tmp_path / "secret.npz", background=np.zeros((1, 1, 3), np.uint8))
    path = write(tmp_path, 1, walkers())
    told = footer(path)
    told["episodes"][0]["scene"] = scene
    replaced(path, told)
    (stored,) = tbtrace.open_archive(tmp_path).find()
    with pytest.raises(ArchiveError, match=said):
        stored.load()


class Bomb:
    """What unpickling it would do."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("form", ["npz", "npy", "pickle"])
def test_a_pickle_is_refused_and_nothing_is_executed(tmp_path: Path, form: str) -> None:
    path, exploded = write(tmp_path), tmp_path / "exploded"
    bomb, held = np.array([Bomb(exploded)], object), io.BytesIO()
    if form == "npz":
        names = {"0/0/steps": np.arange(2, dtype=np.int32), "0/0/0": bomb, "background": bomb}
        np.savez(held, **names)  # type: ignore[arg-type]
    elif form == "npy":
        np.save(held, bomb)
    else:
        pickle.dump(Bomb(exploded), held)
    (scene,) = path.parent.glob("scene-*")
    scene.write_bytes(held.getvalue())
    assert_refused(tmp_path, scene)
    told = footer(path)
    told["episodes"][0]["npz"] = media.digest(held.getvalue())  # a stranger's fits
    replaced(path, told)
    path.with_suffix(".npz").write_bytes(held.getvalue())
    assert_refused(tmp_path, path.with_suffix(".npz"))
    assert not exploded.exists()
    if form != "pickle":  # it is a real one
        held.seek(0)
        loaded = np.load(held, allow_pickle=True)
        assert len(loaded["0/0/0"] if form == "npz" else loaded)
        assert exploded.exists()


def assert_refused(folder: Path, file: Path) -> None:
    (stored,) = tbtrace.open_archive(folder).find()
    with pytest.raises(ArchiveError, match=file.name):
        stored.load()


def test_a_file_that_was_written_again_is_not_mixed_up(tmp_path: Path) -> None:
    write(tmp_path, 1, rich(1))
    (stored,) = tbtrace.open_archive(tmp_path).find()
    write(tmp_path, 1, rich(2))
    with pytest.raises(ArchiveError, match="written again since it was listed"):
        stored.load()


def test_files_rewritten_in_place_while_they_are_read(tmp_path: Path) -> None:
    """As a sync tool does, that knows no atomic replacing: nothing wrong is ever returned."""
    variants = []
    for seed in range(4):
        path = write(tmp_path / str(seed), 1, rich(seed))
        parts = [path, path.with_suffix(".npz"), *path.parent.glob("scene-*")]
        variants.append([(part.name, part.read_bytes()) for part in parts])
    folder, done = tmp_path / "run/traces", threading.Event()
    folder.mkdir(parents=True)

    def rewrite() -> None:
        turn = 0
        while not done.wait(0.02):
            turn += 1
            for name, content in variants[turn % 4]:
                with (folder / name).open("wb") as file:
                    for first in range(0, len(content), 600):
                        file.write(content[first : first + 600])
                        file.flush()

    writer = threading.Thread(target=rewrite)
    writer.start()
    archive, right = tbtrace.open_archive(tmp_path / "run"), 0
    deadline = time.monotonic() + 120
    try:
        while right < 30 and time.monotonic() < deadline:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", TbtraceWarning)
                for episode in archive.episodes():
                    assert_same(episode, rich(int(episode.final["shipped"])))
                    right += 1
    finally:
        done.set()
        writer.join()
    assert right == 30
