"""Flight profiles: altitude, speed and distance flown of an airliner at any second of its flight."""

from __future__ import annotations

from dataclasses import dataclass

CLIMB_RATE = 2000
DESCENT_RATE = 1800
"""Feet per minute, the usual ones of an airliner."""

DIVE_RATE = 7200
DIVE_ALTITUDE = 10_000
"""An emergency descent: feet per minute, down to where the air can be breathed."""

_LIFT_OFF_KNOTS = 150.0
_TOUCHDOWN_KNOTS = 140.0
_LOW_CRUISE_KNOTS = 250.0
_MOST_CLIMBING = 0.8
"""Climb and descent together take at most this share of the way; shorter hops cruise lower."""


@dataclass(frozen=True, slots=True)
class Motion:
    """What an aircraft does at an instant: nautical miles from its origin, feet, knots, feet per minute."""

    travelled_nm: float
    altitude: float
    speed: float
    vertical_rate: float


class FlightProfile:
    """Climb, cruise and descent over a given length; times are seconds since lift-off."""

    __slots__ = ("_climb_seconds", "_cruise", "_descent_seconds", "_from", "_length", "_speed", "_to", "seconds")

    def __init__(
        self, length_nm: float, *, cruise_altitude: float, cruise_speed: float, from_feet: float, to_feet: float
    ) -> None:
        self._length, self._from, self._to = length_nm, from_feet, to_feet
        ground = max(from_feet, to_feet)
        altitude = cruise_altitude
        while True:
            share = altitude / cruise_altitude
            self._speed = _LOW_CRUISE_KNOTS + (cruise_speed - _LOW_CRUISE_KNOTS) * share
            self._cruise = max(altitude, ground + 1000)
            self._climb_seconds = (self._cruise - from_feet) * 60 / CLIMB_RATE
            self._descent_seconds = (self._cruise - to_feet) * 60 / DESCENT_RATE
            climbing_nm = (
                (_LIFT_OFF_KNOTS + self._speed) * self._climb_seconds
                + (_TOUCHDOWN_KNOTS + self._speed) * self._descent_seconds
            ) / 7200
            if climbing_nm <= _MOST_CLIMBING * length_nm or altitude <= ground:
                break
            altitude *= 0.9
        cruise_seconds = max(0.0, length_nm - climbing_nm) / self._speed * 3600
        self.seconds = self._climb_seconds + cruise_seconds + self._descent_seconds

    def cruising(self, elapsed: float) -> bool:
        """Return whether the aircraft is in cruise, and will be for a while."""
        return self._climb_seconds < elapsed < self.seconds - self._descent_seconds - 300

    def at(self, elapsed: float, dive_at: float | None = None) -> Motion:
        """Return the motion `elapsed` seconds after lift-off.

        From `dive_at` on the aircraft sinks at `DIVE_RATE` to `DIVE_ALTITUDE`, and does not climb again.
        """
        remaining = self.seconds - elapsed
        if elapsed < self._climb_seconds:
            gain = (self._speed - _LIFT_OFF_KNOTS) / self._climb_seconds
            speed = _LIFT_OFF_KNOTS + gain * elapsed
            travelled = (_LIFT_OFF_KNOTS + speed) / 2 * elapsed / 3600
            altitude, rate = self._from + CLIMB_RATE * elapsed / 60, float(CLIMB_RATE)
        elif remaining < self._descent_seconds:
            gain = (self._speed - _TOUCHDOWN_KNOTS) / self._descent_seconds
            speed = _TOUCHDOWN_KNOTS + gain * remaining
            travelled = self._length - (_TOUCHDOWN_KNOTS + speed) / 2 * remaining / 3600
            altitude, rate = self._to + DESCENT_RATE * remaining / 60, -float(DESCENT_RATE)
        else:
            speed, altitude, rate = self._speed, self._cruise, 0.0
            climbed = (_LIFT_OFF_KNOTS + self._speed) / 2 * self._climb_seconds / 3600
            travelled = climbed + self._speed * (elapsed - self._climb_seconds) / 3600
        if dive_at is not None and elapsed >= dive_at:
            sunk = self._cruise - DIVE_RATE * (elapsed - dive_at) / 60
            if sunk > DIVE_ALTITUDE:
                altitude, rate = sunk, -float(DIVE_RATE)
            elif altitude > DIVE_ALTITUDE:
                altitude, rate = float(DIVE_ALTITUDE), 0.0
        return Motion(travelled, altitude, speed, rate)
