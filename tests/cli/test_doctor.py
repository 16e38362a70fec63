"""`tbtrace doctor`: what it sees, and what it says to fix."""

from __future__ import annotations

import json
import struct
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from tbtrace.cli import eventscan, installation
from tbtrace.cli.eventscan import scan
from tbtrace.errors import Problems
from tbtrace.events import summary
from tbtrace.events.log import EventLog
from tbtrace.shelf import POINTER


def write(folder: Path, steps: range, tag: str = "loss") -> Path:
    log = EventLog(folder, Problems())
    for step in steps:
        log.add(summary.scalars(step, {tag: 0.5}, wall_time=1e9 + step))
        log.add(summary.image(step, "a/picture", [b"(a PNG)"], 4, 4, wall_time=1e9 + step))
    log.close()
    assert log.path is not None
    return log.path


def seen(call: Any, folder: Path) -> tuple[int, dict[str, Any]]:
    done = call("doctor", folder, "--json")
    assert "Traceback" not in done.stderr
    return done.returncode, json.loads(done.stdout)


def test_a_run_of_ours_is_fine(call: Any, plant_run: Path) -> None:
    code, told = seen(call, plant_run)
    assert code == 0
    assert told["fixes"] == told["board"]["notes"] == []
    assert told["versions"]["tensorboard"] == metadata.version("tensorboard")
    (run,) = told["board"]["runs"]
    assert (run["images"], run["pictures"], run["text"]) == (6, 24, 1)
    assert run["scalars"] >= 1
    assert run["histograms"] == 4
    assert told["board"]["archives"] == [{"run": ".", "iterations": 4, "episodes": 20}]


def test_as_text(spawn: Any, plant_run: Path) -> None:
    told = spawn("doctor", plant_run).stdout
    assert f"tensorboard              {metadata.version('tensorboard')}" in told
    assert "tbtrace's plugin" in told
    assert "archive of .: 4 iterations, 20 episodes" in told
    assert told.endswith("Nothing to fix.\n")


def test_without_a_folder_it_looks_at_the_installation(call: Any) -> None:
    done = call("doctor")
    assert done.returncode == 0
    assert "What TensorBoard will show" not in done.stdout


def test_many_pictures_are_a_note(call: Any, tmp_path: Path) -> None:
    write(tmp_path, range(1, 502))
    code, told = seen(call, tmp_path)
    assert code == 0
    (note,) = told["board"]["notes"]
    assert "up to 501 pictures a tag, of which TensorBoard keeps 500" in note


def test_two_writers_at_a_time(call: Any, tmp_path: Path) -> None:
    write(tmp_path, range(1, 9))
    write(tmp_path, range(5, 8), tag="other")
    code, told = seen(call, tmp_path)
    assert code == 1
    (fix,) = told["fixes"]
    assert "was still written when a later event file had begun" in fix


def test_one_after_the_other_is_fine(call: Any, tmp_path: Path) -> None:
    write(tmp_path, range(1, 5))
    write(tmp_path, range(5, 8))
    assert seen(call, tmp_path)[1]["fixes"] == []


def test_damaged_and_torn_files_are_told_apart(tmp_path: Path) -> None:
    path = write(tmp_path, range(1, 5))
    whole = path.read_bytes()
    path.write_bytes(whole[:-3])
    assert (scan([path]).torn, scan([path]).damaged) == ([path.name], [])
    path.write_bytes(whole[:-3] + b"x" + whole[-2:])
    assert (scan([path]).torn, scan([path]).damaged) == ([], [path.name])


def record(body: bytes, length: int | None = None) -> bytes:
    head = struct.pack("<Q", len(body) if length is None else length)
    return b"".join(part + struct.pack("<I", eventscan._masked(part)) for part in (head, body))


@pytest.mark.parametrize(
    ("content", "damaged"), [(record(b"\xff" * 9), True), (record(b"", 1 << 62), False)]
)
def test_a_strangers_record_is_an_error_of_its_file(
    tmp_path: Path, content: bytes, damaged: bool
) -> None:
    path = tmp_path / "events.out.tfevents.1.host"
    path.write_bytes(content)
    found = scan([path])
    assert (found.damaged, found.torn) == (([path.name], []) if damaged else ([], [path.name]))


def test_tunes_staging_folder_is_told_by_its_pointer(call: Any, tmp_path: Path) -> None:
    staging, storage = tmp_path / "staging" / "trial", tmp_path / "storage" / "trial"
    for folder in (staging, storage):
        write(folder, range(1, 3))
        places = {"staging": str(staging), "storage": str(storage)}
        (folder / POINTER).write_text(json.dumps(places))
    for given, named in ((staging, storage), (staging.parent, storage.parent)):
        code, told = seen(call, given)
        assert code == 1
        assert told["fixes"][0].endswith(f"the run is in its storage path: {named}")
    assert seen(call, storage) == (0, seen(call, storage)[1])
    done = call("ls", staging)
    assert done.returncode == 1
    assert str(storage) in done.stderr


def test_an_empty_folder_shows_nothing(call: Any, tmp_path: Path) -> None:
    code, told = seen(call, tmp_path)
    assert code == 1
    assert "there is no event file below" in told["fixes"][0]


def test_what_is_missing_is_named() -> None:
    found: dict[str, str | None] = {**installation.versions(), "crc32c": None, "ray": None}
    (fix,) = installation.missing(found)
    assert fix == "crc32c is not installed, and tbtrace needs it: pip install crc32c"


def test_the_plugin_is_found_by_its_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    def entries(group: str) -> list[metadata.EntryPoint]:
        return [metadata.EntryPoint("tbtrace", "somewhere:Loader", group)]

    monkeypatch.setattr(installation.metadata, "entry_points", entries)
    assert installation.plugin()
