"""Whether an aircraft is in a box, and the box around a circle."""

from __future__ import annotations

import math

from common.geodesy import EARTH_RADIUS_NM

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
