"""docs/archive.md: its examples run, its table is the schema, its footer is the footer."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from archive_shapes import walkers
from pyarrow.fs import LocalFileSystem

from tbtrace.archive import notes, schema
from tbtrace.archive.store import Store
from tbtrace.episode import Scene

PAGE = (Path(__file__).parents[2] / "docs/archive.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    episodes = [walkers("a"), walkers("b", scene=Scene())]
    Store(LocalFileSystem(), str(tmp_path)).write(1, episodes)
    return tmp_path


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_an_example_runs(folder: Path, number: int) -> None:
    for tool in ("polars", "duckdb"):
        if f"import {tool}" in BLOCKS[number]:
            pytest.importorskip(tool)
    names: dict[str, Any] = {"folder": folder}
    exec(BLOCKS[number], names)
    if "xy" in names:
        assert len(names["xy"]) == 50
    if "points" in names:
        assert len(names["points"]) == 2 * 2 * 50
    if "speeds" in names:
        assert {uid for _, uid, _ in names["speeds"]} == {"a", "b"}


def test_every_column_is_described() -> None:
    table = PAGE.split("## Columns")[1].split("All lists of a row")[0]
    described = {}
    for line in table.splitlines():
        cells = [cell.strip() for cell in line.replace("\\", "").strip("|").split("|")]
        for name in re.findall(r"`(\w+)`", cells[0]):
            described[name] = cells[1]
    types = {
        field.name: re.sub(r"item: | \('\w+'\)", "", str(field.type)) for field in schema.SCHEMA
    }
    assert list(described) == list(types)
    for name, told in described.items():
        assert told == types[name], name


def test_the_footer_is_as_described(folder: Path) -> None:
    (block,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    described = json.loads(block)
    metadata = pq.read_metadata(folder / "traces/train-000001.parquet").metadata
    told = json.loads(metadata[notes.KEY])
    assert described["version"] == told["version"] == notes.VERSION
    assert described["episodes"][0].keys() == told["episodes"][1].keys()
    assert described["episodes"][0]["scene"].keys() == told["episodes"][1]["scene"].keys()
