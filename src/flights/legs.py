"""Cuts the path of one aircraft into legs: from ground to ground, or where a gap can only be explained by a landing.

An aircraft's own word for being on the ground flickers, and is missing in places; so a stay on the ground counts if it
lasts, or if the aircraft rolls more slowly than any can fly. A gap in the air is no new flight by itself: what counts
is whether there was time to land, stay and take off in it, and whether anything else suggests so.
"""

from __future__ import annotations

from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from flights.geodesy import distance_nm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from flights.airports import Airports
    from flights.position import Position

MINUTE = 60_000
"""Milliseconds, as all times here."""

GAP = 10 * MINUTE
"""A silence is a gap from here on: `traffic` splits trajectories there (xoolive/traffic 2.13)."""

_STAY = 1 * MINUTE
"""On the ground for so long is a landing (readsb's `mark_legs`)."""

_TURNAROUND = 25 * MINUTE
"""Landing, stay and take-off take as long at least (readsb's `mark_legs`)."""

_SHORT_TURNAROUND, _LONG_ABSENCE = 10 * MINUTE, 120 * MINUTE
"""What is left of a gap, after the way was flown, to be a landing if the callsign is another, and in any case."""

_ROLLING_KT, _TAXIING_KT, _FLYING_KT = 60.0, 50.0, 80.0
"""No airliner flies as slowly as the first; the last is needed to have flown at all."""

_FASTEST_ON_GROUND_KT, _HIGHEST_GROUND_FEET = 250.0, 15_000
"""Who says to be on the ground and is faster or higher is not (as the template's alert pattern has it)."""

_AIRPORT_NM, _HOVERING_FEET = 3.0, 1_000
"""Who is slow so near an airport's reference point, and no higher above it, may be on the ground."""

_HOP_NM = 5.0
"""Between two stays on the ground: an aircraft does not taxi so far."""

LOW_FEET, NEAR_NM = 5_000, 12.0
"""Above and from an airport: in an approach, or in a climb from it."""

_LOOK = 12
"""Positions on either side of a gap that are asked for what the one beside it does not say."""


class Leg(NamedTuple):
    """Positions in the air, and what was seen on the ground before and after them."""

    positions: Sequence[Position]
    before: Sequence[Position]
    """The last on the ground before; empty if the leg begins in the air."""
    after: Sequence[Position]
    """The first on the ground after it; empty if it ends in the air."""


def is_on_ground(position: Position, airports: Airports) -> bool:
    """Return whether the aircraft was on the ground: it says so, or is as slow at an airport as none flies."""
    speed, altitude = position.speed, position.altitude
    is_slow = speed is not None and speed < _TAXIING_KT
    is_fast = speed is not None and speed > _FASTEST_ON_GROUND_KT
    if position.on_ground and not is_fast:
        return is_slow or altitude is None or altitude <= _HIGHEST_GROUND_FEET
    if not is_slow:
        return False
    airport = airports.nearest(position.latitude, position.longitude, _AIRPORT_NM)
    if airport is None:
        return False
    return position.on_ground is None or altitude is None or altitude - airport.elevation <= _HOVERING_FEET


def cut(path: Sequence[Position], airports: Airports) -> list[Leg]:
    """Return the legs of a path whose positions are in the order of time."""
    runs = _without_flickers(path, _runs(path, airports))
    legs: list[Leg] = []
    for place, (is_stay, begin, end) in enumerate(runs):
        if is_stay:
            continue
        before = path[max(runs[place - 1][1], begin - _LOOK) : begin] if place > 0 else ()
        after = path[end : min(runs[place + 1][2], end + _LOOK)] if place + 1 < len(runs) else ()
        cuts = [begin, *(k for k in range(begin + 1, end) if _is_landing_between(path, begin, k, end, airports)), end]
        for first, last in pairwise(cuts):
            legs.append(Leg(path[first:last], before if first == begin else (), after if last == end else ()))
    return legs


type _Run = tuple[bool, int, int]
"""Whether on the ground, and which positions: from the first up to, but without, the second."""


type _Judge = Callable[[Sequence[Position], int, int], bool]
"""Whether a run of a path, from the first position up to the second, is what it seems."""


def _runs(path: Sequence[Position], airports: Airports) -> list[_Run]:
    """Return stretches on the ground and in the air."""
    runs: list[_Run] = []
    end = 0
    for is_stay, group in groupby(path, lambda position: is_on_ground(position, airports)):
        begin, end = end, end + sum(1 for _ in group)
        runs.append((is_stay, begin, end))
    return runs


