"""Decides what may be sent to Kinesis now, in envelopes: the updates of each shard in order, one envelope at a time.

An update waits in the lane of the shard that Kinesis would choose for its aircraft. A lane has one envelope under way;
what comes meanwhile goes into the next one, so envelopes grow with the load. An envelope is addressed to its shard;
when the answer names another one, the stream was resharded. Then nothing more is sent until all answers are in, the
shards are read anew, and all that waits is sorted again, oldest first: so an aircraft that moves to another shard keeps
its order. Readers pass over the misplaced envelope, since it names a shard that it is not in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from common.observability import logger
from consumer.lane import Lane
from consumer.sequencer import MAX_BATCH_BYTES, MAX_BATCH_RECORDS, Settled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from consumer.envelope import HeaderedUpdate
    from consumer.lane import Envelope
    from consumer.shard_map import ShardMap
    from consumer.watermark import Interval

LINGER_SECONDS = 0.8
"""How long an update may wait for company: with Kinesis within a second, the call included."""


class Enveloper:
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
        self._reading_failed, self._read_at = 0, 0.0
        self._lanes: dict[str, Lane] = {}
        self._unsorted: list[tuple[Sequence[HeaderedUpdate], Interval, float]] = []

    def add(self, updates: Sequence[HeaderedUpdate], interval: Interval, now: float) -> None:
        """Take updates in; `now` in seconds of one monotonic clock, as everywhere here."""
        if self._shards is None:
            self._unsorted.append((updates, interval, now))
            return
        if len(self._lanes) == 1:
            (only,) = self._lanes.values()
            only.add(updates, interval, now)
            return
        # A pass for each shard that is there: cheaper than to append each update to the list of its shard.
        places = self._shards.places_of([update.icao_address for update in updates])
        for place in set(places):
            of_shard = [update for update, at in zip(updates, places, strict=True) if at == place]
            self._lanes[self._shards.shards[place].shard_id].add(of_shard, interval, now)

    def settle(self, batch: Sequence[Envelope], answer: Sequence[str | None], now: float) -> Settled:
        """Act on an answer: for each record of the batch the shard that has it, None where Kinesis did not take it."""
        updates = read_bytes = retries = 0
        for envelope, shard_id in zip(batch, answer, strict=True):
            lane = envelope.lane
            lane.is_under_way = False
            is_elsewhere = bool(shard_id) and shard_id != lane.shard.shard_id
            if is_elsewhere and self._shards is not None:
                logger.info("the stream was resharded: sorting what waits anew", found_in=shard_id)
                self._shards, self._read_at = None, now
            if shard_id is None or (is_elsewhere and envelope.hash_key is not None):
                retries += 1
                envelope.attempts += 1
                lane.wait_until = now + self._retry_delay(envelope.attempts)
                continue
            lane.packed.popleft()
            updates += len(envelope.updates)
            read_bytes += envelope.read_bytes
            for interval, count in envelope.intervals:
                interval.acknowledged += count
        return Settled(updates, read_bytes, retries)

    def waiting(self) -> Iterator[bytes]:
        """Yield the updates, as read, that were not given out, or came back to be sent again."""
        for lane in self._lanes.values():
            for envelope in list(lane.packed)[int(lane.is_under_way) :]:
                yield from (update.data for update in envelope.updates)
            yield from (update.data for update in lane.updates)
        for updates, _, _ in self._unsorted:
            yield from (update.data for update in updates)

    @staticmethod
    def updates_in(batch: Sequence[Envelope]) -> Iterator[bytes]:
        """Yield the updates, as read, of a batch that was given out."""
        return (update.data for envelope in batch for update in envelope.updates)

    def next_batch(self, now: float, *, hurry: bool = False, others_in_flight: bool = False) -> list[Envelope]:  # noqa: ARG002 - each lane knows its own
        """Return what to send now, at most one call's worth; empty when nothing is due.

        An envelope goes out when it is full, when its oldest update has waited for `linger`, or when `hurry` is set,
        and the one before it is acknowledged.

        Raises
        ------
        PublishError
            The stream's shards may not be read.
        """
        if self._shards is None and not self._sort_anew(now):
            return []
        batch: list[Envelope] = []
        size = 0
        for shard_id, lane in list(self._lanes.items()):
            due_at = lane.due_at(0.0 if hurry else self._linger)
            if due_at is None or due_at > now:
                continue
            envelope = lane.next_envelope()
            size += envelope.size
            if size > MAX_BATCH_BYTES or len(batch) == MAX_BATCH_RECORDS:
                break
            lane.is_under_way = True
            batch.append(envelope)
            self._lanes[shard_id] = self._lanes.pop(shard_id)  # to the end: the others are served first next time
        return batch

    def seconds_until_due(self, now: float, *, others_in_flight: bool = False) -> float | None:  # noqa: ARG002 - as above
        """Return how long nothing will be due (seconds, 0 or more); None if only an answer can change that."""
        if self._shards is None:
            return max(0.0, self._read_at - now) if self._may_sort else None
        due = [at for lane in self._lanes.values() if (at := lane.due_at(self._linger)) is not None]
        return max(0.0, min(due) - now) if due else None

    @property
    def _may_sort(self) -> bool:
        """Whether there is something to sort, and no answer to wait for."""
        lanes = self._lanes.values()
        if any(lane.is_under_way for lane in lanes):
            return False
        return bool(self._unsorted) or any(lane.packed or lane.updates for lane in lanes)

    def _sort_anew(self, now: float) -> bool:
        """Read which shards there are, and sort what waits by them; return whether that was possible."""
        if not self._may_sort or now < self._read_at:
            return False
        self._shards = self._read_shards()
        if self._shards is None:
            self._reading_failed += 1
            self._read_at = now + self._retry_delay(self._reading_failed)
            return False
        self._reading_failed = 0
        old, self._lanes = self._lanes, {shard.shard_id: Lane(shard) for shard in self._shards.shards}
        unsorted, self._unsorted = self._unsorted, []
        for lane in old.values():
            for updates, interval in lane.all():
                self.add(updates, interval, now - self._linger)  # they have waited already, perhaps for a whole call
        for added in unsorted:
            self.add(*added)
        return True
