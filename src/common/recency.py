"""Which of two updates of an aircraft is newer: one rule for the fold, the table and every reader.

A measurement cannot be later than its ingestion, so an update was measured at the earlier of `timestamp` and
`ingestion_time`. Updates are ordered by that time, then by `timestamp`, then by `ingestion_time`, where a missing one
comes first. Otherwise a transponder or receiver whose clock runs ahead would keep its aircraft's state until that time
comes.
"""

from __future__ import annotations

from typing import Any, Protocol


class Comparable(Protocol):
    """An instant: a datetime, a number, or a text whose order is that in time."""

    def __lt__(self, other: Any, /) -> bool:
        """Return whether it is earlier."""


def measured[Moment: Comparable](timestamp: Moment, ingestion_time: Moment | None) -> Moment:
    """Return when an update can have been measured at the latest."""
    return ingestion_time if ingestion_time is not None and ingestion_time < timestamp else timestamp


def order[Moment: Comparable](timestamp: Moment, ingestion_time: Moment | None) -> tuple[Any, ...]:
    """Return what an update is compared by: the greater, the newer. Updates of one key are equal."""
    latest = measured(timestamp, ingestion_time)
    return (latest, timestamp, *(() if ingestion_time is None else (ingestion_time,)))
