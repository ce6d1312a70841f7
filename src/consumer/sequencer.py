"""Decides what may be sent to Kinesis now: the order of each key is kept through throttling and partial failures.

PutRecords does not stop at a failed entry, so a later record of the same key in the same or another call can overtake
it. Therefore a key is busy from the moment one of its records is ready until that one is acknowledged; the
records that come meanwhile wait behind it. A call thus never holds two records of one key.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consumer.watermark import Interval

MAX_BATCH_RECORDS = 500
"""Records in one PutRecords call (Kinesis API reference)."""

MAX_BATCH_BYTES = 5 * 1024 * 1024
"""Data plus partition keys of one PutRecords call (Kinesis API reference)."""

MAX_RECORD_BYTES = 1024 * 1024
"""Data plus partition key of one record (Kinesis API reference)."""


@dataclass(slots=True, eq=False)
class Record:
    """One record for Kinesis, and the token interval that waits for its acknowledgement.

    `size` is in bytes as Kinesis counts them: data plus partition key. `ready_at` is the sequencer's.
    """

    key: str
    data: bytes
    size: int
    interval: Interval
    attempts: int = 0
    ready_at: float = 0.0


class Sequencer:
    """Pure state: which records are ready, which wait behind one of their key, which wait for a retry."""

    def __init__(self, *, linger: float) -> None:
        """Hold records back up to `linger` seconds so that a call carries many."""
        self._linger = linger
        self._behind: dict[str, deque[Record] | None] = {}  # busy key -> the records that wait behind, if any do
        self._ready: deque[Record] = deque()
        self._retries: list[tuple[float, int, Record]] = []  # heap: when due, tie-breaker, record
        self._tie = 0

    @property
    def is_empty(self) -> bool:
        """Whether every record that was added is acknowledged."""
        return not self._behind

    def add(self, record: Record, now: float) -> None:
        """Take a record in; `now` in seconds of one monotonic clock, as everywhere here."""
        key = record.key
        if key not in self._behind:
            self._behind[key] = None
            record.ready_at = now
            self._ready.append(record)
        elif (behind := self._behind[key]) is None:
            self._behind[key] = deque((record,))
        else:
            behind.append(record)

    def acknowledged(self, record: Record, now: float) -> None:
        """Note that Kinesis has the record; the next one of its key becomes ready."""
        behind = self._behind[record.key]
        if behind:
            # It has waited for a whole call already. Lingering once more would let an aircraft that is behind send one
            # update every `linger` seconds, and hold up the watermark with it.
            follower = behind.popleft()
            follower.ready_at = now - self._linger
            self._ready.appendleft(follower)
        else:
            del self._behind[record.key]

    def failed(self, record: Record, due: float) -> None:
        """Note that the record must be sent again, not before `due`; its key stays busy."""
        self._tie += 1
        heappush(self._retries, (due, self._tie, record))

    def waiting(self) -> Iterator[Record]:
        """Yield the records that were not given out, or came back to be sent again."""
        yield from self._ready
        yield from (record for _, _, record in self._retries)
        for behind in self._behind.values():
            yield from behind or ()

    def next_batch(self, now: float, *, hurry: bool = False, others_in_flight: bool = False) -> list[Record]:
        """Return what to send now, at most one call's worth; empty when nothing is due.

        A call goes out when it is full, when its oldest record has waited for `linger`, or when `hurry` is set. While
        other calls are in flight only a full one goes out, or one that has waited twice as long: each answer frees
        the keys it carried, and few calls with many records cost less than many calls with few.
        """
        self._take_due_retries(now)
        ready = self._ready
        if not ready:
            return []
        if len(ready) < MAX_BATCH_RECORDS and not hurry:
            patience = 2 * self._linger if others_in_flight else 0.0
            if now - ready[0].ready_at < self._linger + patience:
                return []
        batch: list[Record] = []
        size = 0
        while ready and len(batch) < MAX_BATCH_RECORDS:
            size += ready[0].size
            if size > MAX_BATCH_BYTES and batch:
                break
            batch.append(ready.popleft())
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
        for record in reversed(due):  # a retry is older than whatever is ready: it goes first, and at once
            record.ready_at = now - self._linger
            self._ready.appendleft(record)
