"""Resharding during a run: a shard is split, or two neighbours are merged."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from local.faults.timed.timeline import Timeline

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_kinesis.type_defs import ShardTypeDef


class ReshardKind(StrEnum):
    """What is done to the open shards."""

    SPLIT = "split"
    MERGE = "merge"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reshard:
    """One change, `at` seconds after the beginning.

    `which` chooses among the open shards and `where` the place at which one is split, each as a share from 0 to 1.
    """

    kind: ReshardKind
    at: float
    which: float
    where: float = 0.5

    @property
    def name(self) -> str:
        """What it is counted under."""
        return f"shard_{self.kind.value}"


class Resharding(Timeline[Reshard]):
    """Carries a list of changes out on its own thread; a stream of one shard is not merged."""

    def __init__(self, changes: Iterable[Reshard], kinesis: KinesisClient, stream: str) -> None:
        super().__init__(changes, "resharding")
        self._kinesis = kinesis
        self._stream = stream

    def _happen(self, change: Reshard) -> None:
        shards = sorted(filter(_is_open, self._shards()), key=lambda shard: _hash_keys(shard)[0])
        if change.kind is ReshardKind.SPLIT:
            shard = shards[int(change.which * len(shards))]
            first, last = _hash_keys(shard)
            # Neither child may be empty: the second one begins within the range.
            middle = min(last - 1, first + 1 + int((last - first) * change.where))
            self._kinesis.split_shard(
                StreamName=self._stream, ShardToSplit=shard["ShardId"], NewStartingHashKey=str(middle)
            )
        elif len(shards) > 1:
            place = int(change.which * (len(shards) - 1))
            one, other = (shard["ShardId"] for shard in shards[place : place + 2])
            self._kinesis.merge_shards(StreamName=self._stream, ShardToMerge=one, AdjacentShardToMerge=other)
        else:
            return
        self.injected[change.name] += 1

    def _shards(self) -> list[ShardTypeDef]:
        pages: Any = self._kinesis.get_paginator("list_shards").paginate(StreamName=self._stream)
        return [shard for page in pages for shard in page["Shards"]]


def _is_open(shard: ShardTypeDef) -> bool:
    return "EndingSequenceNumber" not in shard["SequenceNumberRange"]


def _hash_keys(shard: ShardTypeDef) -> tuple[int, int]:
    found = shard["HashKeyRange"]
    return int(found["StartingHashKey"]), int(found["EndingHashKey"])
