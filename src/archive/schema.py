"""The archive's columns: names, types, units. The Glue table, the documents and the queries follow from this table.

Names are the feed's own. A field without a value, of another type than the API's, or out of its bounds is NULL, by the
rules of `common.target_update`. Fields that the table does not know stay in the raw objects.

Times are UTC, without a zone, with up to six decimals as the feed gives them: two updates whose times differ by less
than a millisecond are two (Athena shows milliseconds).
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

type Type = Literal["VARCHAR", "TIMESTAMP", "DOUBLE", "INTEGER", "BOOLEAN"]

GLUE_TYPES: Final[dict[Type, str]] = {
    "VARCHAR": "string",
    "TIMESTAMP": "timestamp",
    "DOUBLE": "double",
    "INTEGER": "int",
    "BOOLEAN": "boolean",
}
"""What Athena calls the types."""


class Column(NamedTuple):
    """One column of the archive: its type is DuckDB's name for it, `unit` is empty where it has none."""

    name: str
    type: Type
    unit: str
    description: str


COLUMNS: Final = (
    Column("icao_address", "VARCHAR", "", "the aircraft's 24-bit address, hexadecimal, upper case, without padding"),
    Column("timestamp", "TIMESTAMP", "UTC", "when it was measured, as its sender says"),
    Column("ingestion_time", "TIMESTAMP", "UTC", "when the provider received it"),
    Column("latitude", "DOUBLE", "degrees", "WGS 84, north positive"),
    Column("longitude", "DOUBLE", "degrees", "WGS 84, east positive"),
    Column("altitude_baro", "INTEGER", "feet", "barometric altitude"),
    Column("heading", "DOUBLE", "degrees", "clockwise from north"),
    Column("speed", "DOUBLE", "knots", "over ground"),
    Column("vertical_rate", "INTEGER", "feet per minute", "upwards positive"),
    Column("squawk", "VARCHAR", "", "four octal digits"),
    Column("on_ground", "BOOLEAN", "", "whether the aircraft says that it is on the ground"),
    Column("callsign", "VARCHAR", "", "without padding"),
    Column("tail_number", "VARCHAR", "", "registration"),
    Column("source", "VARCHAR", "", "what received it: ADSB, or a satellite's name"),
    Column("collection_type", "VARCHAR", "", "terrestrial or satellite"),
    Column("flight_id", "VARCHAR", "", "the provider's own name for the flight"),
    Column("flight_number", "VARCHAR", "", "as on a ticket, e.g. ET701"),
    Column("aircraft_type_icao", "VARCHAR", "", "e.g. A359"),
    Column("aircraft_type_name", "VARCHAR", "", "e.g. Airbus A350-941"),
    Column("airline_iata", "VARCHAR", "", "e.g. ET"),
    Column("airline_name", "VARCHAR", "", "e.g. Ethiopian Airlines"),
    Column("departure_airport_icao", "VARCHAR", "", "e.g. EGLL"),
    Column("departure_airport_iata", "VARCHAR", "", "e.g. LHR"),
    Column("departure_utc_offset", "VARCHAR", "", "of that airport, e.g. +0000"),
    Column("departure_scheduled_time", "TIMESTAMP", "UTC", "by the timetable"),
    Column("departure_estimated_time", "TIMESTAMP", "UTC", "as expected when it was sent"),
    Column("takeoff_time", "TIMESTAMP", "UTC", "by the provider's word"),
    Column("arrival_airport_icao", "VARCHAR", "", "e.g. HAAB"),
    Column("arrival_airport_iata", "VARCHAR", "", "e.g. ADD"),
    Column("arrival_utc_offset", "VARCHAR", "", "of that airport, e.g. +0300"),
    Column("arrival_scheduled_time", "TIMESTAMP", "UTC", "by the timetable"),
    Column("arrival_estimated_time", "TIMESTAMP", "UTC", "as expected when it was sent"),
    Column("landing_time", "TIMESTAMP", "UTC", "by the provider's word"),
)
"""In the order in which they are in an object. The first two are never NULL."""

KEY: Final = ("icao_address", "timestamp", "ingestion_time")
"""What tells one update from another, over all objects; rows are sorted by it, a missing ingestion time first."""

PREFIX: Final = "archive/updates/"

PARTITIONS: Final = (
    Column("date", "VARCHAR", "UTC", "of the hour, e.g. 2024-03-04"),
    Column("hour", "VARCHAR", "UTC", "00 to 23"),
)
"""What an object's key says, as Hive has it: `archive/updates/date=2024-03-04/hour=23/updates.parquet`."""
