"""Batches that are given up: what becomes of them, at each kind of destination and at none."""

from __future__ import annotations

import json

import boto3

from local.event_source_mapping import DestinationClients, SilentListener
from tests.integration.local.event_source_mapping.conftest import Function, drained, eventually


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
    """The shard goes on; the failure is counted and reported, and the records as kept nowhere."""
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
