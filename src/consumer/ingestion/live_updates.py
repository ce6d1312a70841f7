"""Updates that the live stream sends before the token at which it is resumed: batch mode need not hold all of them.

It is asked for ingestion times up to about now. An update with a time ahead of the clock, or without one, is in none of
its answers if the server goes by that time, and the stream does not send it again either. So these are kept until the
gap is fetched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from consumer.stream.messages import StreamUpdate

MAX_UPDATES = 1_000
MAX_BYTES = 4 * 1024 * 1024
"""Of the updates as received. Beyond either, updates are counted and left out: they are odd ones, of a feed's fault."""


class LiveUpdates:
    """What came before the token."""

    def __init__(self, fetched_until: datetime) -> None:
        """Keep what is ingested at `fetched_until` or later: no gap that is planned from now on ends before that."""
        self.newest: datetime | None = None
        """The newest ingestion time that came."""
        self.newest_left_out: datetime | None = None
        """The newest ingestion time of those; None where none has one."""
        self._fetched_until = fetched_until
        self._left_out = 0
        self._kept: list[StreamUpdate] = []
        self._bytes = 0

    def note(self, updates: Sequence[StreamUpdate]) -> None:
        """Take note of further updates."""
        for update in updates:
            time = update.ingestion_time
            if time is not None:
                self.newest = time if self.newest is None else max(self.newest, time)
            if time is None or time >= self._fetched_until:
                self._keep(update)

    def _keep(self, update: StreamUpdate) -> None:
        if len(self._kept) < MAX_UPDATES and self._bytes + len(update.data) <= MAX_BYTES:
            self._kept.append(update)
            self._bytes += len(update.data)
            return
        self._left_out += 1
        time = update.ingestion_time
        if time is not None:
            self.newest_left_out = time if self.newest_left_out is None else max(self.newest_left_out, time)

    def take(self) -> list[StreamUpdate]:
        """Return what was kept, in the order of its coming, and hold it no longer.

        Nothing where no update has an ingestion time: the server cannot go by it, and batch mode holds them all.
        """
        kept, self._kept = self._kept, []
        return kept if self.newest is not None else []

    @property
    def left_out(self) -> int:
        """How many would have been kept but for the bounds."""
        return self._left_out if self.newest is not None else 0
