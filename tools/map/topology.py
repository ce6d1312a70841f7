"""Reads a TopoJSON file of land and countries: coastlines as rings, borders as lines, both simplified alike."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

from tools.map.simplify import simplified

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tools.map.simplify import Point


_HALF_TURN = 180


@dataclass(frozen=True, slots=True)
class Outlines:
    """Rings of land, lakes among them (a point in an odd number of rings is on land), and lines between countries."""

    rings: list[list[Point]]
    borders: list[list[Point]]


def outlines(topology: dict[str, Any], least: float, smallest: float) -> Outlines:
    """Return the outlines, simplified by `least`; rings of less than `smallest` are left out (square degrees)."""
    (scale_x, scale_y), (move_x, move_y) = (topology["transform"][name] for name in ("scale", "translate"))
    arcs = []
    for steps in topology["arcs"]:
        places = accumulate(steps, lambda at, step: [at[0] + step[0], at[1] + step[1]])
        line = [(x * scale_x + move_x, y * scale_y + move_y) for x, y in places]
        arcs.append(simplified(line, least))
    rings = []
    for ring in _rings(topology["objects"]["land"]):
        points = _unwrapped([point for arc in ring for point in _arc(arcs, arc)[1:]])
        if len(points) > 2 and _size(points) >= smallest:  # noqa: PLR2004  # a ring has three corners
            rings.append(points)
    used = Counter(
        arc if arc >= 0 else ~arc
        for country in topology["objects"]["countries"]["geometries"]
        for ring in _rings({"geometries": [country]})
        for arc in ring
    )
    return Outlines(rings, [arcs[arc] for arc, times in used.items() if times > 1])


def _rings(collection: dict[str, Any]) -> Iterator[list[int]]:
    for geometry in collection["geometries"]:
        polygons = geometry.get("arcs", [])
        for polygon in polygons if geometry["type"] == "MultiPolygon" else [polygons]:
            yield from polygon


def _arc(arcs: list[list[Point]], place: int) -> list[Point]:
    return arcs[place] if place >= 0 else arcs[~place][::-1]


def _unwrapped(ring: list[Point]) -> list[Point]:
    """Return a ring that goes on beyond 180 degrees rather than jump, and down to the pole if it goes around that."""
    turns, points = 0, [ring[0]]
    for (before, _), (longitude, latitude) in pairwise(ring):
        turns += (longitude - before < -_HALF_TURN) - (longitude - before > _HALF_TURN)
        points.append((longitude + 2 * _HALF_TURN * turns, latitude))
    if abs(points[-1][0] - points[0][0]) > _HALF_TURN:
        points += [(points[-1][0], -90.0), (points[0][0], -90.0)]
    return points


def _size(ring: list[Point]) -> float:
    """Return a ring's area in square degrees."""
    return abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, [*ring[1:], ring[0]], strict=True))) / 2
