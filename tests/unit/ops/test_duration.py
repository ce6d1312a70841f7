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


@pytest.mark.parametrize("text", ["3651d", "999999d"])
def test_what_is_further_back_than_any_date_is_refused(text):
    """Ten years are enough."""
    with pytest.raises(argparse.ArgumentTypeError, match="3650d, at most"):
        duration.seconds(text)


def test_a_span_of_no_length_is_refused_where_something_is_done_in_it():
    """Looking every 0 s would never rest."""
    assert duration.of_some_length("1s") == 1
    with pytest.raises(argparse.ArgumentTypeError, match="1s or more"):
        duration.of_some_length("0.9s")


def test_figures_of_minutes_are_asked_for_as_far_back_as_they_are_kept():
    """Further back there would be none, or those of a part of the span alone."""
    assert duration.of_metrics("15d") == 15 * 86_400
    with pytest.raises(argparse.ArgumentTypeError, match="expected 15d at most"):
        duration.of_metrics("15.1d")
    with pytest.raises(argparse.ArgumentTypeError, match="1s or more"):
        duration.of_metrics("0s")


@pytest.mark.parametrize(
    ("span", "text"),
    [(0.04, "0.0 s"), (4.21, "4.2 s"), (90, "90 s"), (900, "15 min"), (9_000, "2.5 h"), (200_000, "2.3 d")],
)
def test_as_people_say_it(span, text):
    """Two digits or so."""
    assert duration.shown(span) == text
