"""Memory does not grow with what a day holds: measured in a process of its own."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta

import duckdb
import pytest

from archive.schema import COLUMNS
from benchmarks.harness.machine import peak_memory
from flights.updates import MOST_OF_ADDRESS, Updates

BEGIN = datetime(2024, 3, 3, tzinfo=UTC)
ROWS = 2 * MOST_OF_ADDRESS


def _counted(path, folder):
    """Return how many positions each address has, the first of all, and the megabytes that this process took."""
    with Updates(folder, 64) as updates:
        updates.add(path, BEGIN, BEGIN + timedelta(days=3))
        counts, first = {}, None
        for address, positions in updates.by_aircraft():
            counts[address] = len(positions)
            first = first or positions[0]
    return counts, first, peak_memory() // 2**20


@pytest.fixture(scope="module")
def crowded(tmp_path_factory):
    """An hour's object of which most is of an address that nobody has set, and then an aircraft."""
    path = tmp_path_factory.mktemp("crowded") / "hour.parquet"
    values = {
        "icao_address": f"if(i < {ROWS}, '000000', 'ABCDEF')",
        "timestamp": f"TIMESTAMP '2024-03-03' + INTERVAL (i * 500 % {3 * 86_400_000}) MILLISECOND",
        "latitude": "(i % 90)",
        "longitude": "i % 180",
    }
    row = ", ".join(f"CAST({values.get(one.name, 'NULL')} AS {one.type}) AS {one.name}" for one in COLUMNS)
    with duckdb.connect(":memory:", config={"threads": 1}) as connection:
        connection.execute(f"COPY (SELECT {row} FROM range({ROWS + 100}) AS numbers(i)) TO '{path}' (FORMAT parquet)")
    return path


def test_an_address_that_nobody_has_set_is_held_one_position_a_second(crowded, tmp_path):
    """Whatever comes under it; all positions of an aircraft beside it stay."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as alone:
        counts, first, megabytes = alone.submit(_counted, crowded, tmp_path).result()
    assert counts == {"000000": MOST_OF_ADDRESS, "ABCDEF": 100}
    assert (first.latitude, first.longitude) == (0.0, 0.0)

    assert megabytes < 350
