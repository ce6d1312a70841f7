"""Follows the updates in a stack's Kinesis stream: all shards, envelopes opened."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from common import envelope
from ops.output import complain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ops.stack import Stack

_RECORDS = 1_000  # a call


class Updates:
    """Reads every shard once a second, the children of a closed shard after it."""

    interval = 1.0

    def __init__(self, stack: Stack, since: float) -> None:
        """Begin with what arrived at `since`, seconds since the epoch."""
        self._kinesis = stack.client("kinesis")
        self._stream = stack["UpdatesStream"]
        self._iterators: dict[str, str | None] = {}
        self._after: dict[str, str] = {}
        self._since = datetime.fromtimestamp(since, UTC)
        self._find_shards(first=True)

    def new(self) -> Iterator[bytes]:
        """Yield the updates that have come since the last look, shard by shard."""
        ended = False
        for shard, iterator in tuple(self._iterators.items()):
            following = iterator
            while following is not None:
                try:
                    answer = self._kinesis.get_records(ShardIterator=following, Limit=_RECORDS)
                except self._kinesis.exceptions.ExpiredIteratorException:
                    following = self._iterator(shard, first=False)
                    continue
                for record in answer["Records"]:
                    self._after[shard] = record["SequenceNumber"]
                    yield from _opened(record["Data"], shard)
                following = answer.get("NextShardIterator")
                self._iterators[shard] = following
                ended |= following is None
                if not answer["Records"] and not answer.get("MillisBehindLatest"):
                    break
        if ended:
            self._find_shards(first=False)

    def _find_shards(self, *, first: bool) -> None:
        for page in self._kinesis.get_paginator("list_shards").paginate(StreamName=self._stream):
            for shard in page["Shards"]:
                if shard["ShardId"] not in self._iterators:
                    self._iterators[shard["ShardId"]] = self._iterator(shard["ShardId"], first=first)

    def _iterator(self, shard: str, *, first: bool) -> str:
        where: dict[str, Any]
        if shard in self._after:
            where = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": self._after[shard]}
        elif first:
            where = {"ShardIteratorType": "AT_TIMESTAMP", "Timestamp": self._since}
        else:  # another's child: all of it comes after the beginning
            where = {"ShardIteratorType": "TRIM_HORIZON"}
        answer = self._kinesis.get_shard_iterator(StreamName=self._stream, ShardId=shard, **where)
        return str(answer["ShardIterator"])


def _opened(data: bytes, shard: str) -> Iterator[bytes]:
    if not envelope.is_envelope(data):
        yield data
        return
    try:
        text, _ = envelope.lines(data, shard)
    except (envelope.BrokenEnvelopeError, envelope.UnknownVersionError) as error:
        complain(f"{shard}: {error}")
        return
    yield from text.split(b"\n")[:-1]
