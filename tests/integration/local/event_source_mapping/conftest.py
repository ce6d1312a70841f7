"""Streams in moto, functions that remember their events, and mappings between them."""

from __future__ import annotations

import json
import threading
import time
import uuid

import boto3
import pytest

from local.clock import SystemClock
from local.event_source_mapping import DestinationClients, EventSourceMapping, MappingSettings, Pace
from local.runtime.invocation import InvocationResult

FAST = Pace(poll_interval=0.05, discovery_interval=0.05, first_retry=0.05, longest_retry=0.2, throttled=0.02)
TIMEOUT = 30  # seconds after which a condition that should come is called missing


def eventually(condition):
    """Wait for a condition; say so when it never comes."""
    deadline = time.monotonic() + TIMEOUT
    while not (found := condition()):
        assert time.monotonic() < deadline, "the condition never came"
        time.sleep(0.01)
    return found


class Function:
    """A function that remembers its events; `answer(event)` may raise to fail."""

    def __init__(self, answer=lambda _event: None):
        self.answer = answer
        self.events = []
        self.lock = threading.Lock()

    def __call__(self, payload):
        """Invoke it, as the local stack's functions are."""
        event = json.loads(payload)
        with self.lock:
            self.events.append(event)
        try:
            return InvocationResult(str(uuid.uuid4()), self.answer(event), None, 0.0)
        except ValueError as error:
            payload = {"errorType": "ValueError", "errorMessage": str(error)}
            return InvocationResult(str(uuid.uuid4()), payload, "Unhandled", 0.0)

    def ids(self):
        """The event ids of the records it was given, in order."""
        with self.lock:
            return [record["eventID"] for event in self.events for record in event["Records"]]

    def keys(self):
        """The partition keys of the records it was given, in order."""
        with self.lock:
            return [record["kinesis"]["partitionKey"] for event in self.events for record in event["Records"]]


class Stream:
    """A stream in moto, whose records can be put into a chosen shard."""

    def __init__(self, shards):
        self.client = boto3.client("kinesis")
        self.name = f"stream-{uuid.uuid4()}"
        self.client.create_stream(StreamName=self.name, ShardCount=shards)
        self.arn = self.client.describe_stream_summary(StreamName=self.name)["StreamDescriptionSummary"]["StreamARN"]

    def shards(self):
        """All shards, the closed ones too."""
        return self.client.list_shards(StreamName=self.name)["Shards"]

    def put(self, *keys, shard=None, data=b"{}"):
        """Put a record a key, into a shard by its place or wherever the key belongs."""
        entries = [{"PartitionKey": key, "Data": data} for key in keys]
        if shard is not None:
            hash_key = self.shards()[shard]["HashKeyRange"]["StartingHashKey"]
            entries = [entry | {"ExplicitHashKey": hash_key} for entry in entries]
        for start in range(0, len(entries), 500):
            self.client.put_records(StreamName=self.name, Records=entries[start : start + 500])


@pytest.fixture
def stream(aws):  # noqa: ARG001 - a stream is made in the account that this fixture empties
    """Make a stream with so many shards."""
    return Stream


@pytest.fixture
def mapping():
    """Make and start a mapping with these properties; it is stopped when the test ends."""
    running = []

    def make(  # noqa: PLR0913 -- what a mapping is made of
        stream, function, *, start=True, destinations=None, listener=None, pace=FAST, **properties
    ):
        settings = MappingSettings.from_properties(
            {"EventSourceArn": stream.arn, "StartingPosition": "TRIM_HORIZON"} | properties,
            role_arn="arn:aws:iam::123456789012:role/r",
            uuid="esm-uuid",
            function_arn="arn:aws:lambda:us-east-1:123456789012:function:f",
        )
        made = EventSourceMapping(
            settings,
            function,
            stream.client,
            destinations or DestinationClients(),
            SystemClock(),
            listener,
            pace=pace,
        )
        running.append(made)
        if start:
            made.start()
        return made

    yield make
    for made in running:
        made.stop()


def drained(mapping):
    """Drain, and give up some time."""
    return mapping.drain(TIMEOUT)
