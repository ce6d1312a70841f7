"""The fold counts each key once and says of an aircraft what its updates say."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.state.layout import MAX_LISTED
from aggregator.state.window_part import WindowPart


def folded(origin, updates):
    """A part that has counted the updates."""
    part = WindowPart(origin)
    for update in updates:
        part.add(update)
    return part


def test_a_repeat_is_not_counted(origin, make_update):
    """The same key a second time changes nothing but the number of repeats."""
    part = folded(origin, [make_update(speed=400.0)])
    assert part.add(make_update(speed=999.0)) is False
    aircraft = part.aircraft["040172"]
    assert (aircraft.updates, aircraft.speed.greatest, part.repeats_ignored) == (1, 400_000, 1)


@pytest.mark.parametrize("delay", [2.001, 2.000001, None, 10_000.0])
def test_another_ingestion_time_is_another_update(origin, make_update, delay):
    """Keys are exact: a millisecond, a microsecond or a missing ingestion time tells two updates apart."""
    part = folded(origin, [make_update(delay=2.0)])
    assert part.add(make_update(delay=delay)) is True
    assert part.updates == 2


def test_first_and_last_go_by_timestamp_not_by_arrival(origin, make_update):
    """A late update moves the beginning, never the end."""
    part = folded(
        origin,
        [
            make_update(seconds=20, callsign="NEW", squawk="2000", latitude=50.0, longitude=8.0),
            make_update(seconds=5, callsign="OLD", squawk="1000", latitude=49.0, longitude=8.0),
        ],
    )
    aircraft = part.aircraft["040172"]
    assert aircraft.first.time == 5_000_000
    assert aircraft.last.time == 20_000_000
    assert (aircraft.first_position.latitude, aircraft.last_position.latitude) == (490_000_000, 500_000_000)
    assert (aircraft.latest_texts[0], aircraft.latest_texts[2]) == ("2000", "NEW")
    assert sorted(aircraft.callsigns) == ["NEW", "OLD"]


def test_of_two_updates_of_one_instant_the_later_ingested_is_the_last(origin, make_update):
    """Arrival decides nothing: the ingestion time does."""
    early, late = make_update(delay=1.0, callsign="EARLY"), make_update(delay=2.0, callsign="LATE")
    for order in ([early, late], [late, early]):
        assert folded(origin, order).aircraft["040172"].latest_texts[2] == "LATE"


def test_distance_is_the_sum_of_legs_and_a_late_position_adds_none(origin, make_update):
    """A minute of latitude is a nautical mile; a position older than the last is counted as late instead."""
    positions = [(0, 50.0), (5, 50 + 1 / 60), (10, 50 + 3 / 60), (7, 51.0)]
    part = folded(origin, [make_update(seconds=at, latitude=north, longitude=8.0) for at, north in positions])
    aircraft = part.aircraft["040172"]
    assert aircraft.distance / 100_000 == pytest.approx(3.0, rel=1e-3)
    assert aircraft.late_positions == 1
    assert aircraft.last_position.latitude == round((50 + 3 / 60) * 10_000_000)


def test_an_update_without_a_position_does_not_break_the_track(origin, make_update):
    """The leg goes from the last position, not from the last update."""
    part = folded(
        origin,
        [
            make_update(seconds=0, latitude=50.0, longitude=8.0),
            make_update(seconds=5, latitude=50.5),
            make_update(seconds=3, latitude=50 + 1 / 60, longitude=8.0),
        ],
    )
    aircraft = part.aircraft["040172"]
    assert aircraft.distance / 100_000 == pytest.approx(1.0, rel=1e-3)
    assert (aircraft.late_positions, aircraft.last_position.at.time) == (0, 3_000_000)


def test_lists_of_texts_are_bounded(origin, make_update):
    """A feed gone wrong cannot grow a row without end."""
    part = folded(origin, [make_update(seconds=n, callsign=f"C{n}") for n in range(MAX_LISTED + 5)])
    assert len(part.aircraft["040172"].callsigns) == MAX_LISTED
    assert part.updates == MAX_LISTED + 5


@settings(max_examples=60)
@given(data=st.data(), seed=st.integers())
def test_the_order_of_arrival_matters_to_nothing_but_the_track(origin, feeds, data, seed):
    """Counts, spreads, lists, first and last are the same for any order; only distance depends on it."""
    distinct = list({update.key: update for update in data.draw(feeds)}.values())
    shuffled = random.Random(seed).sample(distinct, len(distinct))
    one, other = folded(origin, distinct), folded(origin, shuffled)
    assert one.aircraft.keys() == other.aircraft.keys()
    for address, mine in one.aircraft.items():
        theirs = other.aircraft[address]
        for name in (
            *("updates", "altitude", "speed", "vertical_rate", "latest_readings", "latest_on_ground", "latest_texts"),
            *("first", "last", "first_position", "last_position", "callsigns", "squawks", "collection_types"),
        ):
            assert getattr(mine, name) == getattr(theirs, name)
