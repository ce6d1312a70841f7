"""S3 that is slow, hangs, or answers what it never should: a run ends in its time, and in order as far as it can."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta

import botocore.session
import pytest

from common.clock import SystemClock
from consumer.checkpoint.document import MAX_BYTES
from consumer.checkpoint.rejected_lines import RejectedStore
from consumer.checkpoint.store import CheckpointStore
from consumer.deadline import Deadline
from consumer.errors import CheckpointError, ConsumerError, LeaseHeldError
from consumer.ingestion.handover import Handover
from consumer.ingestion.run import Run
from consumer.ingestion.stop_request import StopRequest
from consumer.publish.put_records import PutRecords
from consumer.stream.client import StreamClient
from tests.integration.consumer.conftest import JumpingClock
from tests.support.conditions import wait_until
from tests.support.raw_feed import RawFeed
from tests.support.stub_aws import StubAws

SESSION = botocore.session.get_session()
NOW = datetime.now(UTC).replace(microsecond=0)


def line(number):
    """Update `number`."""
    at = NOW.isoformat()
    return json.dumps({"target": {"icao_address": f"{number:06X}", "timestamp": at, "ingestion_time": at}}).encode()


class HangingS3:
    """Writes hang from number `first` on; that one, and the one before it, bring the end of the run near."""

    def __init__(self, first, never):
        self.deadline = Deadline(SystemClock(), 600)
        self._first, self._never, self._puts = first, never, 0

    def __call__(self, method, _key):
        self._puts += method == "PUT"
        if self._puts == self._first - 1:
            self.deadline.bring_forward(2)  # or the next would be the renewal of the lease
        if self._puts >= self._first:
            self.deadline.bring_forward(0.5)
            self._never.wait()


class SlowS3:
    """Writes take so many seconds of the clock; all else takes as long as it takes."""

    def __init__(self, clock, seconds):
        self.deadline = Deadline(clock, 600)
        self._clock, self._seconds = clock, seconds

    def __call__(self, method, _key):
        if method == "PUT":
            self._clock.advance(seconds=self._seconds)

    def end_run(self):
        """Leave the run as long as a write that may be under way and the last one take."""
        self.deadline.bring_forward(2 * self._seconds + 0.5)


def run_once(aws, url, *, deadline, clock=None, handover=None, owner="run-1"):  # noqa: PLR0913 -- what runs differ in
    """Make one run; return its summary or its error."""
    clock = clock or SystemClock()
    s3, kinesis = aws.s3(SESSION), aws.kinesis()
    with closing(s3), closing(kinesis), closing(StreamClient(url, "token", {}, "none")) as client:
        run = Run(
            client,
            CheckpointStore(s3, "state", owner, clock, deadline=deadline),
            RejectedStore(s3, "state", owner, clock, redactor=client.redactor, deadline=deadline),
            PutRecords(kinesis, "updates"),
            clock,
            deadline=deadline,
            stop_request=StopRequest(clock),
            start_position="BEGINNING",
            handover=handover or Handover(),
        )
        try:
            return run.execute()
        except ConsumerError as error:
            return error


@pytest.fixture
def never():
    """What a hanging S3 waits for: the end of the test."""
    event = threading.Event()
    yield event
    event.set()


@pytest.mark.parametrize("seconds", [10, 20])
def test_slow_writes_are_reckoned_with(seconds):
    """A run whose writes take long ends earlier, so that the last one is done and the lease is given back."""
    with StubAws() as aws, RawFeed(line, every=10, limit=40) as feed, ThreadPoolExecutor() as beside:
        clock = JumpingClock()
        aws.delay = SlowS3(clock, seconds)
        run = beside.submit(run_once, aws, feed.url, deadline=aws.delay.deadline, clock=clock)
        wait_until(lambda: run.done() or "t40" in str(aws.objects.get("checkpoint.json")))
        aws.delay.end_run()
        assert run.result().published == 40
        assert aws.checkpoint["position_token"] == "t40"
        assert aws.checkpoint["lease"] is None


@pytest.mark.parametrize("hangs_from", [1, 2, 3])
def test_a_write_that_hangs_does_not_keep_the_run(never, hangs_from):
    """Whichever write hangs (the lease, a commit, the last), its deadline ends the run, which says what failed."""
    with StubAws() as aws, RawFeed(line, every=10, limit=40) as feed:
        aws.delay = HangingS3(hangs_from, never)
        error = run_once(aws, feed.url, deadline=aws.delay.deadline)
        assert isinstance(error, CheckpointError)
        assert "no answer within the time of the run" in str(error)
        never.set()


def test_a_read_that_hangs_does_not_keep_the_run(never):
    """The run has not begun then: it must not have the process killed for it."""
    with StubAws() as aws:
        aws.delay = lambda *_: never.wait()
        error = run_once(aws, "http://127.0.0.1:9/", deadline=Deadline(SystemClock(), 0.5))
        assert "no answer within the time of the run" in str(error)
        never.set()


def test_the_lease_of_a_run_that_could_not_give_it_back_holds_up_no_other(never):
    """The next run of the process knows that the holder is over; another process waits for the lease."""
    with StubAws() as aws, RawFeed(line, every=10, limit=40) as feed:
        handover = Handover()
        aws.delay = HangingS3(2, never)
        run_once(aws, feed.url, deadline=aws.delay.deadline, handover=handover)
        assert aws.checkpoint["lease"]["owner"] == "run-1"
        aws.delay = lambda *_: None
        other = run_once(aws, feed.url, deadline=Deadline(SystemClock(), 600), owner="elsewhere")
        assert other.stopped == "lease_held"
        deadline = Deadline(SystemClock(), 600)
        aws.delay = lambda method, _key: deadline.bring_forward(2) if method == "PUT" else None
        run_once(aws, feed.url, deadline=deadline, handover=handover, owner="run-2")
        assert (aws.checkpoint["lease"] or {}).get("owner") != "run-1"
        never.set()


def store(aws, owner="run-1"):
    """A store without a deadline."""
    return CheckpointStore(aws.s3(SESSION), "state", owner, SystemClock())


def put(aws, *, written=timedelta(), **fields):
    """Write a checkpoint that was written so long ago."""
    body = json.dumps({"version": 1} | fields).encode()
    aws.objects["checkpoint.json"] = body, '"etag"', aws.now() - written


@pytest.mark.parametrize("until", ["2099-01-01T00:00:00Z", "9999-12-31T23:59:59-10:00", "0001-01-01T00:00:00+14:00"])
def test_a_lease_that_no_consumer_can_have_is_nobodys(until):
    """A consumer's lease ends within seconds: one until 2099, or of no time at all, must not stop the stream."""
    with StubAws() as aws:
        put(aws, lease={"owner": "a wrong clock", "expires_at": until})
        assert store(aws).acquire() is None
        assert aws.checkpoint["lease"]["owner"] == "run-1"


