"""Visvalingam's simplification: the points whose triangle with their neighbours is smallest go first."""

from __future__ import annotations

import heapq
from math import cos, radians
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

type Point = tuple[float, float]
"""Longitude and latitude in degrees."""


def simplified(line: Sequence[Point], least: float) -> list[Point]:
    """Return the line without the points whose triangles are smaller than `least`, in square degrees at the equator.

    Its ends stay. A closed line of three points or fewer is left alone (M. Visvalingam, J. D. Whyatt, 1993).
    """
    count = len(line)
    before, after = list(range(-1, count - 1)), list(range(1, count + 1))
    area = [0.0] * count
    waiting: list[tuple[float, int]] = []

    def weigh(place: int) -> None:
        area[place] = _area(line[before[place]], line[place], line[after[place]])
        heapq.heappush(waiting, (area[place], place))

    for place in range(1, count - 1):
        weigh(place)
    gone = [False] * count
    while waiting and waiting[0][0] < least:
        size, place = heapq.heappop(waiting)
        if gone[place] or size != area[place]:
            continue
        gone[place] = True
        left, right = before[place], after[place]
        after[left], before[right] = right, left
        for neighbour in (left, right):
            if 0 < neighbour < count - 1:
                weigh(neighbour)
                # What became smaller by a removal goes no sooner than what was removed.
                if area[neighbour] < size:
                    area[neighbour] = size
                    heapq.heappush(waiting, (size, neighbour))
    return [point for point, is_gone in zip(line, gone, strict=True) if not is_gone]


def _area(first: Point, middle: Point, last: Point) -> float:
    (x1, y1), (x2, y2), (x3, y3) = first, middle, last
    return abs((x2 - x1) * (y3 - y1) - (x3 - x1) * (y2 - y1)) / 2 * cos(radians(y2))
