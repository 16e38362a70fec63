"""The catalogue: listings, what is kept of them, and files that change or are not what they say."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from board_runs import archive, decoded, scene, walkers, write

from tbtrace.board import catalogue as module
from tbtrace.board import footers, turns
from tbtrace.board.catalogue import Catalogue
from tbtrace.board.faults import Fault, NotFound, TooLarge


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PAUSE_SECONDS", 0.001)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files whose footers are read."""
    found: list[str] = []
    real = footers._read_file

    def read(file: Any, root: str) -> Any:
        found.append(os.path.basename(file.path))
        return real(file, root)

    monkeypatch.setattr(footers, "_read_file", read)
    return found


def listed(catalogue: Catalogue, folder: Path, known: str = "") -> Any:
    return json.loads(catalogue.listing(archive(folder), known))


def test_a_listing(tmp_path: Path) -> None:
    write(tmp_path / "run", [2, 1], walkers("x"), walkers("y", episode_return=float("nan")))
    write(tmp_path / "run", [1], walkers("z", 2, episode_return=float("inf")), split="evaluation")
    answer = listed(Catalogue(), tmp_path)
    assert answer.pop("version") == archive(tmp_path).version
    assert answer == {
        "unchanged": False,
        "thinned": 1,
        "unreadable": [],
        "iteration": [1, 1, 1, 2, 2],
        "split": [0, 0, 1, 0, 0],
        "uid": ["x", "y", "z", "x", "y"],
        "return": [1.0, None, None, 1.0, None],
        "length": [20] * 5,
        "envSteps": [0] * 5,
        "entities": [3, 3, 2, 3, 3],
    }


def test_only_what_is_new_is_read(tmp_path: Path, reads: list[str]) -> None:
    catalogue = Catalogue()
    (first, _) = write(tmp_path / "run", [1, 2])
    version = listed(catalogue, tmp_path)["version"]
    assert listed(catalogue, tmp_path, version) == {"version": version, "unchanged": True}
    assert listed(catalogue, tmp_path, "older")["iteration"] == [1, 2]
    write(tmp_path / "run", [3])
    assert listed(catalogue, tmp_path, version)["iteration"] == [1, 2, 3]
    assert sorted(reads) == [f"train-00000{i}.parquet" for i in (1, 2, 3)]
    os.utime(first, (1, 1))
    listed(catalogue, tmp_path)
    assert reads[3:] == ["train-000001.parquet"]


def test_too_many_episodes_are_thinned(tmp_path: Path) -> None:
    write(tmp_path / "run", range(1, 11), walkers("x"), walkers("y"))
    answer = listed(Catalogue(most_episodes=8), tmp_path)
    assert (answer["thinned"], answer["iteration"]) == (4, [2, 2, 6, 6, 10, 10])
    with pytest.raises(TooLarge):
        listed(Catalogue(most_episodes=1), tmp_path)
    write(tmp_path / "run", [11], walkers("l" * 900))  # counts as ten
    assert listed(Catalogue(most_episodes=10), tmp_path)["iteration"] == [11]


def test_what_is_kept_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(footers, "_KEPT_LETTERS", 3000)
    kept = footers.Footers()
    write(tmp_path / "run", range(1, 21))
    found = archive(tmp_path)
    for file in found.files:
        assert len(kept.told(file, found.root).rows) == 1
    assert len(kept._kept) == 3
    assert kept._letters == sum(map(footers._letters, kept._kept.values()))
    catalogue = Catalogue()
    for number in range(10):
        write(tmp_path / "run", [number + 1])
        listed(catalogue, tmp_path)
    assert len(catalogue._listings) == module._KEPT_LISTINGS


def test_files_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    for file in write(tmp_path / "run", range(1, 9))[1:]:
        file.write_bytes(b"<b>" * 5)
        os.utime(file, (1, 1))
    answer = listed(Catalogue(), tmp_path)
    assert answer["iteration"] == [1]
    assert len(answer["unreadable"]) == 5
    assert answer["unreadable"][0].startswith("train-000002.parquet cannot be read (ValueError")


def test_a_file_that_was_half_written_is_read_again(tmp_path: Path) -> None:
    catalogue = Catalogue()
    (file,) = write(tmp_path / "run")
    whole, times = file.read_bytes(), file.stat()
    file.write_bytes(bytes(len(whole)))
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert listed(catalogue, tmp_path)["unreadable"]
    file.write_bytes(whole)
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert listed(catalogue, tmp_path)["iteration"] == [1]


def test_what_the_machine_is_to_blame_for_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue = Catalogue()
    (file,) = write(tmp_path / "run")
    os.utime(file, (1, 1))
    with monkeypatch.context() as patch:
        patch.setattr(os, "open", lambda *args: os.close(-1))  # fails: it has no such number
        answer = listed(catalogue, tmp_path)
    assert "OSError" in answer["unreadable"][0]
    # Whoever has that listing is not told that it is right.
    assert listed(catalogue, tmp_path, answer["version"])["iteration"] == [1]


