"""A track of few points: those that OpenSky's track API would keep.

A waypoint at least every 15 minutes, and where the track changes by more than 2.5 degrees, the altitude by 100 metres,
or `on_ground` changes (https://openskynetwork.github.io/opensky-api/rest.html#track-by-aircraft).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flights.legs import MINUTE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flights.position import Position

_LONGEST = 15 * MINUTE
_TURN = 2.5
_CHANGE = 100 / 0.3048
"""Feet in 100 metres."""


def simplified(positions: Iterable[Position]) -> list[Position]:
    """Return the waypoints of a track, in the order of time; the first and the last position are among them."""
    kept: list[Position] = []
    altitude = heading = on_ground = None
    last = None
    for one in positions:
        last = one
        if kept and not (
            one.time - kept[-1].time >= _LONGEST
            or (one.altitude is not None and (altitude is None or abs(one.altitude - altitude) >= _CHANGE))
            or (one.heading is not None and (heading is None or _turn(heading, one.heading) > _TURN))
            or (one.on_ground is not None and one.on_ground is not on_ground)
        ):
            continue
        kept.append(one)
        altitude = altitude if one.altitude is None else one.altitude
        heading = heading if one.heading is None else one.heading
        on_ground = on_ground if one.on_ground is None else one.on_ground
    if last is not None and kept[-1] is not last:
        kept.append(last)
    return kept


def _turn(heading: float, other: float) -> float:
    return abs((other - heading + 180.0) % 360.0 - 180.0)
