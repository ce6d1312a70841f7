"""The clock: wall time in UTC, a monotonic time, and how a moment is written."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.clock import SystemClock, rfc3339


def test_the_wall_time_is_the_machine_s_in_utc():
    """It carries its zone, and lies between two looks at the machine's clock."""
    before = datetime.now(UTC)
    now = SystemClock().now()
    assert now.tzinfo is UTC
    assert before <= now <= datetime.now(UTC)


def test_the_monotonic_time_lies_between_two_looks_at_it():
    """It is the machine's own monotonic time, in seconds."""
    before = time.monotonic()
    assert before <= SystemClock().monotonic() <= time.monotonic()


def test_a_sleep_lasts_as_long_as_was_asked():
    """By the monotonic clock no sleep is shorter."""
    clock = SystemClock()
    before = clock.monotonic()
    clock.sleep(0.01)
    assert clock.monotonic() - before >= 0.01


@pytest.mark.parametrize(
    ("moment", "written"),
    [
        (datetime(2024, 3, 4, 23, 24, 1, 900_000, tzinfo=UTC), "2024-03-04T23:24:01.900Z"),
        (datetime(2024, 3, 4, 23, 24, 1, tzinfo=UTC), "2024-03-04T23:24:01.000Z"),
        (datetime(2024, 3, 4, 23, 24, 1, 999_999, tzinfo=UTC), "2024-03-04T23:24:01.999Z"),
        (datetime(2024, 3, 5, 1, 24, 1, tzinfo=timezone(timedelta(hours=2))), "2024-03-04T23:24:01.000Z"),
        (datetime(987, 1, 1, tzinfo=UTC), "0987-01-01T00:00:00.000Z"),
    ],
)
def test_a_moment_is_written_in_utc_with_milliseconds(moment, written):
    """RFC 3339 with a Z, cut to milliseconds, never rounded into the next second."""
    assert rfc3339(moment) == written


@given(st.datetimes(datetime(1970, 1, 2), datetime(9998, 1, 1), timezones=st.timezones()))  # noqa: DTZ001 - bounds
def test_a_written_moment_reads_back_to_its_millisecond(moment):
    """What was written can be read, and is less than a millisecond off, whatever the zone."""
    read = datetime.fromisoformat(rfc3339(moment))
    assert timedelta(0) <= moment.astimezone(UTC) - read < timedelta(milliseconds=1)
