"""Take-off and landing of a leg: when, at which airport, and how that is known.

The provider's word comes first, unless the aircraft was seen where it cannot have been if that were true. Without it, a
movement is *observed* if the aircraft was seen on the ground next to the leg, and *inferred* if the leg begins in a
climb from an airport or ends in an approach to one. Otherwise it is not known: a signal that is lost low down, away
from any airport, is no landing.

A landing is dated as the provider dates it. On the recorded updates of Shanghai its `landing_time` is when the aircraft
comes below 500 feet above the airport, to within 60 s in 22 of 23; the wheels touch 35 to 120 s after it.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Literal, NamedTuple

from flights.geodesy import distance_nm
from flights.legs import MINUTE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from flights.airports import Airport, Airports
    from flights.legs import Leg
    from flights.position import Position

type KnownBy = Literal["provider", "observed", "inferred"]

TAKEOFF_FEET, LANDING_FEET = 100, 500
"""Above the airport: where a take-off and a landing are dated."""

_CLIMB, _DESCENT = 2_000.0, 700.0
"""Feet per minute: of an airliner after its take-off, and on a glide path of 3 degrees at 130 knots."""

_SLOWEST_DESCENT, _FASTEST_DESCENT = 400.0, 2_000.0
"""Feet per minute of an approach that is recognised by its last altitudes."""

_AT_AIRPORT_NM, _ELSEWHERE_NM = 5.0, 15.0
"""From an airport's reference point: its runways are no further away, and who is further away is not there."""

_CLIMB_NM, _CLIMB_FEET = 30.0, 13_000
"""From the airport that the provider names, and above it: a climb leads back to its take-off from there."""

_APPROACH_NM, _APPROACH_FEET = 15.0, 5_000
"""To that airport: an aircraft that is not seen again for a while has landed."""

_GUESS_FEET, _LEAST_CHANGE = 1_500, 300
"""At an airport that nobody names, an aircraft has to be as low, and to climb or sink by as much."""

_FINAL_NM, _FINAL_FEET = 4.0, 700
"""Seen last so near an airport and so low, an aircraft has landed."""

_UNSEEN = 15 * MINUTE
_DOUBT = 20 * MINUTE
"""Between the last position on the ground and the first in the air: a movement between them cannot be dated if more."""

_CONTRADICTED = 5 * MINUTE
"""The provider's time is not taken if the aircraft was seen elsewhere by more than that."""

_LONGEST = 24 * 60 * MINUTE
"""Nor if it is further from where the aircraft was seen in the air: the longest scheduled flights take 19 hours."""

_PRESSURE_FEET = 900
"""By so much barometric altitude may be off at an airport: it is of the standard atmosphere."""

_SPAN = 10 * MINUTE


class Movement(NamedTuple):
    """A take-off or a landing; what is not known is None. Time in milliseconds since the epoch."""

    time: int | None = None
    known_by: KnownBy | None = None
    airport: str | None = None
    airport_known_by: KnownBy | None = None


class _End(NamedTuple):
    """One end of a leg, seen from the airport: times are milliseconds from `edge`, away from the ground."""

    edge: Position
    """The position in the air that is nearest to the ground in time."""
    heights: Sequence[tuple[int, int]]
    """Times and feet of the minutes beside it, those without an altitude left out."""
    ground: Position | None
    """The position on the ground that is nearest in time."""
    silence: int
    """Between those two."""


def takeoff(leg: Leg, airport: str | None, time: int | None, airports: Airports) -> Movement:
    """Return the take-off of a leg; `airport` and `time` are the provider's word."""
    first = leg.positions[0]
    ground = leg.before[-1] if leg.before else None
    heights = _heights((one.time - first.time, one.altitude) for one in leg.positions)
    end = _End(first, heights, ground, first.time - ground.time if ground else 0)
    place, name, known_by = _airport(end, airport, airports)
    if time is not None and _is_credible(time, first.time - _LONGEST if ground is None else ground.time, first.time):
        return Movement(time, "provider", name, known_by)
    if ground is not None and end.silence <= _DOUBT:
        after = _passed(heights, place, TAKEOFF_FEET, _CLIMB) if place else 0
        return Movement(first.time + max(after, -end.silence), "observed", name, known_by)
    if place is None or not _is_beside(end, place, is_named=airport is not None, miles=_CLIMB_NM, feet=_CLIMB_FEET):
        return Movement(None, None, name, known_by)
    after = _passed(heights, place, TAKEOFF_FEET, _CLIMB)
    return Movement(
        first.time + (after if ground is None else max(after, -end.silence)), "inferred", place.icao, known_by
    )


