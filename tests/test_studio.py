"""What waits to be drawn, and what becomes of it when drawing fails or falls behind."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from stand import Note, Stand, WaitFor, content, fail, leave, sleep_for_ever, warn

from tbtrace import studio
from tbtrace.artist import Done, Drawn, Order, Reply, Turn
from tbtrace.errors import Problems, TbtraceWarning
from tbtrace.lane import ArtistError, Lane
from tbtrace.options import pickled
from tbtrace.studio import MOST_ORDERS, Drawing
from tbtrace.worker import Worker

VIEWS = [("one", b"")]


class Fake(Lane):
    """A lane whose artist is a function of the order, on the lane's thread."""

    def __init__(self, act: Callable[[Order], object] = lambda order: None) -> None:
        self.act = act
        self.worker = Worker("fake", self._failed)
        self.cuts = 0

    def start(self) -> None:
        pass

    def cut(self) -> None:
        self.cuts += 1

    def draw(self, order: Order, seconds: float, hear: Callable[[Reply], None]) -> None:
        for name, _ in order.views:
            hear(Reply(Turn(name)))
            self.act(order)
            hear(Reply(Drawn(name, [order.content], 1, 1)))
        hear(Reply(Done()))


class Gallery:
    """A drawing, what it delivered, and its problems."""

    def __init__(self, lane: Lane, views: list[tuple[str, bytes]], seconds: float = 60.0) -> None:
        self.shown: list[tuple[int, str]] = []
        self.problems = Problems()
        self.drawing = Drawing(views, seconds, self.deliver, self.problems, lane)

    def deliver(self, step: int, drawn: Drawn) -> None:
        self.shown.append((step, drawn.tag.removeprefix("traces/").removesuffix("/train/last")))


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture(scope="module")
def lane() -> Iterator[Lane]:
    lane = Lane()
    yield lane
    lane.close()


def busy_gallery(gate: threading.Event, step: int, content: bytes = b"") -> tuple[Fake, Gallery]:
    """A gallery of one view that is drawing `step` until the gate opens."""
    fake, busy = held(gate)
    gallery = Gallery(fake, VIEWS)
    gallery.drawing.put(step, content)
    assert busy.wait(60.0)
    return fake, gallery


def held(gate: threading.Event) -> tuple[Fake, threading.Event]:
    """A lane that waits for the gate, and an event that tells that it does."""
    busy = threading.Event()

    def act(order: Order) -> None:
        busy.set()
        gate.wait(60.0)

    return Fake(act), busy


def test_pictures_are_delivered_in_order_with_their_steps() -> None:
    gallery = Gallery(Fake(), [("one", b""), ("two", b"")])
    for step in range(5):
        gallery.drawing.put(step, b"")
        assert gallery.drawing.drain(60.0)
    assert gallery.shown == [(step, name) for step in range(5) for name in ("one", "two")]
    assert gallery.drawing.stop(60.0)
    assert gallery.problems.take() == {}


def test_behind_the_oldest_are_dropped_and_counted(gate: threading.Event) -> None:
    fake, busy = held(gate)
    gallery = Gallery(fake, [("one", b""), ("two", b"")])
    gallery.drawing.put(0, b"")
    assert busy.wait(60.0)
    with pytest.warns(TbtraceWarning, match="drawing is behind: the pictures of step 1 are"):
        for step in range(1, 21):
            gallery.drawing.put(step, b"")
    gate.set()
    assert gallery.drawing.stop(60.0)
    steps = [0, *range(21 - MOST_ORDERS, 21)]
    assert [step for step, name in gallery.shown if name == "one"] == steps
    assert gallery.problems.take() == {"pictures": 2 * (21 - len(steps))}


