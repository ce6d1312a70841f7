"""The delivery log, which a failed invocation leaves for its retry: the records that Firehose has accepted already.

One item per window and shard, in the aircraft table under a reserved key that is longer than any ICAO address. It is
written only when something went wrong, and read once by an invocation that has rows to write. Rows have unique keys as
well, so a crash before it is written costs a reader nothing but a repeated row.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec

from aggregator.state import packing

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from aggregator.state.window_part import WindowPart

KEEP_SECONDS = 8 * 24 * 3600
"""No retry comes later than the stream keeps the records; 8 days cover a retention of a week."""


def digest(part: WindowPart) -> str:
    """Return a digest of a part's content."""
    return hashlib.sha256(packing.pack(part)).hexdigest()


class PartDelivery(msgspec.Struct):
    """How far the delivery of one part got: the digest of its content, and the indexes of the accepted records."""

    content: str
    accepted: set[int] = msgspec.field(default_factory=set)


class EndedEarly(msgspec.Struct, frozen=True):
    """The part with which Lambda last ended this window early."""

    content: str
    part: int


class DeliveryRecord(msgspec.Struct):
    """Deliveries of one window of one shard, by part number."""

    parts: dict[int, PartDelivery] = msgspec.field(default_factory=dict)
    ended_early: EndedEarly | None = None

    def first_number(self, last: WindowPart, content: str) -> int:
        """Return the number of the window's first part since Lambda last ended it early; 0 if it never did.

        After that, an invocation may start with an empty state that knows of no earlier part: its numbers go on from
        there. When the invocation that ended the window is tried again, it is recognised by its `last` part's content,
        and all of its parts keep their numbers.
        """
        if self.ended_early is None:
            return 0
        if self.ended_early.content == content:
            return self.ended_early.part - last.number
        return self.ended_early.part + 1

    def holds_other_content(self, number: int, content: str) -> bool:
        """Whether rows of that number were sent before with another content: records expired between two tries."""
        known = self.parts.get(number)
        return known is not None and known.content != content

    def of_part(self, number: int, content: str) -> PartDelivery:
        """Return how far a part got; nothing if it was tried with another content."""
        known = self.parts.get(number)
        if known is None or known.content != content:
            known = self.parts[number] = PartDelivery(content)
        return known


class DeliveryLog:
    """Delivery records in the aircraft table."""

    def __init__(self, client: DynamoDBClient, table_name: str) -> None:
        """`client` retries throttled calls itself."""
        self._client = client
        self._table_name = table_name

    def load(self, window_start: str, shard_id: str) -> DeliveryRecord:
        """Return the record of an earlier attempt, or an empty one."""
        answer = self._client.get_item(
            TableName=self._table_name,
            Key={"icao_address": {"S": _key(window_start, shard_id)}},
            ConsistentRead=True,
            ReturnConsumedCapacity="TOTAL",
        )
        item = answer.get("Item")
        return DeliveryRecord() if item is None else msgspec.json.decode(item["delivery"]["S"], type=DeliveryRecord)

    def save(self, window_start: str, shard_id: str, record: DeliveryRecord, now: float) -> None:
        """Save the record for the next attempt; `now` is in seconds since the epoch."""
        self._client.put_item(
            TableName=self._table_name,
            Item={
                "icao_address": {"S": _key(window_start, shard_id)},
                "delivery": {"S": msgspec.json.encode(record).decode()},
                "expires_at": {"N": str(int(now) + KEEP_SECONDS)},
            },
            ReturnConsumedCapacity="TOTAL",
        )


def _key(window_start: str, shard_id: str) -> str:
    """Return a key that no aircraft can have: `TargetUpdate.icao_address` has at most 32 characters."""
    return f"delivery#{window_start}#{shard_id}".ljust(33, "#")
