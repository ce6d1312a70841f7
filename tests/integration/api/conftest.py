"""A bucket with live objects, window rows and alerts in moto, and the API's service over it."""

from __future__ import annotations

import gzip
import io
import json
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from botocore.awsrequest import AWSResponse

from api.bucket import Bucket
from api.flight_books import Books
from api.service import Service
from api.snapshots import Snapshots
from api.sources import Sources
from benchmarks.inputs.live_fleet import Update, columns, header, identities
from common import aws
from live import identity_writer, objects, writer

NOW = datetime(2024, 3, 4, 23, 24, 30, tzinfo=UTC)
START = datetime(2024, 3, 4, 23, 24, tzinfo=UTC)
SHARD = "shardId-000000000000"


def milliseconds(moment):
    """Return a moment as milliseconds since the epoch."""
    return round(moment.timestamp() * 1_000)


def update(address, latitude, longitude, **others):
    """Make an update measured 5 s ago."""
    at = NOW - timedelta(seconds=5)
    usual = {"timestamp": at, "ingestion_time": at + timedelta(seconds=2), "collection_type": "terrestrial"}
    return Update(icao_address=address, latitude=latitude, longitude=longitude, **{**usual, **others})


FLEET = [
    update("78121E", 31.2, 121.4, altitude_baro=9_000, speed=400, on_ground=False, callsign="CCA8302",
           airline_iata="CA", airline_name="Air China", aircraft_type_icao="B738", tail_number="B-1234"),
    update("780A11", 31.1, 121.8, altitude_baro=0, speed=12, on_ground=True, callsign="CES5401", airline_iata="MU"),
    update("040172", -17.5, 179.9, altitude_baro=38_750, callsign="ETH701", airline_iata="ET", squawk="7700"),
    update("C82222", -17.6, -179.8, altitude_baro=36_000, callsign="FJI911", airline_iata="FJ"),
]  # fmt: skip


class Clock:
    """Seconds that a test moves."""

    def __init__(self):
        self.seconds = 0.0

    def __call__(self):
        return self.seconds


@pytest.fixture
def s3(aws):
    """The data bucket, empty."""
    client = boto3.client("s3", endpoint_url=aws)
    client.create_bucket(Bucket="data")
    return client


@pytest.fixture
def put(s3):
    """Write a shard's snapshot, open or closed, with its identities."""

    def write(fleet, start=START, *, closed=False):
        begin = milliseconds(start)
        one = header(begin, SHARD, closed=closed, written_at=milliseconds(NOW), sequence="1")
        key = objects.closed_window(SHARD, one.window_end) if closed else objects.open_window(SHARD)
        s3.put_object(Bucket="data", Key=key, Body=writer.write(columns(fleet, begin), one))
        names = identity_writer.write(columns(fleet, begin), identities(fleet), one)
        s3.put_object(Bucket="data", Key=key + objects.IDENTITY, Body=names)
        shards = {"version": 1, "window_seconds": 60, "shards": {SHARD: {"since": "2024-03-04T23:24:00Z"}}}
        s3.put_object(Bucket="data", Key=objects.SHARDS, Body=json.dumps(shards).encode())

    return write


@pytest.fixture
def put_rows(s3):
    """Write an object of window rows as Firehose does, in the folder of an hour."""

    def write(rows, name="a", hour="date=2024-03-04/hour=23"):
        body = gzip.compress(b"".join(json.dumps(row).encode() + b"\n" for row in rows))
        s3.put_object(Bucket="data", Key=f"windows/{hour}/{name}.ndjson.gz", Body=body)

    return write


@pytest.fixture
def put_alert(s3):
    """Write an alert of the log."""

    def write(at, number, address="78121E"):
        alert = {"id": f"{number:04}", "rule": "emergency_squawk", "icao_address": address, "at": at.isoformat()}
        folder = f"alerts/{at:date=%Y-%m-%d/hour=%H}"
        s3.put_object(Bucket="data", Key=f"{folder}/{milliseconds(at)}-{number:04}.json", Body=json.dumps(alert))

    return write


@pytest.fixture
def clock():
    """The service's clock."""
    return Clock()


class _Body(io.BytesIO):
    def stream(self, *_args, **_kwargs):
        """Give the body as urllib3 does."""
        yield self.read()


class Refusals:
    """Answers of S3 to GetObject in place of the bucket's, by the beginnings of keys."""

    def __init__(self):
        self.status, self.body, self.prefix, self.headers = 0, b"", None, {}

    def __call__(self, status, body, prefix, headers=None):
        """Answer requests for the keys below a prefix so, from now on; for None no more."""
        self.status, self.body, self.prefix, self.headers = status, body, prefix, headers or {}

    def answer(self, request, **_):
        """Return the answer that a request gets, None for the bucket's own."""
        if self.prefix is None or not request.url.partition("/data/")[2].startswith(self.prefix):
            return None
        return AWSResponse(request.url, self.status, self.headers, _Body(self.body))


NO_OBJECTS = [
    (403, b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"),
    (403, b""),
    (404, b"<Error><Code>NoSuchBucket</Code><Message>no such bucket</Message></Error>"),
    (404, b"<html><body>Not Found</body></html>"),
    (404, b""),
    (412, b"<Error><Code>PreconditionFailed</Code><Message>of no condition</Message></Error>"),
]
"""Answers that say nothing of whether an object is there."""


@pytest.fixture
def refuse():
    """Have S3 refuse objects."""
    return Refusals()


@pytest.fixture
def service(s3, clock, refuse):  # noqa: ARG001 - the bucket has to be there
    """The service over the bucket, half a minute into the window at first."""
    client = aws.client("s3", {})
    client.meta.events.register("before-send.s3.GetObject", refuse.answer)
    bucket = Bucket(client, "data")
    return Service(
        Sources(
            bucket,
            Snapshots(bucket, clock),
            Books(bucket),
            now=lambda: milliseconds(NOW + timedelta(seconds=clock.seconds)),
        )
    )


@pytest.fixture
def get(service):
    """Ask the API; gives status, headers and the answer as read from JSON."""

    def ask(target, method="GET", **headers):
        path, _, query = target.partition("?")
        event = {
            "rawPath": f"/api{path}",
            "rawQueryString": query,
            "headers": {name.replace("_", "-"): value for name, value in headers.items()},
            "requestContext": {"http": {"method": method}},
        }
        answer = service.answer(event, warn=lambda _: None)
        body = answer["body"]
        return answer["statusCode"], answer["headers"], json.loads(body) if body else None

    return ask
