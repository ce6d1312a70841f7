"""A whole run of the consumer: lease, stream, order per aircraft, PutRecords, watermark, checkpoint in S3."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from benchmarks.harness.case import Measured
from benchmarks.harness.machine import cpu_time
from common.clock import SystemClock
from consumer import wiring
from consumer.checkpoint.rejected_lines import RejectedStore
from consumer.checkpoint.store import CheckpointStore
from consumer.deadline import Deadline
from consumer.ingestion.run import Run
from consumer.ingestion.summary import StopReason, Summary
from consumer.publish import record_format
from consumer.publish.put_records import PutRecords
from consumer.publish.shard_map import ListShards
from consumer.publish.shard_queue import Envelope
from consumer.stream.client import StreamClient

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.publish.record_format import RecordFormat


_counting = threading.Lock()


class _Counted(PutRecords):
    """PutRecords that knows how much it sent, and so when the run may stop."""

    expected = 0
    sent = 0

    def send(self, batch: Sequence[Any]) -> list[str | None]:
        answer = super().send(batch)
        updates = sum([record.count if isinstance(record, Envelope) else 1 for record in batch])
        with _counting:
            self.sent += updates
        return answer

    @property
    def reason(self) -> StopReason | None:
        """Stands in for the stop request: the first token after everything was sent."""
        return StopReason.RUN_SECONDS if self.sent >= self.expected else None


def run(url: str, compression: str, name: str, expected: int, record_format: RecordFormat | None = None) -> Summary:
    """Run until `expected` updates are published; `name` is that of the bucket and of the Kinesis stream."""
    clock = SystemClock()
    put_records = _Counted(wiring.kinesis(), name)
    put_records.expected = expected
    stop_request: Any = put_records
    client = StreamClient(url, "benchmark", {}, compression)
    return Run(
        client,
        CheckpointStore(wiring.s3(), name, "benchmark", clock),
        RejectedStore(wiring.s3(), name, "benchmark", clock, redactor=client.redactor),
        put_records,
        clock,
        deadline=Deadline(clock, 3600),
        stop_request=stop_request,
        start_position="LATEST",
        record_format=record_format,
    ).execute()


def publish(params: dict[str, Any]) -> Measured:
    """Read the whole stream and publish it, one record an update."""
    return _measured(params, None)


def publish_envelopes(params: dict[str, Any]) -> Measured:
    """Read the whole stream and publish it in envelopes."""
    return _measured(params, record_format.envelopes(ListShards(wiring.kinesis(), params["run"])))


def _measured(params: dict[str, Any], record_format: RecordFormat | None) -> Measured:
    _ = wiring.s3().meta, wiring.kinesis()  # made before the measured part, as the peer's are
    with cpu_time() as spent:
        summary = run(params["url"] + "/hold", params["compression"], params["run"], params["updates"], record_format)
    return Measured(spent.seconds, summary.published)
