"""When a window's state has outgrown its bound, and is written as one part while the window goes on in the next.

Where a part ends must depend on the updates alone, never on how they were cut into batches: a failed batch comes back
cut in two, and the part it closes must then hold the same updates, or rows already written would not agree with those
written later. So the size is bounded from above update by update (`WindowPart.size_bound`), and measured only when
that bound says it might be too large; both are functions of the sequence of updates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aggregator import state_codec
from aggregator.window import WindowPart

if TYPE_CHECKING:
    from collections.abc import Iterable

    from common.target_update import TargetUpdate

STATE_BYTES = 950_000
"""Bound on the encoded state: Lambda's limit is 1 MB (developer guide, tumbling windows), read here as 1,000,000."""

PACKED_BYTES = STATE_BYTES * 3 // 4 - 1_000
"""The same before base64, with room for the JSON around it and zlib's headers."""


class PartFolder:
    """Folds updates into the part at hand, and sets aside each part that is full."""

    def __init__(self, part: WindowPart, packed_bytes: int = PACKED_BYTES) -> None:
        """Go on with `part`; `packed_bytes` is the bound on its packed size."""
        self.part = part
        self.full_parts: list[WindowPart] = []
        self._limit = packed_bytes
        self._full = packed_bytes * 95 // 100

    def add(self, update: TargetUpdate) -> bool:
        """Count an update; return False if it was counted before."""
        return self.add_all((update,)) == 1

    def add_all(self, updates: Iterable[TargetUpdate]) -> int:
        """Count updates; return how many had not been counted before."""
        left, counted = iter(updates), 0
        while True:
            part = self.part
            counted += part.add_all(left, self._limit)
            if part.size_bound <= self._limit:
                return counted
            part.size_bound = state_codec.measure(part)
            if part.size_bound > self._full:
                self.full_parts.append(part)
                self.part = WindowPart(part.origin, part.number + 1)
