"""A target update as our consumers see it: typed fields, decoded from a record's JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta

# Bounds are part of a field's type: a value no aircraft can have, or a text that no table key can hold, is as absent
# as one of the wrong type. They are wide on purpose; judging plausibility is not the decoder's work.
type Instant = Annotated[datetime, Meta(tz=True)]
type Code = Annotated[str, Meta(max_length=64)]
type Name = Annotated[str, Meta(max_length=256)]
type Reading = Annotated[float, Meta(ge=-1_000_000, le=1_000_000)]


class UndecodableUpdateError(ValueError):
    """The bytes are no target update; the text says what was expected."""


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

    icao_address: Annotated[str, Meta(min_length=1, max_length=32)]
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


_decoder = msgspec.json.Decoder(TargetUpdate)
_object_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])
_field_decoders = {field.name: msgspec.json.Decoder(field.type) for field in msgspec.structs.fields(TargetUpdate)}
_required = frozenset(field.name for field in msgspec.structs.fields(TargetUpdate) if field.required)
_text_decoder = msgspec.json.Decoder(str)


def decode(data: bytes) -> TargetUpdate:
    """Return the update that a record's bytes hold.

    A field of the wrong type or outside its bounds is treated as absent: one bad field must not cost the update,
    let alone hold up a shard.

    Raises
    ------
    UndecodableUpdateError
        The bytes are no JSON object, or it lacks `icao_address` or `timestamp`.
    """
    try:
        return _decoder.decode(data)
    except (ValueError, RecursionError):  # msgspec's errors are ValueErrors; nesting without end is a RecursionError
        return _decode_leniently(data)


def decode_lines(lines: bytes) -> list[TargetUpdate] | None:
    """Return the updates of several lines, or None if one of them is none, or has a field that `decode` would mend.

    Empty lines are passed over. For who reads thousands: a call for each takes a third longer.
    """
    try:
        return _decoder.decode_lines(lines)
    except (ValueError, RecursionError):
        return None


def _decode_leniently(data: bytes) -> TargetUpdate:
    """Decode field by field, leaving out what does not fit."""
    try:
        values = _object_decoder.decode(data)
    except (ValueError, RecursionError) as error:
        raise UndecodableUpdateError(f"expected one target update as a JSON object; {error}") from None
    fields: dict[str, object] = {}
    for name, decoder in _field_decoders.items():
        if name not in values:
            continue
        try:
            fields[name] = decoder.decode(values[name])
        except (ValueError, RecursionError):
            instant = _lenient_instant(values[name]) if name in ("timestamp", "ingestion_time") else None
            if instant is not None:
                fields[name] = instant
    for name in sorted(_required):
        if name not in fields:
            takes = "a text of 1 to 32 characters" if name == "icao_address" else "an RFC 3339 time"
            got = bytes(values[name])[:80].decode(errors="replace") if name in values else "nothing"
            raise UndecodableUpdateError(f"{name}: got {got}; expected {takes}")
    return TargetUpdate(**fields)  # type: ignore[arg-type]  # each value came out of its own field's decoder


def _lenient_instant(raw: msgspec.Raw) -> datetime | None:
    """Read an ISO 8601 time that is not RFC 3339; without a zone it is UTC, as all times of the feed are."""
    try:
        instant = datetime.fromisoformat(_text_decoder.decode(raw))
    except (ValueError, RecursionError):
        return None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
