"""How far the stream was read: what a checkpoint says, without the object it stands in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import msgspec

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
"""A time with its zone: one without is no moment."""


class TimeRange(msgspec.Struct, frozen=True):
    """From `start` to `end`, by ingestion time; the start is part of it, the end is not."""

    start: Moment
    end: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """How far the stream was read.

    `frontier` holds the keys (`icao_address|timestamp`) of the updates whose ingestion time is exactly
    `newest_ingestion_time`: a recovery that starts there must not deliver them twice. `gap` is what must
    still be fetched in batch mode before the stream is taken up at the token.
    """

    position_token: str
    token_received_at: datetime
    newest_ingestion_time: datetime | None = None
    frontier: tuple[str, ...] = ()
    gap: TimeRange | None = None
