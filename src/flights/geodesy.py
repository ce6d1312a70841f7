"""Distances along a track, most of them short: on a plane where that is exact enough, in two thirds of the time."""

from __future__ import annotations

from math import cos, hypot, radians

from common import geodesy

_FLAT_DEGREES, _POLAR_DEGREES = 0.5, 80.0
"""Between positions no further apart than this, and not near a pole, the earth is flat: within 1 in 10,000."""


def distance_nm(latitude: float, longitude: float, to_latitude: float, to_longitude: float) -> float:
    """Return the great-circle distance of two positions in degrees; short ones by their projection on a plane."""
    north = to_latitude - latitude
    east = (to_longitude - longitude + 540.0) % 360.0 - 180.0
    if (
        -_FLAT_DEGREES < north < _FLAT_DEGREES
        and -_FLAT_DEGREES < east < _FLAT_DEGREES
        and abs(latitude) < _POLAR_DEGREES
    ):
        return radians(hypot(north, east * cos(radians(latitude + north / 2)))) * geodesy.EARTH_RADIUS_NM
    return geodesy.distance_nm(latitude, longitude, to_latitude, to_longitude)
