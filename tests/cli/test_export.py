"""`tbtrace export`: every format read back by others."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import tbtrace
from tbtrace.episode import Episode


@pytest.fixture(scope="module")
def stored(plant_run: Path) -> list[Episode]:
    return list(tbtrace.open_archive(plant_run).episodes())


def export(call: Any, run: Path, out: Path, *options: object) -> Path:
    done = call("export", run, "--format", out.suffix[1:], "--out", out, *options)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{out}: ")
    assert [path.name for path in out.parent.iterdir()] == [out.name]
    return out


def test_csv_has_a_row_a_point_and_value(
    call: Any, plant_run: Path, tmp_path: Path, stored: list[Episode]
) -> None:
    rows = pd.read_csv(export(call, plant_run, tmp_path / "e.csv"))
    for episode in (stored[0], stored[-1]):
        its = rows[rows.uid == episode.uid]
        assert set(its.iteration) == {episode.iteration}
        for group, traces in episode.traces.items():
            for name, trace in traces.items():
                said = its[(its.kind == "trace") & (its.group == group) & (its.name == name)]
                np.testing.assert_array_equal(said.step, trace.steps)
                axes = ["x", "y", "z"][: trace.points.shape[1]]
                np.testing.assert_allclose(said[axes], trace.points)
                if group == "articles":
                    np.testing.assert_allclose(said["channel:heat"], trace.channels["heat"])
                    assert tuple(said["label:state"]) == trace.labels["state"]
        running = its[its.kind == "running"]
        np.testing.assert_array_equal(running.value, episode.running["queue"].values)
        assert its[its.kind == "final"].value.tolist() == [episode.final["shipped"]]
    assert rows.uid.nunique() == len(stored)


def test_json_is_the_recipes_list(
    call: Any, plant_run: Path, tmp_path: Path, stored: list[Episode]
) -> None:
    told = json.loads(export(call, plant_run, tmp_path / "e.json").read_text())
    assert [one["uid"] for one in told] == [episode.uid for episode in stored]
    assert told[0]["run"] == "."
    assert told[0]["running"]["queue"] == stored[0].running["queue"].values.tolist()
    shown = call("export", plant_run, "--format", "json", "--out", "-", "--split", "train").stdout
    assert {one["split"] for one in json.loads(shown)} == {"train"}


def test_parquet_is_the_archives_table_with_runs(
    call: Any, plant_run: Path, tmp_path: Path, stored: list[Episode]
) -> None:
    rows = pd.read_parquet(export(call, plant_run.parent, tmp_path / "e.parquet"))
    own = tbtrace.open_archive(plant_run).to_pandas()
    assert set(rows.pop("run")) == {"PPO_plant_00000"}
    assert rows.columns.tolist() == own.columns.tolist()
    assert rows.uid.tolist() == own.uid.tolist()
    np.testing.assert_array_equal(np.concatenate(rows.step), np.concatenate(own.step))


def test_npz_needs_no_pickle(
    call: Any, plant_run: Path, tmp_path: Path, stored: list[Episode]
) -> None:
    out = export(call, plant_run, tmp_path / "e.npz", "--iteration", "last")
    with np.load(out, allow_pickle=False) as arrays:
        index = [json.loads(str(text)) for text in arrays["episodes"]]
        whole = {episode.uid: episode for episode in stored}
        assert [one["uid"] for one in index] == [e.uid for e in stored if e.iteration == 4]
        for one in index:
            episode, prefix = whole[one["uid"]], one["prefix"]
            trace = episode.traces["articles"]["a1"]
            place = f"{prefix}traces/articles/a1"
            np.testing.assert_array_equal(arrays[f"{place}/points"], trace.points)
            np.testing.assert_array_equal(arrays[f"{place}/steps"], trace.steps)
            assert tuple(arrays[f"{place}/labels/state"]) == trace.labels["state"]
            np.testing.assert_array_equal(
                arrays[f"{prefix}media/camera/2"], episode.media["camera"].values[2]
            )
            assert float(arrays[f"{prefix}final/shipped"]) == episode.final["shipped"]


def test_rerun_is_asked_for_where_it_is_missing(call: Any, plant_run: Path, tmp_path: Path) -> None:
    done = call("export", plant_run, "--format", "rrd", "--out", tmp_path / "e.rrd")
    if importlib.util.find_spec("rerun") is None:
        assert done.returncode == 2
        assert done.stderr.endswith("needs Rerun: pip install 'tbtrace[rerun]'\n")
    else:
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "e.rrd").read_bytes()[:3] == b"RRF"


def test_nothing_that_fits_leaves_no_file(call: Any, plant_run: Path, tmp_path: Path) -> None:
    out = tmp_path / "e.csv"
    done = call("export", plant_run, "--format", "csv", "--entity", "nobody", "--out", out)
    assert (done.returncode, done.stderr) == (1, "tbtrace: no recorded episode fits\n")
    assert not out.exists()
