"""The lane of one shard: what waits for it, not packed yet or packed and not acknowledged."""

from __future__ import annotations

from collections import deque
from itertools import accumulate
from typing import TYPE_CHECKING

import msgspec

from common.envelope import is_envelope
from consumer.envelope import pack
from consumer.sequencer import MAX_RECORD_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from consumer.envelope import HeaderedUpdate
    from consumer.shard_map import Shard
    from consumer.watermark import Interval

FULL_BYTES = 256 * 1024
"""Lines in one envelope, some 320 of them. Packed they take about 58 KB, three PUT payload units of 25 KB, the last one
half empty on average. Twice as large they would be 4 % smaller in all, and take a fifth longer to compress."""


class Envelope(msgspec.Struct, eq=False):
    """One record for Kinesis; `size` in bytes as Kinesis counts them, `read_bytes` those of the updates in it.

    It has no `hash_key` where it is an update too large for an envelope, for which Kinesis itself chooses the shard.
    """

    key: str
    data: bytes
    size: int
    hash_key: str | None
    lane: Lane
    updates: list[HeaderedUpdate]
    intervals: list[Interval]
    attempts: int = 0

    @property
    def read_bytes(self) -> int:
        """Bytes of the updates as they were read."""
        return _bytes_in(self.updates)


class Lane:
    """One shard's updates in their order: first `packed`, of which the first may be under way, then the others."""

    __slots__ = ("intervals", "is_under_way", "oldest_at", "packed", "shard", "size", "updates", "wait_until")

    def __init__(self, shard: Shard) -> None:
        self.shard = shard
        self.packed: deque[Envelope] = deque()
        self.is_under_way = False
        self.wait_until = 0.0
        """The first of `packed` failed, and goes again then."""
        self.updates: list[HeaderedUpdate] = []
        self.intervals: list[Interval] = []
        """Of each update, the token interval that waits for it."""
        self.size = 0
        """Of the updates, in bytes."""
        self.oldest_at = 0.0

    def add(self, updates: Sequence[HeaderedUpdate], intervals: Sequence[Interval], now: float) -> None:
        """Take updates in."""
        if not self.updates:
            self.oldest_at = now
        self.updates += updates
        self.intervals += intervals
        self.size += _bytes_in(updates)

    def due_at(self, linger: float) -> float | None:
        """Return when the next envelope is due; None if only an answer or another update can change that."""
        if self.is_under_way:
            return None
        if self.packed:
            return self.wait_until
        if self.updates:
            return 0.0 if self.size >= FULL_BYTES else self.oldest_at + linger
        return None

    def next_envelope(self) -> Envelope:
        """Return the envelope to send next; it stays here until it is acknowledged."""
        if not self.packed:
            self._pack()
        return self.packed[0]

    def _pack(self) -> None:
        """Pack what waits, up to a full envelope; what is left over has waited as long, and is due as well."""
        count = len(self.updates)
        if self.size > FULL_BYTES:
            sizes = accumulate(len(update.data) for update in self.updates)
            count = next(number for number, size in enumerate(sizes, 1) if size >= FULL_BYTES)
        updates, intervals = self.updates[:count], self.intervals[:count]
        del self.updates[:count], self.intervals[:count]
        self.size -= _bytes_in(updates)
        shard_id, hash_key = self.shard
        begin = 0
        for data, several in pack(updates, shard_id, MAX_RECORD_BYTES - len(shard_id)):
            end = begin + several
            is_packed = is_envelope(data)
            key = shard_id if is_packed else updates[begin].icao_address
            self.packed.append(
                Envelope(
                    key=key,
                    data=data,
                    size=len(data) + len(key.encode()),
                    hash_key=hash_key if is_packed else None,
                    lane=self,
                    updates=updates[begin:end],
                    intervals=intervals[begin:end],
                )
            )
            begin = end

    def all(self) -> Iterator[tuple[HeaderedUpdate, Interval]]:
        """Yield all that waits here, in its order."""
        for envelope in self.packed:
            yield from zip(envelope.updates, envelope.intervals, strict=True)
        yield from zip(self.updates, self.intervals, strict=True)


def _bytes_in(updates: Sequence[HeaderedUpdate]) -> int:
    return sum([len(update.data) for update in updates])
