"""A flight's way as a GeoJSON feature: cut where it crosses 180 degrees, with a time and an altitude of each point."""

from __future__ import annotations

from itertools import chain, pairwise
from typing import Annotated, Any, NamedTuple

import msgspec

from api import parameters, schemas
from api.targets import rfc3339

_HALF = 180.0


class _Waypoint(msgspec.Struct):
    time: str
    latitude: float
    longitude: float
    altitude_baro: int | None = None


class _Tracked(schemas.Flight, frozen=True, omit_defaults=True, kw_only=True):
    track: Annotated[list[_Waypoint], msgspec.Meta(min_length=1)]


class _Point(NamedTuple):
    """One coordinate of the line; altitudes are in feet."""

    longitude: float
    latitude: float
    time: str
    altitude: int | None


_decode = msgspec.json.Decoder(_Tracked).decode


def feature(line: bytes) -> schemas.FlightTrack:
    """Return the feature of a flight, read from its line of a book; ValueError (msgspec's, too) where it is none."""
    flight = _decode(line)
    lines = _cut([_Point(one.longitude, one.latitude, one.time, one.altitude_baro) for one in flight.track])
    properties: dict[str, Any] = {
        name: value
        for name in schemas.Flight.__struct_fields__
        if name != "id" and (value := getattr(flight, name)) is not None
    }
    properties["times"] = [point.time for point in chain(*lines)]
    properties["altitudes"] = [point.altitude for point in chain(*lines)]
    coordinates = [[(point.longitude, point.latitude) for point in one] for one in lines]
    return schemas.FlightTrack(flight.id, schemas.MultiLineString(coordinates), properties)


def _cut(points: list[_Point]) -> list[list[_Point]]:
    """Return lines of two points and more, cut where the way crosses 180 degrees, as RFC 7946 wants it."""
    parts = [[points[0]]]
    for here, there in pairwise(points):
        if abs(there.longitude - here.longitude) > _HALF:
            crossing = _crossing(here, there)
            parts[-1].append(crossing)
            parts.append([crossing._replace(longitude=-crossing.longitude)])
        parts[-1].append(there)
    if len(parts[-1]) == 1:
        parts[-1].append(parts[-1][0])
    return parts


def _crossing(here: _Point, there: _Point) -> _Point:
    """Return the point of 180 degrees between two, on the side of the first; as far in time as it is in longitude."""
    edge = _HALF if here.longitude > 0 else -_HALF
    way = (there.longitude + 2 * edge - here.longitude) or 1.0  # 180 and -180 are one place
    share = (edge - here.longitude) / way
    latitude = here.latitude + (there.latitude - here.latitude) * share
    begin, end = parameters.moment(here.time), parameters.moment(there.time)
    altitude = None
    if here.altitude is not None and there.altitude is not None:
        altitude = round(here.altitude + (there.altitude - here.altitude) * share)
    return _Point(edge, round(latitude, 5), rfc3339(round(begin + (end - begin) * share)), altitude)
