"""Hours of the archive as files that have as much of the objects as some addresses need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import duckdb

from flights import row_groups
from flights.store import ChangedError

if TYPE_CHECKING:
    from pathlib import Path

    from flights.row_groups import RowGroup
    from flights.store import Store, Tail

_TRIES: Final = 5
"""Of reading an object that is replaced meanwhile; the archive's runs write each hour of a day once an hour at most."""


class BrokenHourError(Exception):
    """What is in the place of an hour's object is no object of the archive."""


class HourFiles:
    """Fetches objects into files; the database is for what they say of themselves."""

    def __init__(self, store: Store, connection: duckdb.DuckDBPyConnection) -> None:
        self._store = store
        self._connection = connection

    def described(self, key: str, target: Path) -> list[RowGroup]:
        """Return the row groups of an object, none if it is not there any more.

        Raises
        ------
        BrokenHourError
            It is no Parquet object.
        """
        tail = self._tail(key, target)
        return [] if tail is None else self._read(key, target)

    def fetch(self, key: str, target: Path, begin: str, end: str) -> bool:
        """Write a file that has the row groups with addresses from `begin` on and before `end`, empty for no end.

        Return False if there are none, or the object is not there any more.

        Raises
        ------
        BrokenHourError
            It is no Parquet object.
        ChangedError
            It is replaced as often as it is read.
        """
        for attempt in range(_TRIES):
            tail = self._tail(key, target)
            if tail is None:
                return False
            needed = [group for group in self._read(key, target) if group.may_have(begin, end)]
            try:
                self._store.fill(key, tail.tag, target, row_groups.ranges(needed, tail.begin))
            except ChangedError:
                if attempt == _TRIES - 1:
                    raise
            else:
                return bool(needed)
        return False

    def _tail(self, key: str, target: Path) -> Tail | None:
        """Write a file that has at least what describes the object."""
        for attempt in range(_TRIES):
            tail = self._store.tail(key, target)
            if tail is None:
                return None
            size = row_groups.footer_size(tail.last)
            if size is None or size > tail.size:
                raise _broken(key, "does not end as one")
            begin = tail.size - size
            try:
                self._store.fill(key, tail.tag, target, [(begin, tail.begin)] if begin < tail.begin else [])
            except ChangedError:
                if attempt == _TRIES - 1:
                    raise
            else:
                return tail._replace(begin=min(begin, tail.begin))
        return None

    def _read(self, key: str, target: Path) -> list[RowGroup]:
        try:
            return row_groups.read(self._connection, target)
        except duckdb.Error as error:
            raise _broken(key, str(error)) from error


def _broken(key: str, reason: str) -> BrokenHourError:
    return BrokenHourError(f"{key}: no Parquet object ({reason}). Delete it, and run the archive for its hour again")
