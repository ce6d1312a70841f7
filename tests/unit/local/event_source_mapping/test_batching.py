"""How records become batches, and what the event looks like."""

from __future__ import annotations

import json

import pytest

from local.event_source_mapping.batch import LARGEST_PAYLOAD
from local.event_source_mapping.event import EventWriter
from local.event_source_mapping.pace import Pace
from local.event_source_mapping.record import KinesisRecord
from local.event_source_mapping.shard import Shard
from local.runtime.invocation import ThrottledError


def test_the_event_is_lambdas_kinesis_event_to_the_letter(rig):
    """An event without a window holds `Records` alone, each exactly as Lambda writes it."""
    shard = rig()
    shard.now = 1545084650.987
    shard.put(data=b"Hello, this is a test.", key='a "key" \u00e9').work()
    assert shard.calls == [
        {
            "Records": [
                {
                    "kinesis": {
                        "kinesisSchemaVersion": "1.0",
                        "partitionKey": 'a "key" \u00e9',
                        "sequenceNumber": "1",
                        "data": "SGVsbG8sIHRoaXMgaXMgYSB0ZXN0Lg==",
                        "approximateArrivalTimestamp": 1545084650.987,
                    },
                    "eventSource": "aws:kinesis",
                    "eventVersion": "1.0",
                    "eventID": "shardId-000000000000:1",
                    "eventName": "aws:kinesis:record",
                    "invokeIdentityArn": "arn:aws:iam::123456789012:role/consumer",
                    "awsRegion": "eu-west-1",
                    "eventSourceARN": "arn:aws:kinesis:eu-west-1:123456789012:stream/updates",
                }
            ]
        }
    ]


def test_a_batch_closes_at_the_batch_size(rig):
    """No batch holds more records than BatchSize, and the order is the shard's."""
    assert rig(BatchSize=3).put(7).work().sent == [[1, 2, 3], [4, 5, 6], [7]]


def test_the_default_batch_size_is_100(rig):
    """Without BatchSize a batch holds up to 100 records."""
    assert [len(batch) for batch in rig().put(150).work().sent] == [100, 50]


def test_without_a_batching_window_what_is_there_is_sent_at_once(rig):
    """A single record is sent as soon as it is read."""
    assert rig(BatchSize=100).put().work().sent == [[1]]


def test_a_batching_window_waits_for_more_records(rig):
    """Records wait until the oldest has waited for MaximumBatchingWindowInSeconds."""
    shard = rig(BatchSize=100, MaximumBatchingWindowInSeconds=5).put().work().wait(4.9).put().work()
    assert shard.sent == []
    assert shard.wait(0.2).work().sent == [[1, 2]]


def test_a_full_batch_does_not_wait_for_the_batching_window(rig):
    """BatchSize closes a batch whatever is left of the batching window."""
    shard = rig(BatchSize=2, MaximumBatchingWindowInSeconds=300).put(3).work()
    assert shard.sent == [[1, 2]]


def test_a_first_batch_can_go_at_once(rig):
    """Somebody waits for it; from the second one on the batching window holds."""
    shard = rig(BatchSize=100, MaximumBatchingWindowInSeconds=5)
    shard.shard = Shard(shard.settings, "shardId-0", Pace.at(1.0))
    assert shard.put().work().sent == [[1]]
    assert shard.put().work().wait(4.9).work().sent == [[1]]
    assert shard.shard.wake_at(shard.now) == pytest.approx(shard.now + 0.1)
    assert shard.wait(0.2).work().sent == [[1], [2]]


def test_the_shard_says_when_a_waiting_batch_falls_due(rig):
    """The caller can sleep until the batching window is over."""
    shard = rig(MaximumBatchingWindowInSeconds=5).put().work()
    assert shard.shard.wake_at(shard.now) == shard.now + 5


def test_a_batch_closes_before_the_payload_exceeds_six_megabytes(settings):
    """Ten records of a mebibyte are too large for one event: every event stays under the limit, none is lost."""
    shard = Shard(settings(), "shardId-000000000000", pace=Pace())
    shard.offer([KinesisRecord(str(number), "key", b"x" * 1_048_000, 0.0) for number in range(10)], 0.0)
    sizes, numbers = [], []
    while work := shard.take(0.0):
        sizes.append(len(work[0].event))
        numbers += [int(record.sequence_number) for record in work[0].batch.records]
        work[0].lane._in_flight = None
    assert max(sizes) <= LARGEST_PAYLOAD
    assert numbers == list(range(10))
    assert len(sizes) == 3


