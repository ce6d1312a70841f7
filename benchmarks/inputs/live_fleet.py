"""Generated traffic as what the live objects are written of."""

from __future__ import annotations

from array import array
from datetime import datetime  # noqa: TC003  # msgspec reads the field's type
from typing import TYPE_CHECKING

import msgspec

from live.columns import NO_TIME, Aircraft
from live.container import Header
from live.identities import FIELDS
from live.layout import EMERGENCIES, SOURCES
from live.tiles import NO_READING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

WINDOW_MS = 60_000


class Update(msgspec.Struct, gc=False):
    """The fields of a target update that live objects have."""

    icao_address: str
    timestamp: datetime
    ingestion_time: datetime
    latitude: float | None
    longitude: float | None
    altitude_baro: float | None = None
    speed: float | None = None
    vertical_rate: float | None = None
    heading: float | None = None
    on_ground: bool | None = None
    squawk: str | None = None
    callsign: str | None = None
    flight_number: str | None = None
    tail_number: str | None = None
    airline_iata: str | None = None
    airline_name: str | None = None
    aircraft_type_icao: str | None = None
    aircraft_type_name: str | None = None
    departure_airport_icao: str | None = None
    arrival_airport_icao: str | None = None
    collection_type: str | None = None


class _Line(msgspec.Struct, gc=False):
    target: Update


_decode = msgspec.json.Decoder(_Line).decode


def read_updates(lines: Iterable[bytes]) -> dict[str, Update]:
    """Return each aircraft's newest update of the feed's lines."""
    newest: dict[str, Update] = {}
    for line in lines:
        update = _decode(line).target
        known = newest.get(update.icao_address)
        if known is None or update.timestamp >= known.timestamp:
            newest[update.icao_address] = update
    return newest


def columns(fleet: Sequence[Update], window_start: int) -> Aircraft:
    """Return the updates as the writer takes them; the window's start is in milliseconds since the epoch."""
    times = array("q", [round(update.timestamp.timestamp() * 1000) - window_start for update in fleet])
    received = (round(update.ingestion_time.timestamp() * 1000) - window_start for update in fleet)
    delays = array("q", [at - time for at, time in zip(received, times, strict=True)])

    def readings(name: str, scale: int = 1_000) -> array[int]:
        values = (getattr(update, name) for update in fleet)
        return array("i", [NO_READING if value is None else round(value * scale) for value in values])

    return Aircraft(
        icao_address=[update.icao_address for update in fleet],
        timestamp=times,
        delay=delays,
        position_measured=array(
            "q",
            [
                NO_TIME if update.latitude is None else time + min(delay, 0)
                for update, time, delay in zip(fleet, times, delays, strict=True)
            ],
        ),
        latitude=readings("latitude", 10_000_000),
        longitude=readings("longitude", 10_000_000),
        altitude=readings("altitude_baro"),
        speed=readings("speed"),
        vertical_rate=readings("vertical_rate"),
        heading=readings("heading"),
        on_ground=array("b", [-1 if update.on_ground is None else update.on_ground for update in fleet]),
        source=bytes(SOURCES.index(update.collection_type) for update in fleet),
        emergencies={
            place: update.squawk for place, update in enumerate(fleet) if update.squawk and update.squawk in EMERGENCIES
        },
    )


def identities(fleet: Sequence[Update]) -> dict[str, list[str | None]]:
    """Return the updates' identities, a list per field."""
    return {name: [getattr(update, name) for update in fleet] for name in FIELDS}


def header(window_start: int, shard: str = "shardId-000000000000", **others: int | str | bool) -> Header:
    """Return a snapshot's header with what the writer does not set."""
    usual = {"window_end": window_start + WINDOW_MS, "written_at": window_start, "sequence": str(window_start)}
    return msgspec.convert({"shard": shard, "window_start": window_start, "blocks": (), **usual, **others}, Header)
