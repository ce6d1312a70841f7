"""Reading a shard where the real service answers what moto never does: expired iterators, the end of a shard."""

from __future__ import annotations

import threading
import time

import boto3
import pytest
from botocore.exceptions import ClientError

from local.clock import SystemClock
from local.event_source_mapping import DestinationClients, EventSourceMapping, MappingSettings, Pace, SilentListener
from local.event_source_mapping.shard_reader import ShardReader
from local.runtime.invocation import InvocationResult

SHARD = "shardId-000000000000"


class Client:
    """moto's Kinesis, but iterators expire and closed shards end when the test says so."""

    def __init__(self, client):
        self._client = client
        self.expire = 0
        self.refuse = 0
        self.reads = 0
        self.closed = False
        self.gate = threading.Event()
        self.gate.set()

    def __getattr__(self, name):
        return getattr(self._client, name)

    def get_shard_iterator(self, **arguments):
        """Get an iterator; other threads than the test's wait at the gate before."""
        if threading.current_thread() is not threading.main_thread():
            assert self.gate.wait(30)
        return self._client.get_shard_iterator(**arguments)

    def get_records(self, **arguments):
        """Read, or refuse, or say that the iterator expired; a closed shard's last answer has no next iterator."""
        self.reads += 1
        if self.refuse:
            self.refuse -= 1
            raise ClientError({"Error": {"Code": "ProvisionedThroughputExceededException"}}, "GetRecords")
        if self.expire:
            self.expire -= 1
            raise self._client.exceptions.ExpiredIteratorException({"Error": {"Code": "Expired"}}, "GetRecords")
        answer = self._client.get_records(**arguments)
        if self.closed and len(answer["Records"]) < arguments["Limit"]:
            del answer["NextShardIterator"]
        return answer


@pytest.fixture
def client(aws):  # noqa: ARG001 - the client talks to the account that this fixture empties
    """A stream `s` with one shard."""
    kinesis = boto3.client("kinesis")
    kinesis.create_stream(StreamName="s", ShardCount=1)
    return Client(kinesis)


def stream_arn(client):
    """The stream's ARN."""
    return client.describe_stream_summary(StreamName="s")["StreamDescriptionSummary"]["StreamARN"]


def put(client, *keys):
    """Put a record a key."""
    client.put_records(StreamName="s", Records=[{"PartitionKey": key, "Data": b"{}"} for key in keys])


def keys(read):
    """The partition keys of what was read."""
    return [record.partition_key for record in read.records]


def test_an_expired_iterator_is_replaced_behind_the_last_record_read(client):
    """No record is skipped and none is read twice."""
    put(client, "a", "b", "c")
    reader = ShardReader(client, stream_arn(client), SHARD, "TRIM_HORIZON")
    assert keys(reader.read(2)) == ["a", "b"]
    client.expire = 1
    expired = reader.read(2)
    assert (expired.records, expired.at_tip) == ([], False)
    assert keys(reader.read(2)) == ["c"]


def test_latest_keeps_its_place_when_its_iterator_expires_unused(client):
    """What was put since the mapping began is read, even if the first iterator expired before."""
    put(client, "before")
    time.sleep(0.01)  # so that the records have different times: there is no condition to wait for
    reader = ShardReader(client, stream_arn(client), SHARD, "LATEST")
    reader.fix_position(SystemClock().now())
    put(client, "after")
    client.expire = 1
    reader.read(10)
    assert keys(reader.read(10)) == ["after"]


def test_a_full_answer_is_not_the_tip(client):
    """Also when all the records arrived within one millisecond, so that moto says nothing is behind."""
    put(client, *"abcdef")
    reader = ShardReader(client, stream_arn(client), SHARD, "TRIM_HORIZON")
    assert [reader.read(3).at_tip for _ in range(3)] == [False, False, True]


def test_an_unknown_stream_is_an_error(client):
    """It is the caller who decides to try again."""
    reader = ShardReader(client, stream_arn(client), "shardId-000000000009", "TRIM_HORIZON")
    with pytest.raises(ClientError):
        reader.read(1)


def start(client, invoke, listener=None, **properties):
    """A mapping of the stream at work."""
    settings = MappingSettings.from_properties(
        {"EventSourceArn": stream_arn(client), "StartingPosition": "TRIM_HORIZON"} | properties,
        role_arn="r",
        uuid="u",
        function_arn="f",
    )
    mapping = EventSourceMapping(
        settings,
        invoke,
        client,
        DestinationClients(),
        SystemClock(),
        listener,
        pace=Pace(poll_interval=0.01, first_retry=0.02),
    )
    mapping.start()
    return mapping


def run(client, invoke, listener=None):
    """A mapping of the stream, run until all is consumed."""
    mapping = start(client, invoke, listener)
    assert mapping.drain(30)
    mapping.stop()
    return mapping


def test_the_end_of_a_shard_ends_its_reading(client):
    """After the last answer of a closed shard nothing is read again, though its batch fails for a while."""
    put(client, "a", "b")
    client.closed = True
    delivered, refusals = [], [True] * 3

    def invoke(payload):
        if refusals:
            refusals.pop()
            return InvocationResult("r", {"errorType": "E", "errorMessage": "not yet"}, "Unhandled", 0.0)
        delivered.append(payload.count(b'"eventID"'))
        return InvocationResult("r", None, None, 0.0)

    mapping = run(client, invoke)
    assert delivered == [2]
    assert mapping.counters.read == 2
    assert client.reads == 1


def test_a_stream_that_cannot_be_read_is_tried_again(client):
    """Failing reads are counted and reported, and cost no record."""
    troubles = []

    class Listening(SilentListener):
        def trouble(self, text):
            troubles.append(text)

    put(client, "a", "b")
    client.refuse = 2
    mapping = run(client, lambda _payload: InvocationResult("r", None, None, 0.0), Listening())
    assert (mapping.counters.read_errors, mapping.counters.consumed) == (2, 2)
    assert "cannot be read" in troubles[0]


def test_latest_is_fixed_when_start_returns(client):
    """A record put right after the start is delivered, however late the shard's thread begins to read."""
    client.gate.clear()
    delivered = []

    def invoke(payload):
        delivered.append(payload.count(b'"eventID"'))
        return InvocationResult("r", None, None, 0.0)

    mapping = start(client, invoke, StartingPosition="LATEST")
    put(client, "after")
    client.gate.set()
    assert mapping.drain(30)
    mapping.stop()
    assert delivered == [1]
