"""What a hostile archive may cost: sizes are known before anything is decompressed."""

from __future__ import annotations

import io
import os
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from board_runs import archive, scene, walkers, write
from hypothesis import given
from hypothesis import strategies as st

from tbtrace.archive import files, notes, schema
from tbtrace.archive.checksum import checksum
from tbtrace.board import backdrop, opened
from tbtrace.board.catalogue import Catalogue
from tbtrace.board.faults import NotFound, TooLarge
from tbtrace.board.pages import DATA, DICTIONARY, pages
from tbtrace.episode import Episode


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tbtrace.board.catalogue._PAUSE_SECONDS", 0.001)


def ask(folder: Path) -> bytes:
    return Catalogue().episode(archive(folder), "train", 1, "a")


def store(folder: Path, table: pa.Table, told: Any = (), **options: Any) -> Path:
    """Writes a table as an archive's file, with a note that is right about it unless told."""
    episode = Episode("a", 1, 1.0, split="train", iteration=1)
    note = notes.note(episode, table.num_rows, checksum(table), "", "")
    note["groups"] = {"g": 1}
    about = table.schema.with_metadata(notes.footer([{**note, **dict(told)}]))
    file = folder / "run/traces/train-000001.parquet"
    file.parent.mkdir(parents=True, exist_ok=True)
    with pq.ParquetWriter(file, about, **{"compression": "zstd", **options}) as writer:
        writer.write_table(table.replace_schema_metadata(about.metadata), 1 << 30)
    return file


def column(table: pa.Table, name: str, values: Any) -> pa.Table:
    index = schema.SCHEMA.get_field_index(name)
    return table.set_column(index, schema.SCHEMA.field(index), values)


@pytest.mark.parametrize(
    ("bound", "value"),
    [
        ("MOST_POINTS", -opened.MOST_ROWS + 10),
        ("MOST_BYTES", 1000),
        ("MOST_VALUES", 100),
        ("MOST_ROWS", 3),
        ("MOST_PAGES", 10),
        ("MOST_FOOTER", 500),
    ],
)
def test_every_bound_is_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bound: str, value: int
) -> None:
    write(tmp_path / "run")
    ask(tmp_path)
    monkeypatch.setattr(opened, bound, value)
    monkeypatch.setattr(files, "read_rows", None)  # it does not come to that
    with pytest.raises(TooLarge):
        ask(tmp_path)


def test_a_bomb_of_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Millions of zeros are a few kilobytes in Parquet.
    monkeypatch.setattr(opened, "MOST_VALUES", 1_000_000)
    table = schema.table(walkers(entities=1))[:1]
    many = pa.ListArray.from_arrays([0, 4_000_000], np.zeros(4_000_000))
    file = store(tmp_path, column(table, "values", many), use_dictionary=True)
    assert file.stat().st_size < 50_000
    before = pa.total_allocated_bytes()
    with pytest.raises(TooLarge):
        ask(tmp_path)
    assert pa.total_allocated_bytes() - before < 1_000_000


def test_a_bomb_of_one_long_word(tmp_path: Path) -> None:
    # A dictionary of one word of a megabyte, and many values that are this word.
    table = schema.table(walkers(entities=1))[:1]
    count = 2000
    word = pa.DictionaryArray.from_arrays(np.zeros(count, np.int32), ["w" * 1_000_000])
    words = pa.ListArray.from_arrays(pa.array([0, count], pa.int32()), word)
    labels = pa.MapArray.from_arrays(pa.array([0, 1], pa.int32()), ["state"], words)
    index = schema.SCHEMA.get_field_index("labels")
    bomb = table.set_column(index, "labels", labels)
    about = schema.SCHEMA.with_metadata(
        notes.footer([notes.note(Episode("a", 1, 1.0, split="train"), 1, 0, "", "")])
    )
    file = tmp_path / "run/traces/train-000001.parquet"
    file.parent.mkdir(parents=True)
    with pq.ParquetWriter(
        file, bomb.schema, compression="zstd", store_schema=False,
        dictionary_pagesize_limit=1 << 24, use_dictionary=True,
    ) as writer:  # fmt: skip
        writer.add_key_value_metadata(about.metadata)
        writer.write_table(bomb)
    assert file.stat().st_size < 50_000
    with pytest.raises(TooLarge):
        ask(tmp_path)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"compression": "gzip"}, "codec 2"),
        ({"use_dictionary": False, "column_encoding": {"name": "DELTA_BYTE_ARRAY"}}, "encoding 7"),
    ],
    ids=str,
)
def test_what_tbtrace_does_not_write_is_refused(
    tmp_path: Path, options: dict[str, Any], said: str
) -> None:
    store(tmp_path, schema.table(walkers()), **options)
    with pytest.raises(NotFound, match=said):
        ask(tmp_path)


