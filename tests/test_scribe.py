"""A run that goes on in a new process goes on with its axes and colours."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from archive_shapes import walkers

from tbtrace import Reporting, Retention, RunReporter
from tbtrace.errors import TbtraceWarning

KEPT = "traces/context.json"


def life(folder: Path, *iterations: int, archive: str | None = "parquet") -> RunReporter:
    """Reports iterations in a reporter of their own; the walks of later ones are shorter."""
    reporter = RunReporter(folder, Reporting(archive=archive, views=[]))
    for number in iterations:
        one = walkers(str(number), seed=number, steps=1000 // number, iteration=number)
        reporter.report(number, {}, [one])
    reporter.close()
    return reporter


def test_a_restored_run_goes_on_with_its_axes_and_colours(tmp_path: Path) -> None:
    whole = life(tmp_path / "whole", 1, 2, 3)
    life(tmp_path / "parts", 1, 2)
    parts = life(tmp_path / "parts", 3)
    assert parts.context.told() == whole.context.told()
    assert (tmp_path / "parts" / KEPT).read_bytes() == (tmp_path / "whole" / KEPT).read_bytes()
    assert json.loads((tmp_path / "whole" / KEPT).read_bytes())["iterations"] == [1, 3]


def test_going_back_keeps_the_axes(tmp_path: Path) -> None:
    before = life(tmp_path, 1, 2, 3).context.limits()
    assert life(tmp_path, 2).context.limits() == before


def test_a_run_that_begins_again_begins_anew(tmp_path: Path) -> None:
    life(tmp_path, 1)
    again = life(tmp_path, 1, archive=None)
    other = RunReporter(tmp_path, Reporting(views=[]))
    other.report(1, {}, [walkers("small", steps=2)])
    other.close()
    assert again.context.longest == 1000
    assert other.context.longest == 2
    assert json.loads((tmp_path / KEPT).read_bytes())["longest"] == 2


def test_a_loop_that_counts_steps_begins_anew_where_it_began_before(tmp_path: Path) -> None:
    life(tmp_path, 4, 5)
    other = RunReporter(tmp_path, Reporting(views=[]))
    other.report(4, {}, [walkers("small", steps=2)])
    other.close()
    assert other.context.longest == 2
    assert life(tmp_path, 500).context.longest == 2
    assert json.loads((tmp_path / KEPT).read_bytes())["iterations"] == [4, 500]


def test_a_run_that_went_back_goes_on_from_there(tmp_path: Path) -> None:
    life(tmp_path, 6, 5)
    assert life(tmp_path, 6).context.longest == 200
    assert json.loads((tmp_path / KEPT).read_bytes())["iterations"] == [5, 6]


def test_numpy_counts_as_well(tmp_path: Path) -> None:
    reporter = RunReporter(tmp_path, Reporting(views=[], retention=Retention(last=1)))
    for number in np.arange(1, 4):
        one = walkers(str(number), iteration=number)
        one.length = np.int64(one.length)  # type: ignore[assignment]
        reporter.report(number, {}, [one])
    reporter.close()
    assert json.loads((tmp_path / KEPT).read_bytes())["iterations"] == [1, 3]
    (left,) = (tmp_path / "traces").glob("*.parquet")
    assert left.name == "train-000003.parquet"


@pytest.mark.parametrize("archive", ["json", None])
def test_only_an_archive_of_ours_keeps_it(tmp_path: Path, archive: str | None) -> None:
    life(tmp_path, 1, archive=archive)
    assert not list(tmp_path.rglob("context.json"))
    assert life(tmp_path, 2, archive=archive).context.longest == 500


def test_a_damaged_file_is_named_and_the_run_goes_on(tmp_path: Path) -> None:
    life(tmp_path, 1)
    (tmp_path / KEPT).write_bytes(b"{")
    with pytest.warns(TbtraceWarning, match=r"new axes and colours: in context\.json"):
        reporter = life(tmp_path, 2)
    assert reporter.context.longest == 500
    assert reporter.dropped == {}
    assert json.loads((tmp_path / KEPT).read_bytes())["longest"] == 500
