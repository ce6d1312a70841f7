"""Hours: of arrival, which raw objects are filed by, and of ingestion, which the archive's objects are filed by. Pure.

The hour of an update follows from its key alone, so a key is in one object, however late, however often and in
whichever raw object it comes.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from archive.schema import PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

RAW_PREFIX: Final = "raw/"
LEDGER_PREFIX: Final = "archive/ledger/"

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECONDS: Final = 3_600_000_000
"""Of an hour."""

DAY: Final = 24 * MICROSECONDS
"""So far an ingestion time may be from the update's own time before one of the two clocks is taken to be wrong. The
largest difference seen is 2 h 57 min; batch mode reaches back 24 h."""

EARLIEST: Final = int((datetime(2010, 1, 1, tzinfo=UTC) - EPOCH).total_seconds()) * 1_000_000
"""A clock that says less was never set (1970, 1980), or has rolled over."""


_APART: Final = "epoch_us(ingestion_time) - epoch_us(timestamp)"
HOUR_OF: Final = f"""CAST(epoch_us(date_trunc('hour', CASE
    WHEN ingestion_time IS NULL THEN timestamp
    WHEN {_APART} BETWEEN -{DAY} AND {DAY} THEN ingestion_time
    WHEN epoch_us(least(timestamp, ingestion_time)) >= {EARLIEST} THEN least(timestamp, ingestion_time)
    ELSE greatest(timestamp, ingestion_time)
END)) // {MICROSECONDS} AS INTEGER)"""
"""The hour, counted from 1970, that an update with these times belongs to, in SQL.

That of its ingestion. Where there is no ingestion time, that of its `timestamp`. Where the two are more than a day
apart, one of the clocks is wrong: the earlier one counts, unless it was never set.
"""


def folder(hour: datetime) -> str:
    """Return an hour as keys have it: `date=2024-03-04/hour=23/`."""
    return f"date={hour.year:04}-{hour.month:02}-{hour.day:02}/hour={hour.hour:02}/"


def archive_key(hour: int) -> str:
    """Return the key of an ingestion hour's object, the hour counted from 1970."""
    return f"{PREFIX}{folder(EPOCH + timedelta(hours=hour))}updates.parquet"


def ledger_key(arrival: datetime) -> str:
    """Return the key of the ledger of an arrival hour."""
    return f"{LEDGER_PREFIX}{folder(arrival)}ledger.json"


def parse(text: str) -> datetime:
    """Return the hour that a text names: RFC 3339, or the part of it that says the hour (`2024-03-04T23`).

    Raises
    ------
    ValueError
        It names none, or not a whole one.
    """
    found = None
    with suppress(ValueError, OverflowError):
        if len(text) > len("YYYY-MM-DD"):  # a day is no hour
            found = datetime.fromisoformat(text)
            found = found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    if found is None or (found.minute, found.second, found.microsecond) != (0, 0, 0):
        raise ValueError(f"got {text!r}; expected an hour, UTC, such as 2024-03-04T23")
    return found


def newest_first(now: datetime, count: int) -> Iterator[datetime]:
    """Yield so many hours, from that of `now` back."""
    hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    for back in range(count):
        yield hour - timedelta(hours=back)


def named(hours: Iterable[int]) -> list[str]:
    """Return hours counted from 1970 as people read them: `2024-03-04T23`."""
    return [(EPOCH + timedelta(hours=hour)).isoformat()[: len("2024-03-04T23")] for hour in sorted(hours)]
