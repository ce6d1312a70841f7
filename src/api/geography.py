"""Where an aircraft is: in a box, or how far from a point."""

from __future__ import annotations

import math

EARTH_RADIUS_NM = 3440.065
"""Mean radius of the earth (IUGG, 6,371.009 km) in nautical miles of 1,852 m."""

type Box = tuple[float, float, float, float]
"""West, south, east, north in degrees; west > east crosses 180 degrees."""


def around(latitude: float, longitude: float, radius_nm: float) -> Box:
    """Return the least box that holds a circle; near a pole it goes all around."""
    angle = radius_nm / EARTH_RADIUS_NM
    south, north = latitude - math.degrees(angle), latitude + math.degrees(angle)
    if south <= -90 or north >= 90:  # noqa: PLR2004 - the poles
        return -180.0, max(south, -90.0), 180.0, min(north, 90.0)
    wide = math.degrees(math.asin(min(1.0, math.sin(angle) / math.cos(math.radians(latitude)))))
    west, east = longitude - wide, longitude + wide
    return west + 360 * (west < -180), south, east - 360 * (east > 180), north  # noqa: PLR2004 - degrees of a circle


def distance_nm(latitude: float, longitude: float, to_latitude: float, to_longitude: float) -> float:
    """Return the great-circle distance in nautical miles (haversine)."""
    here, there = math.radians(latitude), math.radians(to_latitude)
    half = math.sin((there - here) / 2) ** 2
    half += math.cos(here) * math.cos(there) * math.sin(math.radians(to_longitude - longitude) / 2) ** 2
    return 2 * EARTH_RADIUS_NM * math.asin(math.sqrt(min(1.0, half)))
