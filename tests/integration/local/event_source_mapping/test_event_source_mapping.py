"""A mapping over a real Kinesis API (moto): put, poll, invoke, across shards, failures and resharding."""

from __future__ import annotations

import dataclasses
import json
import math
import threading
import time
import uuid

import boto3
import pytest

from local.clock import SystemClock
from local.event_source_mapping import DestinationClients, EventSourceMapping, MappingSettings, Pace, SilentListener
from local.runtime.invocation import InvocationResult, ThrottledError

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


def test_all_records_of_all_shards_arrive_once_and_in_order(stream, mapping):
    """What was put before and after the start is delivered, each shard in its own order."""
    source, function = stream(3), Function()
    source.put(*(f"key-{number}" for number in range(700)))
    running = mapping(source, function, BatchSize=50)
    eventually(lambda: len(function.ids()) == 700)
    source.put(*(f"key-{number}" for number in range(300)))
    assert drained(running)
    ids = function.ids()
    assert len(ids) == len(set(ids)) == 1000
    for shard in source.shards():
        numbers = [int(one.split(":")[1]) for one in ids if one.startswith(shard["ShardId"])]
        assert numbers == list(range(1, len(numbers) + 1))
    assert all(len({record["eventID"][:20] for record in event["Records"]}) == 1 for event in function.events)
    assert running.counters.consumed == running.counters.read == 1000
    assert running.iterator_age is not None


def test_latest_begins_at_the_start_and_misses_nothing_after_it(stream, mapping):
    """Records put before the start are not delivered; all put after `start` returned are."""
    source, function = stream(2), Function()
    source.put("before-1", "before-2", "before-3")
    running = mapping(source, function, StartingPosition="LATEST")
    source.put(*(f"after-{number}" for number in range(50)))
    assert drained(running)
    assert sorted(function.keys()) == sorted(f"after-{number}" for number in range(50))


def test_at_timestamp_begins_with_the_records_from_then_on(stream, mapping):
    """The timestamp tells where reading begins."""
    source, function = stream(1), Function()
    source.put("early")
    time.sleep(0.01)  # so that the two records have different times: there is no condition to wait for
    between = SystemClock().now()
    time.sleep(0.01)
    source.put("late")
    running = mapping(source, function, StartingPosition="AT_TIMESTAMP", StartingPositionTimestamp=between)
    assert drained(running)
    assert function.keys() == ["late"]


def test_a_shard_that_fails_for_ever_does_not_hold_up_another(stream, mapping):
    """One shard retries without end; the other's records go through, and only the first is not drained."""
    source = stream(2)

    def refuse_the_first_shard(event):
        if event["Records"][0]["eventID"].startswith("shardId-000000000000"):
            raise ValueError("refused")

    function = Function(refuse_the_first_shard)
    source.put(*["bad"] * 20, shard=0)
    source.put(*["good"] * 500, shard=1)
    running = mapping(source, function, BatchSize=10)
    eventually(lambda: running.counters.consumed == 500)
    eventually(lambda: running.counters.function_errors >= 3)
    assert not running.drain(0.2)
    assert {tuple(event["Records"][0]["eventID"].split(":")) for event in function.events} >= {
        ("shardId-000000000000", "1")
    }


