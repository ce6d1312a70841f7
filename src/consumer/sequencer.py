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
    from consumer.watermark import Interval

MAX_BATCH_RECORDS = 500
"""Records in one PutRecords call (Kinesis API reference)."""

MAX_BATCH_BYTES = 5 * 1024 * 1024
"""Data plus partition keys of one PutRecords call (Kinesis API reference)."""

MAX_RECORD_BYTES = 1024 * 1024
"""Data plus partition key of one record (Kinesis API reference)."""


@dataclass(slots=True, eq=False)
class Record:
    """One record for Kinesis, and the token interval that waits for its acknowledgement."""

    key: str
    data: bytes
    interval: Interval
    attempts: int = 0

    @property
    def size(self) -> int:
        """Bytes as Kinesis counts them: data plus partition key."""
        return len(self.data) + len(self.key.encode())


class Sequencer:
    """Pure state: which records are ready, which wait behind one of their key, which wait for a retry."""

    def __init__(self, *, linger: float) -> None:
        """Hold records back up to `linger` seconds so that a call carries many."""
        self._linger = linger
        self._behind: dict[str, deque[Record]] = {}  # busy key -> the records that wait behind
        self._ready: deque[tuple[float, Record]] = deque()  # when it became ready, in seconds
        self._retries: list[tuple[float, int, Record]] = []  # heap: when due, tie-breaker, record
        self._tie = 0

    @property
    def is_empty(self) -> bool:
        """Whether every record that was added is acknowledged."""
        return not self._behind

    def add(self, record: Record, now: float) -> None:
        """Take a record in; `now` in seconds of one monotonic clock, as everywhere here."""
        behind = self._behind.get(record.key)
        if behind is None:
            self._behind[record.key] = deque()
            self._ready.append((now, record))
        else:
            behind.append(record)

    def acknowledged(self, record: Record, now: float) -> None:
        """Note that Kinesis has the record; the next one of its key becomes ready."""
        behind = self._behind[record.key]
        if behind:
            # It has waited for a whole call already. Lingering once more would let an aircraft that is behind send one
            # update every `linger` seconds, and hold up the watermark with it.
            self._ready.appendleft((now - self._linger, behind.popleft()))
        else:
            del self._behind[record.key]

    def failed(self, record: Record, due: float) -> None:
        """Note that the record must be sent again, not before `due`; its key stays busy."""
        self._tie += 1
        heappush(self._retries, (due, self._tie, record))

    def next_batch(self, now: float, *, hurry: bool = False) -> list[Record]:
        """Return what to send now, at most one call's worth; empty when nothing is due.

        A call goes out when it is full, when its oldest record has waited for `linger`, or when `hurry` is set.
        """
        self._take_due_retries(now)
        if not self._ready:
            return []
        is_full = len(self._ready) >= MAX_BATCH_RECORDS
        if not (hurry or is_full or now - self._ready[0][0] >= self._linger):
            return []
        batch: list[Record] = []
        size = 0
        while self._ready and len(batch) < MAX_BATCH_RECORDS:
            record = self._ready[0][1]
            size += record.size
            if size > MAX_BATCH_BYTES and batch:
                break
            self._ready.popleft()
            batch.append(record)
        return batch

    def seconds_until_due(self, now: float) -> float | None:
        """Return how long nothing will be due (seconds, 0 or more); None if only an acknowledgement can change that."""
        due = [self._retries[0][0]] if self._retries else []
        if self._ready:
            due.append(self._ready[0][0] + self._linger)
        return max(0.0, min(due) - now) if due else None

    def _take_due_retries(self, now: float) -> None:
        due = []
        while self._retries and self._retries[0][0] <= now:
            due.append(heappop(self._retries)[2])
        # A retry is older than whatever is ready: it goes first, and at once.
        self._ready.extendleft((now - self._linger, record) for record in reversed(due))
