"""The columns of a flight: names, types, units. The Glue table, the documents and the queries follow from this table.

One row is one leg, from a take-off to the next landing, in the object of the UTC day on which it began: that of its
take-off, or of its first position if the take-off is not known. Times are UTC, without a zone.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Column(NamedTuple):
    """One column: its type is DuckDB's name for it, `glue` Athena's, `unit` is empty where it has none."""

    name: str
    type: str
    glue: str
    unit: str
    description: str


WAYPOINT: Final = (
    Column("time", "TIMESTAMP", "timestamp", "UTC", "when it was there"),
    Column("latitude", "DOUBLE", "double", "degrees", "WGS 84, north positive"),
    Column("longitude", "DOUBLE", "double", "degrees", "WGS 84, east positive"),
    Column("altitude_baro", "INTEGER", "int", "feet", "barometric altitude"),
    Column("on_ground", "BOOLEAN", "boolean", "", "whether it was on the ground"),
)
"""What a track is made of."""


def _text(name: str, description: str) -> Column:
    return Column(name, "VARCHAR", "string", "", description)


def _time(name: str, description: str) -> Column:
    return Column(name, "TIMESTAMP", "timestamp", "UTC", description)


def _whole(name: str, unit: str, description: str) -> Column:
    return Column(name, "INTEGER", "int", unit, description)


def _real(name: str, unit: str, description: str) -> Column:
    return Column(name, "DOUBLE", "double", unit, description)


COLUMNS: Final = (
    _text("id", "the flight's name here: address and second of its beginning, e.g. 78121E-20210320T120001Z"),
    _text("icao_address", "the aircraft's 24-bit address, hexadecimal"),
    _text("flight_id", "the provider's own name for the flight"),
    _text("callsign", "that of most of its positions in the air"),
    _text("flight_number", "as on a ticket, e.g. ET701"),
    _text("tail_number", "registration"),
    _text("aircraft_type_icao", "e.g. A359"),
    _text("airline_iata", "e.g. ET"),
    _text("departure_airport_icao", "where it came from"),
    _text("departure_known_by", "provider: its word; observed: where the aircraft was seen to leave"),
    _time("takeoff_time", "when it left the ground"),
    _text("takeoff_known_by", "provider; observed: seen on the ground before; inferred: from its climb"),
    _text("arrival_airport_icao", "where it landed; where it was bound for, if no landing is known"),
    _text("arrival_known_by", "provider: its word; observed: where the aircraft was seen to land"),
    _time("landing_time", "when it came below 500 ft above the airport, some 40 s before its wheels touch"),
    _text("landing_known_by", "provider; observed: seen on the ground afterwards; inferred: from its approach"),
    _time("first_time", "of its first position"),
    _time("last_time", "of its last position"),
    _real("distance_nm", "nautical miles", "flown: the sum of the great circles between its positions"),
    _real("great_circle_nm", "nautical miles", "from its first position to its last"),
    _whole("highest_altitude", "feet", "greatest barometric altitude"),
    _real("highest_speed", "knots", "greatest speed over ground"),
    _whole("positions", "", "updates it is made of"),
    _whole("positions_left_out", "", "updates whose positions it cannot have been at"),
    _whole("gaps", "", "times of ten minutes and more without a position"),
    _whole("longest_gap_seconds", "seconds", "between two positions that follow one another"),
    Column(
        "track",
        "STRUCT(" + ", ".join(f"{one.name} {one.type}" for one in WAYPOINT) + ")[]",
        "array<struct<" + ",".join(f"{one.name}:{one.glue}" for one in WAYPOINT) + ">>",
        "",
        "its way, as few waypoints as show it",
    ),
)
"""In the order in which they are in an object."""

PREFIX: Final = "archive/flights/"


def key(day: str) -> str:
    """Return the key of a day's object; the day as `YYYY-MM-DD`."""
    return f"{PREFIX}date={day}/flights.parquet"
