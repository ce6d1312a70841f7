"""Records that wait to be sent, and how they are cut into batches."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from local.event_source_mapping.record import PendingRecord
    from local.event_source_mapping.window import Window

LARGEST_PAYLOAD = 6_000_000
"""Bytes of an event at which a batch closes: near Lambda's limit of 6 MB a synchronous invocation (quotas page)."""

_ENVELOPE = 2_000  # more than all that surrounds the records and the state


@dataclass(slots=True)
class Batch:
    """Records to be sent in one invocation, and what is known of it so far.

    `invocations` counts what was sent, throttles not counted; `retries` what counts against the limit.
    """

    records: tuple[PendingRecord, ...]
    final: bool = False
    early: bool = False
    invocations: int = 0
    retries: int = 0
    first_tried: float | None = None
    request_id: str | None = None
    function_error: str | None = None

    def cut_to_fit(self, state: int) -> Batch | None:
        """Leave out what does not fit next to `state` bytes of state, and return it; None if all fits.

        A state may have grown since the batch was cut. What is left out has been tried as often, and is what is final.
        """
        room = LARGEST_PAYLOAD - _ENVELOPE - state
        for place, record in enumerate(self.records):
            room -= len(record.encoded) + 1
            if room < 0 and place:
                rest = replace(self, records=self.records[place:])
                self.records, self.final, self.early = self.records[:place], False, False
                return rest
        return None


@dataclass(frozen=True, slots=True)
class Cut:
    """A batch's worth of waiting records: how many, and whether a limit (not a lack of records) ended it."""

    count: int
    full: bool


class Buffer:
    """Records in order, not yet in a batch."""

    def __init__(self, batch_size: int) -> None:
        self._batch_size = batch_size
        self._records: deque[PendingRecord] = deque()
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._records)

    @property
    def head(self) -> PendingRecord | None:
        """The oldest record that waits."""
        return self._records[0] if self._records else None

    def add(self, record: PendingRecord) -> None:
        """Put a record behind the others."""
        self._records.append(record)
        self.bytes += len(record.encoded) + 1

    def cut(self, *, state: int = 0, before: float | None = None) -> Cut:
        """See how many records the next batch takes, next to `state` bytes of state.

        A record that arrived at or after `before` ends it, and so do the size and the payload limit. One record is
        always taken: it cannot get smaller by waiting.
        """
        room = LARGEST_PAYLOAD - _ENVELOPE - state
        if before is None and self.bytes <= room:
            return Cut(min(len(self._records), self._batch_size), len(self._records) >= self._batch_size)
        count = 0
        for record in self._records:
            if before is not None and record.arrival >= before:
                return Cut(count, full=count >= self._batch_size)
            room -= len(record.encoded) + 1
            if count == self._batch_size or (room < 0 and count):
                return Cut(count, full=True)
            count += 1
        return Cut(count, full=count >= self._batch_size)

    def at(self, place: int) -> PendingRecord | None:
        """Look at a record further back."""
        return self._records[place] if place < len(self._records) else None

    def take(self, count: int) -> tuple[PendingRecord, ...]:
        """Take records off the front."""
        taken = tuple(self._records.popleft() for _ in range(count))
        self.bytes -= sum(len(record.encoded) + 1 for record in taken)
        return taken


def cut_batch(buffer: Buffer, *, waited: bool) -> Batch | None:
    """Cut a batch that is full, or whose oldest record has `waited` for the batching window."""
    cut = buffer.cut()
    if cut.count and (cut.full or waited):
        return Batch(buffer.take(cut.count))
    return None


def cut_in_window(buffer: Buffer, window: Window, *, waited: bool, over: bool) -> Batch | None:
    """Cut a batch within the open window; the one that is known to be its last is also its final invocation.

    `over`: nothing that is still to be read belongs to the window. A record of a later window tells the same.
    """
    cut = buffer.cut(state=len(window.state), before=window.end)
    follower = buffer.at(cut.count)
    if (over and follower is None) or (follower is not None and follower.arrival >= window.end):
        return Batch(buffer.take(cut.count), final=True)
    if cut.count and (cut.full or waited):
        return Batch(buffer.take(cut.count))
    return None
