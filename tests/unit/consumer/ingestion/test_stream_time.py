"""Which ingestion times say how far the stream has come, and which are a wrong clock's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from consumer.ingestion.stream_time import StreamTime

NOW = datetime(2024, 3, 4, 23, 24, tzinfo=UTC)


def before(*seconds):
    """Times so many seconds before now; negative ones lie ahead."""
    return [NOW - timedelta(seconds=one) for one in seconds]


def newest(times):
    """How far the stream has come by these times, received now."""
    stream_time = StreamTime()
    stream_time.note(times)
    return stream_time.close(NOW)


def test_the_newest_of_an_interval_is_believed_to_the_millisecond():
    """Where no clock is wrong nothing is taken off: the lag is what it is."""
    times = before(*(0.001 + number / 7 for number in reversed(range(100))))
    assert newest(times) == times[-1]


@pytest.mark.parametrize("wrong", [60, 3 * 3600])
def test_a_quarter_of_an_interval_may_be_far_ahead_of_the_others(wrong):
    """Wherever that is by our clock: the stream is hours behind, as when it is being caught up."""
    behind = before(*[4 * 3600] * 6)
    assert newest([*behind, *before(4 * 3600 - wrong, 4 * 3600 - wrong)]) == behind[0]


@pytest.mark.parametrize("ahead", [0.5, 5, 30, 72_000])
@pytest.mark.parametrize("others", [1, 3])
def test_a_time_ahead_of_the_clock_does_not_count(ahead, others):
    """However few the others are, and however many it is."""
    behind = before(*[2 * 3600] * others)
    assert newest([*behind, *before(-ahead, -ahead, -ahead)]) == behind[0]


def test_an_interval_of_times_ahead_of_the_clock_says_nothing():
    """Alone in its interval a wrong clock has nothing beside it that contradicts it, but the clock."""
    stream_time = StreamTime()
    stream_time.note(before(7_200))
    stream_time.close(NOW)
    stream_time.note(before(-5))
    assert stream_time.close(NOW) is None
    assert stream_time.close(NOW) is None, "nothing was noted since"
    stream_time.note(before(7_100))
    assert stream_time.close(NOW) == NOW - timedelta(seconds=7_100)


def test_where_most_are_ahead_it_is_our_clock_that_is_behind():
    """Or time is simulated, and goes faster than ours: what the stream says of itself is all there is to know."""
    stream_time = StreamTime()
    told_times = []
    for number in range(40):
        stream_time.note(before(-100 - number))
        told_times.append(stream_time.close(NOW))
    assert told_times == [None] * 32 + before(*(-100 - number for number in range(32, 40)))


def test_another_place_in_the_stream_begins_with_nothing():
    """What was read before a recovery does not follow from what comes after it."""
    stream_time = StreamTime()
    stream_time.note(before(10))
    stream_time.clear()
    assert stream_time.close(NOW) is None
