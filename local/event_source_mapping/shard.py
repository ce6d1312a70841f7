"""One shard's state machine: the filter, the lanes, and what is known of the shard's tip; time is an argument."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from zlib import crc32

from local.event_source_mapping.batch import LARGEST_PAYLOAD, Batch
from local.event_source_mapping.event import EventWriter
from local.event_source_mapping.lane import Effect, Lane
from local.event_source_mapping.observation import Counters

if TYPE_CHECKING:
    from collections.abc import Iterable

    from local.event_source_mapping.pace import Pace
    from local.event_source_mapping.record import KinesisRecord
    from local.event_source_mapping.settings import MappingSettings
    from local.runtime.invocation import InvocationResult


@dataclass(frozen=True, slots=True)
class Work:
    """An invocation to be made: the event, and whose it is."""

    lane: Lane
    batch: Batch
    event: bytes


class Shard:
    """Everything between reading a shard's records and invoking the function with them. Not safe for threads.

    The caller reads and calls `offer`; says `caught_up` when a read reached the tip and `end` when nothing will
    follow; makes the invocations that `take` gives, and answers each with `complete` or `postpone`.
    """

    def __init__(self, settings: MappingSettings, shard_id: str, pace: Pace, writer: EventWriter | None = None) -> None:
        self.shard_id = shard_id
        self._settings = settings
        self._writer = writer or EventWriter(settings, shard_id)
        self.lanes = [Lane(settings, self._writer, shard_id, pace) for _ in range(settings.parallelization_factor)]
        self._read_until = 0.0
        self._own_counters = Counters()
        self.ended = False
        self.iterator_age: float | None = None

    @property
    def counters(self) -> Counters:
        """Totals of the shard since the start."""
        return sum((lane.counters for lane in self.lanes), self._own_counters)

    @property
    def own_counters(self) -> Counters:
        """What no lane counts; the caller adds throttles and failed reads here."""
        return self._own_counters

    @property
    def buffered(self) -> int:
        """Records that wait for their first invocation."""
        return sum(lane.buffered for lane in self.lanes)

    @property
    def has_room(self) -> bool:
        """Whether to read more: a function that falls behind or fails must not fill the memory."""
        lanes = len(self.lanes)
        return (
            self.buffered < 2 * self._settings.batch_size * lanes
            and sum(lane.buffered_bytes for lane in self.lanes) < 2 * LARGEST_PAYLOAD * lanes
        )

    @property
    def idle(self) -> bool:
        """Whether all that was offered is done with and no window is open."""
        return all(lane.idle for lane in self.lanes)

    def offer(self, records: Iterable[KinesisRecord], now: float) -> None:
        """Take in what was read, in the shard's order. A record the filter rejects is done with here."""
        wanted = self._settings.record_filter
        for record in records:
            self._own_counters.read += 1
            if wanted is not None and not wanted(record.data):
                self._own_counters.filtered += 1
                continue
            self._lane(record.partition_key).add(self._writer.record(record, now))

    def _lane(self, partition_key: str) -> Lane:
        if len(self.lanes) == 1:
            return self.lanes[0]
        return self.lanes[crc32(partition_key.encode()) % len(self.lanes)]

    def caught_up(self, polled_at: float) -> None:
        """Note that a read begun at `polled_at` reached the tip: what arrived before then has been offered."""
        self._read_until = max(self._read_until, polled_at)

    def end(self) -> None:
        """Note that nothing will follow: the shard is closed and read, or the run ends. Open windows close."""
        self.ended = True

    def take(self, now: float) -> list[Work]:
        """Give the invocations that are due, at most one a lane."""
        work = []
        for lane in self.lanes:
            batch = lane.take(now, read_until=self._read_until, ended=self.ended)
            if batch is not None:
                if batch.records:
                    self.iterator_age = max(0.0, now - batch.records[-1].arrival)
                work.append(Work(lane, batch, lane.event(batch)))
        return work

    def complete(self, work: Work, result: InvocationResult, now: float) -> None:
        """Take the function's answer."""
        work.lane.complete(work.batch, result, now)

    def postpone(self, work: Work, now: float, *, throttled: bool) -> None:
        """Take note that the function could not be invoked; it will be tried again and counts as no retry."""
        if throttled:
            self._own_counters.throttles += 1
        else:
            self._own_counters.service_errors += 1
        work.lane.postpone(work.batch, now)

    def wake_at(self, now: float) -> float | None:
        """Tell when something falls due even if nothing new is read."""
        return min((due for lane in self.lanes if (due := lane.wake_at(now)) is not None), default=None)

    def effects(self) -> list[Effect]:
        """Hand over what happened since the last call."""
        happened = [effect for lane in self.lanes for effect in lane.effects]
        for lane in self.lanes:
            lane.effects.clear()
        return happened
