"""Batches that Lambda gave up, in the on-failure bucket; and `ops redrive`, which puts them back."""

from __future__ import annotations

import base64
import json
from functools import cache

import boto3

from ops import redrive
from ops.command_line import parser
from ops.stack import Stack

BUCKET, STREAM, STACK = "failures", "updates", "aircraft"
KEY = "aws/lambda/uuid/shardId-000000000000/{}"


client = cache(boto3.client)
"""One client a service: the moto server is one for all tests."""


def failure(updates, *, as_text=True):
    """What Lambda writes to an on-failure destination in S3."""
    event = {
        "Records": [
            {
                "eventID": f"shardId-000000000000:{number}",
                "kinesis": {"partitionKey": key, "data": base64.b64encode(data).decode()},
            }
            for number, (key, data) in enumerate(updates)
        ]
    }
    return json.dumps(
        {
            "requestContext": {
                "requestId": "a7a8f5a6-5c8e-4f8e-8a57-3f1f7d7d3f10",
                "functionArn": "arn:aws:lambda:us-east-1:123456789012:function:Alerts",
                "condition": "RetryAttemptsExhausted",
                "approximateInvokeCount": 51,
            },
            "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
            "version": "1.0",
            "KinesisBatchInfo": {"shardId": "shardId-000000000000", "batchSize": len(updates)},
            "payload": json.dumps(event) if as_text else event,
        }
    )


def updates(count, size=20):
    """So many updates of two aircraft."""
    return [(f"A4F0A{n % 2}", b'{"n":%d,"fill":"%s"}\n' % (n, b"x" * size)) for n in range(count)]


def put(s3, key, body):
    """Put an object as Lambda does."""
    s3.put_object(Bucket=BUCKET, Key=KEY.format(key), Body=body)


def in_stream(kinesis):
    """What the stream holds, as (key, data)."""
    [shard] = kinesis.list_shards(StreamName=STREAM)["Shards"]
    iterator = kinesis.get_shard_iterator(
        StreamName=STREAM, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    found = []
    while True:
        answer = kinesis.get_records(ShardIterator=iterator, Limit=10_000)
        if not answer["Records"]:
            return found
        found += [(record["PartitionKey"], record["Data"]) for record in answer["Records"]]
        iterator = answer["NextShardIterator"]


def left(s3):
    """How many objects the bucket holds."""
    return s3.list_objects_v2(Bucket=BUCKET)["KeyCount"]


def run(*options):
    """Run the command, on a stack that is found already."""
    given = parser().parse_args(["redrive", "--stack", STACK, "--yes", *options])
    return redrive.run(Stack(STACK, {"FailuresBucket": BUCKET, "UpdatesStream": STREAM}, client), given)
