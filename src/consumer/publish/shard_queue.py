"""The queue of one shard: updates not packed yet, and envelopes not acknowledged yet."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import msgspec

from consumer.publish.envelope_writer import Content, unpack
from consumer.publish.limits import MAX_RECORD_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from consumer.checkpoint.watermark import Interval
    from consumer.publish.envelope_writer import HeaderedUpdate
    from consumer.publish.shard_map import Shard

FULL_BYTES = 512 * 1024
"""Lines in one envelope, some 640 of them. Packed they take about 110 KB, five PUT payload units of 25 KB, the last one
half empty on average. Half as large they would be 4 % larger in all, and cost twice the calls."""


class Envelope(msgspec.Struct, eq=False):
    """One record for Kinesis with `count` updates.

    `size` is in bytes as Kinesis counts them, `read_bytes` is the size of the updates as read. An update too large for
    an envelope is a record without `hash_key`: Kinesis itself chooses its shard.
    """

    key: str
    data: bytes
    size: int
    hash_key: str | None
    lane: ShardQueue
    count: int
    read_bytes: int
    intervals: list[tuple[Interval, int]]
    attempts: int = 0

    @property
    def updates(self) -> list[HeaderedUpdate]:
        """The updates, unpacked again: it is seldom that they are asked for, and packed they take a seventh."""
        return unpack(self.data, self.lane.shard.shard_id)


class ShardQueue:
    """One shard's updates in their order: first `packed`, of which the first may be under way, then the others."""

    __slots__ = (
        "_content",
        "_intervals",
        "_oldest_at",
        "is_under_way",
        "packed",
        "packed_at",
        "shard",
        "wait_until",
    )

    def __init__(self, shard: Shard) -> None:
        self.shard = shard
        self.packed: deque[Envelope] = deque()
        self.is_under_way = False
        self.wait_until = 0.0
        """The first of `packed` failed, and goes again then."""
        self.packed_at = 0.0
        """When an envelope became full while no other one was packed."""
        self._content = Content()  # of the next envelope, and then:
        self._intervals: list[tuple[Interval, int]] = []  # and how many of these updates in a row wait for each
        self._oldest_at = 0.0

    def __bool__(self) -> bool:
        """Return whether anything waits here."""
        return bool(self.packed or self._intervals)

    @property
    def is_free(self) -> bool:
        """Whether its next envelope can go as soon as it is full: none is under way, none waits to be sent again."""
        return not self.is_under_way and not (self.packed and self.packed[0].attempts)

    def add(self, updates: Sequence[HeaderedUpdate], interval: Interval, now: float) -> None:
        """Take updates of one interval in; pack them as soon as they fill an envelope."""
        if not self._intervals:
            self._oldest_at = now
        self._intervals.append((interval, len(updates)))
        self._content.add(updates)
        if self._content.size >= FULL_BYTES:
            if not self.packed:
                self.packed_at = now
            self.pack()

    def due_at(self, linger: float, gather: float) -> float | None:
        """Return when the next envelope is due; None if only an answer or another update can change that.

        That is when it has been full for `gather` seconds, or its oldest update has waited for `linger`.
        """
        if self.is_under_way:
            return None
        if self.packed:
            return max(self.wait_until, self.packed_at + gather)
        return self._oldest_at + linger if self._intervals else None

    def pack(self) -> None:
        """Pack what is not packed yet."""
        content, intervals = self._content, deque(self._intervals)
        self._content, self._intervals = Content(), []
        shard_id, hash_key = self.shard
        for data, updates, read_bytes, key in content.pack(shard_id, MAX_RECORD_BYTES - len(shard_id)):
            self.packed.append(
                Envelope(
                    key=key or shard_id,
                    data=data,
                    size=len(data) + len((key or shard_id).encode()),
                    hash_key=None if key else hash_key,
                    lane=self,
                    count=updates,
                    read_bytes=read_bytes,
                    intervals=list(_take(intervals, updates)),
                )
            )

    def all(self) -> Iterator[tuple[list[HeaderedUpdate], Interval]]:
        """Yield all that waits here, in its order, by intervals."""
        if self._intervals:
            self.pack()
        for envelope in self.packed:
            updates = envelope.updates
            for interval, count in envelope.intervals:
                yield updates[:count], interval
                del updates[:count]

    def waiting(self) -> Iterator[HeaderedUpdate]:
        """Yield what is not under way."""
        for envelope in list(self.packed)[int(self.is_under_way) :]:
            yield from envelope.updates
        yield from self._content.updates()


def _take(intervals: deque[tuple[Interval, int]], updates: int) -> Iterator[tuple[Interval, int]]:
    """Take the intervals of so many updates from the front."""
    while updates:
        interval, count = intervals.popleft()
        if count > updates:
            intervals.appendleft((interval, count - updates))
            count = updates
        yield interval, count
        updates -= count