def test_a_codec_that_there_is_not(tmp_path: Path) -> None:
    # pyarrow ends the process when it is asked for the name of one.
    (file,) = write(tmp_path / "run")
    content = file.read_bytes()
    start = content.rindex(b"PAR1", 0, -4) + 4
    footer = content[start:].replace(b"\x15\x0c\x16", b"\x15\x56\x16")
    file.write_bytes(content[:start] + footer)
    with pytest.raises(NotFound, match="codec"):
        ask(tmp_path)


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("packed", ["zstd", "none"])
def test_other_pages_are_read(tmp_path: Path, version: str, packed: str) -> None:
    table = schema.table(walkers())
    store(tmp_path, table, compression=packed, data_page_version=version, data_page_size=100)
    assert len(ask(tmp_path)) > 500


def test_columns_of_a_later_tbtrace_are_passed_over(tmp_path: Path) -> None:
    table = schema.table(walkers())
    later = table.append_column("later", pa.array(["x"] * len(table)))
    note = notes.note(Episode("a", 1, 1.0, split="train"), len(table), checksum(table), "", "")
    file = tmp_path / "run/traces/train-000001.parquet"
    file.parent.mkdir(parents=True)
    pq.write_table(later.replace_schema_metadata(notes.footer([note])), file, compression="zstd")
    assert len(ask(tmp_path)) > 500


@pytest.mark.parametrize(
    "told",
    [
        {"rows": 10**12},
        {"rows": 1},
        {"length": 10**20},
        {"env_steps": -1},
        {"groups": {"g": 2**60}},
        {"uid": "a" * 2000},
        {"return": "abc"},
        {"metrics": {"m": []}},
        {"crc32": 1},
        {"scene": 3},
        {"scene": {"extent": "ab", "units": None, "places": {}, "axes": [], "background": ""}},
    ],
    ids=str,
)
def test_a_note_that_is_wrong(tmp_path: Path, told: dict[str, Any]) -> None:
    store(tmp_path, schema.table(walkers()), told)
    with pytest.raises(NotFound):
        ask(tmp_path)


def varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def number(delta: int, value: int, wire: int = 5) -> bytes:
    return bytes([delta << 4 | wire]) + varint(value << 1)


DATA_HEADER = bytes([2 << 4 | 12]) + number(1, 7) + number(1, 0) + b"\0"


def test_a_page_is_read() -> None:
    head = number(1, 0) + number(1, 300) + number(1, 4) + DATA_HEADER + b"\0"
    (page,) = pages(head + b"data")
    assert page == (DATA, 300, 7, len(head), len(head) + 4)


@pytest.mark.parametrize(
    "chunk",
    [
        b"\0",
        b"\xff" * 100,
        number(1, 0),
        number(1, 0) + number(1, 300) + number(1, 5) + DATA_HEADER + b"\0data",  # beyond the end
        number(1, 0) + number(1, 300) + number(1, 4) + b"\0data",  # says nothing of its values
        number(1, 1) + number(1, 300) + number(1, 4) + DATA_HEADER + b"\0data",  # an index page
        number(1, 0) + number(1, 300, 6) + number(1, 4) + DATA_HEADER + b"\0data",  # 64 bits
        number(1, 0) + number(1, 3) + b"\x05\x04\x02" + number(1, 4) + DATA_HEADER + b"\0data",
        b"\x1c" * 1000,  # nested
        b"\x18" + varint(1 << 40),  # a text beyond the end
        b"\x19\xf5" + varint(1 << 40),  # a list
        b"\x15" + b"\xff" * 20,
    ],
    ids=lambda chunk: chunk[:12].hex(),
)
def test_a_page_that_is_wrong(chunk: bytes) -> None:
    with pytest.raises(ValueError, match=r"page|header"):
        list(pages(chunk))


@given(st.binary(max_size=60))
def test_no_bytes_break_the_reader_of_pages(chunk: bytes) -> None:
    try:
        found = list(pages(chunk))
    except ValueError:
        return
    assert all(page.size >= 0 and page.values >= 0 for page in found)
    assert [page.end for page in found[:-1]] <= [page.start for page in found[1:]]


def test_pages_of_real_files_are_what_arrow_says(tmp_path: Path) -> None:
    file = store(tmp_path, schema.table(walkers(steps=500)), data_page_size=300)
    content, group = file.read_bytes(), pq.read_metadata(file).row_group(0)
    for index in range(group.num_columns):
        told = group.column(index)
        start = told.data_page_offset
        if told.dictionary_page_offset is not None:
            start = min(start, told.dictionary_page_offset)
        found = [*pages(content[start : start + told.total_compressed_size])]
        assert sum(page.values for page in found if page.kind != DICTIONARY) == told.num_values
        assert sum(page.size for page in found) <= told.total_uncompressed_size


