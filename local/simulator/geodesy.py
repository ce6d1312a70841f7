"""Great circles on a spherical Earth: how far, in which direction, and where one is on the way."""

from __future__ import annotations

import math
from dataclasses import dataclass

EARTH_RADIUS_NM = 3440.065
"""Mean radius in nautical miles (6,371.0 km)."""

type Vector = tuple[float, float, float]


def unit_vector(latitude: float, longitude: float) -> Vector:
    """Return the unit vector from the Earth's centre to a position in degrees."""
    phi, lam = math.radians(latitude), math.radians(longitude)
    return math.cos(phi) * math.cos(lam), math.cos(phi) * math.sin(lam), math.sin(phi)


def distance_nm(a: Vector, b: Vector) -> float:
    """Return the great-circle distance between two unit vectors in nautical miles."""
    cross = math.hypot(a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])
    return EARTH_RADIUS_NM * math.atan2(cross, a[0] * b[0] + a[1] * b[1] + a[2] * b[2])


@dataclass(frozen=True, slots=True)
class Fix:
    """A position in degrees and the direction of travel in degrees from true north, in [0, 360)."""

    latitude: float
    longitude: float
    heading: float


class GreatCircle:
    """The shortest way between two positions that are neither the same nor each other's antipodes."""

    __slots__ = ("_ahead", "_origin", "length_nm")

    def __init__(self, origin: Vector, destination: Vector) -> None:
        self.length_nm = distance_nm(origin, destination)
        angle = self.length_nm / EARTH_RADIUS_NM
        cosine, sine = math.cos(angle), math.sin(angle)
        self._origin = origin
        # The unit vector 90 degrees further along: every point of the circle is a mix of these two.
        self._ahead = tuple((d - o * cosine) / sine for o, d in zip(origin, destination, strict=True))

    def at(self, travelled_nm: float) -> Fix:
        """Return the fix after `travelled_nm` nautical miles."""
        angle = travelled_nm / EARTH_RADIUS_NM
        cosine, sine = math.cos(angle), math.sin(angle)
        (ox, oy, oz), (ax, ay, az) = self._origin, self._ahead
        x, y, z = ox * cosine + ax * sine, oy * cosine + ay * sine, oz * cosine + az * sine
        # The direction of travel is the derivative of the position; east and north are its parts on the ground.
        dx, dy, dz = ax * cosine - ox * sine, ay * cosine - oy * sine, az * cosine - oz * sine
        level = math.hypot(x, y)
        east = (dy * x - dx * y) / level
        north = dz * level - z * (dx * x + dy * y) / level
        # Rounded first: the remainder of a tiny negative angle would be 360 itself.
        heading = round(math.degrees(math.atan2(east, north)), 4) % 360
        return Fix(math.degrees(math.atan2(z, level)), math.degrees(math.atan2(y, x)), heading)
