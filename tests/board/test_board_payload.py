"""The payload: what the page decodes is what the archive holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from archive_shapes import episodes
from board_runs import archive, decoded, scene, walkers, write
from hypothesis import HealthCheck, example, given, settings

import tbtrace
from tbtrace.archive import notes, schema
from tbtrace.archive.checksum import checksum
from tbtrace.board import payload as module
from tbtrace.board.catalogue import Catalogue
from tbtrace.board.faults import TooLarge
from tbtrace.board.payload import payload
from tbtrace.episode import Episode, Trace


def sent(episode: Episode) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    rows = schema.table(episode)
    told = notes.note(episode, rows.num_rows, checksum(rows), "", "")
    return decoded(payload(rows, told, "run"))


def at(*point: float) -> Trace:
    return Trace(np.zeros(1, np.int32), np.array([point]))


def of(*points: Any, **more: Any) -> Episode:
    array = np.array(points, np.float64)
    trace = Trace(np.arange(len(array), dtype=np.int32), array, **more)
    return Episode("a", len(array), 1.0, traces={"g": {"e": trace}}, split="train")


def test_an_episode_from_a_file(tmp_path: Path) -> None:
    episode = walkers("x", 3, scene=scene())
    write(tmp_path / "run", [7], episode)
    header, entities = decoded(Catalogue().episode(archive(tmp_path), "train", 7, "x"))
    (stored,) = tbtrace.open_archive(tmp_path).find()
    loaded = stored.load()
    assert header.pop("scene") == {
        "extent": [0, 8, 0, 6],
        "units": "m",
        "axes": ["east", "north"],
        "places": {"dock": [1, 2]},
        "background": stored.note["scene"]["background"],
    }
    assert header == {
        "run": "run",
        "split": "train",
        "iteration": 7,
        "uid": "x",
        "return": 1.0,
        "length": 20,
        "envSteps": 0,
        "metrics": stored.summary.metrics,
        "origin": [0, 0, 0],
    }
    assert [one["name"] for one in entities] == ["a0", "a1", "a2"]
    for one in entities:
        trace = loaded.traces["articles"][one["name"]]
        np.testing.assert_array_equal(one["points"], trace.points)
        np.testing.assert_array_equal(one["steps"], trace.steps)
        np.testing.assert_array_equal(
            one["channels"]["speed"], trace.channels["speed"].astype(np.float32)
        )
        assert one["labels"] == trace.labels


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(episodes())
@example(
    Episode(
        "a", 1, 1.0, split="train", iteration=1,
        traces={
            "g": {"a": at(0.0, 3907.0, 65536.26953125), "b": at(0.0, 0.0)},
            "h": {"a": at(0.0, 524288.96875)},
        },
    )
)  # fmt: skip
def test_every_shape_of_episode(episode: Episode) -> None:
    header, entities = sent(episode)
    given = [(group, name, t) for group, ts in episode.traces.items() for name, t in ts.items()]
    assert [(one["group"], one["name"]) for one in entities] == [each[:2] for each in given]
    origin = np.array(header["origin"])
    for one, (_, _, trace) in zip(entities, given, strict=True):
        axes = trace.points.shape[1]
        with np.errstate(over="ignore", invalid="ignore"):
            shown = np.float32(trace.points - origin[:axes])
            whole = np.isfinite(shown).all(axis=1)
            there = np.isfinite(one["points"]).all(axis=1)
            assert not (there & ~np.isfinite(trace.points).all(axis=1)).any()
            # One that spans little of its group may be stored in float32.
            rounded = np.spacing(np.abs(np.float32(trace.points[whole])).max(initial=1e-30))
            np.testing.assert_allclose(
                one["points"][there & whole], shown[there & whole], rtol=1e-6, atol=rounded
            )
        assert np.isnan(one["points"][~there]).all()
        np.testing.assert_array_equal(one["steps"], trace.steps)
        assert one["labels"] == trace.labels
        assert list(one["channels"]) == list(trace.channels)
    assert header["return"] is None or header["return"] == episode.episode_return


def test_points_far_from_zero_are_relative_to_the_middle() -> None:
    points = [(5_000_000.25, 600_000.125), (5_000_002.5, 600_001.0)]
    header, (one,) = sent(of(*points))
    assert header["origin"][0] > 4e6
    np.testing.assert_array_equal(one["points"] + np.array(header["origin"][:2]), points)


def test_what_is_not_finite_is_a_gap() -> None:
    _, (one,) = sent(of((0, 0), (1, np.nan), (np.inf, 2), (3, 3)))
    assert np.isnan(one["points"]).tolist() == [[False] * 2, [True] * 2, [True] * 2, [False] * 2]


def test_three_dimensions_and_steps_with_holes() -> None:
    steps = np.array([2, 3, 9], np.int32)
    trace = Trace(steps, np.arange(9.0).reshape(3, 3))
    _, (one,) = sent(Episode("a", 9, 1.0, traces={"g": {"e": trace}}, split="train"))
    assert one["points"].tolist() == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    assert one["steps"].tolist() == [2, 3, 9]


@pytest.mark.parametrize("steps", [[1, 1], [2, 1], [-1, 0], [-(2**31), 2**31 - 1]], ids=str)
def test_steps_that_do_not_rise_are_refused(steps: list[int]) -> None:
    trace = Trace(np.array(steps, np.int32), np.zeros((2, 2)))
    with pytest.raises(ValueError, match="rise"):
        sent(Episode("a", 2, 1.0, traces={"g": {"e": trace}}))


def test_names_are_data() -> None:
    names = ["<img onerror=alert(1)>", "../../x", "\0", "n" * 10_000, "\ud800"]
    nothing = Trace(np.zeros(1, np.int32), np.zeros((1, 2)))
    _, entities = sent(Episode("a", 1, 1.0, traces={"g": dict.fromkeys(names, nothing)}))
    assert [one["name"] for one in entities] == names


def test_more_states_than_codes() -> None:
    states = tuple(f"s{i}" for i in range(65_540))
    _, (one,) = sent(of(*np.zeros((65_540, 2)), labels={"state": states}))
    assert one["labels"]["state"] == (*states[:65_535], *[None] * 5)


@pytest.mark.parametrize(
    ("bound", "value"), [("MOST_POINTS", 19), ("MOST_BYTES", 100), ("MOST_LETTERS", 5)]
)
def test_an_answer_is_bounded(monkeypatch: pytest.MonkeyPatch, bound: str, value: int) -> None:
    sent(walkers(entities=1))
    monkeypatch.setattr(module, bound, value)
    with pytest.raises(TooLarge):
        sent(walkers(entities=1))


def test_a_scene_without_numbers_has_none() -> None:
    strange = tbtrace.Scene(None, (0.0, np.inf, 0.0, 1.0), None, {"a": (0.0, np.nan)})
    episode = walkers(scene=strange)
    header, _ = sent(episode)
    assert header["scene"] == {
        "extent": None, "units": None, "axes": [], "places": {}, "background": ""
    }  # fmt: skip
