"""Decides what may be sent to Kinesis now, in envelopes: the updates of each shard in order, one envelope at a time.

An update waits in the lane of the shard that Kinesis would choose for its aircraft. A lane has one envelope in flight;
what comes meanwhile goes into the next one, so envelopes grow with the load. An envelope is addressed to its shard;
when the answer names another one, the stream was resharded. Then nothing more is sent until all answers are in, the
shards are read again, and everything that waits is sorted, oldest first: so an aircraft that moves to another shard
keeps its order. Readers skip the misplaced envelope, since it names a shard that it is not in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from common.normal_form import addresses
from common.observability import logger
from consumer.publish.limits import MAX_BATCH_BYTES, MAX_BATCH_RECORDS
from consumer.publish.outbox import Settled
from consumer.publish.shard_queue import ShardQueue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from consumer.checkpoint.watermark import Interval
    from consumer.publish.envelope_writer import HeaderedUpdate
    from consumer.publish.shard_map import ShardMap
    from consumer.publish.shard_queue import Envelope

LINGER_SECONDS = 0.8
"""How long an update may wait for company: with Kinesis within a second, the call included."""

GATHER_SECONDS = 0.02
"""How long a full envelope may wait for those of the other shards. Aircraft are spread over the shards so evenly that
under load all of them fill up at about the same time, and a call for four costs half as much as four calls."""

BETWEEN_READS_SECONDS = 1.0
"""How soon the shards are read again: should the list lag behind the stream, what goes by it lands elsewhere again."""


class EnvelopeOutbox:
    """State alone, but for reading which shards there are."""

    def __init__(
        self,
        read_shards: Callable[[], ShardMap | None],
        retry_delay: Callable[[int], float],
        *,
        linger: float = LINGER_SECONDS,
    ) -> None:
        """Hold updates back up to `linger` seconds so that an envelope holds many.

        `read_shards` gives the open shards, None if they cannot be had just now; it may raise PublishError. What
        failed is tried again `retry_delay(n)` seconds after its n-th failure.
        """
        self._read_shards = read_shards
        self._retry_delay = retry_delay
        self._linger = linger
        self._shards: ShardMap | None = None
        self._read: ShardMap | None = None  # and nothing sorted by them yet
        self._reading_failed = 0
        self._read_at = -BETWEEN_READS_SECONDS  # when the shards were read, or where they are unknown, will be
        self._lanes: dict[str, ShardQueue] = {}
        self._unsorted: list[tuple[Sequence[HeaderedUpdate], Interval, float]] = []

    def add(self, updates: Sequence[HeaderedUpdate], interval: Interval, now: float) -> bool:
        """Take updates in; return whether the first envelope has become full, or the last one that goes with it.

        `now`, as everywhere here: monotonic, in seconds.
        """
        if self._shards is None:
            self._unsorted.append((updates, interval, now))
            return False
        free = [lane for lane in self._lanes.values() if lane.is_free]
        full_before = sum([bool(lane.packed) for lane in free])
        self._sort(self._shards, updates, interval, now)
        full = sum([bool(lane.packed) for lane in free])
        return full > full_before and (not full_before or full == len(free))

    def _sort(self, shards: ShardMap, updates: Sequence[HeaderedUpdate], interval: Interval, now: float) -> None:
        if len(self._lanes) == 1:
            (only,) = self._lanes.values()
            only.add(updates, interval, now)
            return
        of_shards: list[list[HeaderedUpdate]] = [[] for _ in shards.shards]
        places = shards.places_of(addresses(updates))
        for update, place in zip(updates, places, strict=True):
            of_shards[place].append(update)
        for shard, of_shard in zip(shards.shards, of_shards, strict=True):
            if of_shard:
                self._lanes[shard.shard_id].add(of_shard, interval, now)

    def settle(self, batch: Sequence[Envelope], answer: Sequence[str | None], now: float) -> Settled:
        """Act on an answer: for each record of the batch the shard that has it, None where Kinesis did not take it."""
        updates = read_bytes = retries = 0
        for envelope, shard_id in zip(batch, answer, strict=True):
            lane = envelope.lane
            lane.is_under_way = False
            is_elsewhere = bool(shard_id) and shard_id != lane.shard.shard_id
            if is_elsewhere and self._shards is not None:
                logger.info("the stream was resharded: sorting what waits again", found_in=shard_id)
                self._shards, self._read_at = None, max(now, self._read_at + BETWEEN_READS_SECONDS)
            if shard_id is None or (is_elsewhere and envelope.hash_key is not None):
                retries += 1
                envelope.attempts += 1
                lane.wait_until = now + self._retry_delay(envelope.attempts)
                continue
            lane.packed.popleft()
            updates += envelope.count
            read_bytes += envelope.read_bytes
            for interval, count in envelope.intervals:
                interval.acknowledged += count
        return Settled(updates, read_bytes, retries)

    def waiting(self) -> Iterator[bytes]:
        """Yield the updates, as read, that were not given out, or came back to be sent again."""
        for lane in self._lanes.values():
            yield from (update.data for update in lane.waiting())
        for updates, _, _ in self._unsorted:
            yield from (update.data for update in updates)

    @staticmethod
    def updates_in(batch: Sequence[Envelope]) -> Iterator[bytes]:
        """Yield the updates, as read, of a batch that was given out."""
        return (update.data for envelope in batch for update in envelope.updates)

    def next_batch(self, now: float, *, hurry: bool = False, others_in_flight: bool = False) -> list[Envelope]:
        """Return what to send now, at most one call's worth; empty when nothing is due.

        An envelope is due once the one before it is acknowledged and one of these holds: it and those of the other
        shards are full; it has been full for a moment; its oldest update has waited for `linger`; `hurry` is set. While
        other calls are in flight it waits for the envelopes of the other shards: few calls with many records cost less
        than many calls with few.
        """
        if self._shards is None and not self._sort_anew(now):
            return []
        idle = self._idle(hurry=hurry)
        due = [lane for lane, at in idle if at is not None and at <= now]
        if others_in_flight and not hurry and len(due) < len(idle):
            return []
        batch: list[Envelope] = []
        size = 0
        for lane in due:
            if not lane.packed:
                lane.pack()
            envelope = lane.packed[0]
            size += envelope.size
            if size > MAX_BATCH_BYTES or len(batch) == MAX_BATCH_RECORDS:
                break
            lane.is_under_way = True
            batch.append(envelope)
            shard_id = lane.shard.shard_id
            self._lanes[shard_id] = self._lanes.pop(shard_id)  # to the end: the others are served first next time
        return batch

    def seconds_until_due(self, now: float, *, others_in_flight: bool = False) -> float | None:
        """Return how long nothing will be due (seconds, 0 or more); None if only an answer can change that."""
        if self._shards is None:
            return max(0.0, self._read_at - now) if self._may_sort else None
        idle = self._idle()
        due = [at for _, at in idle if at is not None]
        if not due or (others_in_flight and len(due) < len(idle)):
            return None
        return max(0.0, (max if others_in_flight else min)(due) - now)

    def _idle(self, *, hurry: bool = False) -> list[tuple[ShardQueue, float | None]]:
        """Return the lanes without an envelope under way, and when their next one is due."""
        idle = [lane for lane in self._lanes.values() if not lane.is_under_way]
        gathers = not hurry and any(lane.is_free and not lane.packed for lane in idle)
        linger, gather = 0.0 if hurry else self._linger, GATHER_SECONDS if gathers else 0.0
        return [(lane, lane.due_at(linger, gather)) for lane in idle]

    @property
    def _may_sort(self) -> bool:
        """Whether there is something to sort, and no answer to wait for."""
        lanes = self._lanes.values()
        if any(lane.is_under_way for lane in lanes):
            return False
        return bool(self._unsorted) or any(lanes)

    def prepare(self, now: float) -> None:
        """Read which shards there are, if that is not known and something waits for it.

        Raises
        ------
        PublishError
            They may not be listed.
        """
        if self._shards is not None or self._read is not None or not self._may_sort or now < self._read_at:
            return
        self._read = self._read_shards()
        self._reading_failed = 0 if self._read is not None else self._reading_failed + 1
        self._read_at = now + self._retry_delay(self._reading_failed) if self._reading_failed else now

    def _sort_anew(self, now: float) -> bool:
        """Sort what waits by the shards that were read; return whether there are any."""
        self._shards, self._read = self._read, None
        if self._shards is None:
            return False
        old, self._lanes = self._lanes, {shard.shard_id: ShardQueue(shard) for shard in self._shards.shards}
        unsorted, self._unsorted = self._unsorted, []
        for lane in old.values():
            for updates, interval in lane.all():
                # They have waited already, perhaps for a whole call.
                self._sort(self._shards, updates, interval, now - self._linger)
        for added in unsorted:
            self._sort(self._shards, *added)
        return True
