"""A day in parts: consecutive ranges of addresses, each small enough for one run. Pure.

Each aircraft's flights follow from its own updates, and the archive's hours are sorted by aircraft. So the flights of
the parts, one part after the other, are those of the day, however many parts there are.
"""

from __future__ import annotations

import hashlib
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from flights.row_groups import RowGroup

MOST_ROWS: Final = 10_000_000
"""Of a part, and one row group an hour more where the parts' bounds are in the middle of one: 19 million at the most,
as 75 hours are read. At 32 microseconds an update (docs/flights.md) that is 600 of the 900 seconds of a run. A day that
is not cut may have twice as many."""

PREFIX: Final = "flight-parts/"

type Day = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]
type Bound = Annotated[str, msgspec.Meta(pattern="^[0-9A-Za-z]*$")]
type Name = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]+$")]


class Part(msgspec.Struct, frozen=True):
    """The flights of some aircraft that began on a day."""

    day: Day
    plan: Name
    """What it is a part of."""
    number: int
    begin: Bound
    """The first address that may be in it."""
    end: Bound
    """The first one that is not, empty in the last part."""
    until: int
    """How far the updates of any aircraft go, milliseconds since the epoch."""

    @property
    def key(self) -> str:
        """Where its flights are kept, a line of JSON each, until those of all parts are there."""
        return f"{PREFIX}date={self.day}/{self.plan}/{self.number:05}.ndjson.gz"


class Plan(msgspec.Struct, frozen=True):
    """All parts of a day, in the order of addresses."""

    day: Day
    made_of: Name
    """What says of which objects, and by which rules, it is made."""
    parts: list[Part]


def planned(day: date, made_of: str, groups: Iterable[RowGroup], last: int, most_rows: int) -> Plan:
    """Return a day's parts; the same objects have the same ones.

    Parameters
    ----------
    day
        The day.
    made_of
        What says of which objects it is made.
    groups
        The row groups of all of these.
    last
        Up to when updates are taken, milliseconds since the epoch.
    most_rows
        A part has so many rows at the most, and what reaches into it of the one before it, unless a single address,
        or a single row group of each hour, has more. A day of no more than twice as many is one part.
    """
    by_first = sorted(groups, key=lambda group: group.first)
    is_whole = sum(group.rows for group in by_first) <= 2 * most_rows
    bounds = [""]
    rows = 0
    for first, some in groupby(by_first, key=lambda group: group.first):
        more = sum(group.rows for group in some)
        # Bounds go through SQL and through keys; any letters and digits do, whether or not they are an address.
        if not is_whole and rows and rows + more > most_rows and first.isascii() and first.isalnum():
            bounds.append(first)
            rows = 0
        rows += more
    until = min(last, max((group.latest for group in by_first), default=0))
    name = _name(made_of, bounds, until)
    ends = pairwise([*bounds, ""])
    parts = [Part(str(day), name, number, begin, end, until) for number, (begin, end) in enumerate(ends)]
    return Plan(str(day), made_of, parts)


def as_part(given: Any) -> Part:
    """Return the part that an event names.

    Raises
    ------
    msgspec.ValidationError
        It names none.
    """
    return msgspec.convert(given, Part)


def as_plan(given: Any) -> Plan:
    """Return the plan that an event names.

    Raises
    ------
    msgspec.ValidationError
        It names none.
    """
    return msgspec.convert(given, Plan)


def _name(*of: Any) -> str:
    return hashlib.sha256(msgspec.json.encode(of)).hexdigest()[:32]
