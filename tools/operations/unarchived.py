"""Finds the hours of arrival that the archive has not read yet, for commands that need it complete."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Final

import tools.query  # noqa: F401 - has `src` found
from archive.store import Store

if TYPE_CHECKING:
    from tools.query.places import Place
    from tools.query.span import Span

_HOUR: Final = timedelta(hours=1)


def unarchived(place: Place, asked: Span) -> list[str]:
    """Return the hours in which a span's updates arrived, and of which the archive lacks raw objects.

    Raises
    ------
    tools.query.errors.QueryError
        The place is a prefix of a bucket.
    """
    assert asked.begin is not None
    assert asked.end is not None
    store = Store(*place.objects())
    arrival = asked.begin.replace(minute=0, second=0, microsecond=0, tzinfo=UTC)
    hours = []
    while arrival <= asked.end.replace(tzinfo=UTC):  # what comes at an hour's end arrives in the next
        if store.ledger(arrival)[0].unread(store.raw_objects(arrival)):
            hours.append(f"{arrival:%Y-%m-%dT%H}")
        arrival += _HOUR
    return hours
