"""Prints the columns of all tables as Markdown, with types, units and meanings: `python -m tools.query.dictionary`.

docs/tables.md has what it prints. A column's meaning is what the schema says of it by which its table is written.
"""

from __future__ import annotations

import ast
import inspect
import sys
import typing
from typing import TYPE_CHECKING, Final, NamedTuple

from tools.query import tables

from aggregator.sinks import row_schema  # isort: skip - tools.query has `src` found
from alerts.notification import LONGEST_UPDATE  # isort: skip
from api import schemas  # isort: skip
from archive import schema  # isort: skip
from flights import schema as flights  # isort: skip

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tools.query.tables import Table


class Meaning(NamedTuple):
    """What a column holds; `unit` is empty where it has none."""

    unit: str
    text: str


_UPDATE: Final = (
    f"the update as received; of more than {LONGEST_UPDATE:,} bytes its key and `left_out`, which says so; as a string "
    "where strict parsers would reject it"
)

_ENDINGS: Final = {
    "_ft_min": "feet per minute",
    "_ft": "feet",
    "_kt": "knots",
    "_nm": "nautical miles",
    "latitude": "degrees",
    "longitude": "degrees",
    "timestamp": "UTC",
    "_start": "UTC",
    "_end": "UTC",
    "_at": "UTC",
}
"""The units of window rows, by the endings of their names; the first that fits counts."""

_EVERY_ROW: Final = row_schema.AircraftRow.__mro__[1]
"""The class of what both kinds of rows have."""

_OF_REBUILT: Final = {
    "rebuilt_by": "of a window computed again from the archive, by which time: arrival or event_time",
    "rebuilt_at": "when it was; of a window's rows those with the newest count",
}


def written() -> str:
    """Return the sections of all tables."""
    sections = (
        _section(tables.UPDATES, _of_columns(schema.COLUMNS)),
        _section(tables.WINDOWS_DELIVERED, _of_windows(), _kinds()),
        _section(tables.ALERTS, _of_alerts()),
        _section(tables.FLIGHTS, _of_columns(flights.COLUMNS), more=_waypoints()),
    )
    return "\n\n".join("\n".join(section) for section in sections) + "\n"


def _section(table: Table, meanings: dict[str, Meaning], note: str = "", more: Iterable[str] = ()) -> Iterator[str]:
    yield f"## {table.name.removesuffix('_delivered')}"
    yield ""
    folders = "".join(f"{name}={example}/" for name, example in _EXAMPLES.items() if name in table.partitions)
    yield f"`{table.prefix}{folders}{table.objects}`, {_FORMATS[table.format]}."
    if note:
        yield note
    yield ""
    yield "| column | type | unit | |"
    yield "|---|---|---|---|"
    for column in table.columns:
        unit, text = meanings[column.name]
        kind = "STRUCT[]" if column.type.startswith("STRUCT(") else column.type
        yield f"| `{column.name}` | {kind} | {unit} | {text} |"
    yield from more
    for one in schema.PARTITIONS:
        if one.name in table.partitions:
            yield f"| `{one.name}` | {one.type} | {one.unit} | the folder: {_FOLDERS[table.name][one.name]} |"


_EXAMPLES: Final = {"date": "2024-03-04", "hour": "23"}
_FORMATS: Final = {"parquet": "Parquet", "json": "JSON, an object a line"}
_FOLDERS: Final = {
    "updates": {"date": "the day of ingestion, e.g. 2024-03-04", "hour": "the hour of it, 00 to 23"},
    "windows_delivered": {"date": "the day of delivery, e.g. 2024-03-04", "hour": "the hour of it, 00 to 23"},
    "alerts": {"date": "the day on which the update was measured", "hour": "the hour of it, 00 to 23"},
    "flights": {"date": "the day on which it began, e.g. 2024-03-04"},
}


def _of_columns(columns: Iterable[schema.Column | flights.Column]) -> dict[str, Meaning]:
    return {one.name: Meaning(one.unit, one.description) for one in columns}


def _waypoints() -> Iterator[str]:
    """Yield the fields of a flight's track."""
    for one in flights.WAYPOINT:
        yield f"| `track[].{one.name}` | {one.type} | {one.unit} | {one.description} |"


def _of_windows() -> dict[str, Meaning]:
    texts = {
        "kind": "aircraft, or totals: the sums over a part's aircraft, and what belongs to none; in the objects also "
        "replaced: a mark that a rebuild has written this window's rows into another day's folder"
    }
    for row in (_EVERY_ROW, row_schema.AircraftRow, row_schema.TotalsRow):
        texts |= {name: _phrase(text) for name, text in _docstrings(row).items()}
    return {name: Meaning(_unit(name), text) for name, text in (texts | _OF_REBUILT).items()}


def _kinds() -> str:
    """Return which columns rows of each kind have."""
    (begin, *_, end), (first, *_, last) = map(_docstrings, (row_schema.AircraftRow, row_schema.TotalsRow))
    return f"Rows of aircraft alone have `{begin}` to `{end}`, of totals alone `{first}` to `{last}`."


def _docstrings(row: type) -> dict[str, str]:
    """Return the docstrings that stand below the fields of a class."""
    (node,) = ast.parse(inspect.getsource(row)).body
    assert isinstance(node, ast.ClassDef)
    return {
        field.target.id: below.value.value
        for field, below in zip(node.body, node.body[1:], strict=False)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) and isinstance(below.value.value, str)
    }


def _unit(name: str) -> str:
    return next((unit for ending, unit in _ENDINGS.items() if name.endswith(ending)), "")


def _of_alerts() -> dict[str, Meaning]:
    """Return those of the update as in `updates`, and the alert's own as the API has them."""
    found = _of_columns(schema.COLUMNS)
    for name, annotation in typing.get_type_hints(schemas.Alert, include_extras=True).items():
        if name not in found:
            found[name] = Meaning(_unit(f"_{name}"), _phrase(annotation.__metadata__[0].description))
    return found | {"update": Meaning("", _UPDATE)}


def _phrase(text: str) -> str:
    """Return a sentence as the words of a cell."""
    return text[0].lower() + text[1:].removesuffix(".")


if __name__ == "__main__":
    sys.stdout.write(written())
