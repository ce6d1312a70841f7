"""Instants as whole microseconds from a window's start: exact, small, and comparable without a zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_EARLIEST = datetime.min.replace(tzinfo=UTC)
_LATEST = datetime.max.replace(tzinfo=UTC)


def parse(text: str) -> datetime:
    """Return the RFC 3339 time of a window's edge.

    Raises
    ------
    ValueError
        It is no such time, or names no zone.
    """
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"window edge {text!r}: no time zone; expected an RFC 3339 time such as 2024-03-04T23:24:00Z")
    return instant


def offset(origin: datetime, instant: datetime) -> int:
    """Return the microseconds from `origin` to `instant`; negative when it lies before."""
    return (instant - origin) // _MICROSECOND


def moment(origin: datetime, microseconds: int) -> datetime:
    """Return the instant in UTC that many microseconds from `origin`, at most the calendar's first or last."""
    try:
        return origin.astimezone(UTC) + timedelta(microseconds=microseconds)
    except OverflowError:  # a year 1 with an eastern zone lies before the calendar's first instant in UTC
        return _EARLIEST if microseconds < 0 else _LATEST


def text(instant: datetime) -> str:
    """Return RFC 3339 in UTC with as many decimals as are needed: 0, 3 or 6."""
    microsecond = instant.microsecond
    spec = "seconds" if not microsecond else "milliseconds" if microsecond % 1000 == 0 else "microseconds"
    return instant.replace(tzinfo=None).isoformat(timespec=spec) + "Z"


def sortable_text(instant: datetime) -> str:
    """Return RFC 3339 in UTC, always with 6 decimals, so that the order of texts is the order in time."""
    return instant.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
