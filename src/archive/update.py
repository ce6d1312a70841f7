"""An update as the archive keeps it: every documented field, by the rules of `common.target_update`."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import msgspec
from msgspec.structs import astuple

from archive.moments import checked, in_utc
from archive.schema import COLUMNS, KEY
from common.normal_form import normalize
from common.target_update import Address, Code, Instant, Name, Reading  # noqa: TC001 - msgspec reads them
from common.update_decoder import UndecodableUpdateError, UpdateDecoder

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Sequence

    from archive.identities import Identities

type Text = Annotated[str, msgspec.Meta(max_length=64)]
"""A time as it is written; `moments` reads it."""


class _Fields(msgspec.Struct, kw_only=True, gc=False):
    """What beside its key an update has: what is another in each update, and then what hardly ever changes."""

    latitude: Annotated[float, msgspec.Meta(ge=-90, le=90)] | None = None
    longitude: Annotated[float, msgspec.Meta(ge=-180, le=180)] | None = None
    altitude_baro: Reading | None = None
    heading: Annotated[float, msgspec.Meta(ge=-360, le=360)] | None = None
    speed: Reading | None = None
    vertical_rate: Reading | None = None
    on_ground: bool | None = None
    squawk: Code | None = None
    callsign: Code | None = None
    tail_number: Code | None = None
    source: Code | None = None
    collection_type: Code | None = None
    flight_id: Code | None = None
    flight_number: Code | None = None
    aircraft_type_icao: Code | None = None
    aircraft_type_name: Name | None = None
    airline_iata: Code | None = None
    airline_name: Name | None = None
    departure_airport_icao: Code | None = None
    departure_airport_iata: Code | None = None
    departure_utc_offset: Code | None = None
    departure_scheduled_time: Text | None = None
    departure_estimated_time: Text | None = None
    takeoff_time: Text | None = None
    arrival_airport_icao: Code | None = None
    arrival_airport_iata: Code | None = None
    arrival_utc_offset: Code | None = None
    arrival_scheduled_time: Text | None = None
    arrival_estimated_time: Text | None = None
    landing_time: Text | None = None


class ArchivedUpdate(_Fields, kw_only=True, gc=False):
    """One update with the columns' names, as it is read field by field; times other than the key's as written."""

    icao_address: Address
    timestamp: Instant
    ingestion_time: Instant | None = None


class _WrittenUpdate(_Fields, kw_only=True, gc=False):
    """The same with all times as they are written: nothing is made of them that is thrown away again."""

    icao_address: Address
    timestamp: Text
    ingestion_time: Text | None = None


_MEASURED: Final = ("latitude", "longitude", "altitude_baro", "heading", "speed", "vertical_rate", "on_ground")

IDENTITY: Final = tuple(column for column in COLUMNS if column.name not in {*KEY, *_MEASURED})
"""What is the same in thousands of updates of an aircraft: texts, and times other than the key's."""

MEASURED: Final = tuple(column for column in COLUMNS if column.name in _MEASURED)
"""What is another in each."""

_decoder = UpdateDecoder(ArchivedUpdate)
_decode_lines = msgspec.json.Decoder(_WrittenUpdate).decode_lines


class Batch(NamedTuple):
    """Some updates, a column each; times in UTC as ISO 8601."""

    addresses: list[str]
    timestamps: Sequence[str | None]
    ingestion_times: Sequence[str | None]
    measured: list[tuple[float | bool | None, ...]]
    """The columns of `MEASURED`."""
    identities: list[int]
    """The number of each update's `IDENTITY`."""


def decode_lines(
    lines: bytes,
    identities: Identities,
    rejected: Callable[[bytes, str], None],
    ignored: Counter[str] | None = None,
) -> Batch:
    """Return the updates of whole lines; `rejected` gets each other line, and why.

    Empty lines are skipped. `ignored` counts the fields that were left out, by name.
    """
    try:
        written = _decode_lines(lines)
        timestamps = checked([update.timestamp for update in written])
        ingestion_times = checked([update.ingestion_time for update in written])
        if normalize(written):
            return _batch(written, identities, timestamps, ingestion_times)
    except (ValueError, RecursionError):
        pass
    updates = []
    for line in lines.split(b"\n"):
        if line.strip():
            try:
                updates.append(_decoder.decode(line, ignored))
            except UndecodableUpdateError as error:
                rejected(line, str(error))
    normalize(updates)
    ingested = [None if (at := update.ingestion_time) is None else in_utc(at) for update in updates]
    return _batch(updates, identities, [in_utc(update.timestamp) for update in updates], ingested)


def _batch(
    updates: Sequence[ArchivedUpdate] | Sequence[_WrittenUpdate],
    identities: Identities,
    timestamps: Sequence[str | None],
    ingestion_times: Sequence[str | None],
) -> Batch:
    rows = list(map(astuple, updates))
    return Batch(
        [update.icao_address for update in updates],
        timestamps,
        ingestion_times,
        list(islice(zip(*rows, strict=True), len(MEASURED))) or [()] * len(MEASURED),
        identities.numbers(row[len(MEASURED) : -len(KEY)] for row in rows),
    )
