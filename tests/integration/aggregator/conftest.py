"""The sinks' AWS resources in a real moto server: a Firehose that delivers to S3, and the aircraft table."""

from __future__ import annotations

import base64
import json

import boto3
import pytest


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
