"""The consumer's surroundings: clocks that can jump, feeds, AWS in moto, and a consumer that runs on a thread."""

from __future__ import annotations

import json
import threading
import time
from datetime import UTC, datetime, timedelta
from itertools import count

import boto3
import pytest
from botocore.config import Config

from common import envelope
from consumer.checkpoint.rejected_lines import RejectedStore
from consumer.checkpoint.store import CheckpointStore
from consumer.deadline import Deadline
from consumer.ingestion.run import Run
from consumer.ingestion.status import StatusWriter
from consumer.ingestion.stop_request import StopRequest
from consumer.publish import record_format
from consumer.publish.put_records import PutRecords
from consumer.publish.shard_map import ListShards
from consumer.stream.client import StreamClient
from consumer.timing import Timing
from local.simulator.feed import Feed
from local.simulator.server import TrackingStreamServer
from tests.support.conditions import wait_until
from tests.support.faulty_aws import PartlyFailingKinesis

API_TOKEN = "s3cr3t-api-token-0123456789abcdef"
BUCKET, DATA_BUCKET, STREAM = "state", "data", "updates"
_OURS = ("publisher", "committer", "put-records", "alarm-clock", "status")


class JumpingClock:
    """The machine's clock, moved on by `advance`; waits take no real time, but the clock moves on by them."""

    def __init__(self):
        self.skipped = 0.0
        self.slept = []

    def advance(self, **duration):
        """Jump: `advance(hours=7)`."""
        self.skipped += timedelta(**duration).total_seconds()

    def now(self):
        return datetime.now(UTC) + timedelta(seconds=self.skipped)

    def monotonic(self):
        return time.monotonic() + self.skipped

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.skipped += seconds


class FeedClock:
    """The same time for the simulator's feed, which looks at it every few milliseconds."""

    def __init__(self, clock):
        self._clock = clock

    def now(self):
        return self._clock.now().timestamp()

    def wait(self, event, seconds):
        return event.wait(min(seconds, 0.01))


class Lines:
    """A source for the simulator's feed: given updates, by ingestion time."""

    kind, endless = "lines", False

    def __init__(self, start, updates):
        self.start = start.timestamp()
        self._updates = [(at.timestamp(), line) for at, line in updates]
        self.identity = f"lines {len(updates)}"

    def updates(self):
        yield from self._updates


def target(number, at, aircraft=7):
    """Return the JSON object of update `number`, ingested at `at`, of one of a few aircraft."""
    ingested = at.isoformat(timespec="microseconds").replace("+00:00", "Z")
    update = {"icao_address": f"A0000{number % aircraft:X}", "timestamp": ingested, "ingestion_time": ingested}
    return json.dumps(update | {"number": number}, separators=(",", ":")).encode()


def message(data):
    """Return the line of the stream that carries an update."""
    return b'{"target":' + data + b"}"


def token(name):
    """Return the line of the stream that carries a position token."""
    return b'{"position_token":"' + name.encode() + b'"}\n'


def every(seconds, count, start):
    """Return `count` updates for a feed, one every so many seconds from `start` on, numbered from 0."""
    times = [start + timedelta(seconds=number * seconds) for number in range(count)]
    return [(at, message(target(number, at))) for number, at in enumerate(times)]


def answering(data, then=None):
    """A script that sends this, and then does something with the exchange, or breaks off."""

    def script(exchange):
        exchange.begin()
        exchange.send(data)
        if then is not None:
            then(exchange)

    return script


def quiet(exchange):
    """A live stream on which only position tokens come."""
    exchange.begin()
    for number in count(3):
        exchange.send(token(f"t{number}"))
        if exchange._stopping.wait(0.01):
            return


class FailingWrites:
    """S3 of which only the first write succeeds; each other one raises `error`."""

    def __init__(self, s3, error):
        self.get_object = s3.get_object
        self._s3, self._error = s3, error
        self.puts = 0

    def put_object(self, **request):
        self.puts += 1
        if self.puts > 1:
            raise self._error
        return self._s3.put_object(**request)


@pytest.fixture
def clock():
    """A clock that can jump."""
    return JumpingClock()


@pytest.fixture(autouse=True)
def no_thread_is_left():
    """No test may leave a thread of the consumer's behind."""
    before = set(threading.enumerate())
    yield
    wait_until(
        lambda: not [t for t in set(threading.enumerate()) - before if t.name.startswith(_OURS) and t.is_alive()]
    )


