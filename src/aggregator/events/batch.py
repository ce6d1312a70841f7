"""A batch of updates to be folded together, with their instants as numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from aggregator import instants

if TYPE_CHECKING:
    from collections.abc import Sequence

    from common.target_update import TargetUpdate


MILLISECOND, MICROSECOND = 1_000, 1
"""Ticks, in microseconds."""


class Batch(NamedTuple):
    """Updates, with the `timestamp` and `ingestion_time` of each: ticks of `tick` microseconds since 1970.

    The times in the updates themselves are not read: those from `aggregator.events.decoding` are still texts.
    """

    tick: int
    updates: Sequence[TargetUpdate]
    timestamps: Sequence[int]
    ingestion_times: Sequence[int | None]

    def between(self, start: int, end: int) -> Batch:
        """Return the updates from one place to another."""
        at = slice(start, end)
        return Batch(self.tick, self.updates[at], self.timestamps[at], self.ingestion_times[at])

    def in_milliseconds(self) -> Batch | None:
        """Return the same with a tick of a millisecond, or None if an instant is not one of them."""
        if self.tick == MILLISECOND:
            return self
        ingested = [0 if time is None else time % MILLISECOND for time in self.ingestion_times]
        if any(ingested) or any(time % MILLISECOND for time in self.timestamps):
            return None
        return Batch(
            MILLISECOND,
            self.updates,
            [time // MILLISECOND for time in self.timestamps],
            [None if time is None else time // MILLISECOND for time in self.ingestion_times],
        )

    def in_microseconds(self) -> Batch:
        """Return the same with a tick of a microsecond."""
        tick = self.tick
        return Batch(
            MICROSECOND,
            self.updates,
            [time * tick for time in self.timestamps],
            [None if time is None else time * tick for time in self.ingestion_times],
        )


def of(updates: Sequence[TargetUpdate]) -> Batch:
    """Return the batch of updates that were decoded one by one."""
    epoch, offset = instants.EPOCH, instants.offset
    return Batch(
        MICROSECOND,
        updates,
        [offset(epoch, update.timestamp) for update in updates],
        [None if (time := update.ingestion_time) is None else offset(epoch, time) for update in updates],
    )
