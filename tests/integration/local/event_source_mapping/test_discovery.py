"""Finding a stream's shards while it is resharded, and listings fail or come late: a drain leaves none unread."""

from __future__ import annotations

import threading

import boto3
import pytest
from botocore.exceptions import ClientError

from local.clock import SystemClock
from local.event_source_mapping import DestinationClients, EventSourceMapping, MappingSettings, Pace
from local.runtime.invocation import InvocationResult
from tests.support.conditions import wait_until

DISCOVERY = 3600.0
TIMEOUT = 20.0  # seconds after which what should come is called missing


class Clock(SystemClock):
    """The machine's clock, but the mapping's own thread looks for shards when the test says so."""

    def __init__(self):
        self.look = threading.Event()
        self.at_rest = threading.Event()

    def wait(self, event, seconds):
        """Wait; where the next look for shards is waited for, until the test wants one."""
        if seconds != DISCOVERY:
            return super().wait(event, seconds)
        self.at_rest.set()
        while not event.wait(0.002):
            if self.look.is_set():
                self.look.clear()
                self.at_rest.clear()
                return False
        return True


class Kinesis:
    """moto's Kinesis with a stream of one shard; listings fail, or are held back, as the test says."""

    def __init__(self):
        self._client = boto3.client("kinesis")
        self._client.create_stream(StreamName="s", ShardCount=1)
        summary = self._client.describe_stream_summary(StreamName="s")
        self.arn = summary["StreamDescriptionSummary"]["StreamARN"]
        self.refuse = 0
        self.hold_next = False
        self.held, self.release = threading.Event(), threading.Event()
        self.listings = threading.Semaphore(0)

    def __getattr__(self, name):
        return getattr(self._client, name)

    def get_paginator(self, _operation):
        """Give what lists the shards."""
        return self

    def paginate(self, **arguments):
        """List the shards; hold the answer back if that was asked for."""
        hold, self.hold_next = self.hold_next, False
        if self.refuse:
            self.refuse -= 1
            raise ClientError({"Error": {"Code": "LimitExceededException"}}, "ListShards")
        pages = list(self._client.get_paginator("list_shards").paginate(**arguments))
        self.listings.release()
        if hold:
            self.held.set()
            assert self.release.wait(TIMEOUT)
        return pages

    def put(self):
        """Put a record."""
        self._client.put_record(StreamName="s", PartitionKey="key", Data=b"{}")

    def reshard(self):
        """Split the shard, and put a record that one of its children gets."""
        self._client.split_shard(StreamName="s", ShardToSplit="shardId-000000000000", NewStartingHashKey=str(2**127))
        self.put()


class Function:
    """A function that is at work for as long as it is not let go."""

    def __init__(self):
        self.let_go = threading.Event()
        self.entered = threading.Event()

    def __call__(self, _payload):
        """Invoke it."""
        self.entered.set()
        assert self.let_go.wait(TIMEOUT)
        return InvocationResult("r", None, None, 0.0)


@pytest.fixture
def kinesis(aws):  # noqa: ARG001 - the client talks to the account that this fixture empties
    """A stream of one shard."""
    return Kinesis()


@pytest.fixture
def clock():
    """Tells the mapping's own thread when to look."""
    return Clock()


@pytest.fixture
def function():
    """Invoked with what the stream holds."""
    return Function()


@pytest.fixture
def mapping(kinesis, clock, function):
    """A mapping of the stream at work, its function with the first record in hand."""
    kinesis.put()
    settings = MappingSettings.from_properties(
        {"EventSourceArn": kinesis.arn, "StartingPosition": "TRIM_HORIZON"},
        role_arn="r",
        uuid="u",
        function_arn="f",
    )
    pace = Pace(poll_interval=0.01, discovery_interval=DISCOVERY)
    mapping = EventSourceMapping(settings, function, kinesis, DestinationClients(), clock, pace=pace)
    mapping.start()
    assert function.entered.wait(TIMEOUT)
    yield mapping
    function.let_go.set()
    kinesis.release.set()
    mapping.stop()


def test_a_drain_whose_listing_fails_is_not_done(kinesis, function, mapping):
    """Shards known from before are not all there are; the child is read once a listing succeeds."""
    function.let_go.set()
    kinesis.reshard()
    kinesis.refuse = 1
    assert not mapping.drain(0.5)
    assert mapping.drain(TIMEOUT)
    assert mapping.counters.consumed == 2


def test_a_listing_from_before_the_drain_does_not_count(kinesis, clock, function, mapping):
    """Made before a reshard and taken in after the drain began, it lacks the child."""
    function.let_go.set()
    wait_until(clock.at_rest.is_set)
    kinesis.hold_next = True
    clock.look.set()
    assert kinesis.held.wait(TIMEOUT)
    kinesis.reshard()
    mapping.begin_drain()
    kinesis.refuse = 1
    kinesis.release.set()
    assert not mapping.drain(0.5)
    assert mapping.drain(TIMEOUT)
    assert mapping.counters.consumed == 2


def test_an_older_listing_does_not_hide_a_shard_that_a_newer_one_found(kinesis, clock, function, mapping):
    """The mapping's own listing comes late, after the drain's: the child that waits for its parent goes on waiting."""
    wait_until(clock.at_rest.is_set)
    kinesis.hold_next = True
    clock.look.set()
    assert kinesis.held.wait(TIMEOUT)
    kinesis.reshard()
    while kinesis.listings.acquire(blocking=False):
        pass
    outcome = []
    drain = threading.Thread(target=lambda: outcome.append(mapping.drain(TIMEOUT)))
    drain.start()
    # Where two listings may be under way at once, the drain's is made meanwhile.
    kinesis.listings.acquire(timeout=0.5)
    kinesis.release.set()
    wait_until(clock.at_rest.is_set)
    function.let_go.set()
    drain.join()
    assert (outcome, mapping.counters.consumed) == ([True], 2)
