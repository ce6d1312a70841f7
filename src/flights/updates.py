"""The archive's updates of some days by aircraft: DuckDB reads, sorts, and keeps what memory does not hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import duckdb

from flights.position import Position

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

_AT_A_TIME: Final = 250_000
"""Rows of whole aircraft that are sorted and handed over together, some 200 MB; one aircraft has 52,000 in three days
at the most."""

_TIMES: Final = ("takeoff_time", "landing_time")
_OF_COLUMN: Final = {
    "time": "epoch_ms(least(timestamp, coalesce(ingestion_time, timestamp)))",
    "altitude": "altitude_baro",
    **{name: f"epoch_ms({name})" for name in _TIMES},
}
"""How a position's field is made of the archive's columns, where it is not a column itself."""

_FIELDS: Final = ", ".join(f"{_OF_COLUMN.get(name, name)} AS {name}" for name in Position._fields)


class Updates:
    """Takes the archive's objects, and gives each aircraft's positions. One thread."""

    def __init__(self, folder: Path, memory_megabytes: int) -> None:
        """`folder` takes what does not fit into so much memory; it has to be there."""
        self._connection = connection = duckdb.connect(
            ":memory:",
            config={
                "threads": 1,
                "memory_limit": f"{memory_megabytes}MB",
                "temp_directory": str(folder),
                "home_directory": str(folder),  # Lambda has none
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            },
        )
        self._is_empty = True
        self._connection = connection

    def add(self, path: Path, begin: datetime, end: datetime) -> None:
        """Take those updates of a Parquet file that have a position, and were measured from `begin` up to `end`.

        Raises
        ------
        duckdb.Error
            It is no object of the archive.
        """
        first, last = (round(moment.timestamp() * 1_000) for moment in (begin, end))
        found = (
            f"SELECT icao_address, {_FIELDS} FROM read_parquet('{path}') "  # noqa: S608 - names and numbers of ours
            "WHERE latitude IS NOT NULL AND longitude IS NOT NULL "
            f"AND epoch_ms(timestamp) >= {first} AND epoch_ms(timestamp) < {last}"
        )
        self._connection.execute(f"{'CREATE TABLE updates AS' if self._is_empty else 'INSERT INTO updates'} {found}")
        self._is_empty = False

    @property
    def count(self) -> int:
        """How many there are."""
        return self._number("count(*)") or 0

    @property
    def until(self) -> int:
        """Milliseconds since the epoch of the last one; 0 if there is none."""
        return self._number("max(time)") or 0

    def by_aircraft(self) -> Iterator[tuple[str, list[Position]]]:
        """Yield addresses, in their order, with their positions."""
        if self._is_empty:
            return
        counts = self._connection.execute(
            "SELECT icao_address, count(*) FROM updates GROUP BY icao_address ORDER BY icao_address"
        ).fetchall()
        first, rows = 0, 0
        for place, (_, count) in enumerate(counts):
            rows += count
            if rows >= _AT_A_TIME or place + 1 == len(counts):
                yield from self._between(counts[first][0], counts[place][0])
                first, rows = place + 1, 0

    def close(self) -> None:
        """Let go of memory and disk."""
        self._connection.close()

    def _between(self, first: str, last: str) -> Iterator[tuple[str, list[Position]]]:
        """Yield the aircraft whose addresses are between two, inclusive."""
        found = self._connection.execute(
            "SELECT * FROM updates WHERE icao_address BETWEEN ? AND ? ORDER BY icao_address, time", [first, last]
        ).fetchall()
        address = first
        positions: list[Position] = []
        for row in found:
            if row[0] != address:
                yield address, positions
                address, positions = row[0], []
            positions.append(Position._make(row[1:]))
        yield address, positions

    def _number(self, expression: str) -> int | None:
        if self._is_empty:
            return None
        row = self._connection.execute(f"SELECT {expression} FROM updates").fetchone()  # noqa: S608 - ours
        return None if row is None or row[0] is None else int(row[0])
