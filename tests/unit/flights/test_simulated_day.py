"""All flights of a day whose truth is known, over oceans and at airports where nobody sees the ground."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from flights import days
from flights.flight import flights
from tests.support.simulated_day import BEGIN, simulate

MINUTE = 60


@pytest.fixture(scope="module", params=["given", "withheld"])
def day(request):
    """A simulated day, with the provider's flight ids and times, and without."""
    return simulate(10, seed=3, is_told=request.param == "given")


@pytest.fixture(scope="module")
def found(day, airports):
    """The flights that are made of it."""
    return [one for address, seen in day.positions.items() for one in flights(address, seen, airports, day.until)]


def test_each_flight_is_found_exactly_once(day, found):
    """No flight is lost, none is cut by a gap, none is invented."""
    assert len(found) == len(day.flown)
    pairs = list(_pairs(day, found))
    assert all(made.callsign == real.callsign for real, made in pairs)
    assert max(made.longest_gap_seconds for made in found) > 6 * 3_600


def test_each_has_its_airports(day, found):
    """Known by the provider, or by where it was seen; not known where nobody says so and nobody sees it."""
    for real, made in _pairs(day, found):
        assert made.takeoff.airport in {real.origin, None}
        assert made.landing.airport in {real.destination, None}
    assert sum(made.takeoff.airport is None or made.landing.airport is None for made in found) <= len(found) // 20


def test_each_has_its_times(day, found):
    """Take-off and landing are known to a minute, if they are in the day and the airport is known."""
    dated = 0
    for real, made in _pairs(day, found):
        if real.lift_off > BEGIN and made.takeoff.airport is not None:
            assert made.takeoff.time / 1_000 == pytest.approx(real.lift_off, abs=MINUTE)
            dated += 1
        if real.touchdown < day.until / 1_000 - 3_600 and made.landing.airport is not None:
            assert made.landing.time / 1_000 == pytest.approx(real.touchdown, abs=MINUTE)
            dated += 1
    assert dated > len(found)


def test_by_days_they_are_the_same(day, found, airports):
    """Made of three days of updates around it, a day has the flights that began on it."""
    first = datetime.fromtimestamp(BEGIN, UTC).date()
    made = []
    for shift in range(-1, 3):
        one = first + timedelta(days=shift)
        begin, end = (round(moment.timestamp() * 1_000) for moment in days.span(one))
        for address, seen in day.positions.items():
            part = [position for position in seen if begin <= position.time < end]
            made += days.of(one, flights(address, part, airports, min(day.until, end)))
    assert sorted(made, key=lambda one: one.id) == sorted(found, key=lambda one: one.id)


def test_what_is_read_for_a_day():
    """A day before it, a day after it, and the hours in which late updates of those arrive."""
    hours = list(days.hours(date(2024, 3, 1)))
    assert f"{hours[0]:%Y-%m-%dT%H}" == "2024-02-29T00"
    assert f"{hours[-1]:%Y-%m-%dT%H}" == "2024-03-03T02"


def _pairs(day, found):
    """Yield each flight that was flown with the one that was found."""
    for real in day.flown:
        (made,) = [
            one
            for one in found
            if one.icao_address == real.icao_address
            and one.first_time / 1_000 <= real.touchdown + 5 * MINUTE
            and one.last_time / 1_000 >= real.lift_off - 5 * MINUTE
            and min(one.last_time / 1_000, real.touchdown) > max(one.first_time / 1_000, real.lift_off)
        ]
        yield real, made
