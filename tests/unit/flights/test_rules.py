"""What is a flight and what is not: each rule by the case that it is for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flights import geodesy
from flights.airports import Airport, Airports
from flights.flight import flights
from flights.position import Position

MINUTE, HOUR = 60_000, 3_600_000
START = 1_616_241_600_000
"""2021-03-20T12:00:00Z."""

EAST, WEST = (50.0, 10.0), (50.0, 2.0)
"""Two airports, 308 nautical miles apart."""

LENGTH = 308.4


@pytest.fixture(scope="module")
def airports():
    """Two of them."""
    return Airports([Airport("EAST", *EAST, 400), Airport("WEST", *WEST, 100)])


def flown(origin, destination, begin, *, speed=420.0, feet=35_000, callsign="ABC1", **said):  # noqa: PLR0913 - given by name
    """Return a flight with ten minutes on the ground before it and after it, lift-off and touchdown."""
    length = geodesy.distance_nm(*origin, *destination)
    total = length / speed * HOUR
    found = []
    for time in range(-10 * MINUTE, round(total) + 10 * MINUTE, 30_000):
        share = min(max(time / total, 0.0), 1.0)
        height = min(2_000 * time / MINUTE, 1_400 * (total - time) / MINUTE, feet)
        in_air = 0 < time < total
        found.append(
            Position(
                begin + time,
                origin[0] + (destination[0] - origin[0]) * share,
                origin[1] + (destination[1] - origin[1]) * share,
                altitude=round(max(0.0, height)) + 400,
                speed=speed if in_air else 10.0,
                heading=270.0,
                on_ground=not in_air,
                callsign=callsign,
                **said,
            )
        )
    return found, begin, begin + round(total)


def silenced(positions, *spans):
    """Return positions without those of some spans of time."""
    return [one for one in positions if not any(begin <= one.time < end for begin, end in spans)]


def spoofed(positions, begin, end):
    """Return positions of which those of a span of time are far away, at one place."""
    return [one._replace(latitude=35.0, longitude=44.0) if begin <= one.time < end else one for one in positions]


def made(positions, airports, until=START + 48 * HOUR):
    """Return the flights of one aircraft, of which nothing was heard for long."""
    return flights("ABCDEF", positions, airports, until)


def test_there_and_back_are_two_flights(airports):
    """Each with its callsign, though it changes only some minutes after the landing."""
    there, _, landed = flown(EAST, WEST, START, callsign="ABC1")
    back, _, _ = flown(WEST, EAST, landed + 40 * MINUTE, callsign="ABC1")
    back = [one._replace(callsign="ABC2") if one.time > landed + 35 * MINUTE else one for one in back]
    first, second = made([*there, *back], airports)
    assert (first.callsign, first.takeoff.airport, first.landing.airport) == ("ABC1", "EAST", "WEST")
    assert (second.callsign, second.takeoff.airport, second.landing.airport) == ("ABC2", "WEST", "EAST")
    assert first.takeoff.known_by == second.landing.known_by == "observed"
    assert first.takeoff.time == pytest.approx(START, abs=30_000)
    assert first.landing.time == pytest.approx(landed, abs=60_000)
    assert first.great_circle_nm == pytest.approx(LENGTH, abs=1)
    assert first.distance_nm == pytest.approx(LENGTH, abs=1)
    assert first.highest_altitude > 20_000
    assert (first.gaps, first.positions_left_out) == (0, 0)


def test_a_gap_over_an_ocean_is_no_new_flight(airports):
    """Hours of silence are one flight if it has flown all the while."""
    positions, _, _ = flown(EAST, (50.0, -60.0), START)
    (one,) = made(silenced(positions, (START + HOUR, START + 5 * HOUR)), airports)
    assert one.gaps == 1
    assert one.longest_gap_seconds >= 4 * 3_600


def test_a_gap_in_which_it_landed_is(airports):
    """Nobody saw it on the ground: it came back under another callsign, after more time than the way takes."""
    there, _, landed = flown(EAST, WEST, START, callsign="ABC1")
    back, left, _ = flown(WEST, EAST, landed + HOUR, callsign="ABC2")
    first, second = made(silenced([*there, *back], (landed - 15 * MINUTE, left + 15 * MINUTE)), airports)
    assert (first.callsign, second.callsign) == ("ABC1", "ABC2")
    assert first.landing.time is second.takeoff.time is None


@pytest.mark.parametrize("callsign", ["ABC1", "ABC2"])
def test_a_turnaround_where_nobody_sees_the_ground_is_two_flights(airports, callsign):
    """The signal ends in an approach and comes again in a climb, half an hour later."""
    there, _, landed = flown(EAST, WEST, START, callsign="ABC1", speed=160.0, arrival_airport_icao="WEST")
    again = landed + 30 * MINUTE
    back, left, _ = flown(WEST, EAST, again, callsign=callsign, speed=160.0, departure_airport_icao="WEST")
    first, second = made(silenced([*there, *back], (landed - MINUTE, left + MINUTE)), airports)
    assert (first.landing.airport, first.landing.known_by) == ("WEST", "inferred")
    assert (second.takeoff.airport, second.takeoff.known_by) == ("WEST", "inferred")
    assert first.landing.time == pytest.approx(landed, abs=60_000)
    assert second.takeoff.time == pytest.approx(left, abs=60_000)


def test_a_signal_lost_beside_an_airport_that_nobody_names_is_no_landing_there(airports):
    """At 2,000 feet it may be bound for another one; on final it is not."""
    positions, _, landed = flown(EAST, WEST, START, speed=160.0)
    high = made(silenced(positions, (landed - 90_000, landed + HOUR)), airports)
    low = made(silenced(positions, (landed - 25_000, landed + HOUR)), airports)
    assert [one.landing.airport for one in high] == [None]
    assert [one.landing.airport for one in low] == ["WEST"]


def test_a_signal_lost_near_the_ground_is_no_landing_elsewhere(airports):
    """A low flight behind a hill goes on as the same one, and did not land where it was lost."""
    positions, _, _ = flown(EAST, WEST, START, feet=1_500, speed=130.0)
    (one,) = made(silenced(positions, (START + HOUR, START + HOUR + 40 * MINUTE)), airports)
    assert one.gaps == 1
    assert one.landing.airport == "WEST"
    lost = made(silenced(positions, (START + HOUR, START + 9 * HOUR)), airports)
    assert [(one.landing.time, one.landing.airport) for one in lost] == [(None, None)]


def test_on_ground_flickers(airports):
    """Neither a moment on the ground in the air nor one in the air on the ground is a flight."""
    positions, begin, landed = flown(EAST, WEST, START)
    odd = {begin + 5 * MINUTE: True, begin + 20 * MINUTE: True, begin - 4 * MINUTE: False, landed + 5 * MINUTE: False}
    seen = [min(odd, key=lambda time: abs(time - one.time)) for one in positions]
    flickering = [
        one._replace(on_ground=odd[time]) if abs(one.time - time) < 15_000 else one
        for one, time in zip(positions, seen, strict=True)
    ]
    assert flickering != positions
    (one,) = made(flickering, airports)
    assert one.takeoff.time == pytest.approx(begin, abs=30_000)


def test_without_on_ground_it_is_known_by_speed_and_place(airports):
    """An aircraft that never says whether it is on the ground is there when it is slow at an airport."""
    positions, begin, landed = flown(EAST, WEST, START)
    (one,) = made([position._replace(on_ground=None) for position in positions], airports)
    assert (one.takeoff.known_by, one.landing.known_by) == ("observed", "observed")
    assert one.takeoff.time == pytest.approx(begin, abs=60_000)
    assert one.landing.time == pytest.approx(landed, abs=60_000)


def test_a_touch_and_go_is_one_flight(airports):
    """Some seconds on the runway at flying speed are no landing."""
    positions, _, _ = flown(EAST, WEST, START, feet=1_200, speed=140.0)
    middle = positions[len(positions) // 2].time
    touched = [one._replace(on_ground=True) if abs(one.time - middle) < 20_000 else one for one in positions]
    assert len(made(touched, airports)) == 1


def test_positions_that_jump_are_left_out_and_counted(airports):
    """A wrong position bends neither the track nor the distance; nor does one at the very beginning."""
    positions, begin, _ = flown(EAST, WEST, START)
    (straight,) = made(positions, airports)
    for time in (positions[0].time, begin + 20 * MINUTE):
        jumped = [one._replace(latitude=-33.0) if abs(one.time - time) < 20_000 else one for one in positions]
        (one,) = made(jumped, airports)
        assert one.distance_nm == pytest.approx(straight.distance_nm, abs=0.5)
        assert one.positions_left_out + one.positions == straight.positions or time < begin
    nowhere = [*positions, positions[40]._replace(time=positions[40].time + 1, latitude=0.0, longitude=0.0)]
    assert made(nowhere, airports)[0].positions_left_out == 1


def test_two_aircraft_under_one_address_are_two_flights(airports):
    """Each with its own track."""
    one, _, _ = flown(EAST, WEST, START, callsign="ONE")
    other, _, _ = flown((-33.9, 151.2), (-37.7, 144.8), START + 7_000, callsign="OTHER")
    found = {flight.callsign: flight for flight in made([*one, *other], airports)}
    assert set(found) == {"ONE", "OTHER"}
    assert found["ONE"].distance_nm == pytest.approx(LENGTH, abs=1)


def test_the_provider_comes_first(airports):
    """Its flight ids part what looks like one flight, and join what looks like two; its times are taken."""
    positions, begin, landed = flown(EAST, WEST, START, flight_id="a", takeoff_time=START + 7_000)
    reported = [one._replace(landing_time=landed - 7_000) if one.time > landed else one for one in positions]
    (one,) = made(reported, airports)
    assert (one.flight_id, one.takeoff.time, one.takeoff.known_by) == ("a", START + 7_000, "provider")
    assert (one.landing.time, one.landing.known_by) == (landed - 7_000, "provider")
    gap = (begin + 10 * MINUTE, begin + 30 * MINUTE)
    parted = [one._replace(flight_id="b", takeoff_time=None) if one.time >= gap[1] else one for one in positions]
    assert [one.flight_id for one in made(silenced(parted, gap), airports)] == ["a", "b"]
    long_gap = [
        one._replace(time=one.time + 6 * HOUR) if one.time >= gap[1] else one for one in silenced(reported, gap)
    ]
    assert len(made([one._replace(landing_time=None) for one in long_gap], airports)) == 1


def test_the_providers_time_is_not_taken_where_it_cannot_be(airports):
    """That of the flight before is still there after a turnaround."""
    positions, begin, _ = flown(EAST, WEST, START, takeoff_time=START - 5 * HOUR)
    (one,) = made(positions, airports)
    assert one.takeoff.known_by == "observed"
    assert one.takeoff.time == pytest.approx(begin, abs=30_000)


@pytest.mark.parametrize("minutes", [(20, 25), (8, 38)])
def test_a_takeoff_is_of_one_flight(airports, minutes):
    """The provider sends it with a spoofed position, too: it is of the path that begins nearest to it."""
    said = {"takeoff_time": START, "departure_airport_icao": "EAST"}
    positions, begin, _ = flown(EAST, WEST, START, **said)
    false = tuple(begin + minute * MINUTE for minute in minutes)
    seen = [one for one in spoofed(positions, *false) if one.time > begin + MINUTE]
    real, other = made(seen, airports)
    assert (real.takeoff.time, real.takeoff.known_by) == (START, "provider")
    assert (other.takeoff.time, other.begin) == (None, false[0])
    assert (real.id, other.id) == ("ABCDEF-20210320T120000Z", f"ABCDEF-20210320T12{minutes[0]:02}00Z")


@pytest.mark.parametrize("minutes", [(8, 3), (40, 3)])
def test_a_landing_is_of_one_flight(airports, minutes):
    """As a take-off is; what the other path ends in is not known."""
    positions, _, landed = flown(EAST, WEST, START, landing_time=START + 44 * MINUTE)
    real, other = made(spoofed(positions, *(landed - minute * MINUTE for minute in minutes)), airports)
    assert (real.landing.known_by, other.landing.known_by) == ("provider", None)


def test_a_landing_is_of_the_leg_that_ends_nearest_to_it(airports):
    """Not of an earlier leg, whose updates have it as well, and which would have landed after the next began."""
    positions, begin, landed = flown(EAST, WEST, START, landing_time=START + 6 * HOUR + 44 * MINUTE)
    later = [one._replace(time=one.time + 6 * HOUR) for one in positions if one.time >= begin + 25 * MINUTE]
    first, second = made([*(one for one in positions if one.time < begin + 25 * MINUTE), *later], airports)
    assert first.landing.time is None
    assert (second.landing.time, second.landing.known_by) == (START + 6 * HOUR + 44 * MINUTE, "provider")
    assert second.landing.time == pytest.approx(landed + 6 * HOUR, abs=MINUTE)


def test_a_circuit_with_the_takeoff_of_the_one_before_has_its_own(airports):
    """The provider's is late: it is the same still after a touch-down of two minutes."""
    parked = [Position(START - k * 30_000, *EAST, 400, 10.0, on_ground=True) for k in range(1, 20)]
    airborne = [
        Position(START + k * 15_000, 50.0, 10.0 + (5 - abs(5 - k)) / 100, 1_400, 120.0, on_ground=False)
        for k in range(11)
    ]
    stay = [Position(START + 165_000 + k * 15_000, *EAST, 400, 10.0, on_ground=True) for k in range(8)]
    again = [one._replace(time=one.time + 285_000) for one in airborne]
    after = [one._replace(time=one.time + 285_000) for one in stay]
    seen = [one._replace(takeoff_time=START) for one in (*parked, *airborne, *stay, *again, *after)]
    circuit, another = made(seen, airports)
    assert (circuit.takeoff.known_by, another.takeoff.known_by) == ("provider", "observed")
    assert another.takeoff.time >= START + 270_000