def test_files_that_are_gone_are_left_out(tmp_path: Path) -> None:
    first, _ = write(tmp_path / "run", [1, 2], walkers(scene=scene()))
    before = archive(tmp_path)
    first.unlink()
    answer = json.loads(Catalogue().listing(before))
    assert (answer["iteration"], answer["unreadable"]) == ([2], [])
    with pytest.raises(NotFound, match="gone"):
        Catalogue().episode(before, "train", 1, "a")
    (key,) = before.scenes
    os.unlink(before.scenes[key])
    with pytest.raises(NotFound, match="gone"):
        Catalogue().background(before, key)


def test_a_file_that_leads_out_is_not_read(tmp_path: Path) -> None:
    (file,) = write(tmp_path / "logdir/run")
    before = archive(tmp_path / "logdir")
    (tmp_path / "logdir/run").rename(tmp_path / "run")
    (tmp_path / "logdir/run").symlink_to(tmp_path / "run")
    assert file.exists()
    with pytest.raises(NotFound, match="leads out"):
        Catalogue().episode(before, "train", 1, "a")
    assert json.loads(Catalogue().listing(before))["iteration"] == []


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    (file,) = write(tmp_path / "run")
    before = archive(tmp_path)
    file.unlink()
    os.mkfifo(file)
    with pytest.raises(NotFound, match="no file"):
        Catalogue().episode(before, "train", 1, "a")


def test_an_episode_without_rows_and_one_after_it(tmp_path: Path) -> None:
    bare = walkers("bare", 0)
    bare.running = {}
    write(tmp_path / "run", [1], bare, walkers("x"))
    for uid, count in (("bare", 0), ("x", 3)):
        header, entities = decoded(Catalogue().episode(archive(tmp_path), "train", 1, uid))
        assert (header["uid"], len(entities)) == (uid, count)
    with pytest.raises(NotFound, match="no such episode"):
        Catalogue().episode(archive(tmp_path), "train", 1, "../x")
    with pytest.raises(NotFound, match="no evaluation iteration 1"):
        Catalogue().episode(archive(tmp_path), "evaluation", 1, "x")


def test_few_decode_at_the_same_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "run")
    found, catalogue = archive(tmp_path), Catalogue()
    at_once, most = 0, 0
    real, lock = module.payload, threading.Lock()
    together = threading.Barrier(turns.AT_ONCE)

    def payload(*args: Any) -> bytes:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        together.wait(60)  # so many do come in at the same time,
        time.sleep(0.02)  # and no more
        with lock:
            at_once -= 1
        return real(*args)

    monkeypatch.setattr(module, "payload", payload)
    ask = lambda: catalogue.episode(found, "train", 1, "a")  # noqa: E731
    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == turns.AT_ONCE


def test_who_waits_too_long_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "WAIT_SECONDS", 0.01)
    write(tmp_path / "run")
    catalogue = Catalogue()
    turn = catalogue.turns.turn
    with turn(), turn(), pytest.raises(Fault, match="busy"):
        catalogue.episode(archive(tmp_path), "train", 1, "a")


def test_answers_that_nobody_fetches_are_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "WAIT_SECONDS", 0.01)
    write(tmp_path / "run")
    found, catalogue = archive(tmp_path), Catalogue()
    catalogue.turns = turns.Turns(most_on_the_way=1)
    answer = catalogue.episode(found, "train", 1, "a")
    with pytest.raises(Fault, match="busy"):
        catalogue.episode(found, "train", 1, "a")
    assert json.loads(catalogue.listing(found))["iteration"] == [1]
    catalogue.turns.has_left(len(answer))
    assert catalogue.episode(found, "train", 1, "a") == answer


def test_a_listing_that_many_ask_for_is_made_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "run")
    found, catalogue = archive(tmp_path), Catalogue()
    catalogue.turns = turns.Turns(at_once=1)
    made: list[int] = []
    real = module._columns

    def columns(*args: Any) -> str:
        time.sleep(0.05)
        made.append(1)
        return real(*args)

    monkeypatch.setattr(module, "_columns", columns)
    threads = [threading.Thread(target=catalogue.listing, args=[found]) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [1]


def test_files_are_written_and_deleted_meanwhile(tmp_path: Path) -> None:
    write(tmp_path / "run", range(1, 11))
    catalogue, done = Catalogue(), threading.Event()

    def work() -> None:
        for seed in itertools.count():
            for path in write(tmp_path / "run", range(4, 9), walkers(seed=seed)):
                path.unlink()
            if done.is_set():
                return

    thread = threading.Thread(target=work)
    thread.start()
    try:
        for _ in range(40):
            before = archive(tmp_path)
            assert {1, 10} <= {*json.loads(catalogue.listing(before))["iteration"]}
            for file in before.files[3:7]:
                with contextlib.suppress(NotFound):
                    decoded(catalogue.episode(before, "train", file.iteration, "a"))
    finally:
        done.set()
        thread.join()
