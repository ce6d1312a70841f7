"""Spans of time on the command line."""

from __future__ import annotations

import argparse

import pytest

from ops import duration


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("15m", 900), ("1.5h", 5400), ("2d", 172_800), ("0s", 0)])
def test_a_number_and_a_unit(text, seconds):
    """Seconds, minutes, hours, days."""
    assert duration.seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "m", "5 m", "-1s", "5w", "1e3s"])
def test_anything_else_is_refused(text):
    """With what was expected."""
    with pytest.raises(argparse.ArgumentTypeError, match="such as 90s, 15m, 6h or 2d"):
        duration.seconds(text)


@pytest.mark.parametrize(
    ("span", "text"),
    [(0.04, "0.0 s"), (4.21, "4.2 s"), (90, "90 s"), (900, "15 min"), (9_000, "2.5 h"), (200_000, "2.3 d")],
)
def test_as_people_say_it(span, text):
    """Two digits or so."""
    assert duration.shown(span) == text
