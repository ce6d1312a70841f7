"""Times as DuckDB takes them: those that are written alike stay, the others are read one by one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.moments import checked, in_utc, moment
from common.target_update import decode

FIRST, LAST = datetime(2, 1, 1), datetime(9998, 12, 31)  # noqa: DTZ001 - Hypothesis takes no zones here


def test_times_that_are_written_alike_are_not_read():
    """They come back as the same object: at C's speed."""
    texts = ["2024-03-04T23:24:00.125Z", "2024-03-04T23:24:59.000Z"]
    assert checked(texts) is texts


@given(times=st.lists(st.datetimes(FIRST, LAST), max_size=5), digits=st.integers(0, 6))
def test_each_is_the_time_that_it_says(times, digits):
    """With any number of decimals."""
    spec = "seconds" if digits == 0 else "milliseconds" if digits == 3 else "microseconds"
    texts = [f"{time.isoformat(timespec=spec)}Z" for time in times]
    for text, found in zip(texts, checked(texts), strict=True):
        assert found is not None
        assert datetime.fromisoformat(found.removesuffix("Z")) == datetime.fromisoformat(text[:-1])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2024-03-05T00:24:00+01:00", "2024-03-04T23:24:00"),
        (None, None),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00"),
        ("2016-12-31T23:59:60.250Z", "2017-01-01T00:00:00.250000"),
        ("9999-12-31T23:59:60Z", None),
        ("2024-03-04T23:24:00", "2024-03-04T23:24:00"),
        ("2024-02-30T00:00:00Z", None),
        ("0001-01-01T00:00:00Z", None),
        ("noon", None),
    ],
)
def test_other_spellings_are_read_one_by_one(text, found):
    """In another zone, or none; a leap second is the one after :59; what is no time of the feed is absent."""
    assert moment(text) == found


@given(
    st.sampled_from(
        [
            "2016-12-31T23:59:60Z",
            "2017-01-01 00:59:60.5+01:00",
            "2024-03-04T23:24:00",
            "20240304T232400Z",
            "0001-01-01Z",
        ]
    )
    | st.from_regex(r"20\d\d-0[1-3]-[0-3]\d[T ]2[0-4]:\d\d:[0-6]\d(\.\d{1,9})?(Z|\+01:00)?", fullmatch=True)
)
def test_a_time_is_read_as_the_updates_own(text):
    """A take-off by the rule of a timestamp: what one decoder takes, the other takes as the same instant."""
    update = b'{"icao_address":"A","timestamp":"2024-03-04T00:00:00Z","ingestion_time":"%b"}' % text.encode()
    expected = decode(update).ingestion_time
    assert moment(text) == (None if expected is None else in_utc(expected))


def test_one_that_is_not_a_time_is_refused_among_many():
    """The batch is then taken line by line."""
    with pytest.raises(ValueError, match="Invalid"):
        checked(["2024-03-04T23:24:00Z", "2024-13-04T23:24:00Z"])
    assert checked(["2024-03-04T23:24:00Z", None]) == ["2024-03-04T23:24:00", None]
    assert in_utc(datetime(2024, 3, 4, tzinfo=UTC)) == "2024-03-04T00:00:00"
