"""The waypoints of a track: few, and none of its turns is lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from flights.legs import MINUTE
from flights.position import Position
from flights.waypoints import simplified


def track(*changes):
    """Positions a minute apart, each with what has changed."""
    return [Position(number * MINUTE, 50.0, 8.0 + number / 10, **one) for number, one in enumerate(changes)]


def test_a_straight_and_level_track_has_a_waypoint_every_quarter_of_an_hour():
    """And its first and last position."""
    positions = track(*({"altitude": 37_000, "heading": 90.0} for _ in range(41)))
    assert [one.time // MINUTE for one in simplified(positions)] == [0, 15, 30, 40]


def test_a_turn_a_climb_and_a_landing_are_waypoints():
    """More than 2.5 degrees, across north, too; 100 metres; `on_ground`."""
    usual = {"altitude": 3_000, "heading": 359.0, "on_ground": False}
    positions = track(
        usual,
        usual | {"heading": 1.0},
        usual | {"heading": 2.0},
        usual | {"heading": 2.0, "altitude": 3_300},
        usual | {"heading": 2.0, "altitude": 3_400},
        usual | {"heading": 2.0, "altitude": 3_400, "on_ground": True},
        usual | {"heading": 2.0, "altitude": 3_400, "on_ground": True},
    )
    assert [one.time // MINUTE for one in simplified(positions)] == [0, 2, 4, 5, 6]


def test_what_an_update_does_not_say_is_no_change():
    """The value before goes on."""
    positions = track({"altitude": 3_000, "heading": 10.0}, {}, {"altitude": 3_000}, {"heading": 10.0})
    assert [one.time // MINUTE for one in simplified(positions)] == [0, 3]


@given(headings=st.lists(st.none() | st.floats(0, 360), max_size=40))
def test_they_are_some_of_the_positions_with_the_first_and_the_last(headings):
    """In their order, each once; of nothing there is nothing."""
    positions = track(*({"heading": heading} for heading in headings))
    found = simplified(iter(positions))
    assert found == [one for one in positions if one in found]
    assert found[:1] + found[-1:] == positions[:1] + positions[-1:]
