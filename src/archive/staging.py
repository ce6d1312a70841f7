"""Updates of many hours on their way into the archive's objects: DuckDB keeps, sorts and writes them.

It holds a row of numbers for each update, and only once what thousands of updates share: 100 bytes an update instead of
500. What does not fit into memory goes to a folder on disk; so does what sorting takes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import duckdb

from archive.arrow import Table
from archive.hours import HOUR_OF
from archive.identities import Identities
from archive.moments import moment
from archive.schema import COLUMNS, KEY
from archive.update import IDENTITY, MEASURED
from common.duckdb_database import connected

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from archive.arrow import Kind
    from archive.update import Batch

BATCH: Final = 50_000
"""Updates that are handed to DuckDB at a time: a statement takes some milliseconds, however few they are."""

ROW_GROUP: Final = 122_880

_KINDS: Final[dict[str, Kind]] = {"DOUBLE": "double", "INTEGER": "double", "BOOLEAN": "bool", "VARCHAR": "text"}
_UPDATE_KINDS: Final[dict[str, Kind]] = {
    "icao_address": "text",
    "timestamp": "text",
    "ingestion_time": "text",
    "identity": "int32",
    **{column.name: _KINDS[column.type] for column in MEASURED},
}
_VALUES: Final = {
    column.name: f"CAST({column.name} AS TIMESTAMP) AS {column.name}"
    for column in COLUMNS
    if column.type == "TIMESTAMP"
} | {column.name: f"{column.name} + 0.0 AS {column.name}" for column in COLUMNS if column.type == "DOUBLE"}
"""How columns are taken: texts as times; -0.0 as 0.0, since DuckDB sorts the two as one, and they differ in bytes."""
_NAMES: Final = ", ".join(column.name for column in COLUMNS)
_KEYS: Final = ", ".join(KEY)
_SORTED: Final = ", ".join(f"{name} NULLS FIRST" for name in KEY)
_OTHERS: Final = ", ".join(f"{column.name} NULLS LAST" for column in COLUMNS if column.name not in KEY)
_SAME: Final = " AND ".join(f"every.{name} IS NOT DISTINCT FROM twice.{name}" for name in KEY)
_CONTENT: Final = f"hash({', '.join(column.name for column in COLUMNS if column.name not in KEY)}) AS content"
"""All that is not the key: of two updates with one key that differ, one in 10^19 has the other's hash as well."""
_EQUAL: Final = " AND ".join(f"mine.{name} IS NOT DISTINCT FROM stored.{name}" for name in (*KEY, "content"))


class BrokenObjectError(Exception):
    """What is to be joined with new updates is no object of the archive."""


