"""What holds for any updates: their order and their duplicates change nothing, and noise makes no flights."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from flights.flight import flights
from flights.position import Position
from tests.support.simulated_day import simulate

DAY = simulate(3, 8, is_told=False)
ADDRESSES = sorted(DAY.positions)
FEW = settings(max_examples=15)


@FEW
@given(st.sampled_from(ADDRESSES), st.randoms(use_true_random=False), st.integers(0, 50))
def test_order_and_duplicates_change_nothing(airports, address, random, twice):
    """Shuffled, and some of them given twice, updates make the same flights."""
    seen = DAY.positions[address]
    mixed = [*seen, *random.choices(seen, k=twice)]
    random.shuffle(mixed)
    assert flights(address, mixed, airports, DAY.until) == flights(address, seen, airports, DAY.until)


def _wrong(begin, end):
    return st.builds(
        Position,
        time=st.integers(begin, end),
        latitude=st.floats(-90, -60),
        longitude=st.floats(-180, 180),
        altitude=st.none() | st.integers(-1_000, 45_000),
        speed=st.none() | st.floats(0, 700),
        on_ground=st.none() | st.booleans(),
    )


@FEW
@given(st.data())
def test_single_wrong_positions_make_no_flights(airports, data):
    """Some jumps near Antarctica, whatever they say, add no flight and move no take-off and no landing."""
    address = data.draw(st.sampled_from(ADDRESSES))
    seen = DAY.positions[address]
    # One in a silence of hours may be real for all that anybody knows, and so may one among the very first.
    places = data.draw(st.lists(st.integers(10, len(seen) - 1), max_size=5, unique=True))
    wrong = [
        data.draw(_wrong(seen[k - 1].time, seen[k].time)) for k in places if seen[k].time - seen[k - 1].time < 60_000
    ]
    expected = flights(address, seen, airports, DAY.until)
    found = flights(address, [*seen, *wrong], airports, DAY.until)
    assert [(one.id, one.takeoff, one.landing, one.distance_nm) for one in found] == [
        (one.id, one.takeoff, one.landing, one.distance_nm) for one in expected
    ]


@given(
    st.lists(
        st.builds(
            Position,
            time=st.integers(DAY.until - 86_400_000, DAY.until),
            latitude=st.floats(-90, 90),
            longitude=st.floats(-180, 180),
            altitude=st.none() | st.integers(15_001, 45_000),
            speed=st.none() | st.floats(80, 700),
            on_ground=st.none() | st.booleans(),
            takeoff_time=st.none(),  # what is left out here may be drawn as well
            landing_time=st.none(),
        ),
        max_size=60,
    )
)
def test_noise_high_up_neither_takes_off_nor_lands(airports, noise):
    """Positions anywhere, all of them high, are no movement; and each is in one flight at most, in order."""
    found = flights("ABCDEF", [one for one in noise if one.altitude is not None], airports, DAY.until)
    assert all(one.takeoff.time is None and one.landing.time is None for one in found)
    assert sum(one.positions for one in found) <= len(noise)
    for one in found:
        times = [waypoint.time for waypoint in one.track]
        assert times == sorted(times)
        assert (times[0], times[-1]) == (one.first_time, one.last_time)


def _path(begin, place, length, **said):
    """Return positions every 15 seconds, eastward from a place."""
    latitude, longitude = place
    return [
        Position(begin + k * 15_000, latitude, longitude + k / 50, 30_000, 420.0, on_ground=False, **said)
        for k in range(length)
    ]


TIMES = st.none() | st.sampled_from([DAY.until - 7_200_000, DAY.until - 7_199_500, DAY.until - 3_600_000])


@given(
    st.lists(
        st.builds(
            _path,
            begin=st.integers(DAY.until - 7_202_000, DAY.until - 7_198_000),
            place=st.sampled_from([(50.0, 8.0), (50.0, 60.0), (-30.0, 8.0), (-30.0, 120.0)]),
            length=st.integers(10, 40),
            takeoff_time=TIMES,
            landing_time=TIMES,
        ),
        min_size=1,
        max_size=6,
    )
)
def test_no_two_flights_have_one_id(airports, paths):
    """Several aircraft under one address, with one take-off for all of them, have ids that differ, of their day."""
    found = flights("ABCDEF", [one for path in paths for one in path], airports, DAY.until)
    assert len({one.id for one in found}) == len(found)
    for one in found:
        assert one.id[:15] == f"ABCDEF-{datetime.fromtimestamp(one.begin / 1_000, UTC):%Y%m%d}"
    for times in ([one.takeoff.time for one in found], [one.landing.time for one in found]):
        known = [time for time in times if time is not None]
        assert len(set(known)) == len(known)
