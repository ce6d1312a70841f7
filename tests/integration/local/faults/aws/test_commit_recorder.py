"""Commits are noted where S3 has them: neither a fault before nor one after the write may mislead the verdict."""

from __future__ import annotations

import contextlib
import json
import threading

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from local.faults.aws.commit_recorder import CommitRecorder
from local.faults.aws.plan import FaultKind
from tests.support.conditions import wait_until

KEY = "stream/checkpoint.json"


@pytest.fixture
def proxy(aws):
    """A proxy that takes notes."""
    with CommitRecorder(aws) as running:
        yield running


@pytest.fixture
def put(client, bucket):
    """Write an object as the consumer does; what fails, fails silently."""

    def do(content, key=KEY, **condition):
        with contextlib.suppress(BotoCoreError, ClientError):
            client("s3").put_object(Bucket=bucket, Key=key, Body=json.dumps(content).encode(), **condition)

    return do


def tokens(proxy):
    """The tokens of the commits that were noted."""
    return [commit.token for commit in proxy.commits]


def test_a_written_checkpoint_is_noted_with_its_owner(proxy, put):
    """One without a token, one behind a gap, and other objects commit nothing."""
    put({"position_token": "T1", "lease": {"owner": "run-1"}})
    put({"position_token": None})
    put({"position_token": "T2", "gap": {"start": "2024-03-04T23:24:00Z"}})
    put({"position_token": "T3"}, key="rejected/1.json")
    assert [(commit.token, commit.owner) for commit in proxy.commits] == [("T1", "run-1")]


@pytest.mark.parametrize("kind", [FaultKind.RESET, FaultKind.THROTTLED, FaultKind.SERVER_ERROR])
def test_what_a_fault_kept_from_s3_is_no_commit(proxy, put, inject, kind):
    """The consumer will write it again; doubles until then are no broken promise."""
    inject("s3", kind)
    put({"position_token": "T1"})
    assert tokens(proxy) == []


def test_a_commit_whose_answer_was_lost_counts(proxy, put, inject):
    """S3 has it, whatever the consumer knows."""
    inject("s3", FaultKind.ANSWER_LOST)
    put({"position_token": "T1"})
    assert tokens(proxy) == ["T1"]


def test_a_commit_that_s3_refused_is_none_though_the_answer_was_lost(proxy, put, inject):
    """Another run holds the lease: the object is unchanged."""
    put({"position_token": "T1"})
    inject("s3", FaultKind.ANSWER_LOST)
    put({"position_token": "T2"}, IfMatch='"stale"')
    assert tokens(proxy) == ["T1"]


@pytest.mark.parametrize("kind", [FaultKind.RESET, FaultKind.THROTTLED, FaultKind.SERVER_ERROR])
def test_a_snapshot_that_s3_refuses_is_owed_until_another_is_stored(proxy, put, inject, kind):
    """One shard's is not another's, and one whose answer was lost is stored."""
    inject("s3", kind)
    put({}, key="live/shardId-000000000001/open")
    assert proxy.owed() == {"shardId-000000000001"}
    inject("s3", FaultKind.ANSWER_LOST)
    put({}, key="live/shardId-000000000000/open")
    assert proxy.owed() == {"shardId-000000000001"}
    put({}, key="live/shardId-000000000001/closed/20240304T232400Z")
    assert not proxy.owed()


def test_nothing_is_noted_of_the_schedule_before(proxy, put, inject):
    """Each is judged by itself."""
    put({"position_token": "T1"})
    inject("s3", FaultKind.SERVER_ERROR)
    put({}, key="live/shardId-000000000001/open")
    proxy.forget()
    assert (proxy.commits, proxy.owed(), proxy.slowest("ConsumerFunction")) == ([], frozenset(), 0.0)


def test_a_call_that_is_not_answered_is_known(proxy, client, stream, inject, clock):
    """While it is held, whoever ends has not heard of it; a while after its answer everybody has."""
    held, go_on = threading.Event(), threading.Event()

    def hold(_event, _seconds):
        held.set()
        go_on.wait(60)

    clock.wait = hold
    proxy._clock = clock
    assert not proxy.unanswered("ConsumerFunction")
    inject("kinesis", FaultKind.ANSWER_DELAYED, operation="PutRecords", seconds=1)
    kinesis = client("kinesis")
    putting = threading.Thread(
        target=lambda: kinesis.put_records(StreamName="updates", Records=[{"Data": b"x", "PartitionKey": "key"}])
    )
    putting.start()
    assert held.wait(60)
    assert stream() == [b"x"]
    assert proxy.unanswered("ConsumerFunction")
    assert not proxy.unanswered("AggregatorFunction")
    go_on.set()
    putting.join()
    wait_until(lambda: not proxy.unanswered("ConsumerFunction"))
    assert proxy.slowest("ConsumerFunction") > 0
    assert not proxy.slowest("AggregatorFunction")