def test_bytes_that_wait_are_bounded_but_one_order_may_be_larger(
    gate: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(studio, "MOST_BYTES", 100)
    _, gallery = busy_gallery(gate, 0, b"x" * 500)
    gallery.drawing.put(1, b"x" * 60)
    gallery.drawing.put(2, b"x" * 40)
    with pytest.warns(TbtraceWarning, match="step 1"):
        gallery.drawing.put(3, b"x" * 60)
    gallery.drawing.put(4, b"x" * 500)
    gate.set()
    assert gallery.drawing.stop(60.0)
    assert [step for step, _ in gallery.shown] == [0, 4]
    assert gallery.problems.take() == {"pictures": 3}


def test_a_run_that_goes_back_shows_nothing_of_what_it_replaces(gate: threading.Event) -> None:
    _, gallery = busy_gallery(gate, 5)
    for step in (3, 4, 6):
        gallery.drawing.put(step, b"")
    with pytest.warns(TbtraceWarning, match="the run went back to step 4"):
        gallery.drawing.forget_from(4)
    gallery.drawing.put(4, b"")
    gate.set()
    assert gallery.drawing.stop(60.0)
    assert [step for step, _ in gallery.shown] == [3, 4]
    assert gallery.problems.take() == {"pictures": 3}


def test_what_is_being_drawn_of_an_earlier_step_is_kept(gate: threading.Event) -> None:
    _, gallery = busy_gallery(gate, 3)
    gallery.drawing.forget_from(4)
    gate.set()
    assert gallery.drawing.stop(60.0)
    assert gallery.shown == [(3, "one")]


def test_stop_gives_up_after_its_timeout_and_counts(gate: threading.Event) -> None:
    fake, gallery = busy_gallery(gate, 0)
    for step in (1, 2):
        gallery.drawing.put(step, b"")
    start = time.monotonic()
    with pytest.warns(TbtraceWarning, match="the run ended"):
        assert not gallery.drawing.stop(0.1)
    assert time.monotonic() - start < 30.0
    assert fake.cuts == 1
    assert gallery.problems.take() == {"pictures": 3}
    gallery.drawing.put(3, b"")
    assert gallery.problems.take() == {"pictures": 1}
    gate.set()
    assert gallery.drawing.drain(60.0)
    assert gallery.shown == []
    assert gallery.problems.take() == {}


class SlowDisk(Gallery):
    """Takes pictures when the gate opens."""

    def __init__(self, gate: threading.Event) -> None:
        self.gate, self.busy = gate, threading.Event()
        super().__init__(Fake(), VIEWS)
        self.drawing.put(3, b"")
        assert self.busy.wait(60.0)

    def deliver(self, step: int, drawn: Drawn) -> None:
        self.busy.set()
        self.gate.wait(60.0)
        super().deliver(step, drawn)


def test_waiting_has_an_end_though_a_picture_hangs_on_the_disk(gate: threading.Event) -> None:
    gallery = SlowDisk(gate)
    started = time.monotonic()
    gallery.drawing.put(4, b"")
    assert not gallery.drawing.drain(0.05)
    with pytest.warns(TbtraceWarning, match="the run ended"):
        assert not gallery.drawing.stop(0.05)
    assert time.monotonic() - started < 30.0
    gate.set()


def test_going_back_and_stopping_wait_for_a_picture_that_is_written_just_now(
    gate: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(studio, "_DELIVERY_SECONDS", 60.0)
    gallery = SlowDisk(gate)
    shown: list[list[tuple[int, str]]] = []
    threading.Timer(0.2, gate.set).start()
    gallery.drawing.forget_from(3)
    shown.append([*gallery.shown])
    assert gallery.drawing.drain(60.0)
    gate.clear()
    gallery.busy.clear()
    gallery.drawing.put(5, b"")
    assert gallery.busy.wait(60.0)
    threading.Timer(0.2, gate.set).start()
    with pytest.warns(TbtraceWarning, match="the run ended"):
        assert not gallery.drawing.stop(0.0)
    shown.append([*gallery.shown])
    assert shown == [[(3, "one")], [(3, "one"), (5, "one")]]


def test_two_runs_take_turns_on_a_lane(gate: threading.Event) -> None:
    fake, busy = held(gate)
    greedy, modest = Gallery(fake, VIEWS), Gallery(fake, VIEWS)
    greedy.shown = modest.shown = shown = []
    for step in range(4):
        greedy.drawing.put(step, b"")
    assert busy.wait(60.0)
    modest.drawing.put(100, b"")
    gate.set()
    assert greedy.drawing.stop(60.0)
    assert modest.drawing.stop(60.0)
    assert [step for step, _ in shown] == [0, 100, 1, 2, 3]


def test_an_error_of_who_takes_the_pictures_is_counted_and_the_next_follows() -> None:
    gallery = Gallery(Fake(), VIEWS)

    def refuse(step: int, drawn: Drawn) -> None:
        raise OSError(step)

    gallery.drawing._deliver = refuse
    with pytest.warns(TbtraceWarning, match="writing 'one' raised OSError"):
        gallery.drawing.put(1, b"")
        assert gallery.drawing.drain(60.0)
    gallery.drawing._deliver = gallery.deliver
    gallery.drawing.put(2, b"")
    assert gallery.drawing.stop(60.0)
    assert gallery.shown == [(2, "one")]
    assert gallery.problems.take() == {"pictures": 1}


@pytest.mark.parametrize(
    ("act", "seconds", "what"),
    [(sleep_for_ever, 2.0, "took more than 2 s"), (leave, 60.0, "crashed its process")],
)
def test_a_view_that_hangs_or_crashes_is_not_drawn_again(
    lane: Lane, act: Callable[..., None], seconds: float, what: str
) -> None:
    views = pickled([Stand("first"), Stand("bad", act), Stand("last")])
    gallery = Gallery(lane, views, seconds)
    with pytest.warns(TbtraceWarning, match=f"view 'bad' {what}; it is not drawn any more"):
        for step in (1, 2):
            gallery.drawing.put(step, content(f"e{step}"))
        assert gallery.drawing.stop(60.0)
    assert gallery.shown == [(step, name) for step in (1, 2) for name in ("first", "last")]
    assert gallery.problems.take() == {"pictures": 1}


def test_what_failed_before_a_crash_is_counted_too(lane: Lane) -> None:
    views = pickled([Stand("raises", fail), Stand("crashes", leave), Stand("last")])
    gallery = Gallery(lane, views)
    with pytest.warns(TbtraceWarning) as caught:
        gallery.drawing.put(1, content("a"))
        assert gallery.drawing.stop(60.0)
    assert [str(warning.message).split(";")[0][:30] for warning in caught] == [
        "view 'raises' raised ZeroDivis",
        "view 'crashes' crashed its pro",
    ]
    assert gallery.shown == [(1, "last")]
    assert gallery.problems.take() == {"pictures": 2}


def test_a_warning_reaches_the_user_once(lane: Lane) -> None:
    gallery = Gallery(lane, pickled([Stand("warns", warn)]))
    with pytest.warns(TbtraceWarning, match="a view says so") as caught:
        for step in (1, 2):
            gallery.drawing.put(step, content("a"))
        assert gallery.drawing.stop(60.0)
    assert len(caught) == 1
    assert gallery.problems.take() == {}


def test_a_run_that_ends_in_mid_view_frees_the_lane_and_blames_nobody(
    lane: Lane, tmp_path: Path
) -> None:
    pid = tmp_path / "pid"
    hangs = Gallery(lane, pickled([Stand("hangs", Note(str(pid), sleep_for_ever))]))
    hangs.drawing.put(1, content("a"))
    waits = WaitFor(str(pid))
    waits([])
    with pytest.warns(TbtraceWarning) as caught:
        assert not hangs.drawing.stop(0.1)
    other = Gallery(lane, pickled([Stand("other")]))
    other.drawing.put(1, content("b"))
    assert other.drawing.stop(60.0)
    assert other.shown == [(1, "other")]
    assert [str(warning.message)[:13] for warning in caught] == ["the run ended"]
    assert hangs.problems.take() == {"pictures": 1}


def test_a_process_that_cannot_start_is_said_once_and_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    gallery = Gallery(Lane(), pickled([Stand("one"), Stand("two")]))
    with pytest.warns(
        TbtraceWarning, match="did not start .*nowhere.*does /nowhere/python"
    ) as caught:
        for step in (1, 2):
            gallery.drawing.put(step, content("a"))
        assert gallery.drawing.stop(60.0)
    assert len(caught) == 1
    assert gallery.problems.take() == {"pictures": 4}


def test_images_that_crash_the_artist_are_not_tried_again() -> None:
    asked: list[bool] = []

    class Crashing(Fake):
        def draw(self, order: Order, seconds: float, hear: Callable[[Reply], None]) -> None:
            asked.append(order.encode)
            if order.encode:
                raise ArtistError("images of the result", False)
            super().draw(order, seconds, hear)

    gallery = Gallery(Crashing(), VIEWS)
    with pytest.warns(TbtraceWarning, match="'images of the result' crashed"):
        for step in (1, 2):
            gallery.drawing.put(step, b"")
        assert gallery.drawing.stop(60.0)
    assert asked == [True, False, False]
    assert gallery.shown == [(1, "one"), (2, "one")]
