"""Decides what may be sent to Kinesis now: the order of each key is kept through throttling and partial failures.

PutRecords does not stop at a failed entry, so a later record of the same key in the same or another call can overtake
it. Therefore a key is busy from the moment one of its records is ready until that one is acknowledged; the
records that come meanwhile wait behind it. A call thus never holds two records of one key.

Every update passes through here; so updates are added and settled a list at a time, without a call for each.
"""

from __future__ import annotations

from collections import deque
from heapq import heappop, heappush
from typing import TYPE_CHECKING

import msgspec

from common.normal_form import addresses
from consumer.publish.limits import MAX_BATCH_BYTES, MAX_BATCH_RECORDS
from consumer.publish.outbox import Settled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from consumer.checkpoint.watermark import Interval
    from consumer.stream.messages import StreamUpdate

LINGER_SECONDS = 0.25
"""How long a record may wait for company. Well under the second within which it should be with Kinesis."""


class Record(msgspec.Struct, gc=False, eq=False):
    """One record for Kinesis, and the token interval that waits for its acknowledgement.

    `size` is in bytes as Kinesis counts them: data plus partition key. Kinesis chooses the shard by the key.
    """

    key: str
    data: bytes
    size: int
    interval: Interval
    attempts: int = 0
    ready_at: float = 0.0
    hash_key: str | None = None


class SingleOutbox:
    """Pure state: which records are ready, which wait behind one of their key, which wait for a retry."""

    def __init__(self, retry_delay: Callable[[int], float], *, linger: float = LINGER_SECONDS) -> None:
        """Hold records back up to `linger` seconds so that a call carries many.

        A record goes again `retry_delay(n)` seconds after its n-th failure.
        """
        self._retry_delay = retry_delay
        self._linger = linger
        self._behind: dict[str, deque[Record] | None] = {}  # busy key -> the records that wait behind, if any do
        self._ready: deque[Record] = deque()
        self._retries: list[tuple[float, int, Record]] = []  # heap: when due, tie-breaker, record
        self._tie = 0

    def add(self, updates: Sequence[StreamUpdate], interval: Interval, now: float) -> bool:
        """Take updates in; return whether a call would be full. `now`, as everywhere here: monotonic, in seconds."""
        all_behind, ready = self._behind, self._ready
        for update, key in zip(updates, addresses(updates), strict=True):
            data = update.data + b"\n"
            size = len(data) + (len(key) if key.isascii() else len(key.encode()))
            record = Record(key, data, size, interval, 0, now)
            if key not in all_behind:
                all_behind[key] = None
                ready.append(record)
            elif (behind := all_behind[key]) is None:
                all_behind[key] = deque((record,))
            else:
                behind.append(record)
        return len(ready) >= MAX_BATCH_RECORDS

    def prepare(self, now: float) -> None:
        """Need nothing of Kinesis."""

    def settle(self, batch: Sequence[Record], answer: Sequence[str | None], now: float) -> Settled:
        """Act on an answer: for each record of the batch the shard that has it, None where Kinesis did not take it.

        The next record of an acknowledged one's key becomes ready; one that failed keeps its key busy.
        """
        all_behind, read_bytes, retries = self._behind, 0, 0
        for record, shard_id in zip(batch, answer, strict=True):
            if shard_id is None:
                retries += 1
                record.attempts += 1
                self._tie += 1
                heappush(self._retries, (now + self._retry_delay(record.attempts), self._tie, record))
                continue
            read_bytes += len(record.data) - 1
            record.interval.acknowledged += 1
            if behind := all_behind[record.key]:
                # It has waited for a whole call already. Lingering once more would let an aircraft that is behind send
                # one update every `linger` seconds, and hold up the watermark with it.
                follower = behind.popleft()
                follower.ready_at = now - self._linger
                self._ready.appendleft(follower)
            else:
                del all_behind[record.key]
        return Settled(len(batch) - retries, read_bytes, retries)

    def waiting(self) -> Iterator[bytes]:
        """Yield the updates, as read, that were not given out, or came back to be sent again."""
        yield from (record.data[:-1] for record in self._ready)
        yield from (record.data[:-1] for _, _, record in self._retries)
        for behind in self._behind.values():
            yield from (record.data[:-1] for record in behind or ())

    @staticmethod
    def updates_in(batch: Sequence[Record]) -> Iterator[bytes]:
        """Yield the updates, as read, of a batch that was given out."""
        return (record.data[:-1] for record in batch)

    def next_batch(self, now: float, *, hurry: bool = False, others_in_flight: bool = False) -> list[Record]:
        """Return what to send now, at most one call's worth; empty when nothing is due.

        A call goes out when it is full, when its oldest record has waited for `linger`, or when `hurry` is set. While
        other calls are in flight only a full one goes out, or one that has waited three times as long: each answer
        frees the keys it carried, and few calls with many records cost less than many calls with few.
        """
        self._take_due_retries(now)
        ready = self._ready
        if not ready:
            return []
        if len(ready) < MAX_BATCH_RECORDS and not hurry:
            extra = 2 * self._linger if others_in_flight else 0.0
            if now - ready[0].ready_at < self._linger + extra:
                return []
        batch = [ready.popleft() for _ in range(min(len(ready), MAX_BATCH_RECORDS))]
        size = sum([record.size for record in batch])
        while size > MAX_BATCH_BYTES and len(batch) > 1:
            ready.appendleft(batch.pop())
            size -= ready[0].size
        return batch

    def seconds_until_due(self, now: float, *, others_in_flight: bool = False) -> float | None:
        """Return how long nothing will be due (seconds, 0 or more); None if only an acknowledgement can change that."""
        due = [self._retries[0][0]] if self._retries else []
        if self._ready:
            due.append(self._ready[0].ready_at + self._linger * (3 if others_in_flight else 1))
        return max(0.0, min(due) - now) if due else None

    def _take_due_retries(self, now: float) -> None:
        due = []
        while self._retries and self._retries[0][0] <= now:
            due.append(heappop(self._retries)[2])
        for record in reversed(due):  # a retry is older than whatever is ready: it goes first, in the next call
            record.ready_at = now - self._linger
            self._ready.appendleft(record)
