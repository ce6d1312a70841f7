"""The live objects' columns say when each update was made, and to the same millisecond when its position was."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.sinks import live_columns
from aggregator.state.window_part import WindowPart
from live import reader, writer
from live.columns import NO_TIME
from live.container import Header

MILLISECOND = timedelta(milliseconds=1)
HEADER = Header(shard="shardId-000000000000", window_start=0, window_end=60_000, sequence="1", written_at=0, blocks=())


def columns(origin, updates):
    """The columns of a part that holds these updates."""
    part = WindowPart(origin)
    for update in updates:
        part.add(update)
    return live_columns.columns(part)[0]


@settings(max_examples=200)
@given(seconds=st.integers(-2, 2), microseconds=st.integers(0, 2_000), delay=st.integers(-3_000, 3_000) | st.none())
def test_both_times_and_the_position_are_rounded_down_alike(origin, make_update, seconds, microseconds, delay):
    """Whichever of the two times is the earlier one, and with whatever microseconds."""
    update = make_update(
        seconds=seconds + microseconds / 1e6,
        delay=None if delay is None else delay / 1e6,
        latitude=31.0,
        longitude=121.0,
    )
    aircraft = columns(origin, [update])
    (timestamp,), (after,), (measured,) = aircraft.timestamp, aircraft.delay, aircraft.position_measured
    assert timestamp == (update.timestamp - origin) // MILLISECOND
    if update.ingestion_time is None:
        assert (after, measured) == (NO_TIME, timestamp)
    else:
        assert timestamp + after == (update.ingestion_time - origin) // MILLISECOND
        assert measured == min(timestamp, timestamp + after)


@settings(max_examples=80)
@given(data=st.data())
def test_no_position_is_newer_than_its_aircraft(origin, feeds, data):
    """Of any feed: a reader takes the earlier of the two times for when an update was made."""
    aircraft = columns(origin, data.draw(feeds))
    for timestamp, delay, measured in zip(aircraft.timestamp, aircraft.delay, aircraft.position_measured, strict=True):
        made = timestamp if delay == NO_TIME else min(timestamp, timestamp + delay)
        assert measured == NO_TIME or measured <= made


@pytest.mark.parametrize("microseconds", [0, 900])
def test_an_aircraft_whose_clock_runs_ahead_is_shown(origin, make_update, microseconds):
    """Its times have microseconds, and its position is as old as the update that brought it."""
    ahead = microseconds / 1e6
    update = make_update(seconds=5 + ahead, delay=-0.5 - ahead, latitude=31.0, longitude=121.0)
    written, (target,) = reader.read(writer.write(columns(origin, [update]), HEADER))
    assert written.left_out == 0
    assert target.freshness.measured == target.position_measured == 4_500
