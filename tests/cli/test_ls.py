"""`tbtrace ls`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def test_a_row_an_iteration_and_split(spawn: Any, plant_run: Path) -> None:
    done = spawn("ls", plant_run.parent)
    lines = done.stdout.splitlines()
    assert done.returncode == 0
    assert lines[0].startswith("PPO_plant_00000: 4 iterations, 20 episodes, ")
    assert lines[1].split() == [
        *("iteration", "split", "episodes", "steps", "lowest", "return", "highest", "size"),
        "entities",
    ]
    assert lines[2].split()[:7] == ["1", "train", "3", "40", "10", "11", "12"]
    assert lines[2].endswith("4 articles, 1 drones")
    assert lines[3].split()[:7] == ["1", "evaluation", "2", "40", "10", "10.5", "11"]
    assert len([line for line in lines if line]) == 2 + 8


def test_filters(call: Any, plant_run: Path) -> None:
    def rows(*options: object) -> list[list[str]]:
        lines = call("ls", plant_run, *options).stdout.splitlines()[1:]
        return [line.split()[:2] for line in lines if line.split() and line.split()[0].isdigit()]

    assert rows("--split", "train", "--iteration", "2:3") == [["2", "train"], ["3", "train"]]
    assert rows("--iteration", "last") == [["4", "train"], ["4", "evaluation"]]
    assert {row[0] for row in rows("--entity", "a3")} == {"1", "3"}  # the fourth article


def test_limit_hides_rows_and_not_sums(call: Any, plant_run: Path) -> None:
    told = call("ls", plant_run, "--limit", 1).stdout
    assert told.startswith(".: 4 iterations, 20 episodes, ")
    assert "(7 earlier rows: --limit, --iteration)" in told
    assert "  4  evaluation  " in told.replace("          4", "  4")


def test_json_says_every_episode_and_all_bytes(call: Any, plant_run: Path) -> None:
    (run,) = json.loads(call("ls", plant_run, "--json").stdout)["runs"]
    assert run["bytes"] == sum(file.stat().st_size for file in plant_run.glob("traces/*-0*"))
    assert [len(one["episodes"]) for one in run["iterations"]] == [3, 2] * 4
    assert run["iterations"][0]["episodes"][1] == {
        "uid": "train-1-1",
        "length": 40,
        "return": 11.0,
        "entities": {"articles": 4, "drones": 1},
        "media": {"camera": 4},
        "metrics": run["iterations"][0]["episodes"][1]["metrics"],
    }


def test_nothing_that_fits_is_a_failure(call: Any, plant_run: Path) -> None:
    done = call("ls", plant_run, "--entity", "nobody")
    assert (done.returncode, done.stderr) == (1, "tbtrace: no recorded episode fits\n")


def test_a_damaged_file_is_named_and_left_out(call: Any, plant_run: Path, tmp_path: Path) -> None:
    traces = tmp_path / "traces"
    traces.mkdir()
    for file in (plant_run / "traces").iterdir():
        content = file.read_bytes()
        torn = file.name == "train-000002.parquet"
        (traces / file.name).write_bytes(content[: len(content) // 2] if torn else content)
    done = call("ls", tmp_path)
    assert done.returncode == 0
    assert done.stderr.count("\n") == 1
    assert "train-000002.parquet cannot be read" in done.stderr
    assert ".: 4 iterations, 17 episodes" in done.stdout
