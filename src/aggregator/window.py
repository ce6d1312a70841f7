"""The fold: target updates of one shard and tumbling window into what its rows will say. No AWS, no clock.

Numbers are kept as whole multiples of a small unit, so that sums do not depend on the order of arrival and the state
stays small: readings in thousandths (of a foot, a knot, a foot per minute, a degree), positions in 1e-7 degrees
(about a centimetre), distances in 1e-5 nautical miles (about 2 cm).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING

import msgspec

from aggregator import instants
from common.geodesy import great_circle_nm

if TYPE_CHECKING:
    from datetime import datetime

    from common.target_update import TargetUpdate

READING_SCALE = 1_000
POSITION_SCALE = 10_000_000
DISTANCE_SCALE = 100_000

MAX_LISTED = 32
"""Distinct callsigns, squawks or collection types listed per aircraft and window; an aircraft has one or two of
each, and the bound keeps a broken feed from making a row too large for Firehose."""

LATEST_READINGS = ("altitude_baro", "speed", "vertical_rate", "heading")
LATEST_TEXTS = (
    "squawk",
    "callsign",
    "flight_number",
    "tail_number",
    "collection_type",
    "aircraft_type_icao",
    "departure_airport_icao",
    "arrival_airport_icao",
)
_readings_of = attrgetter(*LATEST_READINGS)
_texts_of = attrgetter(*LATEST_TEXTS)

type KeyPart = int | str
"""Milliseconds or, where these do not come out even, a text of microseconds: exact, and small as the feed is."""

AIRCRAFT_BYTES = 400
"""Bound on what an aircraft adds to the packed state apart from texts and keys: under 35 numbers of at most 9 bytes,
and the lists' and texts' own headers."""
KEY_BYTES = 10
"""Bound on what a key adds while its two numbers fit 32 bits: 5 bytes each in msgpack."""
_NARROW = 2**31
WIDE_KEY_BYTES = 60
"""The same for any other key: two texts of at most 20 digits, with headers and room."""


def key_part(microseconds: int) -> KeyPart:
    """Return the compact form of a duration in microseconds; the reverse of `microseconds_of`."""
    milliseconds, rest = divmod(microseconds, 1000)
    return str(microseconds) if rest else milliseconds


def microseconds_of(part: KeyPart) -> int:
    """Return the microseconds that `key_part` made compact."""
    return part * 1000 if isinstance(part, int) else int(part)


class Spread(msgspec.Struct, array_like=True, gc=False):
    """Count, sum, least and greatest of one reading, in thousandths of its unit."""

    count: int = 0
    total: int = 0
    least: int = 0
    greatest: int = 0

    def add(self, value: int) -> None:
        """Take one more reading."""
        if not self.count:
            self.least = self.greatest = value
        elif value < self.least:
            self.least = value
        elif value > self.greatest:
            self.greatest = value
        self.count += 1
        self.total += value


class AircraftWindow(msgspec.Struct, gc=False):
    """What is known of one aircraft in one part of a window.

    `key_times` and `key_delays` hold the exact keys counted: `timestamp` from the window's start, and
    `ingestion_time` from `timestamp` (None without one). `first`, `last`, `first_position` and `last_position` are
    places in these lists, so that no instant is kept twice.
    """

    key_times: list[KeyPart] = msgspec.field(default_factory=list)
    key_delays: list[KeyPart | None] = msgspec.field(default_factory=list)
    first: int = 0
    last: int = 0
    altitude: Spread = msgspec.field(default_factory=Spread)
    speed: Spread = msgspec.field(default_factory=Spread)
    vertical_rate: Spread = msgspec.field(default_factory=Spread)
    first_position: int | None = None
    first_latitude: int = 0
    first_longitude: int = 0
    last_position: int | None = None
    last_latitude: int = 0
    last_longitude: int = 0
    distance: int = 0
    late_positions: int = 0
    callsigns: list[str] = msgspec.field(default_factory=list)
    squawks: list[str] = msgspec.field(default_factory=list)
    collection_types: list[str] = msgspec.field(default_factory=list)
    latest_readings: tuple[int | None, ...] = ()
    latest_on_ground: bool | None = None
    latest_texts: tuple[str | None, ...] = ()

    @property
    def updates(self) -> int:
        """How many distinct updates were counted."""
        return len(self.key_times)

    def instant(self, place: int) -> tuple[int, bool, int]:
        """Return what orders the key at `place`: timestamp, then ingestion time (one without it comes first)."""
        delay = self.key_delays[place]
        return (
            microseconds_of(self.key_times[place]),
            delay is not None,
            0 if delay is None else microseconds_of(delay),
        )

    def fold(self, update: TargetUpdate, time: KeyPart, delay: KeyPart | None) -> int:
        """Count an update that was not counted yet; return the bytes its texts may add to the state."""
        place = len(self.key_times)
        self.key_times.append(time)
        self.key_delays.append(delay)
        instant = self.instant(place)
        is_newest = place == 0 or instant > self.instant(self.last)
        grown = 0
        if is_newest:
            self.last = place
            grown += self._replace_latest(update)
        elif instant < self.instant(self.first):
            self.first = place
        if update.altitude_baro is not None:
            self.altitude.add(round(update.altitude_baro * READING_SCALE))
        if update.speed is not None:
            self.speed.add(round(update.speed * READING_SCALE))
        if update.vertical_rate is not None:
            self.vertical_rate.add(round(update.vertical_rate * READING_SCALE))
        if update.latitude is not None and update.longitude is not None:
            latitude, longitude = round(update.latitude * POSITION_SCALE), round(update.longitude * POSITION_SCALE)
            if self.first_position is None or self.last_position is None:
                self.first_position, self.first_latitude, self.first_longitude = place, latitude, longitude
                self.last_position, self.last_latitude, self.last_longitude = place, latitude, longitude
            elif is_newest or instant > self.instant(self.last_position):
                self._fly_to(place, latitude, longitude)
            else:
                self.late_positions += 1
                if instant < self.instant(self.first_position):
                    self.first_position, self.first_latitude, self.first_longitude = place, latitude, longitude
        grown += _list_once(self.callsigns, update.callsign)
        grown += _list_once(self.squawks, update.squawk)
        return grown + _list_once(self.collection_types, update.collection_type)

    def _replace_latest(self, update: TargetUpdate) -> int:
        """Keep the newest update's own values; return the bytes its texts may add to the state."""
        self.latest_readings = tuple(
            [None if value is None else round(value * READING_SCALE) for value in _readings_of(update)]
        )
        self.latest_on_ground = update.on_ground
        texts = _texts_of(update)
        if texts == self.latest_texts:
            return 0
        self.latest_texts = texts
        return sum(map(_packed_bytes, texts))

    def _fly_to(self, place: int, latitude: int, longitude: int) -> None:
        """Add the leg from the last position to a newer one."""
        leg = great_circle_nm(
            self.last_latitude / POSITION_SCALE,
            self.last_longitude / POSITION_SCALE,
            latitude / POSITION_SCALE,
            longitude / POSITION_SCALE,
        )
        self.distance += round(leg * DISTANCE_SCALE)
        self.last_position, self.last_latitude, self.last_longitude = place, latitude, longitude


