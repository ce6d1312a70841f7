"""Audits the archive against the feed: each update's key once. An independent implementation of the contract."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import msgspec

from local.audit.ledger import identity_of_line
from local.audit.update_key import Key, key_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

PREFIX = "archive/updates/"


class _Message(msgspec.Struct):
    target: msgspec.Raw


@dataclass(frozen=True, slots=True)
class ArchiveFigures:
    """The archive against the feed; `missing` and `unexpected` count keys, `doubled` rows beyond a key's first."""

    hours: int = 0
    updates: int = 0
    missing: int = 0
    doubled: int = 0
    unexpected: int = 0

    def losses(self) -> list[str]:
        """Return a sentence for each way in which it does not hold the feed's keys, each once."""
        found = (
            (self.missing, "updates are not in the archive"),
            (self.doubled, "rows of the archive have the key of another"),
            (self.unexpected, "updates in the archive were never sent by the source"),
        )
        return [f"{count:,} {what}." for count, what in found if count]


def keys_of(content: bytes) -> list[Key]:
    """Return the keys of one of the archive's objects."""
    with tempfile.TemporaryDirectory() as folder, duckdb.connect(config={"threads": 1}) as connection:
        path = Path(folder, "updates.parquet")
        path.write_bytes(content)
        rows = connection.execute(
            "SELECT icao_address, epoch_us(timestamp), epoch_us(ingestion_time) FROM read_parquet($1)", [str(path)]
        )
        return [Key(*row) for row in rows.fetchall()]


def compare(feed: Iterable[bytes], archived: Sequence[Sequence[Key]], rejected: Iterable[bytes] = ()) -> ArchiveFigures:
    """Compare the feed's lines with the archive's keys, given object by object: an hour each.

    Lines that are no update do not count, and none of the `rejected` does: the consumer kept those elsewhere.
    """
    left_out = set(map(identity_of_line, rejected))
    lines = (line for line in feed if identity_of_line(line) not in left_out) if left_out else feed
    sent = {key for line in lines if (key := _key(line)) is not None}
    found = Counter(chain.from_iterable(archived))
    return ArchiveFigures(
        hours=len(archived),
        updates=len(found),
        missing=len(sent - found.keys()),
        doubled=found.total() - len(found),
        unexpected=len(found.keys() - sent),
    )


def _key(line: bytes) -> Key | None:
    try:
        return key_of(bytes(msgspec.json.decode(line, type=_Message).target))
    except (ValueError, RecursionError):
        return None
