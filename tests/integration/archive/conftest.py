"""A data bucket in moto, and runs of the archive over it."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime

import boto3
import duckdb
import pytest

from archive.archiving import Archiving
from archive.report import Report
from archive.staging import Staging
from archive.store import Store
from local.simulator.flights import GeneratedTraffic

BUCKET = "data"
HOUR = datetime(2024, 3, 4, 23, tzinfo=UTC)


class Archive:
    """What a test does with the archive: put raw objects, run, and look at what is there."""

    def __init__(self, s3, folder):
        self.s3 = s3
        self._folder = folder

    def put_raw(self, name, lines, arrival=HOUR, *, compress=gzip.compress):
        """Put a raw object; return its key."""
        key = f"raw/date={arrival:%Y-%m-%d}/hour={arrival:%H}/{name}.ndjson.gz"
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=compress(b"".join(lines)))
        return key

    def run(self, arrivals=(HOUR,), *, client=None, remaining=lambda: 900.0, most_updates=20_000_000, **options):
        """Run once, as a new process would, and return the report; `options` are those of `Archiving.run`."""
        self._folder.mkdir(exist_ok=True)
        staging = Staging(self._folder, 512)
        try:
            store = Store(client or self.s3, BUCKET)
            Archiving(store, staging, self._folder, most_updates).run(
                arrivals, remaining, report := Report(), **options
            )
            return report
        finally:
            staging.close()

    def keys(self, prefix="archive/updates/"):
        """Return the keys below a prefix."""
        return [one["Key"] for one in self.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])]

    def contents(self, prefix="archive/updates/"):
        """Return the objects below a prefix, by key."""
        return {key: self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in self.keys(prefix)}

    def rows(self, columns="icao_address, timestamp, ingestion_time"):
        """Return every row of the archive, in the order of the objects."""
        found = []
        for key, content in self.contents().items():
            path = self._folder.parent / "looked-at.parquet"
            path.write_bytes(content)
            assert key.endswith("/updates.parquet")
            with duckdb.connect() as connection:
                found += connection.execute(f"SELECT {columns} FROM read_parquet('{path}')").fetchall()
        return found


@pytest.fixture
def archive(aws, tmp_path):
    """An archive without any object."""
    s3 = boto3.client("s3", endpoint_url=aws)
    s3.create_bucket(Bucket=BUCKET)
    return Archive(s3, tmp_path / "scratch")


@pytest.fixture(scope="session")
def traffic():
    """1,500 updates of half a minute, as lines of the stream to Kinesis; it begins at `HOUR`."""
    source = GeneratedTraffic(rate=50, aircraft=200, seed=7, start=HOUR.timestamp())
    lines = (line for _, line in source.updates())
    return [next(lines).strip()[len(b'{"target":') : -1] + b"\n" for _ in range(1_500)]
