"""Hours of the archive as files that have as much of the objects as some addresses need."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

import duckdb
from botocore.exceptions import ClientError

from common.retries import again
from common.s3_download import ENDED_EARLY
from flights import row_groups
from flights.store import ChangedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flights.row_groups import RowGroup
    from flights.store import Store, Tail

_TRIES: Final = 5
"""Of reading an object that is replaced meanwhile; the archive's runs write each hour of a day once an hour at most."""


class BrokenHourError(Exception):
    """What is in the place of an hour's object is no object of the archive."""


class UnreadHourError(Exception):
    """S3 does not give an hour's object."""


class Fetched(NamedTuple):
    """What was read of an object: its content's tag, and whether it may have any of the addresses."""

    tag: str
    may_have: bool


class HourFiles:
    """Fetches objects into files; the database is for what they say of themselves."""

    def __init__(self, store: Store, connection: duckdb.DuckDBPyConnection) -> None:
        self._store = store
        self._connection = connection

    def described(self, key: str, target: Path) -> list[RowGroup]:
        """Return the row groups of an object, none if it is not listed any more.

        Raises
        ------
        BrokenHourError
            It is no Parquet object.
        ChangedError
            It is replaced as often as it is read, or listed and cannot be found.
        UnreadHourError
            S3 does not give it.
        """
        with _named(key):
            tail = again(lambda: self._tail(key, target), (ChangedError,), _TRIES)
        return [] if tail is None else self._read(key, target)

    def fetch(self, key: str, target: Path, begin: str, end: str) -> Fetched | None:
        """Write a file that has the row groups with addresses from `begin` on and before `end`, empty for no end.

        Return None if the object is not listed any more.

        Raises
        ------
        BrokenHourError
            It is no Parquet object.
        ChangedError
            It is replaced as often as it is read, or listed and cannot be found.
        UnreadHourError
            S3 does not give it.
        """

        def copy() -> Fetched | None:
            tail = self._tail(key, target)
            if tail is None:
                return None
            needed = [group for group in self._read(key, target) if group.may_have(begin, end)]
            self._store.fill(key, tail.tag, target, row_groups.ranges(needed, tail.begin))
            return Fetched(tail.tag, bool(needed))

        with _named(key):
            return again(copy, (ChangedError,), _TRIES)

    def _tail(self, key: str, target: Path) -> Tail | None:
        """Write a file that has at least what describes the object; one try."""
        tail = self._store.tail(key, target)
        if tail is None:
            if self._store.is_listed(key):
                raise ChangedError(f"{key}: is listed, and S3 says that it is not there")
            return None
        size = row_groups.footer_size(tail.last)
        if size is None or size > tail.size:
            raise _broken(key, "does not end as one")
        begin = tail.size - size
        self._store.fill(key, tail.tag, target, [(begin, tail.begin)] if begin < tail.begin else [])
        return tail._replace(begin=min(begin, tail.begin))

    def _read(self, key: str, target: Path) -> list[RowGroup]:
        try:
            return row_groups.read(self._connection, target)
        except duckdb.Error as error:
            raise _broken(key, str(error)) from error


@contextmanager
def _named(key: str) -> Iterator[None]:
    """Have errors of S3's say which object they are about."""
    try:
        yield
    except (ClientError, *ENDED_EARLY) as error:
        raise UnreadHourError(f"{key}: could not be read ({error})") from error


def _broken(key: str, reason: str) -> BrokenHourError:
    return BrokenHourError(f"{key}: no Parquet object ({reason}). Delete it, and run the archive for its hour again")