def test_of_two_that_begin_in_one_second_the_later_is_called_by_the_next(airports):
    """Two aircraft under one address are found by two names, on the day on which they began."""
    midnight = START + 12 * HOUR
    for begin, names in [
        (START, {"20210320T120000Z", "20210320T120001Z"}),
        (midnight - 600, {"20210320T235959Z", "20210320T235958Z"}),
    ]:
        one = [Position(begin + k * 30_000, 50.0, 10.0 + k / 20, 30_000, 420.0) for k in range(20)]
        other = [position._replace(time=position.time + 400, latitude=-33.0) for position in one]
        assert {flight.id for flight in made([*one, *other], airports)} == {f"ABCDEF-{name}" for name in names}


def test_a_diverted_flight_landed_where_it_was_seen(airports):
    """The provider's airport is where it was bound for; on the ground it was at another."""
    positions, _, _ = flown(EAST, WEST, START, departure_airport_icao="EAST", arrival_airport_icao="EAST")
    (one,) = made(positions, airports)
    assert (one.takeoff.airport, one.takeoff.airport_known_by) == ("EAST", "provider")
    assert (one.landing.airport, one.landing.airport_known_by) == ("WEST", "observed")


def test_what_may_still_be_in_the_air_has_not_landed(airports):
    """An approach that the updates end in is not a landing yet; the same, not seen again for a while, is."""
    positions, _, landed = flown(EAST, WEST, START, arrival_airport_icao="WEST", speed=160.0)
    approach = silenced(positions, (landed - 2 * MINUTE, landed + HOUR))
    last = approach[-1].time
    assert [one.landing.time for one in made(approach, airports, until=last)] == [None]
    (landing,) = [one.landing for one in made(approach, airports, until=last + 16 * MINUTE)]
    assert landing.time == pytest.approx(landed, abs=60_000)


def test_an_aircraft_that_stays_on_the_ground_has_no_flight(airports):
    """Nor has one of which there is a single odd altitude."""
    parked = [one for one in flown(EAST, WEST, START)[0] if one.time < START]
    assert made(parked, airports) == []
    assert made([parked[0]._replace(altitude=20_700, on_ground=None, speed=0.0), *parked[1:]], airports) == []
    assert made([], airports) == []


def test_its_name_is_its_aircraft_and_its_beginning(airports):
    """By the second, in UTC."""
    positions, _, _ = flown(EAST, WEST, START, takeoff_time=START)
    (one,) = made(positions, airports)
    assert one.id == "ABCDEF-20210320T120000Z"
    assert replace(one, takeoff=one.takeoff._replace(time=None)).begin == one.first_time