class Staging:
    """Takes updates, and writes those of one hour, with those that its object holds already, as that object.

    For one thread. The same updates give the same bytes, in whatever order and however often they come: among updates
    with one key that differ, the first in the order of their fields is kept, where a present field is before an absent
    one.
    """

    def __init__(self, folder: Path, memory_megabytes: int) -> None:
        """`folder` takes what does not fit into so much memory; it has to be there."""
        self.count = 0
        """How many updates were taken; duplicates too."""
        self._connection = connected(folder, memory_megabytes)
        self._columns: dict[str, list[Any]] = {}
        self.identities = Identities()
        """Numbers what the updates share; for whoever reads them."""
        self.clear()

    def clear(self) -> None:
        """Forget all updates."""
        self.count = 0
        self.identities.forget()
        self._columns = {name: [] for name in _UPDATE_KINDS}
        kept = [*(f"{column.name} {column.type}" for column in COLUMNS if column not in IDENTITY)]
        shared = [f"{column.name} {column.type}" for column in IDENTITY]
        self._connection.execute(f"CREATE OR REPLACE TABLE updates (hour INTEGER, identity INTEGER, {', '.join(kept)})")
        self._connection.execute(f"CREATE OR REPLACE TABLE identities (identity INTEGER, {', '.join(shared)})")

    def add(self, batch: Batch) -> None:
        """Take updates."""
        columns = self._columns
        columns["icao_address"] += batch.addresses
        columns["timestamp"] += batch.timestamps
        columns["ingestion_time"] += batch.ingestion_times
        columns["identity"] += batch.identities
        for column, values in zip(MEASURED, batch.measured, strict=True):
            columns[column.name] += values
        self.count += len(batch.addresses)
        if len(columns["icao_address"]) >= BATCH:
            self.hand_over()

    def hours(self) -> list[int]:
        """Return the hours, counted from 1970, that the updates belong to: that of most updates first."""
        self.hand_over()
        found = self._connection.execute("SELECT hour FROM updates GROUP BY hour ORDER BY count(*) DESC, hour")
        return [hour for (hour,) in found.fetchall()]

    def write(self, hour: int, target: Path, existing: Path | None = None) -> int:
        """Write the object of an hour, of its updates here and of those in the `existing` object; return how many.

        Raises
        ------
        BrokenObjectError
            What exists is no such object.
        duckdb.Error
            Memory or disk does not suffice.
        """
        self.hand_over()
        if existing is not None:
            try:
                self._connection.execute(f"SELECT {_NAMES} FROM read_parquet('{existing}') LIMIT 1")  # noqa: S608 - the same
            except duckdb.Error as error:
                raise BrokenObjectError(str(error)) from error
        self._connection.execute("CREATE OR REPLACE TEMP TABLE held (number BIGINT)")
        self._connection.execute(f"CREATE OR REPLACE TEMP VIEW every AS {self._every(hour, existing)}")
        has_duplicates = self._has_duplicates()
        if has_duplicates and existing is not None:
            self._find_held(hour, existing)
            has_duplicates = self._has_duplicates()
        rows = "SELECT * FROM every"
        if has_duplicates:
            rows = (
                f"SELECT * FROM every ANTI JOIN twice ON {_SAME} UNION ALL "  # noqa: S608 - the same
                f"SELECT {_NAMES} FROM every SEMI JOIN twice ON {_SAME} "
                f"QUALIFY row_number() OVER (PARTITION BY {_KEYS} ORDER BY {_OTHERS}) = 1"
            )
        written = self._connection.execute(
            f"COPY (SELECT {_NAMES} FROM ({rows}) ORDER BY {_SORTED}) TO '{target}' "  # noqa: S608 - the same
            f"(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROW_GROUP})"
        ).fetchone()
        return int(written[0]) if written else 0

    def close(self) -> None:
        """Let go of memory and disk."""
        self._connection.close()

    def _has_duplicates(self) -> bool:
        """Find keys that several updates have."""
        self._connection.execute(
            f"CREATE OR REPLACE TEMP TABLE twice AS SELECT {_KEYS} FROM every GROUP BY ALL HAVING count(*) > 1"  # noqa: S608 - the same
        )
        return self._connection.execute("SELECT count(*) FROM twice").fetchone() != (0,)

    def _find_held(self, hour: int, existing: Path) -> None:
        """Find the updates that the object has already, as all are of an hour that is archived again.

        They are left out before duplicates are sorted, which takes the updates whole.
        """
        self._connection.execute(
            f"INSERT INTO held SELECT number FROM (SELECT updates.rowid AS number, {_KEYS}, {_CONTENT} "  # noqa: S608 - the same
            f"FROM updates JOIN identities USING (identity) WHERE hour = {hour:d}) AS mine "
            f"SEMI JOIN (SELECT {_KEYS}, {_CONTENT} FROM read_parquet('{existing}')) AS stored ON {_EQUAL}"
        )

    def _every(self, hour: int, existing: Path | None) -> str:
        new = (
            f"SELECT {_NAMES} FROM updates JOIN identities USING (identity) "  # noqa: S608 - the same
            f"ANTI JOIN held ON updates.rowid = held.number WHERE hour = {hour:d}"
        )
        if existing is None:
            return new
        return f"{new} UNION ALL SELECT {_NAMES} FROM read_parquet('{existing}')"  # noqa: S608 - the same

    def hand_over(self) -> None:
        """Give DuckDB what was taken since the last time."""
        columns = self._columns
        if not columns["icao_address"]:
            return
        first, new = self.identities.taken()
        if new:
            shared: dict[str, tuple[Kind, Sequence[Any]]] = {"identity": ("int32", range(first, first + len(new)))}
            for field, values in zip(IDENTITY, zip(*new, strict=True), strict=True):
                is_time = field.type == "TIMESTAMP"
                shared[field.name] = ("text", list(map(moment, values))) if is_time else (_KINDS[field.type], values)
            self._insert("identities", shared)
        self._insert(
            "updates", {name: (_UPDATE_KINDS[name], column) for name, column in columns.items()}, f"{HOUR_OF} AS hour"
        )
        for column in columns.values():
            column.clear()

    def _insert(self, name: str, columns: dict[str, tuple[Kind, Sequence[Any]]], *others: str) -> None:
        given = Table(columns)
        self._connection.register("given", given)
        values = [_VALUES.get(column, column) for column in columns]
        self._connection.execute(
            f"INSERT INTO {name} BY NAME SELECT {', '.join(['*', *others])} "  # noqa: S608 - the same
            f"FROM (SELECT {', '.join(values)} FROM given)"
        )
        self._connection.unregister("given")
