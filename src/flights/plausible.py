"""Separates what cannot be one aircraft: positions that jump, and two aircraft under one address.

Positions, in the order of time, are followed as up to four paths: each continues the path whose last position is the
nearest of those it can have been reached from (`common.plausibility`), or begins another. A path of few positions is a
set of jumps, whichever of them came first; a longer one is an aircraft, and comes before those.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from common.plausibility import can_fly, is_nowhere
from flights.geodesy import distance_nm

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flights.position import Position

_MOST_PATHS = 4
"""Followed at a time; the one that was not continued for longest gives way."""

_FEWEST_POSITIONS, _SHORTEST = 10, 120_000
"""An aircraft beside the main one has as many positions, and is seen for as many milliseconds."""


def separate(positions: Iterable[Position]) -> tuple[list[list[Position]], list[Position]]:
    """Return the paths of real aircraft, the longest first, and the positions that are left out.

    `positions` are of one address, in the order of time. All of it comes back in one of the two.
    """
    open_paths: list[list[Position]] = []
    paths: list[list[Position]] = []
    left_out: list[Position] = []
    for position in positions:
        if is_nowhere(position.latitude, position.longitude):
            left_out.append(position)
        elif (path := _continued(open_paths, position)) is not None:
            path.append(position)
        else:
            paths.append([position])
            open_paths.append(paths[-1])
            if len(open_paths) > _MOST_PATHS:
                open_paths.remove(min(open_paths, key=lambda one: one[-1].time))
    paths.sort(key=len, reverse=True)  # stable: of two alike the first is the main one
    aircraft = [path for place, path in enumerate(paths) if place == 0 or _is_aircraft(path)]
    left_out += [position for path in paths[1:] if not _is_aircraft(path) for position in path]
    return aircraft, left_out


def _continued(paths: list[list[Position]], position: Position) -> list[Position] | None:
    """Return the path that a position goes on in."""
    time, latitude, longitude = position.time, position.latitude, position.longitude
    best, nearest = None, (True, inf)
    for path in paths:
        last = path[-1]
        distance = distance_nm(last.latitude, last.longitude, latitude, longitude)
        if can_fly(distance, (time - last.time) / 1_000):
            rank = len(path) < _FEWEST_POSITIONS, distance
            if rank < nearest:
                best, nearest = path, rank
    return best


def _is_aircraft(path: list[Position]) -> bool:
    return len(path) >= _FEWEST_POSITIONS and path[-1].time - path[0].time >= _SHORTEST
