from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from tbtrace.worker import Job, Worker


def never(error: Exception) -> None:
    raise AssertionError(error)


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Holds up jobs that wait for it until the test, at last its end, opens it."""
    event = threading.Event()
    yield event
    event.set()


def held_up(gate: threading.Event) -> tuple[Job, threading.Event]:
    """A job that waits for the gate, and an event that tells that it runs."""
    started = threading.Event()

    def job() -> None:
        started.set()
        gate.wait(60.0)

    return job, started


def appending(done: list[int], number: int) -> Callable[[], None]:
    return lambda: done.append(number)


def raising() -> None:
    raise ValueError("job")


def test_jobs_are_done_in_order_on_another_thread() -> None:
    done: list[int] = []
    threads: set[str] = set()
    worker = Worker("order", never)
    for number in range(100):
        worker.put(appending(done, number))
    worker.put(lambda: threads.add(threading.current_thread().name))
    assert worker.drain(60.0)
    assert done == list(range(100))
    assert threads == {"order"}
    assert worker.stop(60.0)


def test_no_thread_is_started_while_nothing_was_put() -> None:
    before = threading.active_count()
    worker = Worker("idle", never)
    assert worker.drain(0.0)
    assert worker.stop(0.0)
    assert threading.active_count() == before


def test_stop_ends_the_thread() -> None:
    worker = Worker("ends soon", never)
    worker.put(lambda: None)
    assert worker.stop(60.0)
    assert "ends soon" not in {thread.name for thread in threading.enumerate()}


def test_an_error_is_handed_over_and_the_next_job_follows() -> None:
    errors: list[Exception] = []
    done: list[int] = []
    worker = Worker("errors", errors.append)
    worker.put(raising)
    worker.put(appending(done, 1))
    assert worker.stop(60.0)
    assert done == [1]
    assert [str(error) for error in errors] == ["job"]


def test_an_error_in_failed_does_not_end_the_thread() -> None:
    done: list[int] = []
    worker = Worker("errors", never)
    worker.put(raising)
    worker.put(appending(done, 1))
    assert worker.stop(60.0)
    assert done == [1]


def test_drain_gives_up_after_its_timeout(gate: threading.Event) -> None:
    worker = Worker("drain", never)
    job, _ = held_up(gate)
    worker.put(job)
    start = time.monotonic()
    assert not worker.drain(0.05)
    assert time.monotonic() - start < 30.0
    gate.set()
    assert worker.drain(60.0)
    assert worker.stop(60.0)


def test_stop_returns_after_its_timeout_though_a_job_hangs(gate: threading.Event) -> None:
    done: list[int] = []
    dropped: list[Job] = []
    worker = Worker("hangs", never, dropped=dropped.append)
    hanging, started = held_up(gate)
    waiting = appending(done, 1)
    worker.put(hanging)
    worker.put(waiting)
    assert started.wait(60.0)
    start = time.monotonic()
    assert not worker.stop(0.05)
    assert time.monotonic() - start < 30.0
    assert dropped == [waiting]
    gate.set()
    assert worker.drain(60.0)
    assert done == []


def test_what_is_put_after_stop_is_dropped() -> None:
    done: list[int] = []
    dropped: list[Job] = []
    worker = Worker("late", never, dropped=dropped.append)
    assert worker.stop(1.0)
    late = appending(done, 1)
    worker.put(late)
    assert (dropped, done) == ([late], [])


def test_stop_may_be_called_twice() -> None:
    worker = Worker("twice", never)
    worker.put(lambda: None)
    assert worker.stop(60.0)
    assert worker.stop(60.0)


def test_stop_tells_of_a_job_that_came_too_late_to_be_done(gate: threading.Event) -> None:
    dropped: list[Job] = []
    hanging, started = held_up(gate)
    late: list[int] = []

    class Raced(Worker):
        def drain(self, timeout: float) -> bool:
            drained = super().drain(timeout)
            self.put(hanging)
            assert started.wait(60.0)
            self.put(appending(late, 1))
            return drained

    worker = Raced("raced", never, dropped=dropped.append)
    assert not worker.stop(0.0)
    assert len(dropped) == 1


def no_thread(thread: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


def test_jobs_wait_where_no_thread_can_be_started_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[int] = []
    worker = Worker("starts late", never)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", no_thread)
        worker.put(appending(done, 1))
        worker.put(appending(done, 2))
    assert done == []
    worker.put(appending(done, 3))
    assert worker.stop(60.0)
    assert done == [1, 2, 3]


def test_who_waits_does_the_jobs_where_no_thread_can_be_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(threading.Thread, "start", no_thread)
    done: list[int] = []
    errors: list[Exception] = []
    worker = Worker("never starts", errors.append)
    for job in (appending(done, 1), raising, appending(done, 2)):
        worker.put(job)
    assert worker.stop(60.0)
    assert done == [1, 2]
    assert len(errors) == 1
    dropped: list[Job] = []
    late = Worker("has no time", never, dropped=dropped.append)
    late.put(appending(done, 3))
    assert not late.stop(0.0)
    assert (len(dropped), done) == (1, [1, 2])
