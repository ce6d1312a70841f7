"""Text from outside: one line, bounded, without control characters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.printable import printable, said


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text", "plain text"),
        ("two\r\nlines", "two lines"),
        ("red \x1b[31m", "red ?[31m"),
        ("turned \u202e around", "turned ? around"),
        ("half \ud83d", "half ?"),
        ("\n padded \n", "padded"),
        ("caf\u00e9 \u822a\u73ed", "caf\u00e9 \u822a\u73ed"),
    ],
)
def test_what_is_not_visible_is_a_mark_or_a_blank(text, shown):
    """No escape sequence reaches a terminal, no second line a log."""
    assert printable(text, 80) == shown


@given(text=st.text(st.characters()), most=st.integers(1, 50))
def test_it_is_a_line_of_at_most_so_many_characters(text, most):
    """Whatever the text is."""
    shown = printable(text, most)
    assert len(shown) <= most
    assert len(shown.splitlines()) <= 1
    shown.encode()


def test_what_another_side_says_is_one_bounded_line():
    """An error as well as a text: it stands in the text of ours."""
    assert said(ValueError("\x1b[31mtwo\nlines" + "x" * 1_000)) == "?[31mtwo lines" + "x" * 485 + "…"