def test_a_background(tmp_path: Path) -> None:
    given = scene(1)
    write(tmp_path / "run", [1], walkers(scene=given))
    found = archive(tmp_path)
    (key,) = found.scenes
    from PIL import Image

    shown = Image.open(io.BytesIO(Catalogue().background(found, key)))
    np.testing.assert_array_equal(np.asarray(shown), given.background)
    with pytest.raises(NotFound):
        Catalogue().background(found, "0" * 16)


def test_a_large_background_is_thinned(tmp_path: Path) -> None:
    from PIL import Image

    write(tmp_path / "run", [1], walkers(scene=scene(0, 3, 10_000)))
    found = archive(tmp_path)
    content = Catalogue().background(found, *found.scenes)
    assert Image.open(io.BytesIO(content)).size == (3334, 1)


def npz(**members: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(f"{name}.npy", content)
    return packed.getvalue()


def npy(shape: Any, kind: str = "|u1", body: bytes = b"", version: Any = (1, 0)) -> bytes:
    head = io.BytesIO()
    told = {"descr": kind, "fortran_order": False, "shape": shape}
    write = getattr(np.lib.format, f"write_array_header_{version[0]}_{version[1]}")
    write(head, told)
    return head.getvalue() + body


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK",
        npz(),
        npz(other=npy((1, 1, 3), body=b"abc")),
        npz(background=npy((1, 1, 3), body=b"abc"), more=b""),
        npz(background=b"x"),
        npz(background=npy((1, 1, 3), body=b"ab")),
        npz(background=npy((1, 1, 4), body=b"abcd")),
        npz(background=npy((3,), body=b"abc")),
        npz(background=npy((0, 1, 3))),
        npz(background=npy((-1, -1, 3), body=b"abc")),
        npz(background=npy((1, 1, 3), "|O", b"abc")),
        npz(background=npy((1, 1, 3), "<f8", b"a" * 24)),
        npz(background=npy((1, 1, 3), body=b"abc", version=(2, 0))),
        npz(background=npy((1, 1, 3), body=b"abc")),  # not the one of its name
    ],
    ids=len,
)
def test_a_background_that_is_wrong(tmp_path: Path, content: bytes) -> None:
    write(tmp_path / "run", [1], walkers(scene=scene()))
    found = archive(tmp_path)
    ((key, path),) = found.scenes.items()
    Path(path).write_bytes(content)
    with pytest.raises((NotFound, TooLarge)):
        Catalogue().background(found, key)


def test_a_background_that_is_a_bomb(tmp_path: Path) -> None:
    write(tmp_path / "run", [1], walkers(scene=scene()))
    found = archive(tmp_path)
    ((key, path),) = found.scenes.items()
    zeros = bytes(100_000_000)
    for shape in ((10**6, 10**6, 3), (2**40, 1, 3), (5, 5, 3)):
        Path(path).write_bytes(npz(background=npy(shape, body=zeros)))
        tracemalloc.start()
        with pytest.raises((NotFound, TooLarge)):
            Catalogue().background(found, key)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
        tracemalloc.stop()
    os.truncate(path, backdrop.MOST_PACKED + 1)
    with pytest.raises(TooLarge):
        Catalogue().background(found, key)


def test_a_zip_of_many_members_is_not_listed(tmp_path: Path) -> None:
    content = bytearray(npz(**{f"m{i}": b"" for i in range(1000)}))
    content[-12:-10] = content[-14:-12] = (1).to_bytes(2, "little")  # it lies
    with pytest.raises(ValueError, match="more than"):
        backdrop.backdrop(io.BytesIO(content), "0" * 16)


def test_checks_hold_for_a_file_whose_footer_lies(tmp_path: Path) -> None:
    (file,) = write(tmp_path / "run")
    content = file.read_bytes()
    for length in (0, 1 << 20, (1 << 32) - 1):
        file.write_bytes(content[:-8] + length.to_bytes(4, "little") + b"PAR1")
        with pytest.raises((NotFound, TooLarge)):
            ask(tmp_path)


def test_a_row_group_may_call_its_columns_anything(tmp_path: Path) -> None:
    # Arrow goes by the schema; so do the bounds.
    (file,) = write(tmp_path / "run", [1], walkers(entities=1))
    content, before = file.read_bytes(), ask(tmp_path)
    name = b"\x06labels\x09key_value\x05value\x04list\x07element"
    assert content.count(name) == 1
    file.write_bytes(content.replace(name, name.upper()))
    assert ask(tmp_path) == before


def test_a_huge_hole_is_not_read() -> None:
    memory = opened._Parts({0: b"a", 1 << 50: b"z"})
    with pytest.raises(OSError, match="checked"):
        memory.read()
    memory.seek(0)
    assert memory.read(3) == b"a\0\0"
