"""Answers `/windows`: window rows of the last hours, as Firehose has delivered them."""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING, Annotated, Protocol

import msgspec

from api import cursors, hours, parameters, schemas
from api.bucket import DamagedObjectError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from api.messages import Request
    from api.parameters import Values

USUAL, LONGEST = hours.HOUR // 4, 6 * hours.HOUR
"""Milliseconds between `from` and `to`: where they are left out, and at most."""

KINDS = ("aircraft", "totals")
"""Of rows. Others are for SQL alone: the marks `replaced`, by which a day's folder says that another has newer rows."""

_PREFIX = "windows/"
_LATE = hours.HOUR
"""A window's rows are delivered after its end, and lie in the folder of the hour of their delivery."""

_MOST_BYTES = 32 * 1024 * 1024
"""Of rows that one page looks through, and of objects that were fetched in vain; what is left comes with the next."""

_LEAST_OF_LINE = 128
"""Bytes that a line counts for at the least: looking at one takes its time, however short it is."""

_MOST_OBJECTS = 400
"""That one page fetches, some 5 s of reading."""

_MOST_ANSWERED = 4 * 1024 * 1024
"""Of rows in one page. Lambda takes 6 MB, and where the client takes no gzip, each quote is two characters there."""


class Rows(hours.Keys, Protocol):
    """Where rows are."""

    def lines(self, key: str) -> Iterator[bytes]:
        """Yield an object's lines; DamagedObjectError behind those before the damage."""


class _Row(msgspec.Struct):
    kind: str
    window_start: str
    icao_address: str | None = None


class _Place(msgspec.Struct, array_like=True):
    """Behind which line of which object a page ends, and when the first page was asked for."""

    now: cursors.Moment
    key: Annotated[str, msgspec.Meta(pattern=f"^{_PREFIX}")]
    lines: Annotated[int, msgspec.Meta(ge=0, lt=1 << 31)]


def page(rows: Rows, request: Request, values: Values, now: int) -> schemas.Windows:
    """Answer `/windows`; `now` is in milliseconds since the epoch."""
    place = cursors.read(values["cursor"], request.path, request.query, _Place)
    now = now if place is None else place.now
    begin, end = hours.span(values, now, USUAL, LONGEST)
    found: list[msgspec.Raw] = []
    looked_at = answered = unreadable = 0

    def answer(key: str, lines: int) -> schemas.Windows:
        address = cursors.write(_Place(now, key, lines), request.path, request.query)
        return schemas.Windows(rows=found, unreadable=unreadable, next=address)

    following = hours.keys(rows, _PREFIX, begin, end + _LATE, None if place is None else place.key)
    for fetched, key in enumerate(following if place is None else chain((place.key,), following)):
        if fetched == _MOST_OBJECTS or looked_at >= _MOST_BYTES:
            return answer(key, 0)
        passed = place.lines if place is not None and place.key == key else 0
        try:
            for number, line in islice(enumerate(rows.lines(key), start=1), passed, None):
                looked_at += max(len(line), _LEAST_OF_LINE)
                try:
                    if _is_asked_for(line, values, begin, end):
                        found.append(msgspec.Raw(line))
                        answered += len(line)
                except (ValueError, RecursionError):
                    unreadable += 1
                if len(found) == values["limit"] or looked_at >= _MOST_BYTES or answered >= _MOST_ANSWERED:
                    return answer(key, number)
        except DamagedObjectError as error:
            unreadable += 1
            looked_at += error.size
    return schemas.Windows(rows=found, unreadable=unreadable)


def _is_asked_for(line: bytes, values: Values, begin: int, end: int) -> bool:
    """Tell whether a row is wanted; ValueError (msgspec's and Unicode's, too) or RecursionError where it is not one."""
    line.decode()  # what is skipped as JSON may be no UTF-8
    row = msgspec.json.decode(line, type=_Row)
    start = parameters.moment(row.window_start)
    if row.kind not in KINDS or row.kind != (values["kind"] or row.kind):
        return False
    listed = values["icao_address"]
    if listed is not None and row.icao_address not in listed:
        return False
    return begin <= start < end
