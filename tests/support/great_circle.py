"""The great-circle distance written plainly: what `aggregator.state.folding` writes out must be equal to this."""

from __future__ import annotations

from math import asin, cos, sin, sqrt

from aggregator.state.geodesy import DEGREE, DIAMETER_NM, HALF_DEGREE


def great_circle_nm(latitude_1: float, longitude_1: float, latitude_2: float, longitude_2: float) -> float:
    """Return the great-circle distance between two positions in degrees, in nautical miles."""
    to_north = sin((latitude_2 - latitude_1) * HALF_DEGREE)
    to_east = sin((longitude_2 - longitude_1) * HALF_DEGREE)
    half_chord_squared = to_north * to_north + (cos(latitude_1 * DEGREE) * cos(latitude_2 * DEGREE) * to_east * to_east)
    return DIAMETER_NM * asin(min(1.0, sqrt(half_chord_squared)))
