"""Formats query results: a table for people, CSV or JSON for programs; row by row, in bounded memory."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from local.standard_output import SurvivingOutput

TABLE_ROWS: Final = 1_000
"""Rows that a table shows: its columns are as wide as all of them need, and nobody reads more."""

_NUMBERS: Final = (int, float, Decimal)

type Rows = Iterator[Sequence[Any]]


def as_table(names: Sequence[str], rows: Rows, output: SurvivingOutput) -> None:
    """Write a table; on a terminal as wide as that is, elsewhere as wide as it needs."""
    console = Console(file=output, width=None if sys.stdout.isatty() else 10_000, highlight=False)  # type: ignore[arg-type]
    shown: list[Sequence[Any]] = []
    is_cut = False
    for row in rows:
        if is_cut := len(shown) == TABLE_ROWS:
            break
        shown.append(row)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for place, name in enumerate(names):
        is_number = any(isinstance(row[place], _NUMBERS) and not isinstance(row[place], bool) for row in shown)
        table.add_column(Text(name), justify="right" if is_number else "left", overflow="fold")
    for row in shown:
        table.add_row(*(Text(_text(value)) for value in row))
    console.print(table)
    if is_cut:
        print(f"query: more than {TABLE_ROWS:,} rows; --format csv or json gives all", file=sys.stderr)  # noqa: T201


def as_csv(names: Sequence[str], rows: Rows, output: SurvivingOutput) -> None:
    """Write CSV with a header."""
    writer = csv.writer(output, lineterminator="\n")
    writer.writerow(names)
    for row in rows:
        writer.writerow([_text(value) for value in row])
        if output.lost is not None:
            return


def as_json(names: Sequence[str], rows: Rows, output: SurvivingOutput) -> None:
    """Write an object a row, on a line each."""
    for row in rows:
        output.write(json.dumps(dict(zip(names, row, strict=True)), default=_plain, ensure_ascii=False) + "\n")
        if output.lost is not None:
            return


FORMATS: Final = {"table": as_table, "csv": as_csv, "json": as_json}


def _text(value: Any) -> str:
    """Return a value for people and for CSV; nothing for what is not known."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return value
    if isinstance(value, (list, dict)):
        return json.dumps(value, default=_plain, ensure_ascii=False)
    return str(_plain(value))


def _plain(value: Any) -> Any:
    """Return what JSON has no type for as what it has: times are UTC in RFC 3339."""
    if isinstance(value, datetime):
        text = value.isoformat(timespec="milliseconds" if value.microsecond % 1_000 == 0 else "microseconds")
        return f"{text.replace('.000', '')}Z" if value.tzinfo is None else text
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, (int, float)):
        return value
    return str(value)
