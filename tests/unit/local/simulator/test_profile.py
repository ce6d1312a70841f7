"""Great circles and flight profiles: the figures a navigator would expect, without jumps on the way."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.simulator.fleet import AIRLINES, TYPES
from local.simulator.geodesy import GreatCircle, distance_nm, unit_vector
from local.simulator.journey import _reachable
from local.simulator.profile import CLIMB_RATE, DESCENT_RATE, DIVE_ALTITUDE, DIVE_RATE, FlightProfile

LHR, JFK = unit_vector(51.471, -0.462), unit_vector(40.640, -73.779)


def test_a_known_distance():
    """London Heathrow to New York JFK is about 2,990 nautical miles, leaving to the west-north-west."""
    route = GreatCircle(LHR, JFK)
    assert route.length_nm == pytest.approx(2990, abs=10)
    assert route.at(0).heading == pytest.approx(288, abs=1)


@given(st.floats(-80, 80), st.floats(-180, 180), st.floats(-80, 80), st.floats(-180, 180), st.floats(0, 1))
def test_a_point_on_the_way_is_where_it_should_be(south, west, north, east, share):
    """A point part of the way along lies that far from the start, and the rest from the end."""
    a, b = unit_vector(south, west), unit_vector(north, east)
    if not 1 < distance_nm(a, b) < 10_000:
        return
    route = GreatCircle(a, b)
    fix = route.at(route.length_nm * share)
    here = unit_vector(fix.latitude, fix.longitude)
    assert distance_nm(a, here) == pytest.approx(route.length_nm * share, abs=0.001)
    assert distance_nm(here, b) == pytest.approx(route.length_nm * (1 - share), abs=0.001)
    assert 0 <= fix.heading < 360


@given(st.floats(150, 8000), st.integers(-11, 8400), st.integers(-11, 8400))
def test_a_profile_has_no_jumps(length, from_feet, to_feet):
    """A flight begins and ends at its airports, never goes back, and climbs and sinks no faster than it says."""
    profile = FlightProfile(length, cruise_altitude=38_000, cruise_speed=480, from_feet=from_feet, to_feet=to_feet)
    steps = [profile.at(profile.seconds * n / 500) for n in range(501)]
    seconds = profile.seconds / 500
    assert (steps[0].altitude, steps[0].travelled_nm) == (
        pytest.approx(from_feet, abs=1e-6),
        pytest.approx(0, abs=1e-6),
    )
    assert (steps[-1].altitude, steps[-1].travelled_nm) == (
        pytest.approx(to_feet, abs=1e-6),
        pytest.approx(length, abs=1e-6),
    )
    for before, after in itertools.pairwise(steps):
        assert 0 <= after.travelled_nm - before.travelled_nm <= 500 * seconds / 3600
        assert -DESCENT_RATE * seconds / 60 - 1e-6 <= after.altitude - before.altitude
        assert after.altitude - before.altitude <= CLIMB_RATE * seconds / 60 + 1e-6


def test_a_dive_ends_where_one_can_breathe():
    """An emergency descent sinks at its rate, levels off, and still lands at the airport."""
    profile = FlightProfile(2000, cruise_altitude=38_000, cruise_speed=480, from_feet=0, to_feet=0)
    begin = profile.seconds / 2
    assert profile.cruising(begin)
    assert profile.at(begin + 60, begin).vertical_rate == -DIVE_RATE
    assert profile.at(begin + 60, begin).altitude == 38_000 - DIVE_RATE
    levelled = profile.at(begin + 600, begin)
    assert (levelled.altitude, levelled.vertical_rate) == (DIVE_ALTITUDE, 0)
    assert profile.at(profile.seconds, begin).altitude == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("airline", AIRLINES, ids=lambda airline: airline.icao)
def test_every_airline_has_somewhere_to_fly(airline):
    """From each of its hubs, each type reaches another airport."""
    assert all(_reachable(hub, aircraft_type.range_nm) for hub in airline.hubs for aircraft_type in TYPES)
