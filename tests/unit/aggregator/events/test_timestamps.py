"""Milliseconds read out of texts are those of the instants that the decoder of updates reads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.events import timestamps
from aggregator.events.timestamps import OtherwiseWrittenError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
instants = st.integers(-(2**41), 2**42).map(lambda milliseconds: EPOCH + timedelta(milliseconds=milliseconds))


def text(instant, spec="milliseconds"):
    """An instant as the feed writes it."""
    return instant.replace(tzinfo=None).isoformat(timespec=spec) + "Z"


@given(feed=st.lists(instants, max_size=9))
def test_milliseconds_are_those_of_the_instant(feed):
    """Before 1970 and after it, looked up for the first time or the second."""
    expected = [(instant - EPOCH) // timedelta(milliseconds=1) for instant in feed]
    assert timestamps.milliseconds(list(map(text, feed))) == expected
    assert timestamps.whole_seconds(list(map(text, feed))) == expected
    seconds = [text(instant.replace(microsecond=0), "seconds") for instant in feed]
    assert timestamps.whole_seconds(seconds) == timestamps.milliseconds(seconds)
    assert timestamps.whole_seconds(seconds) == [milliseconds // 1_000 * 1_000 for milliseconds in expected]


def test_none_stays_none():
    """An update without ingestion time is another one than each with it."""
    assert timestamps.milliseconds([None, "1970-01-01T00:00:01.500Z", None]) == [None, 1_500, None]


@pytest.mark.parametrize(
    "other",
    [
        "2024-03-04T23:24:01",
        "2024-03-04T23:24:01.5Z",
        "2024-03-04T23:24:01.000001Z",
        "2024-03-04T23:24:01+00:00",
        "2024-03-04T23:24:61Z",
        "2024-02-30T23:24:01Z",
        "2024-03-04T23:24Z",
        "2024-03-04",
        "Z",
        "",
        "\ud83d\ude00" * 19 + "Z",
    ],
)
def test_what_is_written_otherwise_is_left_to_others(other):
    """Nothing is guessed, also when the text has been seen before."""
    timestamps.milliseconds(["2024-03-04T23:24:01Z"])
    for read in (timestamps.milliseconds, timestamps.whole_seconds) * 2:
        with pytest.raises(OtherwiseWrittenError):
            read(["2024-03-04T23:24:02Z", other])


def test_a_feed_of_all_times_does_not_fill_the_memory():
    """What is kept of seconds is bounded, and right after it was cleared."""
    texts = [text(datetime.fromtimestamp(second, UTC), "seconds") for second in range(timestamps.MOST_SECONDS + 10)]
    assert timestamps.whole_seconds(texts) == [second * 1_000 for second in range(timestamps.MOST_SECONDS + 10)]
    assert timestamps.milliseconds(texts[:1]) == [0]
    assert len(timestamps._seconds) <= timestamps.MOST_SECONDS
