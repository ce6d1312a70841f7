"""What is noted while a run goes on: updates in Kinesis, runs of the consumer, troubles."""

from __future__ import annotations

import base64
import json

import pytest
from backports import zstd

from local.event_source_mapping.observation import BatchFailed, WindowClosed
from local.event_source_mapping.record import KinesisRecord
from local.monitor import Watch
from local.runtime.function_log import FunctionLog
from local.runtime.invocation import InvocationResult

SHARD = "shardId-000000000000"


@pytest.fixture
def messages():
    """The messages for a person."""
    return []


@pytest.fixture
def watch(messages):
    """A watch that tells no details."""
    log = FunctionLog("ConsumerFunction")
    log.write("its last words")
    return Watch(messages.append, log, verbose=False)


def record(data):
    """A record with these bytes."""
    return KinesisRecord("1", "key", data, 0.0)


def envelope(updates, shard=SHARD):
    """An envelope of so many updates."""
    z = base64.b64encode(zstd.compress(b"{}\n" * updates)).decode()
    return record(json.dumps({"v": 1, "n": updates, "shard": shard, "z": z}, separators=(",", ":")).encode())


def test_updates_in_kinesis_are_what_the_farthest_mapping_has_read(watch):
    """Envelopes count for what they hold, those in another shard for nothing; each mapping reads all by itself."""
    first, second = watch.mapping(), watch.mapping()
    first.records_read(SHARD, [record(b"{}"), envelope(30), envelope(5, "shardId-000000000001")])
    second.records_read(SHARD, [record(b"{}")])
    second.records_read(SHARD, [record(b"{}")])
    assert (first.updates, second.updates, watch.in_kinesis) == (31, 2, 31)


def test_before_anything_was_read_nothing_is_in_kinesis(watch):
    """The ending asks from the first moment on."""
    assert watch.in_kinesis == 0


def test_a_failed_run_is_a_trouble_with_the_consumer_s_last_words(watch, messages):
    """Why it failed is there, so that nobody has to look for it."""
    watch.run_finished(InvocationResult("id", {"errorType": "E", "errorMessage": "m"}, "Unhandled", 1.0))
    assert messages == ["a run of the consumer failed: E: m\n    its last words"]
    assert (watch.troubles, len(watch.results)) == (1, 1)


def test_a_run_that_did_not_end_at_a_token_is_a_trouble_and_a_graceful_one_is_none(watch, messages):
    """Both are kept for the report."""
    watch.run_finished(InvocationResult("id", {"graceful": False, "stopped": "deadline"}, None, 1.0))
    watch.run_finished(InvocationResult("id", {"graceful": True}, None, 1.0))
    assert messages == ["a run of the consumer did not end at a token: deadline"]
    assert (watch.troubles, len(watch.results)) == (1, 2)


def test_a_failed_batch_is_shown_and_a_closed_window_is_a_detail(watch, messages):
    """Windows close all the time; only who asks for every detail hears of it."""
    mapping = watch.mapping()
    mapping.batch_failed(BatchFailed(SHARD, 1200, 0, 2, "why"))
    mapping.window_closed(WindowClosed(SHARD, 0, 10, 1200, early=False))
    assert messages == [f"{SHARD}: a batch of 1,200 failed (attempt 2): why"]
    verbose = Watch(messages.append, FunctionLog("ConsumerFunction"), verbose=True)
    verbose.mapping().window_closed(WindowClosed(SHARD, 0, 10, 1200, early=True))
    assert messages[-1] == f"window closed: {SHARD}, 1,200 records, early"
