"""The two objects of a day: Parquet for SQL, and a book for the API. The same flights give the same bytes."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING, Final, Self

import duckdb

from common.flight_book import Writer
from flights import row
from flights.schema import COLUMNS

if TYPE_CHECKING:
    from pathlib import Path

    from flights.flight import Flight

_COLUMNS: Final = "{" + ", ".join(f"{column.name}: '{column.type}'" for column in COLUMNS) + "}"


class DayObjects:
    """Takes a day's flights in the order of their ids, aircraft by aircraft, and holds none of them in memory."""

    def __init__(self, folder: Path) -> None:
        """`folder` takes the objects and what is under way; it has to be there."""
        self.parquet = folder / "flights.parquet"
        self.book = folder / "flights.book"
        self.count = 0
        self._lines_path = folder / "flights.ndjson"
        self._lines = self._lines_path.open("wb")
        self._blocks = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by __exit__
        self._writer = Writer(self._blocks)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._lines.close()
        self._blocks.close()

    def add(self, flight: Flight) -> None:
        """Take one flight."""
        line, summary = row.encoded(flight)
        self._lines.write(line + b"\n")
        airports = dict.fromkeys(code for code in (flight.takeoff.airport, flight.landing.airport) if code)
        self._writer.add(flight.id, line, summary, airports)
        self.count += 1

    def write(self) -> None:
        """Write both files."""
        self._lines.close()
        with self.book.open("wb") as file:
            self._writer.finish(file)
        with duckdb.connect(":memory:", config={"threads": 1, "home_directory": str(self.book.parent)}) as connection:
            connection.execute(
                f"COPY (SELECT * FROM read_json('{self._lines_path}', format = 'newline_delimited', columns = {_COLUMNS})) "  # noqa: S608, E501 - ours
                f"TO '{self.parquet}' (FORMAT parquet, COMPRESSION zstd)"
            )
