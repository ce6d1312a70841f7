"""Updates of many hours on their way into the archive's objects: DuckDB keeps, sorts and writes them.

Held are a row of numbers for each update, and once what thousands of updates share: 100 bytes an update rather than
500. What does not fit into memory goes to a folder on disk; so does what sorting takes.
"""

from __future__ import annotations

from collections import Counter
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

import duckdb

from archive.arrow import Table
from archive.hours import EPOCH, hour_of
from archive.schema import COLUMNS, KEY
from archive.update import IDENTITY, MEASURED, moment

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from archive.arrow import Kind
    from archive.update import ArchivedUpdate

BATCH: Final = 50_000
"""Updates that are handed to DuckDB at a time: a statement takes some milliseconds, however few they are."""

MOST_IDENTITIES: Final = 200_000
"""So many are remembered: an hour of the world has half as many. What is forgotten is only held twice."""

ROW_GROUP: Final = 122_880

_identity_of = attrgetter(*(column.name for column in IDENTITY))
_KINDS: Final[dict[str, Kind]] = {"DOUBLE": "double", "INTEGER": "double", "BOOLEAN": "bool", "VARCHAR": "text"}
_UPDATE_KINDS: Final[dict[str, Kind]] = {
    "icao_address": "text",
    "timestamp": "int64",
    "ingestion_time": "int64",
    "hour": "int32",
    "identity": "int32",
    **{column.name: _KINDS[column.type] for column in MEASURED},
}
_NAMES: Final = ", ".join(column.name for column in COLUMNS)
_KEYS: Final = ", ".join(KEY)
_SORTED: Final = ", ".join(f"{name} NULLS FIRST" for name in KEY)
_OTHERS: Final = ", ".join(f"{column.name} NULLS LAST" for column in COLUMNS if column.name not in KEY)
_SAME: Final = " AND ".join(f"every.{name} IS NOT DISTINCT FROM twice.{name}" for name in KEY)


class BrokenObjectError(Exception):
    """What is to be joined with new updates is no object of the archive."""


class Staging:
    """Takes updates, and writes one hour's, together with those that its object holds already, as that object.

    One thread; the same updates give the same bytes, in whatever order and however often they come: of those with one
    key that differ, the first in the order of their fields is kept, a field that is there before one that is not.
    """

    def __init__(self, folder: Path, memory_megabytes: int) -> None:
        """`folder` takes what does not fit into so much memory; it has to be there."""
        self.updates: Counter[int] = Counter()
        """How many there are of each hour, counted from 1970; duplicates too."""
        self._connection = duckdb.connect(
            ":memory:",
            config={
                "threads": 1,  # a processor is what the function has; and rows stay in their order
                "memory_limit": f"{memory_megabytes}MB",
                "temp_directory": str(folder),
                "home_directory": str(folder),  # Lambda has none
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            },
        )
        self._columns: dict[str, list[Any]] = {}
        self._identities: dict[tuple[Any, ...], int] = {}
        self._new_identities: list[tuple[Any, ...]] = []
        self._counted = 0
        self.clear()

    def clear(self) -> None:
        """Forget all updates."""
        self.updates.clear()
        self._identities.clear()
        self._new_identities = []
        self._counted = 0
        self._columns = {name: [] for name in (*KEY, *(column.name for column in MEASURED), "hour", "identity")}
        kept = [*(f"{column.name} {column.type}" for column in COLUMNS if column not in IDENTITY)]
        shared = [f"{column.name} {column.type}" for column in IDENTITY]
        self._connection.execute(f"CREATE OR REPLACE TABLE updates (hour INTEGER, identity INTEGER, {', '.join(kept)})")
        self._connection.execute(f"CREATE OR REPLACE TABLE identities (identity INTEGER, {', '.join(shared)})")

    def add(self, updates: Sequence[ArchivedUpdate]) -> None:
        """Take updates."""
        columns, known = self._columns, self._identities
        for identity in map(_identity_of, updates):
            number = known.get(identity)
            if number is None:
                number = self._remember(identity)
            columns["identity"].append(number)
        timestamps = [_microseconds(update.timestamp) for update in updates]
        ingested = [
            None if update.ingestion_time is None else _microseconds(update.ingestion_time) for update in updates
        ]
        columns["icao_address"] += [update.icao_address for update in updates]
        columns["timestamp"] += timestamps
        columns["ingestion_time"] += ingested
        columns["hour"] += map(hour_of, timestamps, ingested)
        for column in MEASURED:
            columns[column.name] += map(attrgetter(column.name), updates)
        if len(columns["hour"]) >= BATCH:
            self.hand_over()

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
        self._connection.execute(f"CREATE OR REPLACE TEMP VIEW every AS {self._every(hour, existing)}")
        self._connection.execute(
            f"CREATE OR REPLACE TEMP TABLE twice AS SELECT {_KEYS} FROM every GROUP BY ALL HAVING count(*) > 1"  # noqa: S608 - the same
        )
        rows = "SELECT * FROM every"
        if self._connection.execute("SELECT count(*) FROM twice").fetchone() != (0,):
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

    def _every(self, hour: int, existing: Path | None) -> str:
        new = f"SELECT {_NAMES} FROM updates JOIN identities USING (identity) WHERE hour = {hour:d}"  # noqa: S608
        if existing is None:
            return new
        return f"{new} UNION ALL SELECT {_NAMES} FROM read_parquet('{existing}')"  # noqa: S608 - the same

    def _remember(self, identity: tuple[Any, ...]) -> int:
        if len(self._identities) >= MOST_IDENTITIES:
            self._identities.clear()
        number = self._identities[identity] = self._counted
        self._counted += 1
        self._new_identities.append(identity)
        return number

    def hand_over(self) -> None:
        """Give DuckDB what was taken since the last time: `updates` then counts it."""
        columns = self._columns
        if not columns["hour"]:
            return
        if self._new_identities:
            first = self._counted - len(self._new_identities)
            shared: dict[str, tuple[Kind, Sequence[Any]]] = {"identity": ("int32", range(first, self._counted))}
            for field, values in zip(IDENTITY, zip(*self._new_identities, strict=True), strict=True):
                if field.type == "TIMESTAMP":
                    moments = [None if (at := moment(text)) is None else _microseconds(at) for text in values]
                    shared[field.name] = ("int64", moments)
                else:
                    shared[field.name] = (_KINDS[field.type], values)
            self._insert("identities", [column.name for column in IDENTITY if column.type == "TIMESTAMP"], shared)
            self._new_identities = []
        self.updates.update(columns["hour"])
        given: dict[str, tuple[Kind, Sequence[Any]]]
        given = {name: (_UPDATE_KINDS[name], column) for name, column in columns.items()}
        self._insert("updates", ["timestamp", "ingestion_time"], given)
        for column in columns.values():
            column.clear()

    def _insert(self, name: str, times: list[str], columns: dict[str, tuple[Kind, Sequence[Any]]]) -> None:
        given = Table(columns)
        self._connection.register("given", given)
        values = ", ".join(f"make_timestamp({column})" if column in times else column for column in columns)
        self._connection.execute(f"INSERT INTO {name} ({', '.join(columns)}) SELECT {values} FROM given")  # noqa: S608
        self._connection.unregister("given")


def _microseconds(moment_of: datetime) -> int:
    """Return microseconds since 1970, exactly."""
    since = moment_of - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
