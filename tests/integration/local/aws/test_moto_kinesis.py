"""The answers of the local Kinesis over HTTP, as boto3 reads them."""

from __future__ import annotations

import boto3
import pytest

from local.clock import SystemClock


@pytest.fixture
def kinesis(aws):  # noqa: ARG001 - the client talks to the server that this fixture gives
    """A client, and a stream of one shard."""
    client = boto3.client("kinesis")
    client.create_stream(StreamName="updates", ShardCount=1)
    return client


def test_records_come_back_as_they_were_put(kinesis):
    """Data byte for byte, key, sequence number, and an arrival time of milliseconds."""
    began = SystemClock().now()
    entries = [{"Data": b"\x00\xff", "PartitionKey": 'a "key"'}, {"Data": b"two", "PartitionKey": "é"}]
    put = kinesis.put_records(StreamName="updates", Records=entries)
    assert put["FailedRecordCount"] == 0
    assert [(one["ShardId"], one["SequenceNumber"]) for one in put["Records"]] == [
        ("shardId-000000000000", "1"),
        ("shardId-000000000000", "2"),
    ]
    iterator = kinesis.get_shard_iterator(
        StreamName="updates", ShardId="shardId-000000000000", ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    answer = kinesis.get_records(ShardIterator=iterator)
    assert [{name: one[name] for name in ("Data", "PartitionKey")} for one in answer["Records"]] == entries
    assert [one["SequenceNumber"] for one in answer["Records"]] == ["1", "2"]
    arrivals = [one["ApproximateArrivalTimestamp"].timestamp() for one in answer["Records"]]
    assert all(began - 0.001 <= arrival <= SystemClock().now() for arrival in arrivals)
    assert all(round(arrival, 3) == pytest.approx(arrival, abs=1e-6) for arrival in arrivals)
    assert answer["MillisBehindLatest"] == 0
    assert kinesis.get_records(ShardIterator=answer["NextShardIterator"])["Records"] == []


def test_what_kinesis_refuses_is_still_refused(kinesis):
    """A call that is too large is an error with its code, not an answer."""
    entries = [{"Data": b"x", "PartitionKey": "key"}] * 501
    with pytest.raises(kinesis.exceptions.ClientError) as refused:
        kinesis.put_records(StreamName="updates", Records=entries)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
