"""The tables of queries: where each lies in the data bucket or folder, and its columns.

Columns follow from the schemas of those who write the tables. `template.yaml` declares the same tables for Athena.
"""

from __future__ import annotations

import types
import typing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import msgspec

from aggregator.sinks import row_schema
from archive import schema
from flights import schema as flights
from tools.query import catalog

if TYPE_CHECKING:
    from collections.abc import Iterable

VIEW: Final = catalog.FOLDER / "views" / "windows.sql"

PARTITIONS: Final = tuple(column.name for column in schema.PARTITIONS)
"""What the keys' folders say, `date=2024-03-04/hour=23`: texts, in every table."""


class Column(NamedTuple):
    """A name, and the type as DuckDB calls it."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Table:
    """One table of objects under `prefix`.

    Parameters
    ----------
    partitions
        Names of the folders below the prefix, as Hive has them.
    objects
        The objects' names in their folder, as a pattern.
    format
        `parquet`, or `json`: objects of one JSON object a line.
    columns
        Without the partitions.
    moment
        When a row was, in UTC, as an expression of DuckDB.
    is_by_delivery
        Whether a row's folder is that of the hour in which it was delivered, some minutes after `moment`.
    """

    name: str
    prefix: str
    objects: str
    format: Literal["parquet", "json"]
    columns: tuple[Column, ...]
    moment: str
    partitions: tuple[str, ...] = PARTITIONS
    is_by_delivery: bool = False


_ANNOTATED: Final = {str: "VARCHAR", int: "BIGINT", float: "DOUBLE", bool: "BOOLEAN", list[str]: "VARCHAR[]"}


def _window_columns() -> Iterable[Column]:
    """Yield the columns of both kinds of rows, the kind first."""
    found = {"kind": "VARCHAR"}
    for row in (row_schema.AircraftRow, row_schema.TotalsRow):
        for field in msgspec.structs.fields(row):
            found.setdefault(field.encode_name, _ANNOTATED[_without_none(field.type)])
    return (Column(name, kind) for name, kind in found.items())


def _without_none(annotation: Any) -> Any:
    if isinstance(annotation, types.UnionType):
        (annotation,) = (one for one in typing.get_args(annotation) if one is not types.NoneType)
    return annotation


UPDATES: Final = Table(
    name="updates",
    prefix=schema.PREFIX,
    objects="*.parquet",
    format="parquet",
    columns=tuple(Column(column.name, column.type) for column in schema.COLUMNS),
    moment='coalesce(ingestion_time, "timestamp")',
)

WINDOWS_DELIVERED: Final = Table(
    name="windows_delivered",
    prefix="windows/",
    objects="*",
    format="json",
    columns=(*_window_columns(), Column("rebuilt_by", "VARCHAR"), Column("rebuilt_at", "VARCHAR")),
    moment="try_cast(window_start AS TIMESTAMP)",
    is_by_delivery=True,
)
"""Window rows as Firehose delivered them: rarely, one is there twice. The view `windows` has each once, unless it was
delivered on two days."""

ALERTS: Final = Table(
    name="alerts",
    prefix="alerts/",
    objects="*.json",
    format="json",
    columns=(
        Column("id", "VARCHAR"),
        Column("rule", "VARCHAR"),
        Column("icao_address", "VARCHAR"),
        Column("at", "VARCHAR"),
        Column("sent_at", "VARCHAR"),
        Column("callsign", "VARCHAR"),
        Column("squawk", "VARCHAR"),
        Column("latitude", "DOUBLE"),
        Column("longitude", "DOUBLE"),
        Column("altitude_baro", "DOUBLE"),
        Column("text", "VARCHAR"),
        Column("update", "JSON"),
    ),
    moment='try_cast("at" AS TIMESTAMP)',
)

FLIGHTS: Final = Table(
    name="flights",
    prefix=flights.PREFIX,
    objects="*.parquet",
    format="parquet",
    columns=tuple(Column(column.name, column.type) for column in flights.COLUMNS),
    moment="coalesce(takeoff_time, first_time)",
    partitions=("date",),
)

TABLES: Final = (UPDATES, WINDOWS_DELIVERED, ALERTS, FLIGHTS)


def windows_view() -> str:
    """Return the SQL of the view `windows`, the same for DuckDB and Athena."""
    names = [f'"{name}"' for name in (*(column.name for column in WINDOWS_DELIVERED.columns), *PARTITIONS)]
    return VIEW.read_text(encoding="utf-8").format(columns=", ".join(names))