class State:
    """What the tests look at: the checkpoint, the rejected lines, and the Kinesis stream itself."""

    def __init__(self):
        config = Config(retries={"total_max_attempts": 1})
        self.s3 = boto3.client("s3", config=config)
        self.kinesis = boto3.client("kinesis", config=config)
        for bucket in (BUCKET, DATA_BUCKET):
            self.s3.create_bucket(Bucket=bucket)
        self.kinesis.create_stream(StreamName=STREAM, ShardCount=2)

    @property
    def checkpoint(self):
        return json.loads(self.s3.get_object(Bucket=BUCKET, Key="checkpoint.json")["Body"].read())

    def put_checkpoint(self, **fields):
        self.s3.put_object(Bucket=BUCKET, Key="checkpoint.json", Body=json.dumps({"version": 1} | fields).encode())

    @property
    def rejected(self):
        listed = self.s3.list_objects_v2(Bucket=BUCKET, Prefix="rejected/").get("Contents", [])
        bodies = [self.s3.get_object(Bucket=BUCKET, Key=entry["Key"])["Body"].read() for entry in listed]
        return [[json.loads(line) for line in body.splitlines()] for body in bodies]

    @property
    def records(self):
        """The key and the data of every update, shard by shard, out of its envelope if it is in one."""
        found = []
        for shard_id, key, data in self.kinesis_records:
            if envelope.is_envelope(data):
                lines = envelope.lines(data, shard_id)[0].splitlines()
                found += [(json.loads(line)["icao_address"], line) for line in lines]
            else:
                found.append((key, data))
        return found

    @property
    def kinesis_records(self):
        """The shard, key and data of every record, shard by shard."""
        found = []
        for shard in self.kinesis.list_shards(StreamName=STREAM)["Shards"]:
            iterator = self.kinesis.get_shard_iterator(
                StreamName=STREAM, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
            )["ShardIterator"]
            while True:
                answer = self.kinesis.get_records(ShardIterator=iterator, Limit=10_000)
                found += [(shard["ShardId"], record["PartitionKey"], record["Data"]) for record in answer["Records"]]
                iterator = answer["NextShardIterator"]
                if not answer["Records"]:
                    break
        return found

    @property
    def numbers(self):
        """The numbers of all updates in the Kinesis stream, sorted: what is missing or doubled shows."""
        return sorted(json.loads(data)["number"] for _, data in self.records)

    def numbers_by_key(self):
        """The numbers of the updates of each aircraft, in the order in which Kinesis has them."""
        found = {}
        for key, data in self.records:
            found.setdefault(key, []).append(json.loads(data)["number"])
        return found


@pytest.fixture
def state(aws):
    """The state bucket and the updates stream, empty."""
    del aws
    return State()


def in_envelopes(state):
    """The format in which many updates share a record."""
    return record_format.envelopes(ListShards(state.kinesis, STREAM))


class Consumer:
    """One run of the consumer, on its own thread so that the test can act meanwhile."""

    def __init__(  # noqa: PLR0913 -- its fixtures
        self, state, url, clock, *, owner="run-1", seconds=600.0, start="BEGINNING", run_seconds=None, **parts
    ):
        self.kinesis = parts.get("kinesis") or PartlyFailingKinesis(state.kinesis)
        self.stop_request = parts.get("stop_request") or StopRequest(clock, run_seconds)
        self.client = StreamClient(url, API_TOKEN, {}, parts.get("compression", "gzip"))
        timing = parts.get("timing") or Timing()
        deadline = Deadline(clock, seconds)
        s3 = parts.get("s3") or state.s3
        self.checkpoint = CheckpointStore(s3, BUCKET, owner, clock, lease_seconds=timing.lease, deadline=deadline)
        self.run = Run(
            self.client,
            self.checkpoint,
            RejectedStore(s3, BUCKET, owner, clock, redactor=self.client.redactor, deadline=deadline),
            PutRecords(self.kinesis, STREAM),
            clock,
            deadline=deadline,
            stop_request=self.stop_request,
            start_position=start,
            timing=timing,
            handover=parts.get("handover"),
            stop_when_caught_up=parts.get("stop_when_caught_up", False),
            delay=parts.get("delay", timedelta()),
            record_format=record_format.envelopes(ListShards(state.kinesis, STREAM))
            if parts.get("envelopes")
            else None,
            status=StatusWriter(
                parts.get("status_s3") or state.s3, DATA_BUCKET, clock, deadline=deadline, seconds=tells
            )
            if (tells := parts.get("tells"))
            else None,
        )
        self._state = state
        self._outcome = None
        self._thread = threading.Thread(target=self._execute, name="consumer-under-test")
        self._thread.start()

    def _execute(self):
        try:
            self._outcome = self.run.execute()
        except Exception as error:  # noqa: BLE001 -- the test gets whatever it is
            self._outcome = error

    @property
    def is_running(self):
        return self._thread.is_alive()

    @property
    def committed(self):
        return self.run._committer.committed

    def wait(self):
        """Wait for the end of the run; return its summary, or raise what it raised."""
        self._thread.join(30)
        assert not self._thread.is_alive(), "the run does not end"
        self.client.close()
        if isinstance(self._outcome, Exception):
            raise self._outcome
        return self._outcome

    def stop(self):
        """Ask for a stop as SIGTERM does, and wait for it."""
        self.stop_request.by_signal = True
        return self.wait()

    def stop_after(self, updates):
        """Stop at the first token after Kinesis has acknowledged so many updates in this run."""
        wait_until(lambda: self.kinesis.acknowledged >= updates or not self.is_running)
        return self.stop()


@pytest.fixture
def consume(state, clock):
    """A function that starts a consumer; whatever still runs at the end of the test is stopped."""
    started = []

    def start(url, **options):
        started.append(Consumer(state, url, clock, **options))
        return started[-1]

    yield start
    for consumer in started:
        if consumer.is_running:
            consumer.stop_request.by_signal = True
            consumer.run._abandon()
            consumer._thread.join(30)
        consumer.client.close()


@pytest.fixture
def simulator(clock):
    """A function that starts the simulator on a list of updates, with a clock that jumps with the consumer's on demand.

    With a delay the feed is as late, by its own clock.

    All are stopped after the test.
    """
    running = []

    def start(updates, *, jumps=False, delay=timedelta(), **options):
        feed = Feed(Lines(clock.now() - delay, updates), clock=FeedClock(clock) if jumps else None)
        server = TrackingStreamServer(feed, token=API_TOKEN, **{"token_interval": 0.05} | options)
        server.start()
        feed.start()
        running.append((feed, server))
        return server

    yield start
    for feed, server in running:
        feed.stop()
        server.stop()