def test_a_batch_given_up_becomes_an_object_in_s3(stream, mapping):
    """The object lies under the mapping and the shard, with the metadata and the whole event."""
    source = stream(1)
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="failures")

    def refuse(event):
        raise ValueError(f"{len(event['Records'])} records refused")

    function = Function(refuse)
    heard = []

    class Listening(SilentListener):
        def discarded(self, event):
            heard.append(len(event.records))

    source.put("a", "b", "c", data=b'{"x": 1}\n')
    running = mapping(
        source,
        function,
        destinations=DestinationClients(s3=s3),
        listener=Listening(),
        MaximumRetryAttempts=1,
        DestinationConfig={"OnFailure": {"Destination": "arn:aws:s3:::failures"}},
    )
    assert drained(running)
    (listed,) = s3.list_objects_v2(Bucket="failures")["Contents"]
    assert listed["Key"].startswith("aws/lambda/esm-uuid/shardId-000000000000/20")
    body = json.loads(s3.get_object(Bucket="failures", Key=listed["Key"])["Body"].read())
    assert body["payload"] == function.events[-1]
    assert body["KinesisBatchInfo"]["batchSize"] == 3
    assert body["requestContext"]["approximateInvokeCount"] == 2
    assert body["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert heard == [3]
    assert (running.counters.discarded, running.counters.unkept) == (3, 0)


def test_a_batch_given_up_becomes_a_message_in_a_queue_or_a_topic(stream, mapping):
    """Queue and topic get the metadata without the records."""
    sqs, sns = boto3.client("sqs"), boto3.client("sns")
    queues = {name: sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("direct", "behind-topic")}
    arns = {
        name: sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        for name, url in queues.items()
    }
    topic = sns.create_topic(Name="failures")["TopicArn"]
    sns.subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=arns["behind-topic"], Attributes={"RawMessageDelivery": "true"}
    )

    def refuse(_event):
        raise ValueError("refused")

    for destination in (arns["direct"], topic):
        source = stream(1)
        source.put("a")
        running = mapping(
            source,
            Function(refuse),
            destinations=DestinationClients(sqs=sqs, sns=sns),
            MaximumRetryAttempts=0,
            DestinationConfig={"OnFailure": {"Destination": destination}},
        )
        assert drained(running)
    for url in queues.values():
        (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
        body = json.loads(message["Body"])
        assert body["KinesisBatchInfo"]["batchSize"] == 1
        assert "payload" not in body


def test_a_destination_that_is_not_there_is_reported_and_stops_nothing(stream, mapping):
    """The shard goes on; the failure is counted and told, and the records as kept nowhere."""
    source = stream(1)
    troubles = []

    class Listening(SilentListener):
        def trouble(self, text):
            troubles.append(text)

    def refuse_the_first(event):
        if event["Records"][0]["kinesis"]["partitionKey"] == "bad":
            raise ValueError("refused")

    source.put("bad", "good")
    running = mapping(
        source,
        Function(refuse_the_first),
        destinations=DestinationClients(s3=boto3.client("s3")),
        listener=Listening(),
        BatchSize=1,
        MaximumRetryAttempts=0,
        DestinationConfig={"OnFailure": {"Destination": "arn:aws:s3:::no-such-bucket"}},
    )
    assert drained(running)
    counters = running.counters
    assert (counters.consumed, counters.discarded, counters.destination_failures, counters.unkept) == (1, 1, 1, 1)
    assert "destination" in troubles[0]


def test_what_is_given_up_without_a_destination_is_kept_nowhere(stream, mapping):
    """Records count each, the lost state of a window as one."""

    def refuse(event):
        if event["isFinalInvokeForWindow"] or event["Records"][0]["kinesis"]["partitionKey"] == "bad":
            raise ValueError("refused")
        return {"state": {}}

    source = stream(1)
    source.put("bad", "bad", "good")
    running = mapping(source, Function(refuse), BatchSize=1, MaximumRetryAttempts=0, TumblingWindowInSeconds=900)
    eventually(lambda: running.counters.consumed == 1)
    assert drained(running)
    assert (running.counters.discarded, running.counters.unkept) == (2, 3)


def test_a_window_closes_by_itself_and_the_rest_at_the_drain(stream, mapping):
    """A window of a second ends with its second; draining does not wait for the last one."""
    source = stream(1)
    function = Function(lambda event: {"state": {"seen": event["state"].get("seen", 0) + len(event["Records"])}})
    running = mapping(source, function, TumblingWindowInSeconds=1)
    source.put("a", "b")
    eventually(lambda: running.counters.windows_closed == 1)
    long = Function(function.answer)
    other = mapping(source, long, TumblingWindowInSeconds=900)
    assert drained(other)
    assert other.counters.windows_closed >= 1
    assert long.events[-1]["isFinalInvokeForWindow"]
    assert all(event["window"]["end"] > event["window"]["start"] for event in long.events)


def test_a_drain_does_not_wait_for_the_next_poll(stream, mapping):
    """Whoever ends a run waits for the drain: the tip is looked for at once, however far the next poll is."""
    source, function = stream(1), Function()
    running = mapping(source, function, start=False, pace=Pace(poll_interval=3600.0))
    source.put("one")
    running.start()
    eventually(lambda: running.counters.consumed == 1)
    source.put("two")
    assert drained(running)
    assert running.counters.consumed == 2


@pytest.mark.parametrize(("speed", "interval"), [(1.0, 1.0), (4.0, 0.25), (60.0, 0.1), (math.inf, 0.1), (0.5, 1.0)])
def test_polls_come_as_much_sooner_as_the_feed_runs_faster(speed, interval):
    """Within bounds: never later than Lambda polls, and never so often that reading is all the local AWS does."""
    assert Pace.at(speed) == dataclasses.replace(Pace(), poll_interval=interval)


def test_a_split_shard_closes_its_window_and_its_children_are_polled(stream, mapping):
    """Resharding ends the parent's window long before its time, and the children are found at run time."""
    source = stream(1)
    function = Function(lambda _event: {"state": {}})
    running = mapping(source, function, TumblingWindowInSeconds=900)
    source.put("a", "b", "c")
    eventually(lambda: running.counters.consumed == 3)
    assert running.counters.windows_closed == 0
    (parent,) = source.shards()
    middle = int(parent["HashKeyRange"]["EndingHashKey"]) // 2
    source.client.split_shard(StreamName=source.name, ShardToSplit=parent["ShardId"], NewStartingHashKey=str(middle))
    eventually(lambda: running.counters.windows_closed >= 1)
    source.put("a", "b", "c", "d")
    eventually(lambda: running.counters.consumed == 7)
    assert drained(running)
    assert [one for one in function.ids() if one.startswith(parent["ShardId"])] == [
        f"{parent['ShardId']}:{number}" for number in (1, 2, 3)
    ]
    assert len(function.ids()) == 7


def test_children_are_read_after_both_their_parents_were_consumed(stream, mapping):
    """A merged shard's records come after the last record of its parents, even when one of these fails for long."""
    source = stream(2)
    refuse = threading.Event()
    refuse.set()

    def refuse_one_parent(event):
        if refuse.is_set() and event["Records"][0]["eventID"].startswith("shardId-000000000001"):
            raise ValueError("refused")

    function = Function(refuse_one_parent)
    source.put("one", "two", shard=0)
    source.put("three", shard=1)
    first, second = (shard["ShardId"] for shard in source.shards())
    source.client.merge_shards(StreamName=source.name, ShardToMerge=first, AdjacentShardToMerge=second)
    source.put("four", "five", "six")
    running = mapping(source, function)
    eventually(lambda: running.counters.function_errors >= 3)
    refuse.clear()
    assert drained(running)
    child = [one.startswith("shardId-000000000002") for one in function.ids()]
    assert child.count(True) == 3
    assert child == sorted(child)


def test_a_child_found_later_is_read_from_its_beginning_even_with_latest(stream, mapping):
    """What a child holds came after the mapping began, so LATEST must not skip it."""
    source, function = stream(2), Function()
    running = mapping(source, function, StartingPosition="LATEST")
    source.put("one", shard=0)
    source.put("two", shard=1)
    eventually(lambda: running.counters.consumed == 2)
    first, second = (shard["ShardId"] for shard in source.shards())
    source.client.merge_shards(StreamName=source.name, ShardToMerge=first, AdjacentShardToMerge=second)
    source.put("three", "four")
    assert drained(running)
    assert [one for one in function.ids() if one.startswith("shardId-000000000002")] == [
        "shardId-000000000002:1",
        "shardId-000000000002:2",
    ]


def test_lanes_run_at_the_same_time_with_a_parallelization_factor(stream, mapping):
    """Two batches of one shard are in the function at once, and nothing is lost."""
    source = stream(1)
    together = threading.Barrier(2, timeout=TIMEOUT)
    met = threading.Event()

    def meet(_event):
        if not met.is_set():
            together.wait()
            met.set()

    function = Function(meet)
    source.put(*(f"key-{number}" for number in range(100)))
    running = mapping(source, function, ParallelizationFactor=2, BatchSize=10)
    assert drained(running)
    assert met.is_set()
    assert len(set(function.ids())) == 100


def test_a_throttled_function_gets_everything_in_the_end(stream, mapping):
    """Throttles delay and lose nothing, even with no retry allowed."""
    source, function = stream(1), Function()
    refusals = [ThrottledError(), ThrottledError(), ConnectionError("not yet")]

    def throttled_at_first(payload):
        if refusals:
            raise refusals.pop()
        return function(payload)

    source.put("a", "b")
    running = mapping(source, throttled_at_first, MaximumRetryAttempts=0)
    assert drained(running)
    assert function.keys() == ["a", "b"]
    assert (running.counters.throttles, running.counters.service_errors, running.counters.discarded) == (2, 1, 0)


def test_stopping_waits_for_the_invocation_that_is_under_way(stream, mapping):
    """After `stop` nothing is invoked any more, and the last invocation was let finish."""
    source = stream(1)
    entered, leave = threading.Event(), threading.Event()

    def slow(_event):
        entered.set()
        assert leave.wait(TIMEOUT)

    function = Function(slow)
    source.put(*["key"] * 5)
    running = mapping(source, function, BatchSize=1)
    assert entered.wait(TIMEOUT)
    stopping = threading.Thread(target=running.stop)
    stopping.start()
    assert stopping.is_alive()
    leave.set()
    stopping.join(TIMEOUT)
    assert not stopping.is_alive()
    assert len(function.events) == 1
    assert running.counters.consumed == 1


def test_stopping_now_waits_for_nothing(stream, mapping):
    """`stop(now=True)` returns while the function is still at work."""
    source = stream(1)
    entered, leave = threading.Event(), threading.Event()

    def slow(_event):
        entered.set()
        leave.wait(TIMEOUT)

    source.put("key")
    running = mapping(source, Function(slow))
    assert entered.wait(TIMEOUT)
    running.stop(now=True)
    assert running.counters.consumed == 0
    leave.set()


def test_a_disabled_mapping_invokes_nothing_and_holds_up_nobody(stream, mapping):
    """It starts no poller, and counts as drained."""
    source, function = stream(1), Function()
    source.put("a")
    running = mapping(source, function, Enabled=False)
    assert drained(running)
    assert function.events == []
    assert running.counters.read == 0