def test_the_state_takes_its_share_of_the_payload(rig, answers):
    """With a tumbling window, records and state together stay under the limit."""
    shard = rig(TumblingWindowInSeconds=900, BatchSize=10_000)
    shard.default = answers.answered({"state": {"held": "s" * 1_000_000}})
    shard.put(8, data=b"x" * 1_000_000).work()
    assert [len(batch) for batch in shard.sent] == [4, 3, 1]
    assert all(len(json.dumps(event, separators=(",", ":"))) <= LARGEST_PAYLOAD for event in shard.calls)


def test_a_throttled_function_is_asked_again_with_the_same_batch(rig):
    """A throttle sends nothing, loses nothing and uses no retry, not even with none allowed."""
    shard = rig(BatchSize=2, MaximumRetryAttempts=0)
    shard.answers = [ThrottledError()] * 20
    shard.put(2).run(30)
    assert shard.sent == [[1, 2]] * 21
    assert shard.discards == []
    assert shard.shard.counters.throttles == 20
    assert shard.shard.counters.consumed == 2


def test_a_throttled_half_of_a_batch_is_not_overtaken_by_the_other(rig, answers):
    """What is tried again goes first, whatever else waits."""
    shard = rig(BatchSize=4, BisectBatchOnFunctionError=True)
    shard.answers = [answers.failed(), ThrottledError()]
    shard.put(6).run(5)
    assert shard.sent == [[1, 2, 3, 4], [1, 2], [1, 2], [3, 4], [5, 6]]


def test_a_service_error_uses_no_retry(rig):
    """An invocation that never reached the function is made again and counts nothing."""
    shard = rig(MaximumRetryAttempts=0)
    shard.answers = [ConnectionError("refused")] * 3
    shard.put().run(10)
    assert shard.discards == []
    assert (shard.shard.counters.service_errors, shard.shard.counters.consumed) == (3, 1)


def test_reading_stops_while_the_function_does_not_keep_up(rig, answers):
    """A shard whose function fails for ever stops asking for records once two batches wait."""
    shard = rig(BatchSize=10)
    shard.default = answers.failed()
    shard.put(10).work()
    assert shard.shard.has_room
    shard.put(20).work()
    assert not shard.shard.has_room


def test_with_a_parallelization_factor_keys_run_side_by_side_and_each_in_order(rig, answers):
    """A failing key holds up its own lane only, and within a key nothing is overtaken or lost."""
    shard = rig(ParallelizationFactor=4, BatchSize=10)
    delivered: dict[str, list[int]] = {}
    refusals = [True, True]

    def refuse_the_bad_key_twice(event):
        records = [record["kinesis"] for record in event["Records"]]
        if any(record["partitionKey"] == "bad" for record in records) and refusals:
            refusals.pop()
            return answers.failed()
        for record in records:
            delivered.setdefault(record["partitionKey"], []).append(int(record["sequenceNumber"]))
        return answers.answered(None)

    shard._default = lambda _event: refuse_the_bad_key_twice
    keys = ("bad", "a", "b", "c", "d", "e", "f")
    for _ in range(5):
        for key in keys:
            shard.put(key=key)
    shard.work()
    assert delivered
    assert "bad" not in delivered
    shard.run(10)
    assert delivered == {key: [place + 1 + 7 * turn for turn in range(5)] for place, key in enumerate(keys)}


def test_at_most_one_batch_a_lane_is_in_flight(settings):
    """With a factor of 3 there are never more than three invocations at once, of different keys."""
    shard = Shard(settings(ParallelizationFactor=3, BatchSize=1), "shardId-000000000000", pace=Pace())
    shard.offer([KinesisRecord(str(number), f"key-{number % 12}", b"{}", 0.0) for number in range(60)], 0.0)
    work = shard.take(0.0)
    assert len(work) == 3
    assert shard.take(0.0) == []


def test_a_record_is_encoded_once_and_its_size_is_known(settings):
    """The encoded record is the bytes that are in the event."""
    writer = EventWriter(settings(), "shardId-000000000000")
    record = writer.record(KinesisRecord("7", "key", b"\x00\xff", 12.3456), 13.0)
    assert writer.event((record, record), None) == b'{"Records":[' + record.encoded + b"," + record.encoded + b"]}"
    assert record.arrival == 12.346


def test_the_iterator_age_is_that_of_the_newest_record_sent(rig):
    """Iterator age: seconds between the last record's arrival and its sending."""
    shard = rig().put(3).wait(42).work()
    assert shard.shard.iterator_age == 42
