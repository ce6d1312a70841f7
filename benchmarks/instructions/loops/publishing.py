"""Publishing: from updates to signed PutRecords bodies, each aircraft in order, for a connection that takes them all.

Everything is put before the publisher starts: so what is sent in which call does not depend on the clock.
"""

from __future__ import annotations

import json
from datetime import datetime
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.credentials import Credentials

from benchmarks.instructions.loops import LINES
from common.clock import SystemClock
from consumer.checkpoint.watermark import Watermark
from consumer.ingestion.deduplicator import DuplicateFilter
from consumer.ingestion.processor import TargetProcessor
from consumer.publish.kinesis_client import KinesisApi
from consumer.publish.publisher import Publisher
from consumer.publish.put_records import PutRecords
from consumer.publish.single_outbox import SingleOutbox
from consumer.stream.messages import StreamUpdate

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from botocore.awsrequest import AWSPreparedRequest

    from benchmarks.instructions.loops import Pass
_AT_ONCE = 64
"""Updates that come at once, as out of a chunk of the stream."""

_DRAIN_SECONDS = 120.0
"""For all answers; under valgrind everything takes fifty times as long."""

_PREFIX = len(b'{"target":')


def make(folder: Path, url: str) -> Pass:  # noqa: ARG001 - all loops are called alike
    """Each pass publishes the same updates by a new processor and sequencer."""
    updates = _updates((folder / f"{LINES}.ndjson").read_bytes())
    connection: Any = _Connection()
    kinesis = KinesisApi("http://127.0.0.1", "us-east-1", Credentials("benchmark", "benchmark"), connection)
    put_records = PutRecords(kinesis, "updates")

    def publish() -> int:
        before: int = connection.taken
        _publish(updates, put_records)
        return int(connection.taken) - before

    return publish


def _publish(updates: Sequence[StreamUpdate], put_records: PutRecords) -> None:
    clock = SystemClock()
    publisher = Publisher(put_records, SingleOutbox(lambda _: 0.0), clock, on_acknowledged=lambda: None)
    rejected: Any = None  # nothing is
    processor = TargetProcessor(publisher, Watermark(), DuplicateFilter(), rejected, clock)
    for first in range(0, len(updates), _AT_ONCE):
        processor.process(updates[first : first + _AT_ONCE])
    publisher.start()
    publisher.drain(_DRAIN_SECONDS)
    publisher.close()


class _Connection:
    """Stands in for the connections to Kinesis, and for its answer: every record is taken, and counted."""

    def __init__(self) -> None:
        self.taken = 0
        self._lock = Lock()

    def send(self, request: AWSPreparedRequest) -> _Answer:
        body: Any = request.body
        records = body.count(b'"PartitionKey"')
        with self._lock:
            self.taken += records
        return _Answer(200, _taken(records))


class _Answer(NamedTuple):
    status_code: int
    content: bytes


@cache
def _taken(records: int) -> bytes:
    """Return what Kinesis answers, spelled as it does, with a sequence number as its documentation shows them."""
    number = b"49543463076548007577105092703039560359975228518395019266"
    entry = b'{"SequenceNumber":"%b","ShardId":"shardId-000000000000"}' % number
    return b'{"FailedRecordCount":0,"Records":[%b]}' % b",".join([entry] * records)


def _updates(lines: bytes) -> list[StreamUpdate]:
    updates = []
    for line in lines.split(b"\n"):
        data = line[_PREFIX:-1]
        target = json.loads(data)
        updates.append(
            StreamUpdate(
                icao_address=target["icao_address"],
                timestamp=datetime.fromisoformat(target["timestamp"]),
                ingestion_time=datetime.fromisoformat(target["ingestion_time"]),
                data=data,
            )
        )
    return updates
