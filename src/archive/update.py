"""An update as the archive keeps it: every documented field, by the rules of `common.target_update`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import msgspec

from archive.schema import COLUMNS, KEY
from common.normal_form import OUTERMOST_YEARS, are_within_years, normalize
from common.target_update import Address, Code, Instant, Name, Reading
from common.update_decoder import UndecodableUpdateError, UpdateDecoder

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable
    from datetime import datetime

type Text = Annotated[str, msgspec.Meta(max_length=64)]
"""A time that hardly ever changes, which is read once for all updates that have it."""


class ArchivedUpdate(msgspec.Struct, kw_only=True, gc=False):
    """One update with the columns' names; times other than the key's as they are written (`moment` reads them)."""

    icao_address: Address
    timestamp: Instant
    ingestion_time: Instant | None = None
    latitude: Annotated[float, msgspec.Meta(ge=-90, le=90)] | None = None
    longitude: Annotated[float, msgspec.Meta(ge=-180, le=180)] | None = None
    altitude_baro: Reading | None = None
    heading: Annotated[float, msgspec.Meta(ge=-360, le=360)] | None = None
    speed: Reading | None = None
    vertical_rate: Reading | None = None
    squawk: Code | None = None
    on_ground: bool | None = None
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


_MEASURED: Final = ("latitude", "longitude", "altitude_baro", "heading", "speed", "vertical_rate", "on_ground")

IDENTITY: Final = tuple(column for column in COLUMNS if column.name not in {*KEY, *_MEASURED})
"""What is the same in thousands of updates of an aircraft: texts, and times other than the key's."""

MEASURED: Final = tuple(column for column in COLUMNS if column.name in _MEASURED)
"""What is another in each."""

_decoder = UpdateDecoder(ArchivedUpdate)
_decode_lines = msgspec.json.Decoder(ArchivedUpdate).decode_lines


def decode_lines(
    lines: bytes, rejected: Callable[[bytes, str], None], ignored: Counter[str] | None = None
) -> list[ArchivedUpdate]:
    """Return the updates of whole lines; `rejected` gets each line that is none, and why.

    Empty lines are passed over. `ignored` counts the fields that were left out, by name.
    """
    try:
        updates = _decode_lines(lines)
        if are_within_years(updates) and normalize(updates):
            return updates
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
    return updates


def moment(text: str | None) -> datetime | None:
    """Return the time a text says, if it is RFC 3339 with a zone, as the API writes its times."""
    if text is None:
        return None
    try:
        found: datetime = msgspec.convert(text, Instant)
    except ValueError:
        return None
    return None if found.year in OUTERMOST_YEARS else found
