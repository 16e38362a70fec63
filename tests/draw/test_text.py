from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tbtrace.draw import text


@given(st.text(max_size=60), st.integers(0, 300))
def test_shortened_text_fits_its_room(line: str, room: int) -> None:
    short = text.shorten(line, room)
    assert text.width(short) <= room
    if short != text.clean(line):
        assert short == "" or short.endswith("…")


@given(st.lists(st.text(max_size=60), max_size=5), st.integers(0, 300))
def test_names_that_are_told_apart_fit_their_room(names: list[str], room: int) -> None:
    told = text.told_apart(names, room)
    assert len(told) == len(names)
    assert all(text.width(name) <= room for name in told)


def test_names_that_begin_alike_keep_their_ends() -> None:
    names = [f"a quite long name of robot {i}" for i in range(12)]
    told = text.told_apart([*names, "r"], 150)
    assert len(set(told)) == 13
    assert all(cut.endswith(f" {i}") for i, cut in enumerate(told[:12]))
    others = ["a quite long name of a robot", "another quite long name"]
    assert text.told_apart(others, 150) == [text.shorten(name, 150) for name in others]


def test_text_that_fits_stays() -> None:
    assert text.shorten("article-1", 200) == "article-1"


def test_as_much_as_possible_stays() -> None:
    line = "m" * 50
    short = text.shorten(line, 200)
    assert text.width(short[:-1] + "m…") > 200


def test_a_megabyte_of_text_is_cut_before_it_is_measured() -> None:
    assert len(text.clean("x" * 1_000_000)) < 1000


@pytest.mark.parametrize("line", ["a\nb", "a\tb", "a\x00 \x07b", " a  b "])
def test_text_becomes_one_line(line: str) -> None:
    assert text.clean(line) == "a b"
