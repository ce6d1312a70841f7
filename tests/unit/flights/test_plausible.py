"""What cannot be one aircraft: wild positions are left out, two aircraft under one address kept apart."""

from __future__ import annotations

from flights.plausible import separate
from flights.position import Position

SECOND = 1_000


def flown(count, latitude=50.0, longitude=8.0, start=0):
    """An aircraft that flies east, a position every 15 seconds."""
    return [Position(start + 15 * SECOND * n, latitude, longitude + n / 50) for n in range(count)]


def by_time(*tracks):
    """Positions of one address, as they come."""
    return sorted((one for track in tracks for one in track), key=lambda one: one.time)


def test_a_track_is_one_aircraft():
    """Nothing is left out."""
    track = flown(30)
    assert separate(track) == ([track], [])


def test_a_wild_position_is_left_out_and_never_followed():
    """Nor is 0/0, which equipment without a fix sends."""
    track = flown(30)
    wild = [Position(100 * SECOND, -33.0, 151.0), Position(200 * SECOND, 0.0, 0.0)]
    [kept], left_out = separate(by_time(track, wild))
    assert kept == track
    assert sorted(left_out) == sorted(wild)


def test_two_aircraft_under_one_address_are_both_kept_the_longer_first():
    """One over Europe, one over Australia, their positions mixed."""
    longer, shorter = flown(30), flown(20, latitude=-33.0, longitude=151.0, start=SECOND)
    assert separate(by_time(longer, shorter)) == ([longer, shorter], [])


def test_a_second_aircraft_needs_more_than_a_few_positions():
    """Nine of them, or ten within two minutes, are taken for errors."""
    track, few = flown(30), flown(9, latitude=-33.0, longitude=151.0)
    brief = [Position(n * SECOND, -33.0, 151.0) for n in range(10)]
    assert separate(by_time(track, few)) == ([track], few)
    assert separate(by_time(track, brief)) == ([track], brief)
