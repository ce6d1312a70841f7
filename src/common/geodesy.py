"""Distances on the earth, by the haversine formula, which `aggregator.state.folding` writes out term by term.

    half_chord² = sin²((latitude_2 - latitude_1) / 2)
                + cos(latitude_1) · cos(latitude_2) · sin²((longitude_2 - longitude_1) / 2)
    distance = diameter · asin(half_chord)

It is exact enough for legs of a few metres, where the law of cosines is not.
"""

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


def distance_nm(latitude: float, longitude: float, to_latitude: float, to_longitude: float) -> float:
    """Return the great-circle distance of two positions in degrees."""
    to_north, to_east = sin((to_latitude - latitude) * HALF_DEGREE), sin((to_longitude - longitude) * HALF_DEGREE)
    half_chord_squared = to_north * to_north + (cos(latitude * DEGREE) * cos(to_latitude * DEGREE) * to_east * to_east)
    return DIAMETER_NM * asin(min(1.0, sqrt(half_chord_squared)))
