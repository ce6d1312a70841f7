"""The latest states as columns are those that are read one by one, and what the table's items hold."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.sinks import aircraft_table
from aggregator.state.latest import latest_states
from aggregator.state.layout import LEAST, NAMES, NOT_SAID
from aggregator.state.window_part import WindowPart


def present(value, none):
    """The value, or None for what stands for nothing."""
    return None if value == none else value


@settings(max_examples=80)
@given(data=st.data())
def test_the_columns_say_what_is_read_one_by_one(origin, feeds, data):
    """Address by address, of any feed: times, position with its own time, readings and texts."""
    part = WindowPart(origin)
    for update in data.draw(feeds):
        part.add(update)
    latest = latest_states(part)
    assert latest.origin == origin
    assert list(latest.icao_addresses) == list(part.aircraft)
    for place, aircraft in enumerate(part.aircraft.values()):
        assert latest.timestamps[place] * latest.tick == aircraft.last.time
        assert (latest.delays[place] != latest.no_delay) == aircraft.last.has_ingestion_time
        if aircraft.last.has_ingestion_time:
            assert latest.delays[place] * latest.tick == aircraft.last.delay
        assert latest.first_seen[place] * latest.tick == aircraft.first.time
        position = aircraft.last_position
        assert latest.has_position[place] == (position is not None)
        if position is not None:
            assert latest.position_timestamps[place] * latest.tick == position.at.time
            assert (latest.latitudes[place], latest.longitudes[place]) == (position.latitude, position.longitude)
        columns = (latest.altitudes, latest.speeds, latest.vertical_rates, latest.headings)
        assert tuple(present(column[place], LEAST) for column in columns) == aircraft.latest_readings
        assert present(latest.on_ground[place], NOT_SAID) == aircraft.latest_on_ground
        texts = (latest.squawks[place], latest.collection_types[place], *latest.names(place))
        assert texts == aircraft.latest_texts


def test_an_airline_comes_with_its_aircraft(origin, make_update):
    """In the columns as in the table."""
    part = WindowPart(origin)
    part.add(make_update(airline_iata="CA", airline_name="Air China", callsign="CCA1", latitude=31.0, longitude=121.0))
    part.add(make_update("78121E", airline_iata="CA"))
    latest = latest_states(part)
    assert latest.names(0) == ("CCA1", *[None] * (len(NAMES) - 1), "CA", "Air China")
    assert latest.names(1)[-2:] == ("CA", None)
    first, second = aircraft_table.items(part, 0)
    assert (first["airline_iata"], first["airline_name"]) == ({"S": "CA"}, {"S": "Air China"})
    assert "airline_name" not in second


@pytest.mark.parametrize("updates", [0, 1])
def test_a_part_may_be_empty(origin, make_update, updates):
    """Columns have as many numbers as there are aircraft."""
    part = WindowPart(origin)
    for _ in range(updates):
        part.add(make_update())
    assert {len(column) for column in latest_states(part)[2:-1] if not isinstance(column, int)} == {updates}
