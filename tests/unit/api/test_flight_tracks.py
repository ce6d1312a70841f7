"""The way of a flight as GeoJSON: each point has its time and altitude, those on 180 degrees too."""

from __future__ import annotations

import json
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import flight_tracks

FLIGHT = {
    "id": "78121E-20240304T000000Z",
    "icao_address": "78121E",
    "first_time": "2024-03-04T00:00:00.000Z",
    "last_time": "2024-03-04T01:00:00.000Z",
    "distance_nm": 1.0,
    "great_circle_nm": 1.0,
    "positions": 2,
}


def feature(*way):
    """Return the lines, times of day and altitudes of waypoints: longitude, latitude, minute, altitude."""
    track = [
        {
            "time": f"2024-03-04T{minute // 60:02}:{minute % 60:02}:00.000Z",
            "longitude": longitude,
            "latitude": latitude,
            **({} if altitude is None else {"altitude_baro": altitude}),
        }
        for longitude, latitude, minute, altitude in way
    ]
    made = flight_tracks.feature(json.dumps({**FLIGHT, "track": track}).encode())
    clocks = [time.removeprefix("2024-03-04T").removesuffix("Z") for time in made.properties["times"]]
    return made.geometry.coordinates, clocks, made.properties["altitudes"]


def test_a_crossing_is_as_far_in_time_as_in_longitude():
    """Westwards here; both of its points are the same moment."""
    lines, clocks, altitudes = feature((-179, 10, 0, 30_000), (177, 14, 4, 34_000))
    assert lines == [[(-179, 10), (-180, 11)], [(180, 11), (177, 14)]]
    assert clocks == ["00:00:00.000", "00:01:00.000", "00:01:00.000", "00:04:00.000"]
    assert altitudes == [30_000, 31_000, 31_000, 34_000]


def test_between_an_unknown_altitude_and_a_known_one_it_is_unknown():
    """Nothing is invented."""
    _, _, altitudes = feature((179, 10, 0, None), (-179, 10, 2, 30_000), (179, 10, 4, 31_000))
    assert altitudes == [None, None, None, 30_000, 30_500, 30_500, 31_000]


def test_a_single_position_is_a_line_of_no_length():
    """A line has two points, and both have a time."""
    assert feature((8, 47, 5, 1_000)) == ([[(8, 47)] * 2], ["00:05:00.000"] * 2, [1_000] * 2)


LONGITUDES = st.floats(-179.9, 179.9)


@given(st.lists(st.tuples(LONGITUDES, st.floats(-80, 80), st.just(None)), min_size=1, max_size=8))
def test_every_point_has_its_time(way):
    """However often the way crosses; without the points on 180 degrees it is the waypoints."""
    lines, clocks, altitudes = feature(*((lon, lat, minute, alt) for minute, (lon, lat, alt) in enumerate(way)))
    points = list(chain(*lines))
    assert len(points) == len(clocks) == len(altitudes)
    assert sorted(clocks) == clocks
    assert min(len(line) for line in lines) > 1
    timed = dict(zip(clocks, points, strict=True))
    assert [timed[f"00:{minute:02}:00.000"] for minute in range(len(way))] == [(lon, lat) for lon, lat, _ in way]


@pytest.mark.parametrize("time", ["yesterday", "2024-03-04"])
def test_a_crossing_without_times_is_refused(time):
    """The day is damaged, and is answered as such."""
    track = [{"time": time, "longitude": longitude, "latitude": 0} for longitude in (179, -179)]
    with pytest.raises(ValueError, match=time):
        flight_tracks.feature(json.dumps({**FLIGHT, "track": track}).encode())
