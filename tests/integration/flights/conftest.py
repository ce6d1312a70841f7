"""A bucket in moto with the archive of a simulated day, and the function's own parts over it."""

from __future__ import annotations

import boto3
import duckdb
import pytest

from common import aws
from flights.airports import Airports
from flights.flight import flights
from flights.making import Making
from flights.store import Store
from tests.support.archived_positions import archived
from tests.support.simulated_day import simulate


@pytest.fixture(scope="session")
def day():
    """Half a simulated day."""
    return simulate(8, seed=5, is_told=True, hours=11)


@pytest.fixture(scope="session")
def hours(day, tmp_path_factory):
    """Its objects in the archive, as files by key."""
    return archived(day.positions, tmp_path_factory.mktemp("archive"))


@pytest.fixture(scope="session")
def large_hours(hours, tmp_path_factory):
    """Some of the same objects with other aircraft between, of which no position is known: with many row groups."""
    folder = tmp_path_factory.mktemp("large")
    files = {}
    with duckdb.connect(":memory:", config={"threads": 1}) as connection:
        for key, path in sorted(hours.items())[:6]:
            files[key] = folder / path.name
            connection.execute(
                f"""
                COPY (
                    SELECT * FROM '{path}' UNION ALL BY NAME
                    SELECT
                        printf('%06X', i * 61_681 % 16_777_216) AS icao_address,
                        (SELECT min(timestamp) FROM '{path}') + INTERVAL (i) MILLISECOND AS timestamp
                    FROM range(12_000) AS silent(i)
                    ORDER BY icao_address, timestamp
                ) TO '{files[key]}' (FORMAT parquet, ROW_GROUP_SIZE 2048)
                """
            )
    return files


@pytest.fixture(scope="session")
def expected(day):
    """The ids of its flights."""
    shipped = Airports.shipped()
    return sorted(
        one.id for address, seen in day.positions.items() for one in flights(address, seen, shipped, day.until)
    )


@pytest.fixture
def s3(aws):
    """The data bucket, empty."""
    client = boto3.client("s3", endpoint_url=aws)
    client.create_bucket(Bucket="data")
    return client


@pytest.fixture
def put(s3):
    """Write objects of the archive."""

    def write(files):
        for key, path in files.items():
            s3.put_object(Bucket="data", Key=key, Body=path.read_bytes())

    return write


@pytest.fixture
def making(s3, tmp_path):  # noqa: ARG001 - the bucket has to be there
    """What makes flights, in little memory."""
    return Making(Store(aws.client("s3", {}), "data"), Airports.shipped(), tmp_path, 256)
