"""`archive="json"`: the forum recipe's files."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from archive_shapes import episodes, walkers
from hypothesis import given, settings
from pyarrow.fs import LocalFileSystem
from stand import episode

import tbtrace
from tbtrace.archive import recipe
from tbtrace.archive.store import Store
from tbtrace.episode import Episode, Media, Series, Trace
from tbtrace.errors import TbtraceWarning


def test_the_reporter_writes_a_list_of_episodes_a_step(tmp_path: Path) -> None:
    reporter = tbtrace.RunReporter(tmp_path, tbtrace.Reporting(views=(), archive="json"))
    reporter.report(7, {}, [episode("a", 1.0), episode("b", 2.0, "evaluation")])
    reporter.close()
    assert not (tmp_path / "traces").exists()
    (file,) = (tmp_path / "episode_data").iterdir()
    assert file.name == "data-00000007.json"
    told = json.loads(file.read_text())
    assert [(one["uid"], one["split"], one["return"]) for one in told] == [
        ("a", "train", 1.0),
        ("b", "evaluation", 2.0),
    ]
    assert told[0]["running"] == {"speed": [0.0, 0.25, 0.5, 0.75, 1.0]}
    assert told[0]["final"] == {"won": 1.0}
    assert told[0]["traces"]["cars"]["a"]["points"][1] == [2.25, 1.0]


def test_what_json_does_not_know_is_spelled(tmp_path: Path) -> None:
    steps = np.arange(2, dtype=np.int32)
    points = np.array([[0.0, 1.0], [math.nan, math.nan]])
    media = {
        "frame": Media(steps, (np.full((1, 2), math.inf, "f2"), np.ones(1, "g"))),
        "complex": Media(steps[:1], (np.ones(1, "c16"),)),
    }
    given_episode = Episode(
        "a",
        2,
        -math.inf,
        {"speed": Series(steps, np.array([math.nan, 1.0]))},
        {"won": math.nan},
        traces={
            "g": {"e": Trace(steps, points, {"c": np.array([math.inf, 0.0])}, {"s": (None, "a")})}
        },
        media=media,
    )
    with pytest.warns(TbtraceWarning, match="media 'complex'"):
        Store(LocalFileSystem(), str(tmp_path), "json").write(1, [given_episode])
    (told,) = json.loads((tmp_path / "episode_data/data-00000001.json").read_text())
    assert told["return"] == "-inf"
    assert told["running"] == {"speed": ["nan", 1.0]}
    assert told["final"] == {"won": "nan"}
    assert told["traces"]["g"]["e"] == {
        "steps": [0, 1],
        "points": [[0.0, 1.0], ["nan", "nan"]],
        "channels": {"c": ["inf", 0.0]},
        "labels": {"s": [None, "a"]},
    }
    assert told["media"] == {"frame": {"steps": [0, 1], "values": [[["inf", "inf"]], [1.0]]}}


@settings(max_examples=50, deadline=None)
@given(episodes())
def test_any_episode_is_json(given_episode: Episode) -> None:
    given_episode.media = {}
    (told,) = json.loads(recipe.dump([given_episode]))
    assert told["uid"] == given_episode.uid
    for name, series in given_episode.running.items():
        np.testing.assert_array_equal([float(v) for v in told["running"][name]], series.values)


def test_an_iteration_that_runs_again_replaces_its_json(tmp_path: Path) -> None:
    archive = Store(LocalFileSystem(), str(tmp_path), "json")
    for iteration in (1, 2, 3):
        archive.write(iteration, [walkers("old")])
    archive.forget_from(2)
    archive.write(2, [walkers("new")])
    files = sorted((tmp_path / "episode_data").iterdir())
    assert [json.loads(file.read_text())[0]["uid"] for file in files] == ["old", "new"]


_NO_ARCHIVE = """
import sys
sys.path.insert(0, sys.argv[2])
from tbtrace import Reporting, RunReporter
from stand import episode
reporter = RunReporter(sys.argv[1], Reporting(views=(), archive=None))
reporter.report(1, {"loss": 1.0}, [episode("a")])
reporter.close()
assert "pyarrow" not in sys.modules
"""


def test_none_writes_nothing_and_does_without_pyarrow(tmp_path: Path) -> None:
    tests = str(Path(__file__).parents[1])
    subprocess.run([sys.executable, "-c", _NO_ARCHIVE, str(tmp_path), tests], check=True)
    (event_file,) = tmp_path.iterdir()
    assert event_file.name.startswith("events")
