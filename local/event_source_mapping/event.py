"""Builds Lambda's event for a batch of Kinesis records; each record is encoded once."""

from __future__ import annotations

import json
from binascii import b2a_base64
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from local.event_source_mapping.record import PendingRecord

if TYPE_CHECKING:
    from local.event_source_mapping.record import KinesisRecord
    from local.event_source_mapping.settings import MappingSettings
    from local.event_source_mapping.window import Window


class EventWriter:
    """Writes the events of one shard.

    A record is encoded once, however often it is sent, and its size in the event is known before the batch is cut.
    """

    def __init__(self, settings: MappingSettings, shard_id: str) -> None:
        stream = json.dumps(settings.stream_arn)
        self._before_id = (
            '},"eventSource":"aws:kinesis","eventVersion":"1.0","eventID":' + json.dumps(shard_id)[:-1] + ":"
        ).encode()
        self._after_id = (
            '","eventName":"aws:kinesis:record","invokeIdentityArn":'
            + json.dumps(settings.role_arn)
            + f',"awsRegion":{json.dumps(settings.region)},"eventSourceARN":{stream}}}'
        ).encode()
        self._shard = f',"shardId":{json.dumps(shard_id)},"eventSourceARN":{stream}'.encode()

    def record(self, record: KinesisRecord, received: float) -> PendingRecord:
        """Encode one record."""
        number = record.sequence_number.encode()
        arrival = round(record.arrival, 3)  # Kinesis stamps milliseconds
        encoded = b"".join(
            (
                b'{"kinesis":{"kinesisSchemaVersion":"1.0","partitionKey":',
                json.dumps(record.partition_key).encode(),
                b',"sequenceNumber":"',
                number,
                b'","data":"',
                b2a_base64(record.data, newline=False),
                b'","approximateArrivalTimestamp":',
                repr(arrival).encode(),
                self._before_id,
                number,
                self._after_id,
            )
        )
        return PendingRecord(record.sequence_number, arrival, received, encoded)

    def event(
        self,
        records: tuple[PendingRecord, ...],
        window: Window | None,
        *,
        final: bool = False,
        early: bool = False,
    ) -> bytes:
        """Write the whole event; with a window it carries the state and the flags too."""
        body = b",".join([record.encoded for record in records])
        if window is None:
            return b'{"Records":[' + body + b"]}"
        return b"".join(
            (
                b'{"Records":[',
                body,
                f'],"window":{{"start":"{rfc3339(window.start)}","end":"{rfc3339(window.end)}"}},"state":'.encode(),
                window.state,
                self._shard,
                b',"isFinalInvokeForWindow":',
                b"true" if final else b"false",
                b',"isWindowTerminatedEarly":',
                b"true" if early else b"false",
                b"}",
            )
        )


def rfc3339(seconds: float, timespec: str = "seconds") -> str:
    """Write seconds since the epoch as Lambda does: UTC with a Z."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec=timespec).replace("+00:00", "Z")
