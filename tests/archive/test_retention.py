"""Retention against brute force."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from archive_shapes import walkers
from hypothesis import given
from hypothesis import strategies as st
from pyarrow.fs import LocalFileSystem

import tbtrace
from tbtrace.archive.retention import Retention
from tbtrace.archive.store import Store
from tbtrace.errors import ContractError

OPTIONS = st.none() | st.integers(1, 6)


def brute_force(sizes: dict[int, int], last: Any, every: Any, megabytes: Any) -> set[int]:
    """Returns what stays."""
    newest = max(sizes, default=0)
    stay = set(sizes)
    if last or every:
        stay = {newest} & stay
        for iteration in sizes:
            newer = sum(other > iteration for other in sizes)
            if (last and newer < last) or (every and iteration % every == 0):
                stay.add(iteration)
    while megabytes and len(stay) > 1 and sum(sizes[i] for i in stay) > megabytes * 1e6:
        stay.remove(min(stay))
    return stay


@given(
    st.dictionaries(st.integers(1, 60), st.integers(0, 2_000_000), max_size=12),
    OPTIONS,
    OPTIONS,
    OPTIONS,
)
def test_what_stays(sizes: dict[int, int], last: Any, every: Any, megabytes: Any) -> None:
    sizes = dict(sorted(sizes.items()))
    doomed = Retention(last, every, megabytes).surplus(sizes)
    assert set(sizes) - doomed == brute_force(sizes, last, every, megabytes)
    assert not sizes or max(sizes) not in doomed


@pytest.mark.parametrize(
    "options",
    [{"last": 0}, {"every": 2.5}, {"last": True}, {"megabytes": math.nan}, {"megabytes": "1"}],
)
def test_a_wrong_option_is_named(options: Any) -> None:
    (name,) = options
    with pytest.raises(ContractError, match=name):
        Retention(**options)


@pytest.mark.parametrize("kind", ["parquet", "json"])
def test_files_of_both_kinds_go(tmp_path: Path, kind: str) -> None:
    archive = Store(LocalFileSystem(), str(tmp_path), kind, Retention(last=2, every=4))
    for iteration in range(1, 11):
        archive.write(iteration, [walkers(), walkers(split="evaluation")])
        archive.tidy()
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    left = {int("".join(filter(str.isdigit, path.stem))) for path in files}
    assert left == {4, 8, 9, 10}
    if kind == "parquet":
        assert {one.iteration for one in tbtrace.open_archive(tmp_path).find()} == left


def test_megabytes_bound_the_folder(tmp_path: Path) -> None:
    archive = Store(LocalFileSystem(), str(tmp_path), "parquet", Retention(megabytes=1))
    for iteration in range(1, 21):
        archive.write(iteration, [walkers(seed=iteration, steps=10_000)])
        archive.tidy()
        size = sum(path.stat().st_size for path in tmp_path.rglob("*.parquet"))
        assert size <= 1e6
    assert size > 0.6e6
