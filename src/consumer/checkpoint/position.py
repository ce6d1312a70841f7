"""A position in the stream: what a checkpoint holds, apart from its storage."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

import msgspec

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
"""A time with its zone: one without is no moment."""


NO_DELAY = timedelta()
"""Of the stream that is of now; the provider's Recent History sends everything hours late."""


class TimeRange(msgspec.Struct, frozen=True):
    """From `start` to `end`, by ingestion time; the start is part of it, the end is not."""

    start: Moment
    end: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """How far the stream was read.

    `frontier` names the updates before the token that a recovery from here would fetch again (`ingestion.frontier`) and
    has to skip. `read` is the number of updates this run had read before the position; the frontier is made from it at
    commit. `gap` is what must still be fetched in batch mode before the stream is resumed at the token. Of a token that
    `is_left_by_client`, the provider's sample client, it is not known when it was received before `token_received_at`.
    """

    position_token: str
    token_received_at: datetime
    newest_ingestion_time: datetime | None = None
    frontier: tuple[str, ...] = ()
    gap: TimeRange | None = None
    read: int | None = None
    is_left_by_client: bool = False

    def source_time(self, delay: timedelta = NO_DELAY) -> datetime | None:
        """Return how far the stream had come by the source's clocks, but no later than its token arrived by ours.

        `delay` is how late the stream is by design.
        """
        return self.newest_ingestion_time and min(self.newest_ingestion_time, self.token_received_at - delay)

    def lag(self, now: datetime, delay: timedelta = NO_DELAY) -> float | None:
        """Return by how many seconds the position is behind a stream that is late by `delay`; None if unknown.

        A stream that is less late than that is up to date.
        """
        source_time = self.source_time(delay)
        if source_time is None:
            return None
        seconds = (now - delay - source_time).total_seconds()
        return max(0.0, seconds) if delay else seconds
