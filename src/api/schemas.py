"""Response schemas: fields, with units in their descriptions."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

type _Text = Annotated[str | None, Meta(description="Absent where the feed has not said it.")]


class Target(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """The latest known state of one aircraft. A field without a value is left out; times are RFC 3339 in UTC."""

    icao_address: Annotated[str, Meta(description="24-bit ICAO address, six hexadecimal digits in upper case.")]
    timestamp: Annotated[str, Meta(description="When the newest update was measured, as its sender says.")]
    ingestion_time: Annotated[str | None, Meta(description="When the provider received the newest update.")] = None
    latitude: Annotated[float | None, Meta(description="Degrees, WGS 84, north positive.")] = None
    longitude: Annotated[float | None, Meta(description="Degrees, WGS 84, east positive.")] = None
    position_timestamp: Annotated[str | None, Meta(description="When the position was measured.")] = None
    altitude_baro: Annotated[int | None, Meta(description="Barometric altitude, feet.")] = None
    speed: Annotated[int | None, Meta(description="Speed over ground, knots.")] = None
    heading: Annotated[float | None, Meta(description="Degrees clockwise from north.")] = None
    vertical_rate: Annotated[int | None, Meta(description="Feet per minute, climbing positive.")] = None
    on_ground: Annotated[bool | None, Meta(description="Whether the aircraft says that it is on the ground.")] = None
    emergency: Annotated[
        Literal["7500", "7600", "7700"] | None,
        Meta(description="The squawk, if it means an emergency: hijacking, radio failure, general."),
    ] = None
    callsign: _Text = None
    flight_number: _Text = None
    tail_number: Annotated[str | None, Meta(description="Registration.")] = None
    airline_iata: Annotated[str | None, Meta(description="IATA code of the airline.")] = None
    airline_name: _Text = None
    aircraft_type_icao: Annotated[str | None, Meta(description="ICAO type designator, such as A359.")] = None
    aircraft_type_name: _Text = None
    departure_airport_icao: Annotated[str | None, Meta(description="ICAO code of the airport of departure.")] = None
    arrival_airport_icao: Annotated[str | None, Meta(description="ICAO code of the airport of arrival.")] = None
    squawk: Annotated[str | None, Meta(description="Transponder code, four octal digits.")] = None
    collection_type: Annotated[str | None, Meta(description="How it was received: terrestrial or satellite.")] = None
    distance_nm: Annotated[
        float | None, Meta(description="Distance from the point that was asked for, nautical miles.")
    ] = None


class Targets(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A page of aircraft."""

    targets: list[Target]
    matched: Annotated[int, Meta(description="How many aircraft match in all, on this page and the others.")]
    as_of: Annotated[str | None, Meta(description="When the newest snapshot behind this was written.")] = None
    unreadable: Annotated[
        int, Meta(description="Snapshots that could not be read: their aircraft are missing here.")
    ] = 0
    next: Annotated[str | None, Meta(description="The next page's address; absent on the last page.")] = None


class Point(msgspec.Struct, frozen=True, tag_field="type", tag="Point"):
    """A GeoJSON point (RFC 7946)."""

    coordinates: Annotated[tuple[float, float], Meta(description="Longitude and latitude, degrees.")]


class Feature(msgspec.Struct, frozen=True, tag_field="type", tag="Feature"):
    """An aircraft as a GeoJSON feature; one without a position has no geometry."""

    id: Annotated[str, Meta(description="The ICAO address.")]
    geometry: Point | None
    properties: Annotated[dict[str, Any], Meta(description="The fields of a target, but for its position.")]


class Link(msgspec.Struct, frozen=True):
    """A link, as OGC APIs have it."""

    href: str
    rel: str
    type: str


