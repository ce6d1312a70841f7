"""Reads what the stack has written: the stream, window rows, rejected lines, dead letters, alerts, checkpoint."""

from __future__ import annotations

import base64
import gzip
import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
from botocore.exceptions import ClientError

from local.audit.archive import PREFIX as ARCHIVE
from local.audit.archive import keys_of
from local.audit.envelope import StoredRecord

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.audit.update_key import Key
    from local.aws.moto import Cloud
    from local.stack import Stack

_GZIP = b"\x1f\x8b"
_PAGE = 5000  # records a call
_KEPT_ALERTS = 5


class _Checkpoint(msgspec.Struct):
    position_token: str | None = None


class _Rejected(msgspec.Struct):
    line: str | None = None
    line_base64: str | None = None


class _Batch(msgspec.Struct):
    batch_size: int = msgspec.field(name="batchSize", default=0)


class _DeadLetter(msgspec.Struct):
    batch: _Batch = msgspec.field(name="KinesisBatchInfo", default_factory=_Batch)


class _Notification(msgspec.Struct):
    message_id: str = msgspec.field(name="MessageId")
    subject: str | None = msgspec.field(name="Subject", default=None)


@dataclass(frozen=True, slots=True)
class Alerts:
    """What subscribers received: how many distinct notifications, and the newest subjects."""

    count: int
    newest: tuple[str, ...]


class Sinks:
    """The stack's outer ends; safe for several threads."""

    def __init__(self, cloud: Cloud, stack: Stack) -> None:
        self._resources = stack.resources
        self._s3 = cloud.client("s3")
        self._kinesis = cloud.client("kinesis")
        self._sqs = cloud.client("sqs")
        self._queue: str = self._sqs.create_queue(QueueName="local-alerts")["QueueUrl"]
        queue_arn = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])
        cloud.client("sns").subscribe(
            TopicArn=self._resources["AlertsTopic"], Protocol="sqs", Endpoint=queue_arn["Attributes"]["QueueArn"]
        )
        self._lock = threading.Lock()
        self._notified: set[str] = set()
        self._subjects: deque[str] = deque(maxlen=_KEPT_ALERTS)

    def position_token(self) -> str | None:
        """Return the position token of the consumer's checkpoint; None while there is none."""
        try:
            body = self._s3.get_object(Bucket=self._resources["StateBucket"], Key="checkpoint.json")["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] in {"NoSuchKey", "404"}:
                return None
            raise
        return msgspec.json.decode(body, type=_Checkpoint).position_token

    def records(self) -> Iterator[StoredRecord]:
        """Yield the stream's records from the first on, shard by shard: a parent's id comes before its children's."""
        stream = self._resources["UpdatesStream"]
        for shard in self._kinesis.list_shards(StreamName=stream)["Shards"]:
            shard_id = shard["ShardId"]
            answer = self._kinesis.get_shard_iterator(
                StreamName=stream, ShardId=shard_id, ShardIteratorType="TRIM_HORIZON"
            )
            iterator = answer["ShardIterator"]
            while records := (page := self._kinesis.get_records(ShardIterator=iterator, Limit=_PAGE))["Records"]:
                for record in records:
                    yield StoredRecord(shard_id, record["ApproximateArrivalTimestamp"].timestamp(), record["Data"])
                iterator = page["NextShardIterator"]

    def rows(self) -> list[bytes]:
        """Return the window rows that reached the sink, a line each."""
        bodies = self._objects("DataBucket", "windows/")
        return [
            line
            for body in bodies
            for line in (gzip.decompress(body) if body.startswith(_GZIP) else body).splitlines()
            if line
        ]

    def rejected_lines(self) -> list[bytes]:
        """Return the lines the consumer rejected."""
        entries = [
            msgspec.json.decode(line, type=_Rejected)
            for body in self._objects("StateBucket", "rejected/")
            for line in body.splitlines()
            if line
        ]
        return [
            base64.b64decode(entry.line_base64) if entry.line_base64 is not None else (entry.line or "").encode()
            for entry in entries
        ]

    def dead_letters(self) -> int:
        """Return how many given-up records the on-failure destination holds; a lost window state counts as one."""
        bodies = self._objects("FailuresBucket", "")
        return sum(max(1, msgspec.json.decode(body, type=_DeadLetter).batch.batch_size) for body in bodies)

    def archived(self) -> list[list[Key]]:
        """Return the keys of the archive's rows, object by object."""
        return [keys_of(body) for body in self._objects("DataBucket", ARCHIVE)]

    def data(self) -> Iterator[tuple[str, bytes]]:
        """Yield every object of the data bucket, with its key."""
        name = self._resources["DataBucket"]
        pages: Any = self._s3.get_paginator("list_objects_v2").paginate(Bucket=name)
        for page in pages:
            for entry in page.get("Contents", []):
                yield entry["Key"], self._s3.get_object(Bucket=name, Key=entry["Key"])["Body"].read()

    def alerts(self) -> Alerts:
        """Take in what the alerts' topic has sent since the last call, and return all there was."""
        with self._lock:
            while messages := self._receive():
                for message in messages:
                    notification = msgspec.json.decode(message["Body"], type=_Notification)
                    if notification.message_id not in self._notified:
                        self._notified.add(notification.message_id)
                        self._subjects.append(notification.subject or "(no subject)")
                    self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
            return Alerts(len(self._notified), tuple(self._subjects))

    def _receive(self) -> list[Any]:
        answer = self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10)
        return list(answer.get("Messages", []))

    def _objects(self, bucket: str, prefix: str) -> Iterator[bytes]:
        name = self._resources[bucket]
        pages: Any = self._s3.get_paginator("list_objects_v2").paginate(Bucket=name, Prefix=prefix)
        for page in pages:
            for entry in page.get("Contents", []):
                yield self._s3.get_object(Bucket=name, Key=entry["Key"])["Body"].read()
