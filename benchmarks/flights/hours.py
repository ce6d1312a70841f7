"""The archive's hours of a simulated day: some aircraft are flown, and each is there as often as it takes.

Each aircraft has as many updates as one of the world's, one in 5 seconds; the world has more aircraft. An hour's row
groups are as large, beside a part of the day, as the world's are: one an hour for each part.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final

import duckdb

from archive.schema import COLUMNS, KEY, PREFIX
from local.simulator.flights import GeneratedTraffic

if TYPE_CHECKING:
    from pathlib import Path

DAY: Final = date(2024, 3, 4)
AIRCRAFT: Final = 12
"""That are flown at the most: 207,000 updates, in some 10 s of CPU."""

_INTERVAL: Final = 5
_LEAST_ROW_GROUP: Final = 2_048
"""Rows, in DuckDB."""

_FIRST_ADDRESS: Final = 0x400000
_COLUMNS: Final = "{" + ", ".join(f"{column.name}: '{column.type}'" for column in COLUMNS) + "}"
_OTHERS: Final = ", ".join(column.name for column in COLUMNS if column.name != "icao_address")


def write(folder: Path, updates: int, parts: int, hours: int = 24) -> int:
    """Write the day's first hours, with about so many updates, under their keys; return how many there are."""
    lines = folder / "day.ndjson"
    aircraft = min(AIRCRAFT, max(1, updates * _INTERVAL // (hours * 3_600)))
    flown = _fly(lines, aircraft, hours)
    copies = max(1, round(updates / flown))
    row_group = max(_LEAST_ROW_GROUP, flown * copies // hours // parts)
    with duckdb.connect(":memory:", config={"temp_directory": str(folder / "duckdb")}) as connection:
        connection.execute("SET enable_progress_bar = false")
        connection.execute(
            f"CREATE TABLE flown AS SELECT *, dense_rank() OVER (ORDER BY icao_address) - 1 AS place "  # noqa: S608 - ours
            f"FROM read_json('{lines}', format = 'newline_delimited', columns = {_COLUMNS})"
        )
        lines.unlink()
        for hour in range(hours):
            path = folder / f"{PREFIX}date={DAY}/hour={hour:02}/updates.parquet"
            path.parent.mkdir(parents=True)
            connection.execute(
                f"COPY (SELECT printf('%06X', CAST({_FIRST_ADDRESS} + copy * {aircraft} + place AS BIGINT)) "  # noqa: S608 - ours
                f"AS icao_address, {_OTHERS} FROM flown, range({copies}) AS copies(copy) "
                f"WHERE hour(ingestion_time) = {hour} ORDER BY {', '.join(KEY)}) "
                f"TO '{path}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {row_group})"
            )
    return flown * copies


def _fly(target: Path, aircraft: int, hours: int) -> int:
    """Write some hours' updates of a few aircraft as lines; return how many there are."""
    start = datetime(DAY.year, DAY.month, DAY.day, tzinfo=UTC).timestamp()
    source = GeneratedTraffic(rate=aircraft / _INTERVAL, aircraft=aircraft, seed=7, start=start)
    count = 0
    with target.open("wb") as file:
        for at, line in source.updates():
            if at >= start + hours * 3_600:
                break
            file.write(line.strip()[len(b'{"target":') : -1] + b"\n")
            count += 1
    return count
