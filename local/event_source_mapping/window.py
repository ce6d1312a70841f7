"""Tumbling windows: their edges, and the state carried within one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from local.event_source_mapping.record import PendingRecord

LARGEST_STATE = 1024 * 1024
"""Bytes of state after which Lambda ends a window early (developer guide, services-kinesis-windows: 1 MB a shard)."""


@dataclass(slots=True)
class Window:
    """One open window of a shard, [start, end) in seconds since the epoch, and what it has taken in so far.

    `first` and `last` are the outermost records whose processing is in `state`, `records` their number.
    """

    start: int
    end: int
    state: bytes = b"{}"
    records: int = 0
    first: PendingRecord | None = None
    last: PendingRecord | None = None

    @classmethod
    def at(cls, seconds: float, size: int) -> Window:
        """Open the window that this moment falls into; windows are aligned to the epoch."""
        start = int(seconds // size) * size
        return cls(start, start + size)

    def take_in(self, records: tuple[PendingRecord, ...], state: bytes) -> None:
        """Note that the function processed these records and answered with this state."""
        if records:
            self.first = self.first or records[0]
            self.last = records[-1]
            self.records += len(records)
        self.state = state

    @property
    def overflows(self) -> bool:
        """Whether the state is larger than Lambda keeps."""
        return len(self.state) > LARGEST_STATE


def encode_state(state: dict[str, Any]) -> bytes:
    """Write a state as it is in the next event, which is also how its size is measured.

    Half a surrogate pair, which JSON can hold and UTF-8 cannot, goes on as the escape it came as.
    """
    return json.dumps(state, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")
