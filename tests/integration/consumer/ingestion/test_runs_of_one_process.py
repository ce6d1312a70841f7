"""Several runs of one process, with answers outstanding between them: nothing comes twice, nothing is lost."""

from __future__ import annotations

import json
import random
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta

import botocore.session
import pytest

from common import envelope
from common.clock import SystemClock
from consumer.checkpoint.rejected_lines import RejectedStore
from consumer.checkpoint.store import CheckpointStore
from consumer.deadline import Deadline
from consumer.ingestion.handover import Handover
from consumer.ingestion.run import Run
from consumer.ingestion.stop_request import StopRequest
from consumer.publish import record_format
from consumer.publish.put_records import PutRecords
from consumer.publish.shard_map import ListShards
from consumer.stream.client import StreamClient
from tests.support.conditions import wait_until
from tests.support.raw_feed import RawFeed
from tests.support.stub_aws import StubAws

BUCKET, STREAM = "state", "updates"
BEGUN_AT = datetime.now(UTC).replace(microsecond=0)
FORMATS = pytest.mark.parametrize("envelopes", [False, True], ids=["single", "envelope"])


def line(number, aircraft=10):
    """Line `number` of the feed: a tenth of a second after the one before, of one of a few aircraft."""
    at = (BEGUN_AT + timedelta(seconds=number / 10)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    update = {"icao_address": f"A0{number % aircraft:04X}", "timestamp": at, "ingestion_time": at, "number": number}
    return b'{"target":' + json.dumps(update).encode() + b"}"


class OutOfTime(Deadline):
    """A deadline of which reading has come to the end when a test says so; Kinesis has a moment left then, S3 all."""

    def __init__(self, clock):
        super().__init__(clock, 600)
        self.reading_is_over = False

    def earlier(self, _reserve):
        return _EndOfReading(self)

    def cut(self, seconds, *, reserve=0.0):
        return super().cut(min(seconds, 0.3) if reserve else seconds)


class _EndOfReading(Deadline):
    def __init__(self, end):
        super().__init__(SystemClock(), 600)
        self._whole = end

    @property
    def left(self):
        return -1.0 if self._whole.reading_is_over else super().left


class Process:
    """A process of the consumer's: what lies in its memory lives from run to run."""

    def __init__(self, aws, url, *, envelopes=False):
        self.aws = aws
        self.handover = Handover()
        self.clock = SystemClock()
        self.runs = 0
        self._url = url
        self._envelopes = envelopes
        self._session = botocore.session.get_session()

    def run(self, until, *, start="BEGINNING"):
        """Make a run that is out of time once `until` holds; return its summary, or the error it ended with."""
        self.runs += 1
        owner = f"run-{self.runs}"
        deadline = OutOfTime(self.clock)
        kinesis, s3 = self.aws.kinesis(), self.aws.s3(self._session)
        outcome = []
        with closing(kinesis), closing(StreamClient(self._url, "token", {}, "none")) as client:
            run = Run(
                client,
                CheckpointStore(s3, BUCKET, owner, self.clock, deadline=deadline),
                RejectedStore(s3, BUCKET, owner, self.clock, redactor=client.redactor, deadline=deadline),
                PutRecords(kinesis, STREAM),
                self.clock,
                deadline=deadline,
                stop_request=StopRequest(self.clock),
                start_position=start,
                handover=self.handover,
                record_format=record_format.envelopes(ListShards(kinesis, STREAM)) if self._envelopes else None,
            )

            def execute():
                try:
                    outcome.append(run.execute())
                except Exception as error:  # noqa: BLE001 -- the test gets whatever it is
                    outcome.append(error)

            thread = threading.Thread(target=execute)
            thread.start()
            try:
                wait_until(lambda: until() or outcome)
            finally:
                deadline.reading_is_over = True
                thread.join(30)
            assert not thread.is_alive()
        s3.close()
        return outcome[0]

    @property
    def numbers(self):
        """The numbers of all updates that Kinesis has."""
        with self.aws.lock:
            records = list(self.aws.records)
        found = []
        for shard_id, data in records:
            lines = envelope.lines(data, shard_id)[0].splitlines() if envelope.is_envelope(data) else [data]
            found += [json.loads(one)["number"] for one in lines]
        return sorted(found)


@FORMATS
@pytest.mark.parametrize("tokens", [4, 12, 40])
def test_one_hot_shard_doubles_nothing(envelopes, tokens):
    """A run that ends with many tokens open, behind one throttled shard, leaves nothing for the next to double."""
    count = tokens * 10
    with StubAws(shards=4) as aws, RawFeed(line, every=10, limit=count) as feed:
        process = Process(aws, feed.url, envelopes=envelopes)
        hot = "shardId-000000000001"
        aws.refuses = lambda shard_id, _data: shard_id == hot
        on_others = len([n for n in range(count) if shard_of(n) != hot])
        process.run(lambda: len(process.numbers) >= on_others)
        assert on_others < count
        aws.refuses = lambda _shard_id, _data: False
        process.run(lambda: len(set(process.numbers)) == count)
        assert process.numbers == list(range(count))


def shard_of(number):
    """The shard that Kinesis chooses for an update, found out by asking the stub of another stream."""
    probe = StubAws(shards=4)
    probe._server.server_close()
    address = json.loads(line(number))["target"]["icao_address"]
    return probe.put_records({"Records": [{"Data": "", "PartitionKey": address}]})["Records"][0]["ShardId"]


@FORMATS
@pytest.mark.parametrize("shards", [1, 150])
def test_partial_failures_over_several_runs_double_nothing(envelopes, shards):
    """Whatever Kinesis refuses at random, run after run, each update is there once in the end, and in order."""
    chance, count, runs = random.Random(5), 3000, 4
    with StubAws(shards=shards) as aws, RawFeed(lambda n: line(n, 300), every=10) as feed:
        process = Process(aws, feed.url, envelopes=envelopes)
        for run in range(1, runs + 1):
            feed.limit = count * run // runs
            throttled = set(chance.sample(range(shards), max(1, shards // 10)))
            aws.refuses = lambda shard_id, _data, no=throttled: (
                (int(shard_id[-12:]) in no and shards > 1) or chance.random() < 0.3
            )
            if run == runs:
                aws.refuses = lambda _shard_id, _data: False
                process.run(lambda: len(set(process.numbers)) == count)
            else:
                process.run(lambda aim=feed.limit * 0.6: len(process.numbers) >= aim)
        assert process.numbers == list(range(count))


@FORMATS
def test_an_update_with_its_keys_in_another_order_is_the_same(envelopes):
    """After a reconnect a server may write the same update another way; it must not come twice for that."""
    connections = []

    def spelled(number):
        update = json.loads(line(number))["target"]
        if len(connections) > 1:
            update = dict(reversed(update.items()))
        return b'{"target":' + json.dumps(update).encode() + b"}"

    with StubAws() as aws, RawFeed(spelled, every=10, limit=25) as feed:
        process = Process(aws, feed.url, envelopes=envelopes)
        connections.append(1)
        process.run(lambda: len(process.numbers) == 25)
        connections.append(2)
        feed.limit = 40
        process.run(lambda: len(set(process.numbers)) == 40)
        assert process.numbers == list(range(40))


@FORMATS
@pytest.mark.parametrize("ahead", [None, timedelta(seconds=5), timedelta(hours=20)])
def test_one_wrong_clock_loses_nothing_in_a_recovery(envelopes, ahead):
    """Another process finds its token refused: what was ingested since the commit comes, and nothing before it twice.

    One of the committed updates claims to be ahead of the clock; without it, what was ingested before the token came
    and had not been sent by then must come all the same.
    """
    begun_at = datetime.now(UTC) - timedelta(seconds=45)

    def spelled(number):
        at = begun_at + timedelta(seconds=number) + (ahead if number == 5 and ahead else timedelta())
        time = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return line(number).replace(
            b'"ingestion_time": "%b"' % _ingested(number), b'"ingestion_time": "%b"' % time.encode()
        )

    def in_range(start, end):
        found = [(json.loads(spelled(number))["target"]["ingestion_time"], spelled(number)) for number in range(40)]
        return [text for ingested, text in found if start <= ingested < end]

    with StubAws() as aws, RawFeed(spelled, every=10, limit=30) as feed:
        feed.in_range = in_range
        Process(aws, feed.url, envelopes=envelopes).run(
            lambda: len(process_numbers(aws)) == 30 and "t30" in str(aws.checkpoint)
        )
        feed.limit = 40
        feed.refuses = lambda position: position == "t30"
        second = Process(aws, feed.url, envelopes=envelopes)
        second.runs = 100
        summary = second.run(lambda: len(set(second.numbers)) == 40)
        assert second.numbers == list(range(40))
        assert summary.unrecoverable_gap is None
        assert summary.source_lag_seconds >= 0


def _ingested(number):
    return json.loads(line(number))["target"]["ingestion_time"].encode()


def process_numbers(aws):
    """What Kinesis has, whoever sent it."""
    return Process(aws, "").numbers
