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
