"""`kill -9` at any moment: what was flushed is readable, and the resumed run is complete."""

from __future__ import annotations

import random
import struct
from collections import defaultdict
from pathlib import Path

import pytest
from killing import live_and_be_killed, start
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c
from tensorboard_server import Board, serve

_REPORTS = """
import sys
import numpy as np
from tbtrace import Reporting, RunReporter
picture = np.zeros((8, 8, 3), np.uint8)
reporter = RunReporter(sys.argv[1], Reporting(views=()))
for step in range(int(sys.argv[2]), int(sys.argv[3]) + 1):
    result = {"loss": float(step), "lengths": [1.0, 2.0, step], "frame": picture}
    reporter.report(step, result)
    assert reporter.flush(300)
    print(step, flush=True)
reporter.close()
"""
_TAGS = {"loss", "lengths", "frame"}


def events_in(path: Path) -> list[Event]:
    """The events, checked, up to a torn record, which is the last one: nothing is after it."""
    content, position, events = path.read_bytes(), 0, []
    while position + 8 <= len(content):
        (length,) = struct.unpack_from("<Q", content, position)
        if position + length + 16 > len(content):
            break
        data, crc = content[position + 12 :][:length], content[position + 12 + length :][:4]
        assert struct.unpack("<I", crc) == (masked_crc32c(data),)
        events.append(Event.FromString(data))
        position += length + 16
    return events


def tags_by_step(path: Path) -> dict[int, set[str]]:
    found = defaultdict(set)
    for event in events_in(path):
        found[event.step] |= {value.tag for value in event.summary.value}
    return found


def assert_complete(board: Board, last: int) -> None:
    steps = list(range(1, last + 1))
    board.wait_for(lambda: board.scalars("run", "loss")[-1][0] == last)
    board.wait_for(lambda: board.images("run", "frame")[-1][0] == last)  # comes after it
    assert board.scalars("run", "loss") == [(step, float(step)) for step in steps]
    shown = board.histograms("run", "lengths")  # about 50 of them
    assert len(shown) == len({step for step, _ in shown}) >= min(last, 50)
    assert [step for step, _ in shown] == sorted(step for step, _ in shown)
    assert all(buckets[-1][1] == max(step, 2.0) for step, buckets in shown)
    pictures = board.json("plugin/images/images", run="run", tag="frame", sample="0")
    assert [row["step"] for row in pictures] == steps


@pytest.mark.parametrize("kills", [2, pytest.param(30, marks=pytest.mark.slow)])
def test_what_was_flushed_survives_and_a_resumed_run_is_complete(
    tmp_path: Path, kills: int
) -> None:
    chance = random.Random(5)
    run, printed = tmp_path / "logdir" / "run", tmp_path / "printed"
    first = 1
    known: set[Path] = set()
    for _ in range(kills):
        seconds = chance.uniform(0.0, 0.2)
        last = live_and_be_killed(_REPORTS, printed, seconds, run, first, 1_000_000)
        (path,) = set(run.glob("events.out.tfevents.*")) - known
        known.add(path)
        found = tags_by_step(path)
        for step in range(first, last + 1):
            assert found[step] >= _TAGS, f"step {step} of {first} to {last}"
        assert max(found) <= last + 1
        # As from a checkpoint of a step before the last one.
        first = max(1, last - chance.randrange(4))
    last = first + 10
    assert start(_REPORTS, printed, run, first, last).wait(timeout=180) == 0
    for fast in (False, True):
        with serve(run.parent, fast) as board:
            assert_complete(board, last)
