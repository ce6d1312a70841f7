"""Writes the two objects of a day: Parquet for SQL, and a book for the API. The same flights give the same bytes."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING, Final, Self

from common.duckdb_database import connected
from common.flight_book import Writer
from flights import row
from flights.schema import COLUMNS

if TYPE_CHECKING:
    from pathlib import Path

_COLUMNS: Final = "{" + ", ".join(f"{column.name}: '{column.type}'" for column in COLUMNS) + "}"

_ROW_GROUP: Final = 16_384
"""Flights; DuckDB holds one row group while it writes, 2 kB a flight."""

_LONGEST_LINE: Final = 32 * 1024 * 1024
"""Bytes of a flight: `updates.MOST_OF_ADDRESS` waypoints of 120 at the most."""


class DayObjects:
    """Takes a day's flights in the order of their ids, aircraft by aircraft, and holds none of them in memory."""

    def __init__(self, folder: Path, memory_megabytes: int) -> None:
        """`folder` takes the objects and what is under way; it has to be there. The memory is DuckDB's."""
        self._folder = folder
        self._memory = memory_megabytes
        self.parquet = folder / "flights.parquet"
        self.book = folder / "flights.book"
        self.count = 0
        self._lines_path = folder / "flights.ndjson"
        self._lines = self._lines_path.open("wb")
        self._blocks = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by __exit__
        self._summaries = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - the same
        self._writer = Writer(self._blocks, self._summaries)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._lines.close()
        self._blocks.close()
        self._summaries.close()

    def add(self, line: bytes) -> None:
        """Take one flight, as `row.encoded` gives it."""
        summary, named = row.summarized(line)
        self._lines.write(line + b"\n")
        airports = dict.fromkeys(code for code in (named.departure_airport_icao, named.arrival_airport_icao) if code)
        self._writer.add(named.id, line, summary, airports)
        self.count += 1

    def write(self) -> None:
        """Write both files."""
        self._lines.close()
        with self.book.open("wb") as file:
            self._writer.finish(file)
        with connected(self._folder, self._memory) as connection:
            connection.execute(
                f"COPY (SELECT * FROM read_json('{self._lines_path}', format = 'newline_delimited', "  # noqa: S608 - ours
                f"maximum_object_size = {_LONGEST_LINE}, columns = {_COLUMNS})) "
                f"TO '{self.parquet}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {_ROW_GROUP})"
            )
