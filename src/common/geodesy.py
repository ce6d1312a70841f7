"""Distances on the earth."""

from __future__ import annotations

from math import asin, cos, pi, sin, sqrt

KILOMETRES_PER_NAUTICAL_MILE = 1.852
"""Exact, by the international definition of 1929."""

EARTH_RADIUS_NM = 6371.0088 / KILOMETRES_PER_NAUTICAL_MILE
"""Mean radius R1 of the WGS 84 / GRS 80 ellipsoid, 6371.0088 km (Moritz, Geodetic Reference System 1980, 2000).

A sphere is at most 0.56 % off the ellipsoid; positions broadcast by aircraft are coarser over the legs summed here.
"""

DEGREE = pi / 180
HALF_DEGREE = DEGREE / 2
DIAMETER_NM = 2 * EARTH_RADIUS_NM


def great_circle_nm(latitude_1: float, longitude_1: float, latitude_2: float, longitude_2: float) -> float:
    """Return the great-circle distance between two positions in degrees, in nautical miles.

    The haversine formula: exact enough for legs of metres, where the law of cosines is not.
    """
    to_north = sin((latitude_2 - latitude_1) * HALF_DEGREE)
    to_east = sin((longitude_2 - longitude_1) * HALF_DEGREE)
    half_chord_squared = to_north * to_north + (cos(latitude_1 * DEGREE) * cos(latitude_2 * DEGREE) * to_east * to_east)
    return DIAMETER_NM * asin(min(1.0, sqrt(half_chord_squared)))
