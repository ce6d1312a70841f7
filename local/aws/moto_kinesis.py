"""Patches moto's Kinesis to carry a whole stream and to reshard as Kinesis does; see `install`.

As moto has it, a shard walks through all its records on each put and each read, and an answer is built value by value
from the service's model: 40 us a record, more than all else a record costs. A closed shard goes on taking records, and
the records of a shard that is split or merged move to its children. Arrivals go by the run's clock.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import UTC, datetime
from hashlib import md5
from typing import TYPE_CHECKING

import msgspec
from moto.kinesis import models
from moto.kinesis.models import Record, Shard, Stream
from moto.kinesis.responses import KinesisResponse

from local.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Iterable

_MOST_RECORDS = 10_000
"""Records of one GetRecords (API reference)."""
_MOST_BYTES = 10 * 1024 * 1024
"""Of their data and keys (the same page)."""


def install() -> None:
    """Change moto in this process."""
    models.utcnow = _now  # type: ignore[attr-defined]
    Shard.get_max_sequence_number = _last_sequence_number  # type: ignore[method-assign,assignment]
    Shard.get_records = _get_records  # type: ignore[method-assign,assignment]
    KinesisResponse.get_records = _answer_get_records  # type: ignore[method-assign,assignment]
    KinesisResponse.put_records = _answer_put_records  # type: ignore[method-assign,assignment]
    Stream.get_shard_for_key = _shard_for_key  # type: ignore[method-assign,assignment]
    Stream.split_shard = _split_shard  # type: ignore[method-assign,assignment]
    Stream.merge_shards = _merge_shards  # type: ignore[method-assign,assignment]


def _now() -> datetime:
    """Return when a record arrives, by the clock of those who read it; naive, as moto has its times."""
    return datetime.fromtimestamp(SystemClock().now(), UTC).replace(tzinfo=None)


def _last_sequence_number(shard: Shard) -> int:
    return next(reversed(shard.records), 0)


def _get_records(shard: Shard, last_sequence_id: str, limit: int | None) -> tuple[list[Record], int, int]:
    """Read on from a sequence number; they count 1, 2, ... within a shard, so the place is known without a search."""
    first = int(last_sequence_id) + 1
    tip = _last_sequence_number(shard)
    records, size = list[Record](), 0
    for number in range(first, min(tip, first + (limit or _MOST_RECORDS) - 1) + 1):
        if number not in shard.records:
            continue
        record = shard.records[number]
        size += len(record.data) * 3 // 4 + len(record.partition_key)  # in base64
        if size > _MOST_BYTES and records:
            break
        records.append(record)
    if not records:
        return [], int(last_sequence_id), 0
    last = records[-1]
    behind = int((shard.records[tip].created_at - last.created_at) * 1000)
    return records, last.sequence_number, max(behind, 1) if last.sequence_number < tip else 0


# -- answers, in the words of the API


def _answer_get_records(response: KinesisResponse) -> str:
    iterator, records, behind = response.kinesis_backend.get_records(
        response._get_param("StreamARN"),  # noqa: SLF001 -- moto's own way to its parameters, here and below
        response._get_param("ShardIterator"),  # noqa: SLF001
        response._get_param("Limit"),  # noqa: SLF001
    )
    found = [
        {
            "SequenceNumber": str(record.sequence_number),
            "ApproximateArrivalTimestamp": round(record.created_at, 3),
            "Data": record.data,
            "PartitionKey": record.partition_key,
        }
        for record in records
    ]
    answer = {"Records": found, "NextShardIterator": iterator, "MillisBehindLatest": behind}
    return msgspec.json.encode(answer).decode()


def _answer_put_records(response: KinesisResponse) -> str:
    answer = response.kinesis_backend.put_records(
        response._get_param("StreamARN"),  # noqa: SLF001
        response._get_param("StreamName"),  # noqa: SLF001
        response._get_param("Records"),  # noqa: SLF001
    )
    return msgspec.json.encode(answer).decode()


# -- resharding


def _shard_for_key(stream: Stream, partition_key: str, explicit_hash_key: str | None) -> Shard | None:
    """Return the open shard whose hash range holds a key; both its ends belong to the range."""
    digest = md5(partition_key.encode(), usedforsecurity=False).digest()
    place = int(explicit_hash_key) if explicit_hash_key else int.from_bytes(digest)
    shards: Iterable[Shard] = stream.shards.values()
    return next((one for one in shards if one.is_open and one.starting_hash <= place <= one.ending_hash), None)


_moto_split, _moto_merge = Stream.split_shard, Stream.merge_shards


def _split_shard(stream: Stream, shard_to_split: str, new_starting_hash_key: str) -> None:
    """Split a shard; its records stay in it."""
    with _KeptRecords(stream, shard_to_split):
        _moto_split(stream, shard_to_split, new_starting_hash_key)


def _merge_shards(stream: Stream, shard_to_merge: str, adjacent_shard_to_merge: str) -> None:
    """Merge two shards; their records stay in them."""
    with _KeptRecords(stream, shard_to_merge), _KeptRecords(stream, adjacent_shard_to_merge):
        _moto_merge(stream, shard_to_merge, adjacent_shard_to_merge)


class _KeptRecords:
    """Takes a shard's records away for as long as moto would move them."""

    def __init__(self, stream: Stream, shard_id: str) -> None:
        self._shard = stream.shards[shard_id]
        self._records = self._shard.records

    def __enter__(self) -> None:
        self._shard.records = OrderedDict()

    def __exit__(self, *_: object) -> None:
        self._shard.records = self._records
