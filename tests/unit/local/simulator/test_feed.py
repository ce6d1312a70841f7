"""The feed releases lines when simulated time comes to their ingestion times, and never before."""

from __future__ import annotations

import math

import pytest

from local.simulator.feed import LONGEST_LOOK_BACK, Feed, NoLongerKeptError

PATIENCE = 10


def _wait_for_count(feed, count):
    event = feed.subscribe()
    while feed.count < count:
        assert event.wait(PATIENCE), f"only {feed.count} of {count} lines were released"
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
    assert feed.finished.wait(PATIENCE)


def test_everything_at_once(make_feed, clock, start):
    """At speed max all is released without time passing; simulated time is the last line's, then runs on by itself."""
    feed = make_feed([0, 100, 5000], speed=math.inf)
    feed.start()
    assert feed.finished.wait(PATIENCE)
    assert feed.count == 3
    assert feed.now() == start + 5000
    clock.advance(7)
    assert feed.now() == start + 5007


def test_duration_ends_the_feed(make_feed):
    """What is ingested at or after the duration's end is never released."""
    feed = make_feed([0, 9.999, 10, 11], speed=math.inf, duration=10)
    feed.start()
    assert feed.finished.wait(PATIENCE)
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
    assert feed.finished.wait(PATIENCE)
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
    assert feed.finished.wait(PATIENCE)
    assert (feed.first, feed.count) == (3, 5)
    assert feed.lines(3, 5) == [b'{"target":{"n":3}}', b'{"target":{"n":4}}']
    with pytest.raises(NoLongerKeptError, match="line 2 of the feed is no longer kept"):
        feed.lines(2, 5)


def test_says_how_far_behind_a_reader_is(make_feed, clock):
    """A position's lag is in seconds of the wall clock, and is 0 where nothing is waiting."""
    feed = make_feed([0, 60], speed=60)
    feed.start()
    clock.advance(3)
    _wait_for_count(feed, 2)
    assert [feed.seconds_behind(position) for position in (0, 1, 2)] == [3, 2, 0]


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
