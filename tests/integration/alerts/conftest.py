"""Fixtures for the alerts: table, topic, a queue that hears it, clients that fail as planned, a retrying mapping."""

from __future__ import annotations

import copy
import io
import itertools
import json
from collections import Counter, deque
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from alerts.alert_log import AlertLog
from alerts.alerter import Alerter
from alerts.newest_alerts import NewestAlerts
from alerts.pattern_matcher import AlertPatterns
from alerts.progress import EnvelopeProgress
from alerts.suppression_table import SuppressionTable
from alerts.topic import AlertsTopic
from alerts.turn import BatchResult
from common.clock import SystemClock
from common.kinesis_event import KinesisRecord
from consumer.publish.envelope_writer import decode_leniently, pack

TABLE, BUCKET = "suppression", "data"
SHARD = "shardId-000000000000"
START = datetime(2024, 3, 4, 12, 0, 0, tzinfo=UTC)
SUPPRESSION = timedelta(seconds=900)
PATTERNS = '{"data":{"squawk":["7500","7600","7700"]}}\n\n{"data":{"callsign":[{"prefix":"ETH"}]}}\n'
"""Emergencies, and a pattern of the operator's own; steep descents are not asked for."""


class ProcessDiedError(BaseException):
    """The function's process is gone: no handler of exceptions runs in a process that is gone."""


class FaultyClient:
    """A boto3 client whose calls fail as planned: each operation has a line of faults, and each call takes the next.

    `refused`: the call never takes effect. `answer lost`: it does, but nobody hears of it. `cut short`: the body of the
    answer is. `died before` and `died after`: the process ends there. None: all is well.
    """

    def __init__(self, client, faults):
        self._client = client
        self._faults = {operation: deque(line) for operation, line in faults.items()}
        self.seen = []

    def __getattr__(self, operation):
        call = getattr(self._client, operation)

        def faulty(**arguments):
            line = self._faults.get(operation)
            fault = line.popleft() if line else None
            self.seen.append((operation, fault))
            if fault == "refused":
                raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "Rate exceeded"}}, operation)
            if fault == "died before":
                raise ProcessDiedError
            answer = call(**arguments)
            if fault == "answer lost":
                raise ReadTimeoutError(endpoint_url="http://127.0.0.1")
            if fault == "died after":
                raise ProcessDiedError
            if fault == "cut short":
                answer["Body"] = io.BytesIO(answer["Body"].read()[:-1])
            return answer

        return faulty


