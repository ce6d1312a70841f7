"""The fold counts each key once and says of an aircraft what its updates say."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from aggregator import instants
from aggregator.state.layout import MAX_LISTED
from aggregator.state.window_part import WindowPart
from common import recency


def folded(origin, updates):
    """A part that has counted the updates."""
    part = WindowPart(origin)
    for update in updates:
        part.add(update)
    return part


def test_a_repeat_is_not_counted(origin, make_update):
    """The same key a second time changes nothing but the number of duplicates."""
    part = folded(origin, [make_update(speed=400.0)])
    assert part.add(make_update(speed=999.0)) is False
    aircraft = part.aircraft["040172"]
    assert (aircraft.updates, aircraft.speed.greatest, part.duplicates_ignored) == (1, 400_000, 1)


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
            make_update(seconds=5, callsign="OLD", squawk="1000", latitude=49.99, longitude=8.0),
        ],
    )
    aircraft = part.aircraft["040172"]
    assert aircraft.first.time == 5_000_000
    assert aircraft.last.time == 20_000_000
    assert (aircraft.first_position.latitude, aircraft.last_position.latitude) == (499_900_000, 500_000_000)
    assert (aircraft.latest_texts[0], aircraft.latest_texts[2]) == ("2000", "NEW")
    assert sorted(aircraft.callsigns) == ["NEW", "OLD"]


def test_of_two_updates_of_one_instant_the_later_ingested_is_the_last(origin, make_update):
    """Arrival decides nothing: the ingestion time does."""
    early, late = make_update(delay=1.0, callsign="EARLY"), make_update(delay=2.0, callsign="LATE")
    for order in ([early, late], [late, early]):
        assert folded(origin, order).aircraft["040172"].latest_texts[2] == "LATE"


def test_distance_is_the_sum_of_legs_and_a_late_position_adds_none(origin, make_update):
    """A minute of latitude is a nautical mile; a position older than the last is counted as late instead."""
    positions = [(0, 50.0), (5, 50 + 1 / 60), (10, 50 + 3 / 60), (7, 50 + 2 / 60)]
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
    """Counts, spreads, lists, first and last are the same for any order; only what is left out depends on it."""
    feed = [replace(update, latitude=0.01, longitude=0.01) for update in data.draw(feeds)]
    distinct = list({update.key: update for update in feed}.values())
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


# Five positions a hundredth of a degree of latitude apart, five seconds each: 2.4 nautical miles.
NORTH = [(31.0 + step / 100, 121.0) for step in range(5)]


def tracked(origin, make_update, positions, *, seconds=5.0):
    """The aircraft that reports these positions, one every so many seconds; None is an update without one."""
    updates = [
        make_update(seconds=number * seconds, latitude=at and at[0], longitude=at and at[1])
        for number, at in enumerate(positions)
    ]
    aircraft = folded(origin, updates).aircraft["040172"]
    places = [
        (place.latitude / 1e7, place.longitude / 1e7) for place in (aircraft.first_position, aircraft.last_position)
    ]
    return aircraft.distance / 100_000, aircraft.implausible_positions, places


@pytest.mark.parametrize("wrong", [(0.0, 0.0), (-31.0, -59.0), (31.02, 122.0), (89.0, 121.0)])
@pytest.mark.parametrize("place", range(5))
def test_a_position_that_cannot_be_is_left_out_and_counted(origin, make_update, wrong, place):
    """Wherever it stands among the others: 0/0, the antipodes, a degree too far east."""
    positions = [*NORTH]
    positions[place] = wrong
    others = [at for at in NORTH if at != NORTH[place]]
    distance, implausible, places = tracked(origin, make_update, positions)
    assert implausible == 1
    assert distance == pytest.approx(60 * (others[-1][0] - others[0][0]), rel=1e-3)
    assert places == [others[0], others[-1]]


def test_an_aircraft_that_only_says_0_0_is_nowhere(origin, make_update):
    """Equipment without a fix: its updates count, its positions do not."""
    part = folded(origin, [make_update(seconds=n, latitude=0.0, longitude=-0.0) for n in range(3)])
    aircraft = part.aircraft["040172"]
    assert (aircraft.updates, aircraft.implausible_positions, aircraft.last_position) == (3, 3, None)


def test_an_aircraft_that_really_is_elsewhere_is_followed(origin, make_update):
    """Two positions in a row that fit each other are a track, however far from the last; the jump adds nothing."""
    elsewhere = [(40.0 + step / 100, 10.0) for step in range(3)]
    distance, implausible, places = tracked(origin, make_update, [*NORTH[:2], *elsewhere])
    assert implausible == 0
    assert distance == pytest.approx(0.6 + 1.2, rel=1e-3)
    assert places == [NORTH[0], elsewhere[-1]]


def test_a_gap_long_enough_to_fly_is_no_jump(origin, make_update):
    """An hour without a position, and 450 miles further: that is a leg."""
    distance, implausible, _ = tracked(origin, make_update, [(50.0, 8.0), (57.5, 8.0)], seconds=3_600)
    assert (round(distance), implausible) == (450, 0)


def test_two_aircraft_under_one_address_are_both_followed(origin, make_update):
    """In turns: each leg is one of its own aircraft's, and no position is left out."""
    other = [(40.0, 10.0 + step / 100) for step in range(5)]
    positions = [at for pair in zip(NORTH, other, strict=True) for at in pair]
    distance, implausible, places = tracked(origin, make_update, positions)
    assert implausible == 0
    assert distance == pytest.approx(2.4 + 4 * 0.46, rel=1e-2)
    assert places == [NORTH[0], other[-1]]


def test_a_late_position_that_cannot_be_is_not_the_first(origin, make_update):
    """It is counted as implausible, not as late."""
    updates = [make_update(seconds=10 + n, latitude=north, longitude=east) for n, (north, east) in enumerate(NORTH)]
    part = folded(origin, [*updates, make_update(seconds=5, latitude=-31.0, longitude=-59.0)])
    aircraft = part.aircraft["040172"]
    assert (aircraft.late_positions, aircraft.implausible_positions) == (0, 1)
    assert aircraft.first_position.latitude == 310_000_000


def test_a_clock_that_runs_ahead_does_not_hold_its_aircraft(origin, make_update):
    """Newer is what was measured later, and a measurement is no later than its ingestion."""
    ahead = make_update(seconds=72_000, delay=-71_999, callsign="AHEAD", latitude=31.0, longitude=121.0)
    now = make_update(seconds=6, delay=1, callsign="NOW", latitude=31.01, longitude=121.0)
    for order in ([ahead, now], [now, ahead]):
        aircraft = folded(origin, order).aircraft["040172"]
        assert aircraft.latest_texts[2] == "NOW"
        assert aircraft.last.time == 6_000_000
        assert aircraft.last_position.latitude == 310_100_000
        assert aircraft.first.time == 72_000_000_000


@settings(max_examples=100)
@given(data=st.data())
def test_the_newest_is_what_the_one_rule_says(origin, feeds, data):
    """Whatever the clocks: the fold's last update is the greatest by `common.recency.order`."""
    feed = data.draw(feeds)
    for address, aircraft in folded(origin, feed).aircraft.items():
        newest = max(
            (update for update in feed if update.icao_address == address),
            key=lambda update: recency.order(update.timestamp, update.ingestion_time),
        )
        assert instants.moment(origin, aircraft.last.time) == newest.timestamp
