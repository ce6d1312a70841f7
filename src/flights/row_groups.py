"""What the end of an hour's object says about it: which addresses each of its row groups has, and where the group is.

DuckDB skips row groups that its statistics rule out. So it can answer from a file that has only the row groups that a
question needs, and holes in place of the others.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import duckdb

_MAGIC: Final = b"PAR1"
_END: Final = struct.Struct("<I4s")
_COMPARED: Final = 8
"""Bytes of a text in DuckDB's statistics."""


class RowGroup(NamedTuple):
    """A row group of an hour's object."""

    first: str
    """Its least address; empty where the object does not say so."""
    last: str | None
    """Its greatest address, None where the object does not say so."""
    rows: int
    begin: int
    end: int
    """Bytes, from the object's beginning; the last one is not in it."""
    latest: int
    """No update of it is later: milliseconds since the epoch, 0 where the object does not say so."""

    def may_have(self, begin: str, end: str) -> bool:
        """Return whether DuckDB looks for addresses from `begin` on and before `end` in it; empty is no end.

        It compares no more than eight bytes of a text, and so takes one that begins with `end` for one before it.
        """
        if self.last is not None and self.last.encode()[:_COMPARED] < begin.encode()[:_COMPARED]:
            return False
        return not end or self.first.encode()[:_COMPARED] <= end.encode()[:_COMPARED]


def footer_size(last: bytes) -> int | None:
    """Return how many of an object's last bytes describe it, None if it is not Parquet; 8 bytes are enough to say."""
    if len(last) < _END.size:
        return None
    size, magic = _END.unpack(last[-_END.size :])
    return _END.size + int(size) if magic == _MAGIC else None


def read(connection: duckdb.DuckDBPyConnection, path: Path) -> list[RowGroup]:
    """Return the row groups of a file that has its last bytes.

    Raises
    ------
    duckdb.Error
        They describe no Parquet object.
    """
    found = connection.execute(
        """
        SELECT
            coalesce(min(stats_min_value) FILTER (path_in_schema = 'icao_address'), ''),
            min(stats_max_value) FILTER (path_in_schema = 'icao_address'),
            any_value(row_group_num_rows),
            min(first_byte),
            max(first_byte + total_compressed_size),
            coalesce(epoch_ms(least(
                min(TRY_CAST(stats_max_value AS TIMESTAMP)) FILTER (path_in_schema = 'timestamp'),
                min(TRY_CAST(stats_max_value AS TIMESTAMP))
                    FILTER (path_in_schema = 'ingestion_time' AND stats_null_count = 0)
            )), 0)
        FROM (
            SELECT *, least(data_page_offset, nullif(dictionary_page_offset, 0)) AS first_byte
            FROM parquet_metadata(?)
        )
        GROUP BY row_group_id
        ORDER BY row_group_id
        """,
        [str(path)],
    ).fetchall()
    return [RowGroup(*row) for row in found]


def ranges(groups: Iterable[RowGroup], before: int) -> list[tuple[int, int]]:
    """Return the bytes of row groups, each range from its first up to its last; those from `before` on are there."""
    found: list[tuple[int, int]] = []
    for begin, end in sorted((group.begin, min(group.end, before)) for group in groups):
        if begin >= end:
            continue
        if found and found[-1][1] >= begin:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((begin, end))
    return found
