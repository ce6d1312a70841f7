"""Spans of time: a day is the whole of it, a time is a bound."""

from __future__ import annotations

from datetime import datetime

import pytest

from tools.query import span
from tools.query.errors import QueryError


@pytest.mark.parametrize(
    ("begin", "end", "first_day", "last_day", "last_delivery"),
    [
        (None, None, "0001-01-01", "9999-12-31", "9999-12-31"),
        ("2024-03-04", "2024-03-04", "2024-03-04", "2024-03-04", "2024-03-04"),
        ("2024-03-04", "2024-03-05T00:00", "2024-03-04", "2024-03-04", "2024-03-04"),
        ("2024-03-04T23:00", "2024-03-05T00:00", "2024-03-04", "2024-03-04", "2024-03-05"),
        ("2024-03-04T23:30", "2024-03-05T00:00:01Z", "2024-03-04", "2024-03-05", "2024-03-06"),
        ("2024-03-05T01:00+02:00", None, "2024-03-04", "9999-12-31", "9999-12-31"),
        ("2024-03-05T01:00", "9999-12-31T12:00", "2024-03-05", "9999-12-31", "9999-12-31"),
    ],
)
def test_days_of_a_span(begin, end, first_day, last_day, last_delivery):
    """The first and the last that it touches, and the last that has rows of one that begins or ends within a day."""
    found = span.parse(begin, end)
    assert (found.first_day, found.last_day, found.last_delivery) == (first_day, last_day, last_delivery)
    assert found.cuts_days == any(text is not None and text[11:16] not in {"", "00:00"} for text in (begin, end))


def test_a_day_as_the_end_is_inclusive():
    """The next day's first moment is the bound."""
    assert span.parse(None, "2024-02-28").end == datetime(2024, 2, 29)  # noqa: DTZ001 - UTC, as in the archive


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        ("20240304", None),
        ("2024-3-4", None),
        ("", None),
        ("2024-03-04T12:00", "2024-03-04T12:00"),
        (None, "9999-12-31"),
    ],
)
def test_what_is_no_span_is_refused(begin, end):
    """The message names the option."""
    with pytest.raises(QueryError, match=r"--from|--to"):
        span.parse(begin, end)


@pytest.mark.parametrize(
    ("begin", "end", "said"),
    [
        ("0001-01-01T00:00+14:00", None, "--from: got '0001-01-01T00:00+14:00'; expected a time that is in a year"),
        ("0001-01-01T00:00+14:00", "2024-03-04", "--from: got"),
        (None, "9999-12-31T23:00-05:00", "--to: got '9999-12-31T23:00-05:00'; expected a time that is in a year"),
        (None, "9999-12-31", "--to: got '9999-12-31'; expected a day before 9999-12-31"),
    ],
)
def test_a_time_that_is_in_no_year_is_refused_by_the_name_of_its_option(begin, end, said):
    """The calendar of UTC begins and ends elsewhere than that of other zones."""
    with pytest.raises(QueryError) as caught:
        span.parse(begin, end)
    assert str(caught.value).startswith(said)