def test_a_lease_is_over_when_its_holder_is():
    """A holder writes every 15 s: S3's own clock, which need not agree with ours, says whether it has stopped."""
    with StubAws() as aws:
        aws.now = lambda: datetime.now(UTC) + timedelta(days=400)
        lease = {"owner": "another", "expires_at": (datetime.now(UTC) + timedelta(seconds=90)).isoformat()}
        put(aws, lease=lease, written=timedelta(seconds=20))
        with pytest.raises(LeaseHeldError):
            store(aws).acquire()
        put(aws, lease=lease, written=timedelta(seconds=60))
        assert store(aws).acquire() is None


def test_a_holders_name_is_one_bounded_line():
    """It stands in the object, which anybody may have written: neither a megabyte nor an escape sequence is logged."""
    with StubAws() as aws:
        until = (datetime.now(UTC) + timedelta(seconds=60)).isoformat()
        put(aws, lease={"owner": "\x1b[31m" + "o" * 50_000, "expires_at": until})
        with pytest.raises(LeaseHeldError, match=r"o… holds the lease") as raised:
            store(aws).acquire()
        assert len(str(raised.value)) < 1000
        assert str(raised.value).isprintable()


POSITION = {"position_token": "t1", "token_received_at": "2024-03-04T12:00:00Z"}
ODD = {
    "an empty token": POSITION | {"position_token": ""},
    "a blank token": POSITION | {"position_token": " \u2028"},
    "a token longer than a request's head": POSITION | {"position_token": "t" * 5000},
    "a token of year 1": POSITION | {"token_received_at": "0001-01-01T00:00:00Z"},
    "of year 1, east of Greenwich": POSITION | {"token_received_at": "0001-01-01T00:00:00+14:00"},
    "an update of year 9999": POSITION | {"newest_ingestion_time": "9999-12-31T23:59:59-10:00"},
    "a gap of year 1": POSITION | {"gap": {"start": "0001-01-01T00:00:00Z", "end": "2024-03-04T12:00:00Z"}},
    "more than any checkpoint": POSITION | {"frontier": ["x" * MAX_BYTES]},
}


@pytest.mark.parametrize("fields", ODD.values(), ids=ODD.keys())
def test_what_no_run_has_written_is_refused_with_its_name(fields):
    """It is no position to read from: the text says what is wrong and what to do, and nothing is overwritten."""
    with StubAws() as aws:
        put(aws, **fields)
        before = aws.objects["checkpoint.json"]
        with pytest.raises(CheckpointError, match="restore an older version"):
            store(aws).acquire()
        assert aws.objects["checkpoint.json"] == before


def test_an_answer_without_an_etag_is_an_error_of_ours():
    """What S3 always sends may be missing from what is in its place: the run says that, and commits nothing."""
    with StubAws() as aws:
        aws.etag = ""
        with pytest.raises(CheckpointError, match=r"could not be written \(KeyError: 'ETag'\)"):
            store(aws).acquire()
