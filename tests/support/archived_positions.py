"""Positions as objects of the archive: a Parquet file for each hour of arrival."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import duckdb

from archive.schema import COLUMNS, PREFIX

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from flights.position import Position

LATENCY = 2_000
"""Milliseconds from a measurement to its arrival."""

_TEXTS = ("callsign", "flight_id", "flight_number", "tail_number", "aircraft_type_icao", "airline_iata")
_AIRPORTS = ("departure_airport_icao", "arrival_airport_icao")


def archived(
    positions: Mapping[str, Sequence[Position]], folder: Path, clock_ahead: int = 0, clock_step: int = 1
) -> dict[str, Path]:
    """Write the objects of all hours; return the files by key.

    `clock_ahead` are milliseconds by which the aircraft's own clocks, the `timestamp`, run ahead; `clock_step` those by
    which they go on at a time.
    """
    rows = folder / "rows.csv"
    columns = ("icao_address", *COLUMN_OF, *_TEXTS, *_AIRPORTS, "takeoff_time", "landing_time", "ingestion_time")
    with rows.open("w") as file:
        for address, found in positions.items():
            for one in found:
                values = [address, *(getattr(one, name) for name in COLUMN_OF.values())]
                values += [getattr(one, name) for name in (*_TEXTS, *_AIRPORTS)]
                values += [_text(one.takeoff_time), _text(one.landing_time), _text(one.time + LATENCY)]
                values[1] = _text((one.time + clock_ahead) // clock_step * clock_step)
                file.write(",".join("" if value is None else str(value) for value in values) + "\n")
    types = {column.name: column.type for column in COLUMNS}
    given = ", ".join(f"'{name}': '{types[name]}'" for name in columns)
    shown = ", ".join(name if name in columns else f"NULL::{types[name]} AS {name}" for name in types)
    files = {}
    with duckdb.connect(":memory:", config={"threads": 1}) as connection:
        connection.execute(f"CREATE TABLE updates AS SELECT {shown} FROM read_csv('{rows}', columns = {{{given}}})")
        hours: list[Any] = connection.execute(
            "SELECT DISTINCT strftime(ingestion_time, 'date=%Y-%m-%d/hour=%H') FROM updates ORDER BY 1"
        ).fetchall()
        for (hour,) in hours:
            path = folder / f"{hour.replace('/', '-')}.parquet"
            connection.execute(
                f"COPY (SELECT * FROM updates WHERE strftime(ingestion_time, 'date=%Y-%m-%d/hour=%H') = '{hour}' "
                f"ORDER BY icao_address, timestamp, ingestion_time) TO '{path}' (FORMAT parquet, COMPRESSION zstd)"
            )
            files[f"{PREFIX}{hour}/updates.parquet"] = path
    return files


COLUMN_OF = {
    "timestamp": "time",
    "latitude": "latitude",
    "longitude": "longitude",
    "altitude_baro": "altitude",
    "speed": "speed",
    "heading": "heading",
    "on_ground": "on_ground",
}
"""Columns and the fields of a position that they are made of."""


def _text(milliseconds: int | None) -> str | None:
    if milliseconds is None:
        return None
    return datetime.fromtimestamp(milliseconds / 1_000, UTC).replace(tzinfo=None).isoformat(timespec="milliseconds")