def _without_flickers(path: Sequence[Position], runs: list[_Run]) -> list[_Run]:
    """Join what a flicker of `on_ground` has cut: first in the air, then on the ground."""
    return _joined(path, _joined(path, runs, _is_stay, doubted=True), _is_flown, doubted=False)


def _joined(
    path: Sequence[Position],
    runs: list[_Run],
    is_real: _Judge,
    *,
    doubted: bool,
) -> list[_Run]:
    """Turn runs of one kind that are not real into the other kind, and join neighbours."""
    found: list[_Run] = []
    for is_stay, begin, end in runs:
        seen = is_stay if is_stay is not doubted or is_real(path, begin, end) else not is_stay
        if found and found[-1][0] is seen:
            found[-1] = (seen, found[-1][1], end)
        else:
            found.append((seen, begin, end))
    return found


def _is_stay(path: Sequence[Position], begin: int, end: int) -> bool:
    """Return whether the aircraft was on the ground: slow and by its own word, or for long, or not seen again soon."""
    stay = path[begin:end]
    if any(one.on_ground is not False and one.speed is not None and one.speed < _ROLLING_KT for one in stay):
        return True
    silence_before = stay[0].time - path[begin - 1].time if begin else GAP
    silence_after = path[end].time - stay[-1].time if end < len(path) else GAP
    return stay[-1].time - stay[0].time >= _STAY or max(silence_before, silence_after) >= GAP // 2


def _is_flown(path: Sequence[Position], begin: int, end: int) -> bool:
    """Return whether the aircraft was in the air between two stays: far, or long and fast."""
    if begin == 0 or end == len(path):
        return end - begin > 1 or (path[begin].speed or 0.0) >= _FLYING_KT
    left, back = path[begin - 1], path[end]
    if distance_nm(left.latitude, left.longitude, back.latitude, back.longitude) > _HOP_NM:
        return True
    is_fast = any(one.speed is None or one.speed >= _FLYING_KT for one in path[begin:end])
    return is_fast and end - begin > 1 and back.time - left.time >= 2 * _STAY


def _is_landing_between(path: Sequence[Position], begin: int, place: int, end: int, airports: Airports) -> bool:
    """Return whether the aircraft landed, and took off again, unseen between two positions in the air."""
    lost, found = path[place - 1], path[place]
    gap = found.time - lost.time
    if gap < GAP:
        return False
    earlier, later = path[max(begin, place - _LOOK) : place][::-1], path[place : min(end, place + _LOOK)]
    by_provider = _by_provider(lost, earlier, later)
    if by_provider is not None:
        return by_provider
    fastest = max(150.0, *(one.speed or 0.0 for one in (*earlier, *later)))
    flown = distance_nm(lost.latitude, lost.longitude, found.latitude, found.longitude) / fastest * 60 * MINUTE
    spare = gap - flown
    if spare >= _LONG_ABSENCE:
        return True
    calls = _known(earlier, "callsign"), _known(later, "callsign")
    if None not in calls and calls[0] != calls[1]:
        return spare >= _SHORT_TURNAROUND
    return spare >= _TURNAROUND and (_is_low(earlier, airports) or _is_low(later, airports))


def _by_provider(lost: Position, earlier: Sequence[Position], later: Sequence[Position]) -> bool | None:
    """Return what the provider's own fields say of a landing in a gap, None if they say nothing."""
    takeoff = _known(later, "takeoff_time")
    if takeoff is not None:
        return bool(takeoff > lost.time)
    ids = _known(earlier, "flight_id"), _known(later, "flight_id")
    return None if None in ids else ids[0] != ids[1]


def _known(positions: Iterable[Position], name: str) -> Any:
    """Return the first value of a field, None if no position has one."""
    return next((value for one in positions if (value := getattr(one, name)) is not None), None)


def _is_low(beside: Sequence[Position], airports: Airports) -> bool:
    """Return whether the positions beside a gap, from it on, are low, near an airport, and higher further away."""
    heights = [(one, one.altitude) for one in beside if one.altitude is not None]
    if not heights:
        return False
    nearest, feet = heights[0]
    airport = airports.nearest(nearest.latitude, nearest.longitude, NEAR_NM)
    if airport is None or feet - airport.elevation > LOW_FEET:
        return False
    return len(heights) == 1 or heights[-1][1] > feet + 100
