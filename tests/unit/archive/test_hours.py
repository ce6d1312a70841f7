"""The hour an update belongs to follows from its key; hours in keys, events and reports are written one way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.hours import (
    DAY,
    EARLIEST,
    EPOCH,
    HOUR_OF,
    MICROSECONDS,
    archive_key,
    ledger_key,
    named,
    newest_first,
    parse,
)

AT = datetime(2024, 3, 4, 23, tzinfo=UTC)
MEASURED = int((AT - EPOCH).total_seconds()) * 1_000_000


@pytest.mark.parametrize(
    ("timestamp", "ingestion_time", "hour_belongs_to"),
    [
        (MEASURED, None, MEASURED),
        (MEASURED, MEASURED + DAY, MEASURED + DAY),
        (MEASURED, MEASURED - DAY, MEASURED - DAY),
        (MEASURED, MEASURED + DAY + 1, MEASURED),
        (MEASURED, MEASURED - DAY - 1, MEASURED - DAY - 1),
        (MEASURED, EARLIEST, EARLIEST),
        (MEASURED, EARLIEST - 1, MEASURED),
        (0, MEASURED, MEASURED),
        (0, EARLIEST - 1, EARLIEST - 1),
    ],
    ids=[
        "not-ingested",
        "a-day-late",
        "a-day-early",
        "later-than-a-day",
        "earlier-than-a-day",
        "set-in-2010",
        "never-set",
        "sender-never-set",
        "neither-set",
    ],
)
def test_the_clock_that_is_right_decides(timestamp, ingestion_time, hour_belongs_to):
    """That of the ingestion, unless the two are more than a day apart; the bounds themselves are within."""
    assert _hour_of(timestamp, ingestion_time) == hour_belongs_to // MICROSECONDS


@given(st.integers(-(10**17), 10**17), st.integers(-(10**17), 10**17))
def test_an_hour_is_one_of_the_two_times(timestamp, ingestion_time):
    """Whatever the clocks say, and before 1970 too."""
    hour = _hour_of(timestamp, ingestion_time)
    assert hour in {timestamp // MICROSECONDS, ingestion_time // MICROSECONDS}


@pytest.mark.parametrize(
    "text",
    ["2024-03-04T23", "2024-03-04T23:00", "2024-03-04T23:00:00Z", "2024-03-05T00:00:00+01:00", "2024-03-04 23"],
)
def test_an_hour_is_read_in_every_way_of_writing_it(text):
    """With its zone, or as UTC."""
    assert parse(text) == AT


@pytest.mark.parametrize(
    "text",
    ["", "2024-03-04T23:30", "2024-03-04T23:00:01Z", "23", "2024-13-04T23", "yesterday", "2024-03-04", "20240304"],
)
def test_what_is_no_whole_hour_is_refused(text):
    """The text says what was expected."""
    with pytest.raises(ValueError, match="expected an hour, UTC, such as 2024-03-04T23"):
        parse(text)


def test_keys_and_names_say_the_same_hour():
    """A key has four digits of a year, as those of Hive's partitions do."""
    hour = MEASURED // MICROSECONDS
    assert archive_key(hour) == "archive/updates/date=2024-03-04/hour=23/updates.parquet"
    assert ledger_key(AT) == "archive/ledger/date=2024-03-04/hour=23/ledger.json"
    assert named({hour, hour - 1}) == ["2024-03-04T22", "2024-03-04T23"]
    second_year = datetime(2, 1, 1, tzinfo=UTC)
    assert named([(second_year - EPOCH) // timedelta(hours=1)]) == ["0002-01-01T00"]
    assert ledger_key(AT.replace(year=33)).startswith("archive/ledger/date=0033-03-04/")


def test_a_run_looks_back_from_the_hour_that_it_is():
    """Whole hours of UTC, wherever the clock is."""
    now = datetime(2024, 3, 5, 1, 30, 7, 9, tzinfo=timezone(timedelta(hours=1)))
    first = AT + timedelta(hours=1)
    assert list(newest_first(now, 3)) == [first, first - timedelta(hours=1), first - timedelta(hours=2)]


def _hour_of(timestamp, ingestion_time):
    """Return the hour of two times, as DuckDB finds it."""
    times = "SELECT make_timestamp(?::BIGINT) AS timestamp, make_timestamp(?::BIGINT) AS ingestion_time"
    ((hour,),) = duckdb.execute(f"SELECT {HOUR_OF} FROM ({times})", [timestamp, ingestion_time]).fetchall()
    return hour
