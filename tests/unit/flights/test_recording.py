"""Take-offs and landings of real updates, found again without the provider's word."""

from __future__ import annotations

import pytest

from flights.flight import flights
from tests.support.recorded_positions import milliseconds, recorded

TIMES = frozenset({"flight_id", "takeoff_time", "landing_time"})
AIRPORTS = frozenset({"departure_airport_icao", "arrival_airport_icao"})
BEGIN, END = milliseconds("2021-03-20T12:00:00Z"), milliseconds("2021-03-20T13:15:00Z")
MINUTE = 60_000


@pytest.fixture(scope="module")
def real(recording):
    """What was recorded, without the provider's word of flights."""
    return recorded(recording, withheld=TIMES)


@pytest.fixture(scope="module")
def found(real, airports):
    """The flights that are made of it."""
    return [one for address, seen in real.positions.items() for one in flights(address, seen, airports, real.until)]


def _hits(reported, made):
    within = {(address, time) for address, time in reported if BEGIN <= time <= END}
    hits = {
        (address, time) for address, time in within if any(a == address and abs(t - time) <= MINUTE for a, t in made)
    }
    return len(hits), len(within)


def test_the_providers_take_offs_are_found(real, found):
    """At least 24 of the 25, each within a minute."""
    hits, all_of_them = _hits(
        real.takeoffs, {(one.icao_address, one.takeoff.time) for one in found if one.takeoff.time}
    )
    assert all_of_them == 25
    assert hits >= 24


def test_the_providers_landings_are_found(real, found):
    """At least 22 of the 23, each within a minute."""
    hits, all_of_them = _hits(
        real.landings, {(one.icao_address, one.landing.time) for one in found if one.landing.time}
    )
    assert all_of_them == 23
    assert hits >= 22


def test_none_is_invented(real, found):
    """Each found one is near the provider's time, or of a flight it gives no time of, and from or to the place it says.

    The area is around Shanghai: who comes from elsewhere did not take off in it, and who is bound elsewhere did not
    land. What an aircraft says of its route is asked here for nothing but that.
    """
    here = {"ZSSS", "ZSPD"}
    for one in found:
        seen = [
            position
            for position in real.positions[one.icao_address]
            if one.first_time <= position.time <= one.last_time
        ]
        for movement, field, reported in (
            (one.takeoff, "departure_airport_icao", real.takeoffs),
            (one.landing, "arrival_airport_icao", real.landings),
        ):
            if movement.time is None:
                continue
            assert movement.airport in here
            assert {getattr(position, field) for position in seen} & (here | {None})
            times = [time for address, time in reported if address == one.icao_address]
            assert not times or min(abs(time - movement.time) for time in times) <= 2 * MINUTE


def test_the_airports_are_found_without_the_provider(recording, airports, found):
    """Where an aircraft is seen to leave or to land is what the provider says."""
    reported = {
        (one.icao_address, end.time): end.airport for one in found for end in (one.takeoff, one.landing) if end.time
    }
    bare = recorded(recording, withheld=TIMES | AIRPORTS)
    seen = {
        (one.icao_address, end.time): end.airport
        for address, positions in bare.positions.items()
        for one in flights(address, positions, airports, bare.until)
        for end in (one.takeoff, one.landing)
        if end.time
    }
    assert seen.items() <= reported.items()
    assert len(reported) - len(seen) == 8  # climbs from ZSPD, which is outside of the area, and one first seen far up


def test_a_flight_seen_all_along_is_one_leg(found):
    """Nobody flew twice in 75 minutes: one leg an aircraft at most."""
    assert len(found) == len({one.icao_address for one in found}) == 92


def test_with_the_providers_word_it_is_taken(recording, airports):
    """Each of its times within the span becomes that of a flight."""
    real = recorded(recording)
    made = [one for address, seen in real.positions.items() for one in flights(address, seen, airports, real.until)]
    takeoffs = {(one.icao_address, one.takeoff.time) for one in made if one.takeoff.known_by == "provider"}
    landings = {(one.icao_address, one.landing.time) for one in made if one.landing.known_by == "provider"}
    assert {one for one in real.takeoffs if BEGIN <= one[1] <= END} <= takeoffs
    assert {one for one in real.landings if BEGIN <= one[1] <= real.until} <= landings
