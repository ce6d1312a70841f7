"""Answers `/flights` and `/flights/{id}`: lists of flights, and the track of one."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import msgspec

from api import cursors, problems, schemas

if TYPE_CHECKING:
    from collections.abc import Iterator

    from api.flight_books import Book, Books
    from api.messages import Request
    from api.parameters import Values
    from common.flight_book import Block

DAYS = 7
"""Looked through where no day is asked for, the newest first."""

ID = r"^[0-9A-Za-z]{1,32}-[0-9]{8}T[0-9]{6}Z$"

_MOST_BLOCKS = 40
"""That one page reads, some tens of kilobytes each; what is left comes with the next."""

_HALF = 180.0


class _Place(msgspec.Struct, array_like=True):
    """Behind which flight of which day a page ends."""

    day: str
    id: str


class _Waypoint(msgspec.Struct):
    time: str
    latitude: float
    longitude: float
    altitude_baro: int | None = None
    on_ground: bool | None = None


class _Tracked(schemas.Flight, frozen=True, omit_defaults=True, kw_only=True):
    track: list[_Waypoint]


_decode = msgspec.json.Decoder(schemas.Flight).decode
_decode_tracked = msgspec.json.Decoder(_Tracked).decode


def day(text: str) -> str:
    """Return a day as it is written, `YYYY-MM-DD`; ValueError for what is not a day."""
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
        raise ValueError(text)
    return f"{date.fromisoformat(text):%Y-%m-%d}"


def identity(text: str) -> str:
    """Return a flight's id in upper case; ValueError for what cannot be one."""
    if not re.fullmatch(ID, text, re.ASCII):
        raise ValueError(text)
    datetime.strptime(text.rpartition("-")[2], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return text.upper()


def page(books: Books, request: Request, values: Values, now: int) -> schemas.Flights:
    """Answer `/flights`; `now` is in milliseconds since the epoch."""
    place = cursors.read(values["cursor"], request.path, request.query, _Place)
    found: list[schemas.Flight] = []
    looked_at = 0
    for one in _days(values, now):
        if place is not None and one > place.day:
            continue
        last_id = place.id if place is not None and place.day == one else ""
        book = books.open(one)
        if book is None:
            continue
        for block in _blocks(book, values, last_id):
            if looked_at == _MOST_BLOCKS:
                return schemas.Flights(flights=found, next=_next(request, one, last_id))
            looked_at += 1
            for flight in _asked_for(book, block, last_id):
                last_id = flight.id
                if _matches(flight, values):
                    found.append(flight)
                if len(found) == values["limit"]:
                    return schemas.Flights(flights=found, next=_next(request, one, last_id))
    return schemas.Flights(flights=found)


def track(books: Books, values: Values) -> schemas.FlightTrack:
    """Answer `/flights/{id}`.

    Raises
    ------
    ProblemError
        There is no such flight.
    """
    name: str = values["id"]
    address, _, time = name.rpartition("-")
    book = books.open(f"{time[:4]}-{time[4:6]}-{time[6:8]}")
    if book is not None:
        for block in book.directory.of_aircraft(address):
            for line in book.lines(block):
                if line.startswith(f'{{"id":"{name}"'.encode()):
                    return _feature(_decode_tracked(line))
    raise problems.not_found(f"{name}: no such flight; late updates may have given it another second, see /flights")


def _days(values: Values, now: int) -> list[str]:
    if values["date"] is not None:
        return [values["date"]]
    today = datetime.fromtimestamp(now / 1_000, UTC).date()
    return [f"{today - timedelta(days=back):%Y-%m-%d}" for back in range(DAYS)]


def _blocks(book: Book, values: Values, last_id: str) -> list[Block]:
    """Return the blocks in which flights that are asked for may be, after an id."""
    directory = book.directory
    if values["airport"] is not None:
        block = directory.airports.get(values["airport"])
        return [] if block is None else [block]
    if values["icao_address"] is not None:
        some = {block.offset: block for address in values["icao_address"] for block in directory.of_aircraft(address)}
        after = {block.offset for block in directory.after(last_id)}
        return [some[offset] for offset in sorted(some) if offset in after]
    return directory.after(last_id)


def _asked_for(book: Book, block: Block, last_id: str) -> Iterator[schemas.Flight]:
    for line in book.lines(block):
        flight = _decode(line)
        if flight.id > last_id:
            yield flight


def _matches(flight: schemas.Flight, values: Values) -> bool:
    return values["icao_address"] is None or flight.icao_address in values["icao_address"]


def _next(request: Request, one: str, last_id: str) -> str:
    return cursors.write(_Place(one, last_id), request.path, request.query)


def _feature(flight: _Tracked) -> schemas.FlightTrack:
    properties: dict[str, Any] = {
        name: value
        for name in schemas.Flight.__struct_fields__
        if name != "id" and (value := getattr(flight, name)) is not None
    }
    properties["times"] = [one.time for one in flight.track]
    properties["altitudes"] = [one.altitude_baro for one in flight.track]
    return schemas.FlightTrack(flight.id, _line([(one.longitude, one.latitude) for one in flight.track]), properties)


def _line(points: list[tuple[float, float]]) -> schemas.MultiLineString:
    """Return a line, cut where it crosses 180 degrees, as RFC 7946 wants it."""
    parts = [[points[0]]]
    for (longitude, latitude), (to, to_latitude) in pairwise(points):
        if abs(to - longitude) > _HALF:
            edge = _HALF if longitude > 0 else -_HALF
            way = (to + 2 * edge - longitude) or 1.0
            crossing = round(latitude + (to_latitude - latitude) * (edge - longitude) / way, 5)
            parts[-1].append((edge, crossing))
            parts.append([(-edge, crossing)])
        parts[-1].append((to, to_latitude))
    if len(parts[-1]) == 1:
        parts[-1].append(parts[-1][0])
    return schemas.MultiLineString(parts)