class World:
    """Table, topic, and the queue that counts what the topic delivered; `process` is that of the last delivery."""

    process: Alerter

    def __init__(self, address):
        self._dynamodb, self._sns, self._sqs, self._s3 = (
            boto3.client(service, endpoint_url=address) for service in ("dynamodb", "sns", "sqs", "s3")
        )
        self._s3.create_bucket(Bucket=BUCKET)
        self._dynamodb.create_table(
            TableName=TABLE,
            AttributeDefinitions=[{"AttributeName": "rule_and_aircraft", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "rule_and_aircraft", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
        self.topic_arn = self._sns.create_topic(Name="alerts")["TopicArn"]
        self._queue = self._sqs.create_queue(QueueName="listener")["QueueUrl"]
        queue_arn = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])["Attributes"]
        self._sns.subscribe(TopicArn=self.topic_arn, Protocol="sqs", Endpoint=queue_arn["QueueArn"])
        self.dynamodb: Any = self._dynamodb
        self.sns: Any = self._sns
        self.s3: Any = self._s3
        self._log: dict[tuple[str, str], dict[str, Any]] = {}

    def inject(self, **faults):
        """From now on calls fail as planned, each operation (`put_item`, `publish`, `put_object`) by its own line."""
        self.dynamodb = FaultyClient(self._dynamodb, faults)
        self.sns = FaultyClient(self._sns, faults)
        self.s3 = FaultyClient(self._s3, faults)

    def log_what_waits(self):
        """Send the process another batch, with nothing in it and an S3 that works."""
        self.s3._faults.clear()
        assert self.process.process([], lambda: 60.0).unlogged == 0

    def alerter(self, suppression=SUPPRESSION, patterns=PATTERNS):
        """What a new process would make."""
        clock = SystemClock()
        return Alerter(
            SuppressionTable(self.dynamodb, TABLE, clock),
            EnvelopeProgress(self.dynamodb, TABLE, clock),
            AlertsTopic(self.sns, self.topic_arn),
            AlertLog(self.s3, BUCKET, NewestAlerts(self.s3, BUCKET)),
            wanted=AlertPatterns(patterns).match,
            suppression=suppression,
            clock=clock,
            pause=lambda _seconds: None,
        )

    def item(self, key):
        """The item of this rule and aircraft, as it is in the table."""
        return self._dynamodb.get_item(TableName=TABLE, Key={"rule_and_aircraft": {"S": key}}).get("Item")

    def log(self):
        """The alert log: what each object holds, by its key."""
        listed = self._s3.list_objects_v2(Bucket=BUCKET, Prefix="alerts/").get("Contents", [])
        known, self._log = self._log, {}
        for one in listed:
            version = (one["Key"], one["ETag"])
            self._log[version] = known.get(version) or self.read(one["Key"])
        return {key: copy.deepcopy(content) for (key, _), content in self._log.items()}

    def read(self, key):
        """A JSON object of the data bucket."""
        return json.loads(self._s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())

    def logged(self):
        """How often the log has each (rule, aircraft, timestamp)."""
        return Counter((one["rule"], one["icao_address"], one["at"]) for one in self.log().values())

    def messages(self):
        """What subscribers were sent since the last look, in no order."""
        found = []
        while batch := self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10).get("Messages"):
            found += [json.loads(message["Body"]) for message in batch]
            entries = [{"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(batch)]
            self._sqs.delete_message_batch(QueueUrl=self._queue, Entries=entries)
        return found

    def notified(self):
        """How often subscribers got each (rule, aircraft, timestamp) since the last look."""
        return Counter(
            (message["MessageAttributes"]["rule"]["Value"], update["icao_address"], update["timestamp"])
            for message in self.messages()
            for update in [json.loads(message["Message"].splitlines()[-1], parse_int=str)]
        )

    def deliver(self, records, *, alerter=None, time=lambda: lambda: 60.0):
        """Send the records as an event source mapping does: again from the one reported, whole when the process dies.

        Gives the sum of all invocations' results, and fails when the batch gets no further. `time` makes the time of
        each invocation.
        """
        self.process = alerter = alerter or self.alerter()
        total = BatchResult()
        for _ in range(200):
            try:
                result = alerter.process(records, time())
            except ProcessDiedError:
                self.process = alerter = self.alerter()
                continue
            for name in ("notified", "suppressed", "undecodable", "unmarked", "unlogged", "failed"):
                setattr(total, name, getattr(total, name) + getattr(result, name))
            if result.failed_sequence_number is None:
                return total
            numbers = [record.sequence_number for record in records]
            records = records[numbers.index(result.failed_sequence_number) :]
        raise AssertionError("the batch was sent 200 times and never got through")


@pytest.fixture
def world(aws):
    """A fresh world in moto."""
    return World(aws)


@pytest.fixture
def record():
    """Make a record of an update: `record("78121E", 5, squawk="7700")` is measured five seconds after noon."""
    sequence = itertools.count(1)

    def make(icao_address="78121E", seconds=0.0, *, ingested=None, **fields):
        update = {
            "icao_address": icao_address,
            "timestamp": stamp(seconds),
            "ingestion_time": stamp(seconds + 3 if ingested is None else ingested),
            **fields,
        }
        arrival = START.timestamp() + max(0.0, min(seconds, 10**5)) + 5
        return KinesisRecord(f"{next(sequence):056d}", json.dumps(update).encode() + b"\n", arrival, SHARD)

    return make


@pytest.fixture
def envelope():
    """Make one record of the updates of several, as the consumer packs them: `envelope(record(...), record(...))`."""

    def make(*singles, shard=SHARD):
        updates = []
        for single in singles:
            update = decode_leniently(single.data)
            update.data = single.data.rstrip(b"\n")
            updates.append(update)
        ((data, *_),) = pack(updates, shard, 1024 * 1024)
        return singles[-1]._replace(data=data)

    return make


def stamp(seconds):
    """The time this long after noon, as the feed writes it."""
    return (START + timedelta(seconds=seconds)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@pytest.fixture(name="stamp")
def stamp_fixture():
    """The time this long after noon, as the feed writes it."""
    return stamp
