from __future__ import annotations

import pickle
import threading
import warnings

import pytest

from tbtrace.errors import ContractError, Problems, TbtraceError, TbtraceWarning, warn_once


def caught(*calls: tuple[str, str]) -> list[str]:
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        for key, message in calls:
            warn_once(key, message)
    return [str(warning.message) for warning in said]


def test_a_warning_is_said_once_a_key() -> None:
    assert caught(("a", "first"), ("a", "second"), ("b", "third")) == ["first", "third"]


def test_a_warning_is_said_once_by_many_threads() -> None:
    start = threading.Barrier(8)

    def say() -> None:
        start.wait()
        warn_once("key", "message")

    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        threads = [threading.Thread(target=say) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(said) == 1


def test_problems_are_counted_by_kind_and_named_once_by_key() -> None:
    problems = Problems()
    with pytest.warns(TbtraceWarning, match="speed is a str"):
        problems.add("values", "speed", "speed is a str")
    problems.add("values", "speed", "speed is a list", count=3)  # no second warning
    with pytest.warns(TbtraceWarning, match="speed is no point"):
        problems.add("points", "speed", "speed is no point")
    problems.count("aborted")
    assert problems.take() == {"values": 4, "points": 1, "aborted": 1}
    assert problems.take() == {}


def test_a_problem_that_counts_nothing_is_said_and_not_taken() -> None:
    problems = Problems()
    with pytest.warns(TbtraceWarning, match="renamed"):
        problems.add("values", "name", "renamed", count=0)
    assert problems.take() == {}


def test_a_problem_is_counted_also_where_warnings_are_errors() -> None:
    problems = Problems()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(TbtraceWarning):
            problems.add("values", "speed", "speed is a str")
    assert problems.take() == {"values": 1}


def test_an_error_is_named_with_its_place() -> None:
    problems = Problems()
    try:
        raise ValueError("too fast")
    except ValueError as error:
        with pytest.warns(
            TbtraceWarning,
            match=r"^reading raised ValueError: too fast in .*test_errors.py:\d+; .*goes on",
        ):
            problems.add_error("records", "reading", error)
    assert problems.take() == {"records": 1}


def test_an_error_that_was_never_raised_has_no_place() -> None:
    with pytest.warns(TbtraceWarning, match=r"^reading raised KeyError: 'x.; .*goes on"):
        Problems().add_error("records", "reading", KeyError("x"))


def test_a_contract_error_is_a_value_error() -> None:
    assert issubclass(ContractError, ValueError)
    assert issubclass(ContractError, TbtraceError)


def test_an_error_is_only_logged_where_warnings_are_errors(
    caplog: pytest.LogCaptureFixture,
) -> None:
    problems = Problems()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        problems.add_error("records", "reading", KeyError("x"))
    assert problems.take() == {"records": 1}
    assert "reading raised KeyError" in caplog.text


def test_a_pickled_copy_starts_at_zero_and_takes_nothing_away() -> None:
    problems = Problems()
    problems.count("aborted", 3)
    assert pickle.loads(pickle.dumps(problems)).take() == {}
    assert problems.take() == {"aborted": 3}


def test_an_error_that_cannot_say_what_it_is_raises_nothing() -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise ValueError("no words")

    problems = Problems()
    with pytest.warns(TbtraceWarning, match=r"reading raised Mute: \(it cannot say what\)"):
        problems.add_error("records", "reading", Mute())
    assert problems.take() == {"records": 1}
