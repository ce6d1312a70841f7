"""Reading alone: the consumer's own reader and client, with a processor that counts."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any

from benchmarks.harness.case import Measured
from benchmarks.harness.machine import cpu_time
from common.clock import SystemClock
from consumer.ingestion.connection_keeper import ConnectionKeeper
from consumer.ingestion.end_of_reading import EndOfReading, Stopped
from consumer.ingestion.reader import StreamReader
from consumer.ingestion.summary import StopReason
from consumer.ingestion.time_budget import TimeBudget
from consumer.stream.client import StreamClient

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from consumer.stream.messages import StreamUpdate


class _Counting:
    """Stands in for processor, committer and stop request: counts, and stops at the token after the last update."""

    has_uncommitted = True
    is_full = False
    error = None

    def __init__(self, expected: int) -> None:
        self.updates = 0
        self.rejected = self.duplicates_dropped = 0
        self.newest_ingestion_time: datetime | None = None
        self._expected = expected

    @property
    def counters(self) -> _Counting:
        return self

    @property
    def reason(self) -> StopReason | None:
        return StopReason.RUN_SECONDS if self.updates >= self._expected else None

    def process(self, updates: Sequence[StreamUpdate]) -> None:
        for update in updates:
            if update.icao_address:
                self.updates += 1

    def reject(self, *_: object) -> None:
        self.rejected += 1

    def raise_if_failed(self) -> None:
        """Nothing is published, so nothing fails."""

    def connected(self) -> None:
        """A connection was opened."""

    def token_arrived(self) -> bool:
        """A token came, which moves the position."""
        return True

    def token_repeated(self) -> None:
        """The newest token came again."""

    def reach(self, *_: object) -> None:
        """The position moved."""

    def notify(self) -> None:
        """Nothing to commit."""


def read(params: dict[str, Any]) -> Measured:
    """Read the whole stream, each update validated and typed."""
    counting = _Counting(params["updates"])
    clock = SystemClock()
    ends_at = time.monotonic() + 900
    client = StreamClient(params["url"] + "/end", "benchmark", {}, params["compression"])
    stand_in: Any = counting
    budget = TimeBudget(lambda: ends_at - time.monotonic())
    end = EndOfReading(stand_in, stand_in, budget, stand_in, clock, None)
    keeper = ConnectionKeeper(client, stand_in, stand_in, budget, end, clock)
    reader = StreamReader(keeper, end, stand_in, stand_in, budget, clock, redactor=client.redactor)
    with cpu_time() as spent, contextlib.suppress(Stopped):
        reader.follow("LATEST")
    return Measured(spent.seconds, counting.updates - counting.rejected)
