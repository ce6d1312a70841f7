"""Times as the API writes them: ISO 8601 in UTC, seconds since the epoch in here."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

_FIRST, _LAST = -62_135_596_800, 253_402_300_799
"""0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z."""


@lru_cache(maxsize=4096)
def whole_second(seconds: int) -> str:
    """Return `2024-03-04T23:24:01Z` for seconds since the epoch; beyond the years 1 to 9999, the nearest in them."""
    moment = datetime.fromtimestamp(min(max(seconds, _FIRST), _LAST), UTC)
    return f"{moment.isoformat()[:19]}Z"  # strftime writes year 1 as 1


def with_milliseconds(milliseconds: int) -> str:
    """Return `2024-03-04T23:24:01.900Z` for milliseconds since the epoch."""
    seconds, rest = divmod(milliseconds, 1000)
    return f"{whole_second(seconds)[:-1]}.{rest:03d}Z"


def parse(text: str) -> float:
    """Return seconds since the epoch for an ISO 8601 time; one without an offset is UTC, as all times of the API are.

    Raises
    ------
    ValueError
        It is no ISO 8601 date and time.
    """
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
