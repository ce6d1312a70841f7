"""The time span of a query: `--from` and `--to`, each a day or a time in UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from tools.query.errors import QueryError

_FIRST, _LAST = "0001-01-01", "9999-12-31"
_DAY_CHARACTERS: Final = len(_FIRST)


@dataclass(frozen=True, slots=True)
class Span:
    """From `begin` on until before `end`, in UTC without a zone; None is without bound."""

    begin: datetime | None = None
    end: datetime | None = None

    @property
    def first_day(self) -> str:
        """The first day, as the folders have it."""
        return _FIRST if self.begin is None else f"{self.begin:%Y-%m-%d}"

    @property
    def last_day(self) -> str:
        """The last day, inclusive."""
        return _LAST if self.end is None else f"{self.end - timedelta(microseconds=1):%Y-%m-%d}"

    @property
    def last_delivery(self) -> str:
        """The last day in whose folder rows may be that are delivered some minutes after they were.

        That of whole days is their own last day: they are asked by folders.
        """
        if not self.cuts_days or self.last_day == _LAST:
            return self.last_day
        return f"{date.fromisoformat(self.last_day) + timedelta(days=1):%Y-%m-%d}"

    @property
    def cuts_days(self) -> bool:
        """Whether it begins or ends within a day."""
        return any(bound is not None and bound.time() != datetime.min.time() for bound in (self.begin, self.end))


def parse(begin: str | None, end: str | None) -> Span:
    """Return the span that two texts ask for: a day as the end is the whole of it, a time is exclusive.

    Raises
    ------
    QueryError
        One is neither a day nor a time, or they are the wrong way round.
    """
    span = Span(None if begin is None else _moment("--from", begin), None if end is None else _end(end))
    if span.begin is not None and span.end is not None and span.begin >= span.end:
        raise QueryError(f"--from {begin} --to {end}: nothing lies between; expected --from to be before --to")
    return span


def _end(text: str) -> datetime:
    moment = _moment("--to", text)
    if len(text.strip()) != _DAY_CHARACTERS:
        return moment
    try:
        return moment + timedelta(days=1)
    except OverflowError:
        raise QueryError(f"--to: got {text!r}; expected a day before {_LAST}") from None


def _moment(option: str, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        moment = None
    if moment is None or len(text.strip()) < _DAY_CHARACTERS:
        raise QueryError(f"{option}: got {text!r}; expected a day or a time in UTC: 2024-03-04, 2024-03-04T23:30")
    try:
        return moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)
    except OverflowError:
        raise QueryError(f"{option}: got {text!r}; expected a time that is in a year from 1 to 9999 in UTC") from None
