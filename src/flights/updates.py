"""The archive's updates of some days by aircraft: DuckDB reads, sorts, and keeps what memory does not hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Self

from common.duckdb_database import connected
from flights.position import Position

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

AT_A_TIME: Final = 250_000
"""Rows of whole aircraft that are sorted and handed over together, some 200 MB."""

MOST_OF_ADDRESS: Final = 3 * 86_400
"""One a second of three days. An aircraft has 52,000; what has more is an address that nobody has set (000000)."""

_TIMES: Final = ("takeoff_time", "landing_time")
_OF_COLUMN: Final = {
    "time": "epoch_ms(least(timestamp, coalesce(ingestion_time, timestamp)))",
    "altitude": "altitude_baro",
    **{name: f"epoch_ms({name})" for name in _TIMES},
}
"""How a position's field is made of the archive's columns, where it is not a column itself."""

_FIELDS: Final = ", ".join(f"{_OF_COLUMN.get(name, name)} AS {name}" for name in Position._fields)

_WHEN: Final = "least(timestamp, coalesce(ingestion_time, timestamp)) AS measured, timestamp, ingestion_time"
_ORDER: Final = "measured, timestamp, ingestion_time NULLS FIRST"
"""The order of an aircraft's updates, by the rule of `common.recency`: no two are equal in it."""


class Updates:
    """Takes the archive's objects, and gives each aircraft's positions. One thread."""

    def __init__(self, folder: Path, memory_megabytes: int) -> None:
        """`folder` takes what does not fit into so much memory; it has to be there."""
        self.connection = connected(folder, memory_megabytes)
        """For whoever prepares the files."""
        self._is_empty = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def add(self, path: Path, begin: datetime, end: datetime, first_address: str = "", before: str = "") -> None:
        """Take the updates of a Parquet file that have a position and were measured from `begin` up to `end`.

        Only those of addresses from `first_address` on and before `before`, which is empty for no end; both are letters
        and digits.

        Raises
        ------
        duckdb.Error
            It is no object of the archive.
        """
        first, last = (round(moment.timestamp() * 1_000) for moment in (begin, end))
        time = _OF_COLUMN["time"]
        is_before = f"AND icao_address < '{before}'" if before else ""
        found = (
            f"SELECT icao_address, {_FIELDS}, {_WHEN} FROM read_parquet('{path}') "  # noqa: S608 - names and numbers of ours
            "WHERE latitude IS NOT NULL AND longitude IS NOT NULL "
            f"AND {time} >= {first} AND {time} < {last} "
            f"AND icao_address >= '{first_address}' {is_before}"
        )
        self.connection.execute(f"{'CREATE TABLE updates AS' if self._is_empty else 'INSERT INTO updates'} {found}")
        self._is_empty = False

    @property
    def count(self) -> int:
        """How many there are."""
        if self._is_empty:
            return 0
        (count,) = self.connection.execute("SELECT count(*) FROM updates").fetchall()[0]
        return int(count)

    def by_aircraft(self) -> Iterator[tuple[str, list[Position]]]:
        """Yield addresses, in their order, with their positions, in the order of `common.recency`.

        Of an address that has more than `MOST_OF_ADDRESS`, the first of each second.
        """
        if self._is_empty:
            return
        counts = self.connection.execute(
            "SELECT icao_address, count(*) FROM updates GROUP BY icao_address ORDER BY icao_address"
        ).fetchall()
        together: list[str] = []
        rows = 0
        for address, count in counts:
            if together and rows + count > AT_A_TIME:
                yield from self._between(together[0], together[-1])
                together, rows = [], 0
            if count > MOST_OF_ADDRESS:
                yield address, self._one_a_second(address)
            else:
                together.append(address)
                rows += count
        if together:
            yield from self._between(together[0], together[-1])

    def close(self) -> None:
        """Let go of memory and disk."""
        self.connection.close()

    def _between(self, first: str, last: str) -> Iterator[tuple[str, list[Position]]]:
        """Yield the aircraft whose addresses are between two, inclusive."""
        found = self.connection.execute(
            f"SELECT icao_address, {', '.join(Position._fields)} FROM updates "  # noqa: S608 - names of ours
            f"WHERE icao_address BETWEEN ? AND ? ORDER BY icao_address, {_ORDER}",
            [first, last],
        ).fetchall()
        address = first
        positions: list[Position] = []
        for row in found:
            if row[0] != address:
                yield address, positions
                address, positions = row[0], []
            positions.append(Position._make(row[1:]))
        yield address, positions

    def _one_a_second(self, address: str) -> list[Position]:
        found = self.connection.execute(
            f"SELECT {', '.join(Position._fields)} FROM updates WHERE icao_address = ? "  # noqa: S608 - names of ours
            f"QUALIFY row_number() OVER (PARTITION BY time // 1000 ORDER BY {_ORDER}) = 1 "
            f"ORDER BY {_ORDER} LIMIT {MOST_OF_ADDRESS}",
            [address],
        ).fetchall()
        return list(map(Position._make, found))
