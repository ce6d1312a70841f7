"""A bucket in moto with the archive of a simulated day, and the function's own parts over it."""

from __future__ import annotations

import boto3
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
