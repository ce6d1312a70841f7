"""The archive's folders of hours, `date=2024-03-04/hour=23/`, between two times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from api import problems

if TYPE_CHECKING:
    from collections.abc import Iterator

    from api.parameters import Values

HOUR = 3_600_000
"""Milliseconds."""

_ON_ITS_WAY = 60_000
"""Milliseconds that a request may take, or its clock be late: *six hours ago* is a little more when it comes."""


class Keys(Protocol):
    """What can list objects."""

    def keys(self, prefix: str, after: str) -> Iterator[str]:
        """Yield the objects below a prefix that come after a key, in their order."""


def folder(milliseconds: int) -> str:
    """Return the folder of the hour that a time lies in."""
    return f"{datetime.fromtimestamp(milliseconds / 1_000, UTC):date=%Y-%m-%d/hour=%H/}"


def keys(source: Keys, prefix: str, begin: int, end: int, after: str | None) -> Iterator[str]:
    """Yield the keys in the folders of the hours from that of `begin` to that of `end`, in order, and after `after`.

    The names of the folders sort as the times do, so that one listing is enough.
    """
    last = prefix + folder(end) + "\U0010ffff"
    for key in source.keys(prefix, after or prefix + folder(begin)):
        if key > last:
            return
        yield key


def span(values: Values, now: int, usual: int, longest: int) -> tuple[int, int]:
    """Return the times that `from` and `to` ask for: by default, up to now, and `usual` milliseconds.

    Raises
    ------
    ProblemError
        They are the wrong way round, or further apart than `longest` milliseconds.
    """
    end = now if values["to"] is None else values["to"]
    begin = end - usual if values["from"] is None else values["from"]
    most = longest if values["to"] is not None else longest + _ON_ITS_WAY
    if not begin <= end <= begin + most:
        apart = timedelta(milliseconds=abs(end - begin))
        text = f"{apart} {'before' if begin < end else 'after'} {'now' if values['to'] is None else '`to`'}"
        raise problems.wrong_parameter("from", text, f"a time before `to`, by {longest // HOUR} hours at most")
    return begin, end
