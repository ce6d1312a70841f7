"""The aggregator's AWS in a real moto server: a Firehose that delivers to S3, the aircraft table, the live objects."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse

from aggregator import handler as module
from aggregator import wiring
from live import objects, reader

SHARD = "shardId-000000000000"
OPEN = objects.open_window(SHARD)
END = 1_709_594_700_000
CLOSED = objects.closed_window(SHARD, END)


@pytest.fixture
def bucket(aws):
    """The bucket that Firehose delivers window rows to."""
    s3 = boto3.client("s3", endpoint_url=aws)
    s3.create_bucket(Bucket="data")

    class Bucket:
        name = "data"

        def rows(self):
            """All rows delivered so far."""
            listed = s3.list_objects_v2(Bucket="data", Prefix="windows/").get("Contents", [])
            bodies = (s3.get_object(Bucket="data", Key=entry["Key"])["Body"].read() for entry in listed)
            return [json.loads(line) for body in bodies for line in body.splitlines()]

    return Bucket()


@pytest.fixture
def delivery_stream(bucket):
    """The name of the Firehose delivery stream."""
    boto3.client("firehose").create_delivery_stream(
        DeliveryStreamName="window-rows",
        ExtendedS3DestinationConfiguration={
            "RoleARN": "arn:aws:iam::123456789012:role/firehose",
            "BucketARN": f"arn:aws:s3:::{bucket.name}",
            "Prefix": "windows/",
        },
    )
    return "window-rows"


@pytest.fixture
def table(aws):
    """The aircraft table, read as plain values."""
    dynamodb = boto3.resource("dynamodb", endpoint_url=aws)
    table = dynamodb.create_table(
        TableName="aircraft",
        KeySchema=[{"AttributeName": "icao_address", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "icao_address", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    table.wait_until_exists()
    return table


@pytest.fixture(scope="session")
def make_event():
    """A function that makes the event of one invocation from updates."""

    def make(updates, state=None, *, final=False):
        return {
            "Records": [
                {
                    "kinesis": {
                        "sequenceNumber": str(number),
                        "data": base64.b64encode(
                            update if isinstance(update, bytes) else json.dumps(update).encode()
                        ).decode(),
                    }
                }
                for number, update in enumerate(updates, 1)
            ],
            "window": {"start": "2024-03-04T23:24:00Z", "end": "2024-03-04T23:25:00Z"},
            "state": state or {},
            "shardId": "shardId-000000000000",
            "eventSourceARN": "arn:aws:kinesis:us-east-1:123456789012:stream/updates",
            "isFinalInvokeForWindow": final,
            "isWindowTerminatedEarly": False,
        }

    return make


@dataclass
class Context:
    """What the logger reads of Lambda's context."""

    function_name: str = "aggregator"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:aggregator"
    aws_request_id: str = "52fdfc07-2182-154f-163f-5f0f9a621d72"


def update(second, address="78121E", **fields):
    """A target update, ingested a second after it was measured."""
    at = f"2024-03-04T23:24:{second:02}"
    return {"icao_address": address, "timestamp": f"{at}Z", "ingestion_time": f"{at}.900Z"} | fields


@pytest.fixture
def environment(delivery_stream, table, monkeypatch):
    """A fresh execution environment of the function."""
    monkeypatch.setenv("WINDOW_ROWS_STREAM_NAME", delivery_stream)
    monkeypatch.setenv("AIRCRAFT_TABLE_NAME", table.name)
    monkeypatch.setenv("DATA_BUCKET", "data")
    make = wiring.aggregator  # a test may put another one in its place
    make.cache_clear()
    yield
    make.cache_clear()


@pytest.fixture
def invoke(environment):  # noqa: ARG001 - what is invoked runs in it
    """A function that invokes the handler with updates whose sequence numbers go on from `first`; gives the state."""

    def call(updates, state=None, first=1, minute=24, seconds=60, **flags):
        event = {
            "Records": [
                {
                    "kinesis": {
                        "sequenceNumber": str(number),
                        "data": base64.b64encode(json.dumps(one).encode()).decode(),
                    }
                }
                for number, one in enumerate(updates, first)
            ],
            "window": {"start": f"2024-03-04T23:{minute}:00Z", "end": f"2024-03-04T23:{minute + seconds // 60}:00Z"},
            "state": state or {},
            "shardId": SHARD,
            "isFinalInvokeForWindow": flags.get("final", False),
            "isWindowTerminatedEarly": flags.get("early", False),
        }
        return module.handler(event, Context())["state"]

    return call


@pytest.fixture
def s3(aws):
    """A client for the bucket."""
    return boto3.client("s3", endpoint_url=aws)


@pytest.fixture
def read(s3):
    """Read a snapshot: its header, and its aircraft by address."""

    def targets(key):
        header, found = reader.read(s3.get_object(Bucket="data", Key=key)["Body"].read())
        return header, {target.icao_address: target for target in found}

    return targets


def keys(s3):
    """Return the live objects there are."""
    return {one["Key"] for one in s3.list_objects_v2(Bucket="data", Prefix="live/").get("Contents", [])}


class Refused(io.BytesIO):
    """The body of an answer of S3 that has too much to do."""

    def stream(self, **_):
        """Yield it, as urllib3 does."""
        yield self.read()


@pytest.fixture
def refuse(invoke, monkeypatch):  # noqa: ARG001 - after it, since that makes the function again
    """Have S3 refuse to write objects whose keys end so; an empty text lets all be written. Retries come at once."""
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _seconds: None))
    refused = []

    def answer(request, **_):
        if refused and request.url.endswith(tuple(refused)):
            return AWSResponse(request.url, 503, {}, Refused(b"<Error><Code>SlowDown</Code></Error>"))
        return None

    sink: Any = wiring.aggregator().live_sink
    sink._client.meta.events.register("before-send.s3.PutObject", answer)

    def set_refused(*ends):
        refused[:] = ends

    return set_refused


def everything(s3, read):
    """All aircraft of all snapshots that are there: what a reader joins."""
    snapshots = [key for key in keys(s3) if key != objects.SHARDS and not key.endswith(objects.IDENTITY)]
    return {address for key in snapshots for address in read(key)[1]}
