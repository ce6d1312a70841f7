"""Which updates the flights of a day are made of, and to which day a flight belongs. Days are in UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from common.normal_form import OUTERMOST_YEARS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flights.flight import Flight

MARGIN = timedelta(hours=24)
"""Read before a day, to know what was in the air when it began, and after it, to see it land: the longest scheduled
flights take 19 hours."""

LATEST = timedelta(hours=3)
"""By so much, and seldom by more, an update arrives after it was measured: 2 h 57 min at most, by satellite, among
10,300 real ones. Objects are by the hour of arrival."""


def parsed(text: str) -> date:
    """Return a day of its `YYYY-MM-DD`.

    Raises
    ------
    ValueError
        It is not one, or in a year that no time of the feed is in.
    """
    if len(text) != len("YYYY-MM-DD"):
        raise ValueError(f"{text!r}: expected a day as YYYY-MM-DD")
    day = date.fromisoformat(text)
    if day.year in OUTERMOST_YEARS:
        raise ValueError(f"{text!r}: no time of the feed is in that year")
    return day


def begin(day: date) -> datetime:
    """Return the first moment of a day."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def span(day: date) -> tuple[datetime, datetime]:
    """Return between which times of measurement the updates are that the flights of a day are made of."""
    return begin(day) - MARGIN, begin(day) + timedelta(days=1) + MARGIN


def hours(day: date) -> Iterator[datetime]:
    """Yield the hours of arrival in which those updates are."""
    first, last = span(day)
    while first < last + LATEST:
        yield first
        first += timedelta(hours=1)


def complete(day: date) -> datetime:
    """Return when the archive has all hours of arrival in which those updates are: half an hour after the last one."""
    return span(day)[1] + LATEST + timedelta(minutes=30)


def of(day: date, flights: Iterable[Flight]) -> list[Flight]:
    """Return the flights that began on a day."""
    first = round(begin(day).timestamp() * 1_000)
    return [one for one in flights if first <= one.begin < first + 86_400_000]
