"""Times as the API writes them: ISO 8601 in UTC, seconds since the epoch in here."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache


@lru_cache(maxsize=4096)
def whole_second(seconds: int) -> str:
    """Return `2024-03-04T23:24:01Z` for seconds since the epoch."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


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