def landing(leg: Leg, airport: str | None, time: int | None, airports: Airports, until: int) -> Movement:
    """Return the landing of a leg; `until` is how far the updates go that there are of any aircraft."""
    last = leg.positions[-1]
    ground = leg.after[0] if leg.after else None
    heights = _heights((last.time - one.time, one.altitude) for one in reversed(leg.positions))
    end = _End(last, heights, ground, ground.time - last.time if ground else 0)
    place, name, known_by = _airport(end, airport, airports)
    if (
        time is not None
        and time <= until
        and _is_credible(time, last.time, last.time + _LONGEST if ground is None else ground.time)
    ):
        return Movement(time, "provider", name, known_by)
    if ground is not None and end.silence <= _DOUBT:
        before = _passed(heights, place, LANDING_FEET, _rate(heights)) if place else -end.silence // 2
        return Movement(last.time - max(before, -end.silence), "observed", name, known_by)
    if place is None or not _is_beside(
        end, place, is_named=airport is not None, miles=_APPROACH_NM, feet=_APPROACH_FEET
    ):
        return Movement(None, None, name, known_by)
    is_final = _height(end, place) <= _FINAL_FEET and _distance(end.edge, place) <= _FINAL_NM
    if not is_final and until - last.time < _UNSEEN:
        return Movement(None, None, name, known_by)
    return Movement(last.time - _passed(heights, place, LANDING_FEET, _rate(heights)), "inferred", place.icao, known_by)


def _heights(seen: Iterable[tuple[int, int | None]]) -> list[tuple[int, int]]:
    """Return those of the first minutes that have an altitude."""
    found = []
    for time, feet in seen:
        if time > _SPAN:
            break
        if feet is not None:
            found.append((time, feet))
    return found


def _airport(end: _End, provided: str | None, airports: Airports) -> tuple[Airport | None, str | None, KnownBy | None]:
    """Return the airport of a leg's end, its code, and how that is known; no airport if it is not in the table.

    The provider's word is not taken if the aircraft was seen on the ground at another airport.
    """
    named = airports.get(provided)
    on_ground = end.ground if end.silence <= _DOUBT else None
    seen = on_ground or end.edge
    if named is not None and (on_ground is None or _distance(seen, named) <= _ELSEWHERE_NM):
        return named, provided, "provider"
    near = airports.nearest(seen.latitude, seen.longitude, _AT_AIRPORT_NM)
    if near is not None and (on_ground is not None or (provided is None and _is_guess(end, near))):
        return near, near.icao, "observed"
    return None, provided, None if provided is None else "provider"


def _is_guess(end: _End, airport: Airport) -> bool:
    """Return whether a leg that nobody names an airport of begins or ends in the air at one."""
    return _is_beside(end, airport, is_named=False, miles=_AT_AIRPORT_NM, feet=_GUESS_FEET)


def _is_beside(end: _End, airport: Airport, *, is_named: bool, miles: float, feet: int) -> bool:
    """Return whether a leg begins in a climb from an airport, or ends in an approach to it."""
    if not end.heights or _distance(end.edge, airport) > miles or _height(end, airport) > feet:
        return False
    lowest = end.heights[0][1]
    if is_named:
        return all(above >= lowest - _LEAST_CHANGE for _, above in end.heights)
    return max(above for _, above in end.heights) >= lowest + _LEAST_CHANGE


def _is_credible(time: int, earliest: int, latest: int) -> bool:
    return earliest - _CONTRADICTED <= time <= latest + _CONTRADICTED


def _distance(position: Position, airport: Airport) -> float:
    return distance_nm(position.latitude, position.longitude, airport.latitude, airport.longitude)


def _height(end: _End, airport: Airport) -> int:
    """Return feet above the airport at the leg's edge, which may be some seconds from the next altitude."""
    away, feet = end.heights[0]
    return feet - round(_rate(end.heights) * away / MINUTE) - _level(end.heights, airport)


def _level(heights: Sequence[tuple[int, int]], airport: Airport) -> int:
    """Return what the altimeter shows on the airport's ground, as far as it is known."""
    lowest = min(feet for _, feet in heights)
    return lowest if airport.elevation - _PRESSURE_FEET < lowest < airport.elevation else airport.elevation


def _passed(heights: Sequence[tuple[int, int]], airport: Airport, above: int, rate: float) -> int:
    """Return when the aircraft was so high above the airport, as `_End` has times; lower than seen, by its rate."""
    if not heights:
        return 0
    level = _level(heights, airport) + above
    time, feet = heights[0]
    if feet > level:
        return time - round((feet - level) / rate * MINUTE)
    for (low_time, low), (high_time, high) in reversed(list(pairwise(heights))):
        if low <= level < high:
            return low_time + round((level - low) / (high - low) * (high_time - low_time))
    return time


def _rate(heights: Sequence[tuple[int, int]]) -> float:
    """Return feet per minute beside a leg's edge, as of a descent."""
    if not heights:
        return _DESCENT
    time, feet = heights[0]
    for earlier, higher in heights:
        if earlier - time >= MINUTE / 2:
            return min(max((higher - feet) / (earlier - time) * MINUTE, _SLOWEST_DESCENT), _FASTEST_DESCENT)
    return _DESCENT
