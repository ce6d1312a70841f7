"""A target update, decoded from its JSON: the one definition of what an update is, shared by every function.

An update is read in one step if it is as the API writes it, and field by field only if that fails: a bad field costs
itself, never the update. What is ignored can be counted.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import msgspec
from msgspec import Meta

from common.normal_form import MAX_ADDRESS, are_within_years, normalize
from common.update_decoder import UndecodableUpdateError, UpdateDecoder, decode_object

if TYPE_CHECKING:
    from collections import Counter

__all__ = ["TargetUpdate", "UndecodableUpdateError", "UpdateKey", "decode", "decode_lines", "fields"]

# Bounds are part of a field's type: a value no aircraft can have, or a text that no table key can hold, is as absent
# as one of the wrong type. They are wide on purpose; judging plausibility is not the decoder's work.
type Address = Annotated[str, Meta(min_length=1, max_length=MAX_ADDRESS)]
type Instant = Annotated[datetime, Meta(tz=True)]
type Code = Annotated[str, Meta(max_length=64)]
type Name = Annotated[str, Meta(max_length=256)]
type Reading = Annotated[float, Meta(ge=-1_000_000, le=1_000_000)]


class UpdateKey(NamedTuple):
    """What tells one update from another: `(icao_address, timestamp)` alone is not unique."""

    icao_address: str
    timestamp: datetime
    ingestion_time: datetime | None


class TargetUpdate(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One target update. A field without a value is None; times carry their zone.

    `altitude_baro` is in feet, `speed` in knots, `vertical_rate` in feet per minute, `heading` in degrees from north,
    positions in WGS 84 degrees. Fields not named here are skipped by the decoder.
    """

    icao_address: Address
    timestamp: Instant
    ingestion_time: Instant | None = None
    latitude: Annotated[float, Meta(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Meta(ge=-180, le=180)] | None = None
    altitude_baro: Reading | None = None
    speed: Reading | None = None
    vertical_rate: Reading | None = None
    heading: Annotated[float, Meta(ge=-360, le=360)] | None = None
    squawk: Code | None = None
    on_ground: bool | None = None
    callsign: Code | None = None
    tail_number: Code | None = None
    flight_number: Code | None = None
    collection_type: Code | None = None
    airline_iata: Code | None = None
    airline_name: Name | None = None
    aircraft_type_icao: Code | None = None
    aircraft_type_name: Name | None = None
    departure_airport_icao: Code | None = None
    departure_airport_iata: Code | None = None
    arrival_airport_icao: Code | None = None
    arrival_airport_iata: Code | None = None

    @property
    def key(self) -> UpdateKey:
        """The key by which every consumer is idempotent."""
        return UpdateKey(self.icao_address, self.timestamp, self.ingestion_time)


_decoder = UpdateDecoder(TargetUpdate)
_decode_lines = msgspec.json.Decoder(TargetUpdate).decode_lines
_decode_value = msgspec.json.Decoder().decode


def decode(data: bytes, ignored: Counter[str] | None = None) -> TargetUpdate:
    """Return the update that a record's bytes hold, its address in the form that keys use.

    A field of the wrong type or outside its bounds is treated as absent: one bad field must not cost the update,
    let alone hold up a shard. `ignored` counts such fields, by name.

    Raises
    ------
    UndecodableUpdateError
        The bytes are no JSON object, or it lacks `icao_address` or `timestamp`.
    """
    update = _decoder.decode(data, ignored)
    normalize([update])
    return update


def decode_lines(lines: bytes) -> list[TargetUpdate] | None:
    """Return the updates of several lines, or None if a line is not an update or has a field that `decode` would mend.

    Empty lines are skipped. For callers that read thousands: a call for each takes a third longer.
    """
    try:
        updates = _decode_lines(lines)
    except (ValueError, RecursionError):
        return None
    return updates if are_within_years(updates) and normalize(updates) else None


def fields(data: bytes, ignored: Counter[str] | None = None) -> dict[str, Any]:
    """Return all fields of an update as plain values, for callers that may ask for any of them.

    A number that JSON allows and a double cannot hold, or half a surrogate pair, costs only its field, wherever it is
    in it. `ignored` counts such fields: those of `TargetUpdate` by name, any other as `other`.

    Raises
    ------
    UndecodableUpdateError
        The bytes are no JSON object.
    """
    try:
        values = _decode_value(data)
        if isinstance(values, dict):
            return values
    except (ValueError, RecursionError):
        pass
    values = {}
    for name, raw in decode_object(data).items():
        if raw is not None:
            with suppress(ValueError, RecursionError):
                values[name] = _decode_value(raw)
                continue
        if ignored is not None:
            ignored[name if name in TargetUpdate.__struct_fields__ else "other"] += 1
    return values
