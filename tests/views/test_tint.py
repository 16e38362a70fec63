from __future__ import annotations

import math

import numpy as np
import pytest

from tbtrace.episode import Episode, Trace
from tbtrace.errors import TbtraceWarning
from tbtrace.views.colours import PALETTE
from tbtrace.views.context import Context
from tbtrace.views.tint import Tint, Way, tint

GAP = (math.nan, math.nan)
LIMITS = (0.0, 100.0, 0.0, 100.0)


def way(
    points: list[tuple[float, ...]],
    entity: str = "a",
    group: str = "r",
    speed: list[float] | None = None,
    state: list[str | None] | None = None,
) -> Way:
    trace = Trace(
        np.arange(len(points), dtype=np.int32),
        np.array(points, float),
        {"speed": np.array(speed)} if speed else {},
        {"state": tuple(state)} if state else {},
    )
    return Way(group, entity, trace)


def line(count: int, **options: object) -> Way:
    return way([(10.0 * i, 0.0) for i in range(count)], **options)


def coloured(ways: list[Way], by: str, context: Context | None = None) -> Tint:
    return tint(ways, by, context or Context(), LIMITS)


def x_of(found: Tint) -> list[list[float]]:
    return [piece[:, 0].tolist() for piece in found.pieces]


def test_pieces_meet_where_the_state_changes() -> None:
    found = coloured([line(5, state=["on", "on", "off", "off", "on"])], "state")
    assert x_of(found) == [[0, 10, 20], [20, 30, 40]]
    assert list(found.inks) == list(PALETTE[:2])
    assert found.ends == [(PALETTE[0], PALETTE[0])]
    assert found.legend == [("on", PALETTE[0]), ("off", PALETTE[1])]


def test_a_gap_makes_no_piece_and_is_not_crossed() -> None:
    points = [(0, 0), (10, 0), GAP, (30, 0), (40, 0)]
    found = coloured([way(points, state=["on", "on", None, "off", "off"])], "state")
    assert np.isnan(x_of(found)[0]).tolist() == [False, False, True]
    assert x_of(found)[1] == [30, 40]
    assert [name for name, _ in found.legend] == ["on", "off"]


def test_what_stands_still_is_no_piece_and_goes_on_as_what_it_is_last() -> None:
    points = [(0, 0), (10, 0), (10, 0), (10, 0.1), (20, 0)]
    found = coloured([way(points, state=["on", "on", "hot", "off", "off"])], "state")
    assert PALETTE[1] not in found.inks
    assert found.inks[-1] == PALETTE[2]


def test_every_point_is_drawn_whatever_changes() -> None:
    rng = np.random.default_rng(0)
    points = rng.uniform(0, 100, (60, 2))
    points[rng.integers(0, 60, 9)] = np.nan
    states = rng.choice(["a", "b", "c"], 60).tolist()
    found = coloured([way(points.tolist(), state=states)], "state")
    seen = {tuple(row) for piece in found.pieces for row in piece.tolist() if row[0] == row[0]}
    assert seen == {tuple(row) for row in points.tolist() if row[0] == row[0]}
    drawn = {
        (tuple(a), tuple(b))
        for piece in found.pieces
        for a, b in zip(piece.tolist(), piece[1:].tolist(), strict=False)
    }
    legs = zip(points.tolist(), points[1:].tolist(), strict=False)
    assert {(tuple(a), tuple(b)) for a, b in legs if a[0] == a[0] and b[0] == b[0]} <= drawn


def test_states_have_the_colours_of_the_run() -> None:
    context = Context()
    before = line(3, state=["first", "second", "third"])
    context.observe([Episode("e", 3, 0.0, traces={"r": {"a": before.trace}})])
    found = coloured([line(2, state=["third", "third"])], "state", context)
    assert found.inks == [PALETTE[2]]
    assert found.legend == [("third", PALETTE[2])]


def test_states_beyond_the_palette_share_a_grey() -> None:
    found = coloured([line(16, state=[*map(str, range(14)), None, None])], "state")
    assert len(found.legend) == 14
    assert [name for name, _ in found.legend[-2:]] == ["other states", "no state"]


def test_numbers_have_a_bar_and_what_has_none_is_grey_below() -> None:
    found = coloured([line(4, speed=[0, 4, 4, math.nan]), line(2, entity="b")], "speed")
    assert found.bar is not None
    assert found.bar.title == "speed"
    assert found.bar.marks[0] == (0.0, "0")
    assert x_of(found) == [[0, 10], [0, 10], [10, 20, 30]]
    assert found.inks[0] == "#b8b8b8"
    assert found.ends[0][1] == "#b8b8b8"
    assert not found.legend


def test_infinite_and_equal_numbers_are_coloured() -> None:
    found = coloured([line(3, speed=[math.inf, 2.0, -math.inf])], "speed")
    assert found.bar is not None
    assert len(set(found.inks)) == 2
    assert len(coloured([line(3, speed=[7.0, 7.0, 7.0])], "speed").pieces) == 1
    assert len(coloured([line(3, speed=[math.nan] * 3)], "speed").pieces) == 1


def test_time_ends_with_the_longest_episode_of_the_run() -> None:
    context = Context()
    context.observe([Episode("e", 1000, 0.0)])
    found = coloured([line(10)], "time", context)
    assert found.bar is not None
    assert found.bar.marks[-1] == (1.0, "1000")
    assert len(set(found.inks)) == 1, "9 of 1000 steps are early"


def test_groups_have_their_colours() -> None:
    found = coloured([line(2), line(2, entity="b"), line(2, group="s")], "group")
    assert found.inks[0] == found.inks[1] != found.inks[2]
    assert [name for name, _ in found.legend] == ["r", "s"]


def test_a_channel_that_nobody_has_is_named() -> None:
    with pytest.warns(TbtraceWarning, match=r"'sped'.*'speed', 'state'"):
        found = coloured([line(2, speed=[1, 2], state=["a", "b"])], "sped")
    assert found.legend[0][0] == "a"


def test_ends_are_finite_points() -> None:
    assert way([(0, 0), (1, 1)]).ends == (0, 1)
    assert way([GAP, (0, 0), GAP]).ends == (1, 1)
    assert way([(0, 0, math.nan), (0, 0, 1), (0, 1, 1)]).ends == (1, 2)