def _list_once(listed: list[str], value: str | None) -> int:
    """Add a text not listed yet; return the bytes it may add to the state."""
    if value is None or value in listed or len(listed) >= MAX_LISTED:
        return 0
    listed.append(value)
    return _packed_bytes(value)


def _packed_bytes(text: str | None) -> int:
    """Bound on a text's size in msgpack: 4 bytes a character in UTF-8 at most, and the header."""
    return 0 if text is None else (len(text) if text.isascii() else 4 * len(text)) + 5


@dataclass(slots=True)
class WindowPart:
    """One part of one shard's window, and the only place that decides whether an update is counted.

    `number` is 0 for the first part; `size_bound` is an upper bound on the packed state in bytes (`aggregator.parts`).
    """

    origin: datetime
    number: int = 0
    size_bound: int = 0
    repeats_ignored: int = 0
    undecodable: int = 0
    aircraft: dict[str, AircraftWindow] = field(default_factory=dict)
    _counted: dict[str, set[tuple[KeyPart, KeyPart | None]]] = field(default_factory=dict, repr=False, compare=False)

    @property
    def updates(self) -> int:
        """How many distinct updates were counted."""
        return sum(aircraft.updates for aircraft in self.aircraft.values())

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to say about it."""
        return not (self.aircraft or self.undecodable or self.repeats_ignored)

    def add(self, update: TargetUpdate) -> bool:
        """Count an update; return False if one of the same key was counted before."""
        time = key_part(instants.offset(self.origin, update.timestamp))
        ingested = update.ingestion_time
        delay = None if ingested is None else key_part(instants.offset(update.timestamp, ingested))
        address = update.icao_address
        counted = self._counted.get(address)
        aircraft = self.aircraft.get(address)
        if aircraft is None:
            aircraft = self.aircraft[address] = AircraftWindow()
            self.size_bound += AIRCRAFT_BYTES + _packed_bytes(address)
        if counted is None:  # built only for the aircraft that a batch touches
            counted = self._counted[address] = set(zip(aircraft.key_times, aircraft.key_delays, strict=True))
        if (time, delay) in counted:
            self.repeats_ignored += 1
            return False
        counted.add((time, delay))
        self.size_bound += KEY_BYTES if _is_narrow(time) and _is_narrow(delay) else WIDE_KEY_BYTES
        self.size_bound += aircraft.fold(update, time, delay)
        return True


def _is_narrow(part: KeyPart | None) -> bool:
    return part is None or (isinstance(part, int) and -_NARROW <= part < _NARROW)
