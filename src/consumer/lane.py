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
    from collections.abc import Iterable, Iterator, Sequence

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
    read_bytes: int
    intervals: list[tuple[Interval, int]]
    attempts: int = 0


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
        self.intervals: deque[tuple[Interval, int]] = deque()
        """The token intervals that wait for them, and how many updates in a row wait for each."""
        self.size = 0
        """Of the updates, in bytes."""
        self.oldest_at = 0.0

    def add(self, updates: Sequence[HeaderedUpdate], interval: Interval, now: float) -> None:
        """Take updates of one interval in."""
        if not self.updates:
            self.oldest_at = now
        self.updates += updates
        self.intervals.append((interval, len(updates)))
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
        updates = self._take_full()
        shard_id, hash_key = self.shard
        for data, count in pack(updates, shard_id, MAX_RECORD_BYTES - len(shard_id)):
            packed, updates = updates[:count], updates[count:]
            is_packed = is_envelope(data)
            key = shard_id if is_packed else packed[0].icao_address
            self.packed.append(
                Envelope(
                    key=key,
                    data=data,
                    size=len(data) + len(key.encode()),
                    hash_key=hash_key if is_packed else None,
                    lane=self,
                    updates=packed,
                    read_bytes=_bytes_in(packed),
                    intervals=list(self._take_intervals(count)),
                )
            )

    def _take_full(self) -> list[HeaderedUpdate]:
        if self.size <= FULL_BYTES:
            updates, self.updates, self.size = self.updates, [], 0
            return updates
        sizes = accumulate(len(update.data) for update in self.updates)
        count, size = next((number, size) for number, size in enumerate(sizes, 1) if size >= FULL_BYTES)
        updates = self.updates[:count]
        del self.updates[:count]
        self.size -= size
        return updates

    def _take_intervals(self, updates: int) -> Iterator[tuple[Interval, int]]:
        while updates:
            interval, count = self.intervals.popleft()
            if count > updates:
                self.intervals.appendleft((interval, count - updates))
                count = updates
            yield interval, count
            updates -= count

    def all(self) -> Iterator[tuple[list[HeaderedUpdate], Interval]]:
        """Yield all that waits here, in its order, by intervals."""
        for envelope in self.packed:
            yield from _by_interval(envelope.updates, envelope.intervals)
        yield from _by_interval(self.updates, self.intervals)


def _by_interval(
    updates: list[HeaderedUpdate], intervals: Iterable[tuple[Interval, int]]
) -> Iterator[tuple[list[HeaderedUpdate], Interval]]:
    begin = 0
    for interval, count in intervals:
        yield updates[begin : begin + count], interval
        begin += count


def _bytes_in(updates: Sequence[HeaderedUpdate]) -> int:
    return sum([len(update.data) for update in updates])
