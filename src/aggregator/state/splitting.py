"""Splits a window whose state outgrows its bound: one part is written, and the window goes on in the next.

Where a part ends must depend on the updates alone, never on how they were cut into batches: a failed batch comes back
cut in two, and the part it closes must then hold the same updates, or rows already written would contradict those
written later. So each update is charged for what it may add (`WindowPart.size_bound`), and the size is measured only
when the charges say that it might be too large; both are functions of the sequence of updates.

Until the first measurement, the charges are above the size. A measurement replaces them by the actual size, and from
then on they are an estimate:

- A key is charged 20 bytes, and takes 2 to 4 where times are whole milliseconds. The rest pays for the numbers that
  its update changes in the aircraft's row.
- Names that change are charged in full, not by how much longer they become: the names before may have compressed to
  nothing, as names that are all alike do.
- The row that an aircraft's first update leaves compresses well, and is charged in full with the second
  (`layout.SECOND_UPDATE_BYTES`). Later updates change numbers that differ from each other already.
- The compressor is uneven: for a few updates at 9,000 aircraft, 20,000 bytes more or less were seen.

Readings that differ in every update stay below the estimate. A feed could exceed it in which every aircraft sends two
updates without position and readings, then a measurement falls due, then all send full ones. For that, and for the
unevenness, `STATE_BYTES` leaves 50,000 characters below Lambda's limit; a state that needs more is compressed harder
(`codec.encode`); and one that is too large even then ends the window early, which costs a part, but no update.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aggregator.events import batch
from aggregator.state import codec, packing
from aggregator.state.window_part import WindowPart

if TYPE_CHECKING:
    from aggregator.events.batch import Batch
    from common.target_update import TargetUpdate

STATE_BYTES = 950_000
"""What the encoded state may grow to; the limit is `codec.LAMBDA_BYTES`."""

PACKED_BYTES = codec.packed_size(STATE_BYTES)


class PartFolder:
    """Folds updates into the current part, and passes on each part that is full."""

    def __init__(self, part: WindowPart, packed_bytes: int = PACKED_BYTES) -> None:
        """Go on with `part`; `packed_bytes` is what its packed size may grow to."""
        self.part = part
        self.full_parts: list[WindowPart] = []
        self._limit = packed_bytes
        self._full = packed_bytes * 95 // 100

    def add(self, update: TargetUpdate) -> bool:
        """Count an update; return False if it was counted before."""
        return self.add_all(batch.of([update])) == 1

    def add_all(self, updates: Batch) -> int:
        """Count updates; return how many had not been counted before."""
        counted, start = 0, 0
        while True:
            part = self.part
            folded = part.add_all(updates.between(start, len(updates.updates)) if start else updates, self._limit)
            start, counted = start + folded.taken, counted + folded.counted
            if part.size_bound <= self._limit:
                return counted
            part.size_bound = packing.measure(part)
            if part.size_bound > self._full:
                self.full_parts.append(part)
                self.part = WindowPart(part.origin, part.number + 1)
