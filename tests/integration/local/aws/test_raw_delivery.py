"""A stream's records in raw objects, as Firehose delivers them: all of them, in order, where and when they arrived."""

from __future__ import annotations

import gzip
import re
import threading

import boto3
import pytest

from local.aws.raw_delivery import RawDelivery
from local.clock import SystemClock
from local.stack import DeliverySettings

PREFIX = "raw/date=!{timestamp:yyyy-MM-dd}/hour=!{timestamp:HH}/"


class World:
    """A stream, a bucket, and what was delivered."""

    def __init__(self):
        self.kinesis = boto3.client("kinesis")
        self.s3 = boto3.client("s3")
        self.kinesis.create_stream(StreamName="updates", ShardCount=2)
        self.s3.create_bucket(Bucket="data")
        self.arn = self.kinesis.describe_stream_summary(StreamName="updates")["StreamDescriptionSummary"]["StreamARN"]
        self.sent = []

    def delivery(self, *, interval=3600.0, **others):
        settings = DeliverySettings("RawArchive", self.arn, "data", PREFIX, ".ndjson.gz", interval, 1)
        return RawDelivery(settings, self.kinesis, self.s3, SystemClock(), poll=0.01, **others)

    def put(self, count, size=0):
        records = [b"%d %s\n" % (len(self.sent) + number, b"x" * size) for number in range(count)]
        self.kinesis.put_records(
            StreamName="updates", Records=[{"Data": one, "PartitionKey": one[:5].decode()} for one in records]
        )
        self.sent += records

    def objects(self):
        listed = self.s3.list_objects_v2(Bucket="data").get("Contents", [])
        return {
            one["Key"]: gzip.decompress(self.s3.get_object(Bucket="data", Key=one["Key"])["Body"].read())
            for one in listed
        }

    def lines(self):
        return sorted(
            (line for body in self.objects().values() for line in body.splitlines(keepends=True)),
            key=lambda line: int(line.split()[0]),
        )


@pytest.fixture
def world(aws):  # noqa: ARG001 - the account it is in
    """A stream of two shards and a bucket, empty."""
    return World()


def test_everything_is_delivered_at_the_end(world):
    """Records of both shards, and of shards that come of a split, in one object, named as Firehose names it."""
    delivery = world.delivery()
    delivery.start()
    world.put(50)
    world.kinesis.split_shard(StreamName="updates", ShardToSplit="shardId-000000000000", NewStartingHashKey=str(2**126))
    world.put(50)
    delivery.stop()
    assert world.lines() == world.sent
    (key,) = world.objects()
    assert re.fullmatch(
        r"raw/date=\d{4}-\d\d-\d\d/hour=\d\d/RawArchive-1-\d{4}(-\d\d){5}-[0-9a-f-]{36}\.ndjson\.gz", key
    )


def test_a_buffer_is_written_when_it_is_large_or_old(world):
    """Before the end."""
    large = world.delivery()
    world.put(3, size=600_000)
    large.start()
    _wait_for(lambda: len(world.objects()) >= 1)
    large.stop(deliver=False)
    old = world.delivery(interval=0.0)
    old.start()
    _wait_for(lambda: len(world.lines()) >= 5)
    old.stop(deliver=False)


def test_an_object_may_be_written_twice(world):
    """As Firehose does when it does not know whether the first write was taken."""
    delivery = world.delivery(twice=lambda: True)
    world.put(5)
    delivery.stop()
    assert len(world.objects()) == 2
    assert len(set(world.objects().values())) == 1


def test_what_could_not_be_written_is_written_later(world):
    """A bucket that is not there for a while costs no record."""
    delivery = world.delivery(interval=0.0)
    world.s3.delete_bucket(Bucket="data")
    world.put(5)
    failed = threading.Event()
    world.s3.meta.events.register("after-call.s3.PutObject", lambda **_: failed.set())
    delivery.start()
    assert failed.wait(10)
    world.s3.create_bucket(Bucket="data")
    delivery.stop()
    assert world.lines() == world.sent


def _wait_for(condition):
    pause = threading.Event()
    while not condition():
        pause.wait(0.02)
