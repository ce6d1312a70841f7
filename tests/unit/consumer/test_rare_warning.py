"""Warnings that somebody outside can cause: few are logged, none is forgotten."""

from __future__ import annotations

import pytest

from consumer import rare_warning
from consumer.rare_warning import AT_ONCE, SECONDS_EACH, RareWarning


class Log:
    """Keeps warnings with their fields."""

    def __init__(self):
        self.lines = []

    def warning(self, message, **fields):
        self.lines.append((message, fields))


@pytest.fixture
def log(monkeypatch):
    """What is logged."""
    log = Log()
    monkeypatch.setattr(rare_warning, "logger", log)
    return log


def test_a_flood_is_cut_and_the_next_line_says_by_how_much(log):
    """Each costs money in CloudWatch, and the server decides how many there are."""
    now = [0.0]
    warnings = RareWarning(lambda: now[0])
    for number in range(AT_ONCE + 90):
        warnings.warning("odd", number=number)
    assert [fields["number"] for _, fields in log.lines] == list(range(AT_ONCE))
    now[0] = SECONDS_EACH
    warnings.warning("odd", number=100)
    assert log.lines[-1] == ("odd", {"number": 100, "left_out_before": 90})


def test_what_was_left_out_last_is_said_at_the_end(log):
    """A run that ends in the flood tells of it, once."""
    warnings = RareWarning(lambda: 0.0)
    for _ in range(AT_ONCE + 3):
        warnings.warning("odd")
    warnings.close()
    warnings.close()
    assert log.lines[AT_ONCE:] == [("more warnings of this kind were left out", {"left_out": 3})]


def test_a_field_that_costs_something_is_made_only_for_a_line(log):
    """The server's text is redacted, which takes as long as the text is."""
    made = []

    def text():
        made.append(1)
        return "text"

    warnings = RareWarning(lambda: 0.0)
    for _ in range(AT_ONCE + 50):
        warnings.warning("odd", text=text)
    assert len(made) == len(log.lines) == AT_ONCE
    assert log.lines[0] == ("odd", {"text": "text"})
