"""Answers `/targets`, `/point/...` and `/targets/{icao_address}`: all aircraft, those near a point, one of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from api import cursors, geography, problems, schemas
from common.geodesy import distance_nm
from live.identities import FIELDS
from live.order import NO_INGESTION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from api.messages import Request
    from api.parameters import Values
    from api.snapshots import Sky
    from live.identities import Identity
    from live.reader import Target

    type Found = tuple[float | None, Target]
    """An aircraft, and how far it is from the point that was asked for, in nautical miles."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_MERIDIAN = 180.0

_BY_IDENTITY = {
    "airline": ("airline_iata", "airline_name"),
    "callsign": ("callsign",),
    "type": ("aircraft_type_icao",),
    "squawk": ("squawk",),
}
"""Parameters that list values, and the fields of which one has to be among them."""


def rfc3339(milliseconds: int) -> str:
    """Return a time as RFC 3339 in UTC with milliseconds; one that no date can hold as the nearest that can."""
    least, most = -62_135_596_800_000, 253_402_300_799_999  # the first and the last millisecond of years 1 to 9999
    moment = _EPOCH + timedelta(milliseconds=min(max(milliseconds, least), most))
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def page(sky: Sky, request: Request, values: Values) -> schemas.Targets:
    """Answer `/targets`: aircraft that match all parameters, by address."""
    after = cursors.read(values["cursor"], request.path, request.query, str)
    found: list[Found] = [(None, target) for target in _matching(sky, values)]
    rest = found if after is None else [one for one in found if one[1].icao_address > after]
    shown = rest[: values["limit"]]
    following = shown[-1][1].icao_address if len(shown) < len(rest) else None
    return _page(sky, request, shown, len(found), following)


def near(sky: Sky, request: Request, values: Values) -> schemas.Targets:
    """Answer `/point/{latitude}/{longitude}/{radius}`: aircraft in the circle, the nearest first."""
    after = cursors.read(values["cursor"], request.path, request.query, tuple[float, str])
    latitude, longitude, radius = values["latitude"], values["longitude"], values["radius"]
    box = geography.around(latitude, longitude, radius)
    found: list[Found] = []
    for target in _matching(sky, {**values, "bbox": box}):
        if target.latitude is not None and target.longitude is not None:
            distance = distance_nm(latitude, longitude, target.latitude, target.longitude)
            if distance <= radius:
                found.append((distance, target))
    found.sort(key=_nearness)
    rest = found if after is None else [one for one in found if _nearness(one) > after]
    shown = rest[: values["limit"]]
    return _page(sky, request, shown, len(found), _nearness(shown[-1]) if len(shown) < len(rest) else None)


def one(sky: Sky, _request: Request, values: Values) -> schemas.Target:
    """Answer `/targets/{icao_address}`.

    Raises
    ------
    ProblemError
        The aircraft is not in any snapshot that is read.
    """
    address = values["icao_address"].strip().upper()
    for target in sky.targets:
        if target.icao_address == address:
            return schema(target, sky.identities.get(address, {}))
    unread = f"; {sky.unreadable} of them cannot be read now" if sky.unreadable else ""
    raise problems.not_found(f"{address}: no such aircraft in the snapshots of the last minutes{unread}")


def schema(target: Target, identity: Identity, distance: float | None = None) -> schemas.Target:
    """Return an aircraft as it is answered."""
    ingestion = target.freshness.ingestion
    known = {name: identity.get(name) for name in FIELDS}
    if known["collection_type"] is None:
        known["collection_type"] = target.source
    return schemas.Target(
        icao_address=target.icao_address,
        timestamp=rfc3339(target.freshness.timestamp),
        ingestion_time=None if ingestion == NO_INGESTION else rfc3339(ingestion),
        latitude=target.latitude,
        longitude=target.longitude,
        position_timestamp=None if target.position_measured is None else rfc3339(target.position_measured),
        altitude_baro=target.altitude,
        speed=target.speed,
        heading=target.heading,
        vertical_rate=target.vertical_rate,
        on_ground=target.on_ground,
        emergency=target.emergency,  # type: ignore[arg-type]  # one of the three
        distance_nm=None if distance is None else round(distance, 2),
        **known,
    )


def _nearness(found: Found) -> tuple[float, str]:
    return found[0] or 0.0, found[1].icao_address


def _page(sky: Sky, request: Request, shown: list[Found], matched: int, last: Any) -> schemas.Targets:
    """Return a page; `last` is where it ends if there is another."""
    return schemas.Targets(
        targets=[schema(target, sky.identities.get(target.icao_address, {}), away) for away, target in shown],
        matched=matched,
        as_of=None if sky.newest is None else rfc3339(sky.newest),
        unreadable=sky.unreadable,
        next=None if last is None else cursors.write(last, request.path, request.query),
    )


def _matching(sky: Sky, values: Values) -> Iterator[Target]:
    """Yield the aircraft that match the filters, by address."""
    box: geography.Box | None = values["bbox"]
    least, most, on_ground = values["min_altitude"], values["max_altitude"], values["on_ground"]
    wanted = [(fields, listed) for name, fields in _BY_IDENTITY.items() if (listed := values[name]) is not None]
    for target in sky.targets if box is None else _within(sky.targets, box):
        if on_ground is not None and target.on_ground is not on_ground:
            continue
        if least is not None and (target.altitude is None or target.altitude < least):
            continue
        if most is not None and (target.altitude is None or target.altitude > most):
            continue
        if wanted and not _is_named(target, sky.identities.get(target.icao_address, {}), wanted):
            continue
        yield target


def _within(targets: list[Target], box: geography.Box) -> list[Target]:
    """Return those in the box, its edges included; in two passes, since most of the world fails the first."""
    west, south, east, north = box
    band = [one for one in targets if one.latitude is not None and south <= one.latitude <= north]
    if west <= east:
        same = -east if east == _MERIDIAN else -west if west == -_MERIDIAN else west  # 180 and -180 are one meridian
        return [
            one
            for one in band
            if one.longitude is not None and (west <= one.longitude <= east or one.longitude == same)
        ]
    return [one for one in band if one.longitude is not None and not east < one.longitude < west]


def _is_named(target: Target, identity: Identity, wanted: list[tuple[tuple[str, ...], frozenset[str]]]) -> bool:
    for fields, listed in wanted:
        values = {value.strip().upper() for name in fields if (value := identity.get(name))}
        if fields == ("squawk",) and target.emergency is not None:
            values.add(target.emergency)
        if listed.isdisjoint(values):
            return False
    return True