class FeatureCollection(
    msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, tag_field="type", tag="FeatureCollection"
):
    """A page of aircraft as GeoJSON."""

    features: list[Feature]
    numberMatched: int  # noqa: N815 - OGC's name
    numberReturned: int  # noqa: N815 - OGC's name
    links: list[Link] = []
    unreadable: Annotated[
        int, Meta(description="Snapshots that could not be read: their aircraft are missing here.")
    ] = 0


_ROW = {
    "type": "object",
    "required": ["kind", "window_start"],
    "properties": {
        "kind": {"enum": ["aircraft", "totals"]},
        "window_start": {"type": "string", "format": "date-time"},
        "icao_address": {"type": "string", "description": "Of rows of an aircraft."},
        "rebuilt_at": {
            "type": "string",
            "format": "date-time",
            "description": "When the window was computed again from the archive: of all rows with one `window_start` "
            "those with the newest count, and the others are replaced.",
        },
    },
}
"""What tells a reader which rows count; `docs/tables.md` has all fields."""


class Windows(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A page of window rows. Rows of one key (`kind`, `window_start`, `shard_id`, `part`, `icao_address`) are one.

    A window that was computed again has its older rows here as well: see `rebuilt_at`.
    """

    rows: Annotated[
        list[msgspec.Raw],
        Meta(
            description="Rows as the aggregator writes them.",
            extra_json_schema={"items": _ROW},
        ),
    ]
    unreadable: Annotated[
        int, Meta(description="Lines that are not rows, and objects that are empty, or damaged behind the rows given.")
    ] = 0
    next: Annotated[
        str | None, Meta(description="The next page's address; absent on the last page. A page may have no rows.")
    ] = None


class Alert(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """An alert that was sent."""

    id: Annotated[str, Meta(description="The same for the same alert, always.")]
    rule: Annotated[str, Meta(description="emergency_squawk, steep_descent or pattern.")]
    icao_address: Annotated[str, Meta(description="24-bit ICAO address, six hexadecimal digits in upper case.")]
    at: Annotated[str, Meta(description="When the update that called for it was measured.")]
    sent_at: Annotated[str | None, Meta(description="When it was sent.")] = None
    callsign: _Text = None
    squawk: _Text = None
    latitude: Annotated[float | None, Meta(description="Degrees, WGS 84, north positive.")] = None
    longitude: Annotated[float | None, Meta(description="Degrees, WGS 84, east positive.")] = None
    altitude_baro: Annotated[float | None, Meta(description="Barometric altitude, feet.")] = None
    text: Annotated[str | None, Meta(description="The text of the notification.")] = None


class Alerts(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A page of alerts, the oldest first."""

    alerts: list[Alert]
    unreadable: Annotated[
        int, Meta(description="Alerts that are not among them because their objects are damaged.")
    ] = 0
    next: Annotated[str | None, Meta(description="The next page's address; absent on the last page.")] = None


class Flight(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One flight. What is not known is left out; times are RFC 3339 in UTC."""

    id: Annotated[str, Meta(description="Address and second of its beginning, such as 78121E-20210320T120001Z.")]
    icao_address: Annotated[str, Meta(description="24-bit ICAO address, six hexadecimal digits in upper case.")]
    flight_id: Annotated[str | None, Meta(description="The provider's own name for the flight.")] = None
    callsign: _Text = None
    flight_number: _Text = None
    tail_number: Annotated[str | None, Meta(description="Registration.")] = None
    aircraft_type_icao: Annotated[str | None, Meta(description="ICAO type designator, such as A359.")] = None
    airline_iata: Annotated[str | None, Meta(description="IATA code of the airline.")] = None
    departure_airport_icao: Annotated[str | None, Meta(description="ICAO code of the airport of departure.")] = None
    departure_known_by: Annotated[
        Literal["provider", "observed"] | None, Meta(description="Its word, or where the aircraft was seen to leave.")
    ] = None
    takeoff_time: Annotated[str | None, Meta(description="When it left the ground.")] = None
    takeoff_known_by: Annotated[
        Literal["provider", "observed", "inferred"] | None,
        Meta(description="observed: seen on the ground before; inferred: from its climb."),
    ] = None
    arrival_airport_icao: Annotated[
        str | None, Meta(description="Where it landed; where it was bound for, if no landing is known.")
    ] = None
    arrival_known_by: Annotated[
        Literal["provider", "observed"] | None, Meta(description="Its word, or where the aircraft was seen to land.")
    ] = None
    landing_time: Annotated[str | None, Meta(description="When it came below 500 ft above the airport.")] = None
    landing_known_by: Annotated[
        Literal["provider", "observed", "inferred"] | None,
        Meta(description="observed: seen on the ground afterwards; inferred: from its approach."),
    ] = None
    first_time: Annotated[str, Meta(description="Of its first position.")]
    last_time: Annotated[str, Meta(description="Of its last position.")]
    distance_nm: Annotated[float, Meta(description="Flown, nautical miles.")]
    great_circle_nm: Annotated[float, Meta(description="From its first position to its last, nautical miles.")]
    highest_altitude: Annotated[int | None, Meta(description="Greatest barometric altitude, feet.")] = None
    highest_speed: Annotated[float | None, Meta(description="Greatest speed over ground, knots.")] = None
    positions: Annotated[int, Meta(description="Updates it is made of.")]
    positions_left_out: Annotated[int, Meta(description="Updates whose positions it cannot have been at.")] = 0
    gaps: Annotated[int, Meta(description="Times of ten minutes and more without a position.")] = 0
    longest_gap_seconds: Annotated[int, Meta(description="Between two positions that follow one another.")] = 0


class Flights(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A page of flights: by day, and on a day by aircraft and time."""

    flights: list[Flight]
    unreadable_days: Annotated[
        list[str], Meta(description="Days of which some or all flights are missing here: their objects are damaged.")
    ] = []
    next: Annotated[
        str | None, Meta(description="The next page's address; absent on the last page. A page may have no flights.")
    ] = None


class MultiLineString(msgspec.Struct, frozen=True, tag_field="type", tag="MultiLineString"):
    """GeoJSON lines (RFC 7946): one, or two and more where the way crosses 180 degrees."""

    coordinates: Annotated[list[list[tuple[float, float]]], Meta(description="Longitudes and latitudes, degrees.")]


class FlightTrack(msgspec.Struct, frozen=True, tag_field="type", tag="Feature"):
    """A flight and its way as a GeoJSON feature."""

    id: str
    geometry: MultiLineString
    properties: Annotated[
        dict[str, Any],
        Meta(
            description="The fields of a flight; `times` and `altitudes` (feet, null where unknown), one for each of "
            "the coordinates, line after line. Those on 180 degrees are between the waypoints on either side."
        ),
    ]


class Health(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What the pipeline's health is, as its parts have written it down."""

    status: Annotated[
        Literal["ok", "stale", "unknown"],
        Meta(
            description="stale: nothing was written for a minute, beside the time between two visits where the stream "
            "is read periodically; unknown: nothing was ever written."
        ),
    ]
    aircraft: Annotated[int, Meta(description="Aircraft in the snapshots that are read now.")]
    shards: Annotated[int, Meta(description="Shards whose snapshots these are.")]
    shards_left_out: Annotated[
        int,
        Meta(
            description="Shards of which nothing was written for 5 minutes before the newest snapshot, or for three "
            "windows if that is longer: closed by a reshard, quiet, or far behind. Their aircraft are in no answer."
        ),
    ] = 0
    newest_snapshot: Annotated[str | None, Meta(description="When the newest snapshot was written.")] = None
    newest_snapshot_age_seconds: float | None = None
    unreadable: Annotated[int, Meta(description="Snapshots that could not be read.")] = 0
    pipeline: Annotated[
        dict[str, Any] | None, Meta(description="`live/status.json`, as the consumer has written it.")
    ] = None
