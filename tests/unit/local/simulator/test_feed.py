"""The feed releases lines when simulated time comes to their ingestion times, and never before."""

from __future__ import annotations

import math

import pytest

from local.simulator.feed import Feed
from local.simulator.update_log import LONGEST_LOOK_BACK, NoLongerKeptError
from local.threads import ThreadWatch
from tests.support.conditions import wait_until

TIMEOUT = 90


def _wait_for_count(feed, count):
    event = feed.subscribe()
    while feed.count < count:
        assert event.wait(TIMEOUT), f"only {feed.count} of {count} lines were released"
        event.clear()
    feed.unsubscribe(event)


@pytest.fixture
def make_feed(make_source, clock):
    """A function that makes a feed of lines at given seconds; all are stopped afterwards."""
    feeds = []

    def make(seconds, **settings):
        feeds.append(Feed(make_source(seconds), clock=clock, **settings))
        return feeds[-1]

    yield make
    for feed in feeds:
        feed.stop()


def test_lines_wait_for_their_time(make_feed, clock):
    """A line is released when simulated time has reached its ingestion time, and no later line with it."""
    feed = make_feed([0, 10, 20])
    feed.start()
    _wait_for_count(feed, 1)
    clock.advance(9)
    assert feed.count == 1
    clock.advance(1)
    _wait_for_count(feed, 2)
    assert feed.lines(0, 9) == [b'{"target":{"n":0}}', b'{"target":{"n":1}}']
    assert not feed.finished.is_set()


def test_speed_shortens_the_wait(make_feed, clock, start):
    """At speed 60 a minute of simulated time passes in a second."""
    feed = make_feed([0, 60], speed=60)
    feed.start()
    clock.advance(1)
    _wait_for_count(feed, 2)
    assert feed.now() == start + 60
    assert feed.finished.wait(TIMEOUT)


def test_everything_at_once(make_feed, clock, start):
    """At speed max all is released without time passing; simulated time is the last line's, then runs on by itself."""
    feed = make_feed([0, 100, 5000], speed=math.inf)
    feed.start()
    assert feed.finished.wait(TIMEOUT)
    assert feed.count == 3
    assert feed.now() == start + 5000
    clock.advance(7)
    assert feed.now() == start + 5007


def test_duration_ends_the_feed(make_feed):
    """What is ingested at or after the duration's end is never released."""
    feed = make_feed([0, 9.999, 10, 11], speed=math.inf, duration=10)
    feed.start()
    assert feed.finished.wait(TIMEOUT)
    assert feed.count == 2


def test_stop_keeps_what_was_released(make_feed, clock, start):
    """After a stop nothing more is released, simulated time goes on, and the lines stay readable."""
    feed = make_feed([0, 10])
    feed.start()
    _wait_for_count(feed, 1)
    feed.stop()
    clock.advance(60)
    assert feed.finished.is_set()
    assert feed.count == 1
    assert feed.now() == start + 60
    assert feed.lines(0, 2) == [b'{"target":{"n":0}}']


def test_positions_by_ingestion_time(make_feed, start):
    """A position by time is that of the first line ingested at or after it."""
    feed = make_feed([0, 10, 10, 20], speed=math.inf)
    feed.start()
    assert feed.finished.wait(TIMEOUT)
    assert [feed.position_at(start + second) for second in (-1, 0, 5, 10, 10.001, 21)] == [0, 0, 1, 1, 3, 4]


def test_knows_when_a_span_is_complete(make_feed, start):
    """A span is complete when no line of it is still to come, and not before."""
    feed = make_feed([0, 10, 20])
    feed.start()
    _wait_for_count(feed, 1)
    assert feed.complete_before(start + 10)
    assert not feed.complete_before(start + 10.001)


def test_old_lines_are_dropped_on_request(make_feed):
    """With `keep`, lines older than that are forgotten, positions stay what they were, and asking for them says so."""
    day = LONGEST_LOOK_BACK
    feed = make_feed([0, 1, 2, 2 * day, 2 * day + 1], speed=math.inf, keep=day)
    feed.start()
    assert feed.finished.wait(TIMEOUT)
    assert (feed.first, feed.count) == (3, 5)
    assert feed.lines(3, 5) == [b'{"target":{"n":3}}', b'{"target":{"n":4}}']
    with pytest.raises(NoLongerKeptError, match="line 2 of the feed is no longer kept"):
        feed.lines(2, 5)


def test_says_how_far_behind_a_reader_is(make_feed, clock):
    """A position's lag is in seconds of the wall clock, and is 0 where nothing is waiting."""
    feed = make_feed([0, 60], speed=60)
    feed.start()
    clock.advance(1)
    _wait_for_count(feed, 2)
    clock.advance(2)
    assert [feed.seconds_behind(position) for position in (0, 1, 2)] == [3, 2, 0]


