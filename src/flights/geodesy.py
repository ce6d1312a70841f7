"""Distances on the earth, in nautical miles."""

from __future__ import annotations

from math import asin, cos, hypot, radians, sin, sqrt

EARTH_RADIUS_NM = 6371.0088 / 1.852
"""Mean radius R1 of the WGS 84 ellipsoid (Moritz, Geodetic Reference System 1980, 2000)."""

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
        return radians(hypot(north, east * cos(radians(latitude + north / 2)))) * EARTH_RADIUS_NM
    here, there = radians(latitude), radians(to_latitude)
    half = sin((there - here) / 2) ** 2 + cos(here) * cos(there) * sin(radians(east) / 2) ** 2
    return 2 * EARTH_RADIUS_NM * asin(sqrt(min(1.0, half)))
