"""Distances on the earth."""

from __future__ import annotations

from math import asin, cos, radians, sin, sqrt

KILOMETRES_PER_NAUTICAL_MILE = 1.852
"""Exact, by the international definition of 1929."""

EARTH_RADIUS_NM = 6371.0088 / KILOMETRES_PER_NAUTICAL_MILE
"""Mean radius R1 of the WGS 84 / GRS 80 ellipsoid, 6371.0088 km (Moritz, Geodetic Reference System 1980, 2000).

A sphere is at most 0.56 % off the ellipsoid; positions broadcast by aircraft are coarser over the legs summed here.
"""


def great_circle_nm(latitude_1: float, longitude_1: float, latitude_2: float, longitude_2: float) -> float:
    """Return the great-circle distance between two positions in degrees, in nautical miles.

    The haversine formula: exact enough for legs of metres, where the law of cosines is not.
    """
    phi_1, phi_2 = radians(latitude_1), radians(latitude_2)
    half_chord_squared = (
        sin((phi_2 - phi_1) / 2) ** 2 + cos(phi_1) * cos(phi_2) * sin(radians(longitude_2 - longitude_1) / 2) ** 2
    )
    return 2 * EARTH_RADIUS_NM * asin(min(1.0, sqrt(half_chord_squared)))