def test_no_reader_is_behind_by_what_the_source_was_late(make_feed, clock):
    """Lines that come a minute after they were due have not been waiting for their reader."""
    feed = make_feed([0, 1])
    feed.start()
    _wait_for_count(feed, 1)
    clock.advance(61)
    _wait_for_count(feed, 2)
    assert feed.seconds_behind(1) == 0

    clock.advance(5)
    assert feed.seconds_behind(1) == 5


def test_a_source_that_was_late_once_does_not_hide_a_slow_reader(make_feed, clock):
    """The lines that come in time after a late one count from when they came."""
    feed = make_feed([0, 1, 100])
    feed.start()
    _wait_for_count(feed, 1)
    clock.advance(61)
    _wait_for_count(feed, 2)
    clock.advance(39)
    _wait_for_count(feed, 3)
    clock.advance(30)
    assert [feed.seconds_behind(position) for position in (1, 2)] == [69, 30]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"speed": 0}, "speed: got 0"),
        ({"speed": math.nan}, "speed: got nan"),
        ({"duration": -1}, "duration: got -1"),
        ({"keep": 60}, "keep: got 60"),
    ],
)
def test_refuses_what_makes_no_sense(make_source, settings, message):
    """A setting out of range is refused by name."""
    with pytest.raises(ValueError, match=message):
        Feed(make_source([]), **settings)


def test_endless_traffic_needs_a_duration(make_source):
    """Releasing endless traffic at once would never end, so it is refused."""
    source = make_source([])
    source.endless = True
    with pytest.raises(ValueError, match="needs a duration"):
        Feed(source, speed=math.inf)


def test_the_memory_for_old_lines_has_a_bound(make_feed):
    """Beyond it the oldest are forgotten, however young; since when all are kept is known."""
    feed = make_feed(range(10_000), speed=math.inf, keep_bytes=200_000)
    assert feed.kept_from == -math.inf
    feed.start()
    assert feed.finished.wait(TIMEOUT)
    assert feed.count == 10_000
    kept = feed.lines(feed.first, feed.count)
    assert 100_000 < sum(map(len, kept)) + 81 * len(kept) <= 200_000
    assert feed.position_at(feed.kept_from) == feed.first


def test_a_long_silence_is_reported(make_feed, clock):
    """A recording may have days without an update: when the next one comes, and how long that takes at this speed."""
    messages = []
    feed = make_feed([0, 3 * 86_400], speed=24, tell=messages.append)
    feed.start()
    wait_until(lambda: messages)
    assert messages == ["the source is silent until 2024-03-07T23:24:00Z of its time: 3.0 hours from now"]
    clock.advance(3 * 3600)
    _wait_for_count(feed, 2)


def test_a_speed_that_cannot_be_kept_is_reported(make_source, clock):
    """Updates that take a second each to make, at sixty times the speed of time with one in ten seconds."""
    source, messages = make_source([10 * n for n in range(30)]), []
    made = source.updates

    def slowly():
        for update in made():
            clock.advance(1)
            yield update

    source.updates = slowly
    feed = Feed(source, speed=60, clock=clock, tell=messages.append)
    feed.start()
    assert feed.finished.wait(TIMEOUT)
    feed.stop()
    assert "late: what --speed 60 asks for cannot be made here; it comes at some " in messages[0]
    assert 1 <= len(messages) <= 3


def test_a_source_that_fails_is_no_end(make_source, clock):
    """What it gave before is released, the failure is kept, and the thread ends with it."""
    source = make_source([0, 1])
    made = source.updates

    def fails():
        yield from made()
        raise ValueError("year 10000 is out of range")

    source.updates = fails
    with ThreadWatch(lambda _: None) as watch:
        feed = Feed(source, speed=math.inf, clock=clock)
        feed.start()
        assert feed.finished.wait(TIMEOUT)
        feed.stop()
    assert feed.count == 2
    assert isinstance(feed.failure, ValueError)
    assert "the thread 'feed' ended with an error" in watch.failures[0]


def test_traffic_that_begins_when_all_else_is_ready(make_feed, make_source, clock, start):
    """Another source takes the first one's place before the start: its lines, its time, and as long a duration."""
    feed = make_feed([0, 1], duration=15)
    later = make_source([10, 20, 30])
    later.start = start + 10
    feed.replace(later)
    assert feed.now() == start + 10
    feed.start()
    clock.advance(30)
    assert feed.finished.wait(TIMEOUT)
    assert feed.lines(0, 9) == [b'{"target":{"n":0}}', b'{"target":{"n":1}}']
