"""Answers `/flights` and `/flights/{id}`: lists of flights, and the track of one."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from api import cursors, flight_tracks, problems, schemas
from api.flight_books import DamagedDayError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from api.flight_books import Book, Books
    from api.messages import Request
    from api.parameters import Values
    from common.flight_book import Block

DAYS = 7
"""Looked through where no day is asked for, the newest first."""

ID = r"^~?[0-9A-Za-z]{1,32}-[0-9]{8}T[0-9]{6}Z$"
"""An address and a time. Receivers write a tilde before addresses that are not ICAO's, such as those of TIS-B."""

_MOST_BLOCKS = 40
"""That one page reads, some tens of kilobytes each; what is left comes with the next."""

_MOST_INFLATED = 64 * 1024 * 1024
"""Bytes of these blocks inflated, behind which a page reads no other."""


class _Place(msgspec.Struct, array_like=True):
    """Behind which flight of which day a page ends, and when the first page was asked for."""

    now: cursors.Moment
    day: str
    id: str


_decode = msgspec.json.Decoder(schemas.Flight).decode


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
    """Answer `/flights`; `now` is in milliseconds since the epoch.

    Raises
    ------
    DamagedDayError
        Nothing can be read of the day that was asked for. What is damaged else is left out, and its day named.
    """
    place = cursors.read(values["cursor"], request.path, request.query, _Place)
    now = now if place is None else place.now
    found: list[schemas.Flight] = []
    unreadable: set[str] = set()

    def answer(last: _Place | None = None) -> schemas.Flights:
        following = None if last is None else cursors.write(last, request.path, request.query)
        return schemas.Flights(flights=found, unreadable_days=sorted(unreadable), next=following)

    looked_at = inflated = 0
    days = [one for one in _days(values, now) if place is None or one <= place.day]
    for one, book in _books(books, days, unreadable, is_only=values["date"] is not None):
        last_id = place.id if place is not None and place.day == one else ""
        for block in _blocks(book, values, last_id):
            # The first block may be the one in which the page before has ended.
            if looked_at == _MOST_BLOCKS or (looked_at > 1 and inflated + book.inflated >= _MOST_INFLATED):
                return answer(_Place(now, one, last_id))
            looked_at += 1
            for flight in _after(last_id, book, block, unreadable):
                last_id = flight.id
                if _matches(flight, values):
                    found.append(flight)
                if len(found) == values["limit"]:
                    return answer(_Place(now, one, last_id))
            last_id = max(last_id, block.first_id)  # goes on behind a damaged one, too
        inflated += book.inflated
    return answer()


def track(books: Books, values: Values) -> schemas.FlightTrack:
    """Answer `/flights/{id}`.

    Raises
    ------
    ProblemError
        There is no such flight.
    DamagedDayError
        It may be where its day cannot be read.
    """
    name: str = values["id"]
    address, _, time = name.rpartition("-")
    begin = f'{{"id":"{name}"'.encode()
    book = books.open(f"{time[:4]}-{time[4:6]}-{time[6:8]}")
    if book is not None:
        for block in book.directory.of_aircraft(address):
            for found in book.flights(
                block, lambda line: flight_tracks.feature(line) if line.startswith(begin) else None
            ):
                if found is not None:
                    return found
    raise problems.not_found(f"{name}: no such flight; late updates may have given it another second, see /flights")


def _books(books: Books, days: Iterable[str], unreadable: set[str], *, is_only: bool) -> Iterator[tuple[str, Book]]:
    """Yield the days that are there; a damaged one is an error only if it is the only one that was asked for."""
    for day in days:
        try:
            book = books.open(day)
        except DamagedDayError:
            if is_only:
                raise
            unreadable.add(day)
        else:
            if book is not None:
                yield day, book


def _after(last_id: str, book: Book, block: Block, unreadable: set[str]) -> list[schemas.Flight]:
    """Return a block's flights with greater ids; none if it is damaged."""
    try:
        return [flight for flight in book.flights(block, _decode) if flight.id > last_id]
    except DamagedDayError as error:
        unreadable.add(error.day)
        return []


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


def _matches(flight: schemas.Flight, values: Values) -> bool:
    return values["icao_address"] is None or flight.icao_address in values["icao_address"]
