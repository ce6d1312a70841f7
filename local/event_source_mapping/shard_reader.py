"""Reads one shard over the Kinesis API: its iterator, its starting position, and whether the tip is reached."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from local.event_source_mapping.record import KinesisRecord

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient

    from local.event_source_mapping.settings import StartingPosition


@dataclass(frozen=True, slots=True)
class Read:
    """One GetRecords: `at_tip` when the shard held nothing more, `ended` when it is closed and this was its last."""

    records: list[KinesisRecord]
    at_tip: bool
    ended: bool


class ShardReader:
    """Reads a shard from a position on, over expired iterators too."""

    def __init__(
        self,
        client: KinesisClient,
        stream_arn: str,
        shard_id: str,
        position: StartingPosition,
        timestamp: float | None = None,
    ) -> None:
        self._client = client
        self._stream_arn = stream_arn
        self.shard_id = shard_id
        self._position = position
        self._timestamp = timestamp
        self._last_read: str | None = None
        self._iterator: str | None = None

    def fix_position(self, now: float) -> None:
        """Get the iterator now, so that LATEST means this moment even if the first read comes later."""
        self._iterator = self._new_iterator()
        if self._position == "LATEST":
            # Should the iterator expire (after 5 minutes) before a record was read, LATEST would skip some.
            self._position, self._timestamp = "AT_TIMESTAMP", now

    def read(self, limit: int) -> Read:
        """Read up to `limit` records behind those read before.

        Raises
        ------
        botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError
            When Kinesis cannot be reached or refuses; nothing is lost, read again.
        """
        if self._iterator is None:
            self._iterator = self._new_iterator()
        try:
            answer = self._client.get_records(ShardIterator=self._iterator, Limit=limit, StreamARN=self._stream_arn)
        except self._client.exceptions.ExpiredIteratorException:
            self._iterator = None
            return Read([], at_tip=False, ended=False)
        records = [
            KinesisRecord(
                record["SequenceNumber"],
                record["PartitionKey"],
                record["Data"],
                record["ApproximateArrivalTimestamp"].timestamp(),
            )
            for record in answer["Records"]
        ]
        if records:
            self._last_read = records[-1].sequence_number
        following = answer.get("NextShardIterator")
        self._iterator = following or self._iterator
        # A full answer is never the tip: MillisBehindLatest is 0 too when the rest arrived in the same millisecond.
        at_tip = not answer.get("MillisBehindLatest") and len(records) < limit
        return Read(records, at_tip=at_tip, ended=following is None)

    def _new_iterator(self) -> str:
        if self._last_read is not None:
            return self._client.get_shard_iterator(
                StreamARN=self._stream_arn,
                ShardId=self.shard_id,
                ShardIteratorType="AFTER_SEQUENCE_NUMBER",
                StartingSequenceNumber=self._last_read,
            )["ShardIterator"]
        if self._position == "AT_TIMESTAMP" and self._timestamp is not None:
            return self._client.get_shard_iterator(
                StreamARN=self._stream_arn,
                ShardId=self.shard_id,
                ShardIteratorType="AT_TIMESTAMP",
                Timestamp=datetime.fromtimestamp(self._timestamp, UTC),
            )["ShardIterator"]
        return self._client.get_shard_iterator(
            StreamARN=self._stream_arn, ShardId=self.shard_id, ShardIteratorType=self._position
        )["ShardIterator"]
