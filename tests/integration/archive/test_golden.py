"""The bytes of the archive's and the flights' objects, of a few updates that are written down here.

The same updates give the same bytes: re-runs rest on it, and so does whoever compares an object's tag. So a change of
bytes has to be meant. They follow from the schemas, from the order of rows, and from DuckDB, whose version is in each
file and is pinned in the Pipfile.

After an upgrade of DuckDB, or a change to a schema or a rule of flights: run this file, see by `pipenv run query` that
the rows are as they should be, write the digests that it names here, and say in CHANGELOG.md that an hour which is
written again has other bytes than before (`flights.store.RULES` has the flights of the last days made again).
"""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import date, timedelta

import duckdb
import pytest
from backports import zstd

from flights.airports import Airport, Airports
from flights.making import Making
from flights.store import Store
from tests.integration.archive.conftest import BUCKET, HOUR

DUCKDB = "1.5.5"
DIGESTS = {
    "archive/updates/date=2024-03-04/hour=23/updates.parquet": (
        "e74349ab11fd82f45e78a895ab457341af47aff2e9365d37ebc6dd6ef5d7b4b7"
    ),
    "archive/flights/date=2024-03-04/flights.parquet": (
        "bae650068af1e5b34f87c8d981a03d3881ac7adc9e9a4e1434e3bbc0ced4edae"
    ),
    "flights/date=2024-03-04/flights.book": "ac9ec352658afa8dc595800da470e9b25f4a516de7c2f95551869ee68f4700b6",
}


def _update(second, **others):
    """An approach from the west to an airport at 50 N 8 E, 4 minutes long."""
    at = HOUR + timedelta(seconds=second)
    values = {
        "icao_address": "3C6444",
        "timestamp": f"{at:%Y-%m-%dT%H:%M:%S}Z",
        "ingestion_time": f"{at + timedelta(seconds=2):%Y-%m-%dT%H:%M:%S}.250Z",
        "latitude": 50.0,
        "longitude": 8.0 - (240 - second) * 0.001,
        "altitude_baro": 400 + (240 - second) * 12,
        "speed": 140.5,
        "heading": 90.0,
        "vertical_rate": -700,
        "on_ground": second >= 240,
        "callsign": "DLH1",
        "takeoff_time": "2024-03-04T21:30:00Z",
    }
    return json.dumps({name: value for name, value in (values | others).items() if value is not None}).encode()


UPDATES = [
    *(_update(second) for second in range(0, 480, 10)),
    _update(5, icao_address="78121e ", callsign="\u00dc 1", speed="fast", latitude=None, new_field=1),
    _update(7, icao_address="78121E", ingestion_time=None, squawk="7700"),
]


def test_the_bytes_are_those_that_are_written_down(archive, tmp_path):
    """Of an hour in both record formats with duplicates, and of the flights of its day."""
    if duckdb.__version__ != DUCKDB:
        pytest.fail(f"DuckDB {duckdb.__version__}: the digests are of {DUCKDB}; see this file's first lines")
    packed = base64.b64encode(zstd.compress(b"".join(one + b"\n" for one in UPDATES[20:]))).decode()
    envelope = json.dumps({"v": 1, "n": len(UPDATES) - 20, "shard": "s", "z": packed}, separators=(",", ":")).encode()
    archive.put_raw("a", [one + b"\n" for one in UPDATES[:25]])
    archive.put_raw("b", [envelope + b"\n"])
    archive.run()
    airports = Airports([Airport("EDDX", 50.0, 8.0, 364)])
    Making(Store(archive.s3, BUCKET), airports, tmp_path, 256).days([date(2024, 3, 4)], lambda: 900.0)
    found = archive.contents("archive/updates/") | archive.contents("archive/flights/") | archive.contents("flights/")
    assert {key: hashlib.sha256(content).hexdigest() for key, content in found.items()} == DIGESTS
