"""Answers `/alerts`: the alerts that were sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

from api import cursors, hours, schemas
from api.bucket import DamagedObjectError

if TYPE_CHECKING:
    from api.messages import Request
    from api.parameters import Values

USUAL, LONGEST = 24 * hours.HOUR, 31 * 24 * hours.HOUR
"""Milliseconds between `from` and `to`: where they are left out, and at most."""

_PREFIX = "alerts/"

_NEVER = 10**13
"""After all alerts: their names have no more digits. Of an aircraft whose clocks run ahead, alerts are dated after now,
and were sent all the same."""

_MOST_READ = 400
"""Alerts that one page looks at, some 5 s of reading; what is left comes with the next."""

_LARGEST = 1024 * 1024
"""Bytes of one alert: five times an update of the most that goes into it (`alerts.notification.LONGEST_UPDATE`)."""

_MOST_BYTES = 4 * 1024 * 1024
"""Of alerts that one page looks at: as many are in its answer at most, of which Lambda takes 6 MB."""

_decode = msgspec.json.Decoder(schemas.Alert).decode


class _Place(msgspec.Struct, array_like=True):
    """Behind which alert a page ends, and when the first page was asked for."""

    now: cursors.Moment
    key: str


class Log(hours.Keys, Protocol):
    """Where alerts are: an object each, whose name begins with the time of its update."""

    def read(self, key: str, most: int) -> bytes:
        """Return an object; DamagedObjectError if it has more than so many bytes."""


def page(log: Log, request: Request, values: Values, now: int) -> schemas.Alerts:
    """Answer `/alerts`; `now` is in milliseconds since the epoch."""
    place = cursors.read(values["cursor"], request.path, request.query, _Place)
    now = now if place is None else place.now
    begin, end = hours.span(values, now, USUAL, LONGEST)
    if values["to"] is None:
        end = _NEVER
    wanted = values["icao_address"]
    found: list[schemas.Alert] = []
    last, looked_at, size, unreadable = "", 0, 0, 0
    for key in hours.keys(log, _PREFIX, begin, end, None if place is None else place.key):
        if not begin <= _measured(key) < end:
            continue
        if len(found) == values["limit"] or looked_at == _MOST_READ or size >= _MOST_BYTES:
            following = cursors.write(_Place(now, last), request.path, request.query)
            return schemas.Alerts(alerts=found, unreadable=unreadable, next=following)
        last, looked_at = key, looked_at + 1
        try:
            data = log.read(key, _LARGEST)
            size += len(data)
            alert = _decode(data)
        except DamagedObjectError as error:
            size += error.size
            unreadable += 1
            continue
        except (ValueError, RecursionError):  # damaged: it hides no other
            unreadable += 1
            continue
        if wanted is None or alert.icao_address in wanted:
            found.append(alert)
    return schemas.Alerts(alerts=found, unreadable=unreadable)


def _measured(key: str) -> int:
    """Return milliseconds since the epoch of an alert's update, by its name; -1 for a name that has none."""
    digits = key.rpartition("/")[2].partition("-")[0]
    return int(digits) if digits.isascii() and digits.isdigit() else -1
