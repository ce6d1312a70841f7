"""DuckDB over the tables of a folder or bucket: each is a view that reads only what a query needs."""

from __future__ import annotations

import re
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import duckdb

from tools.query import tables
from tools.query.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tools.query.places import Place
    from tools.query.span import Span
    from tools.query.tables import Table

_VIEWS: Final = {"windows": "windows_delivered"}
"""Views of the project's own, and the table each is made of."""


class Database:
    """A connection to the tables that a query names.

    `absent` are those of them of which the place has nothing in the span of time: they are there, and empty. The other
    tables are empty as well, so that DuckDB can list and suggest them.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, absent: list[Table], *, is_empty: bool) -> None:
        self._connection = connection
        self.absent = absent
        self.is_empty = is_empty
        """Whether the place has nothing of any table, asked or not, and some are asked."""

    def ask(self, sql: str, span: Span) -> duckdb.DuckDBPyConnection:
        """Run one statement, of which a `?` is the first day whose folder is read, the next one the last, and so on.

        Raises
        ------
        QueryError
            There is no statement, there are several, or an odd number of `?`.
        duckdb.Error
            What the statement gets wrong.
        """
        statements = self._connection.extract_statements(sql)
        if len(statements) != 1:
            raise QueryError(f"{len(statements)} statements; expected one, without another behind a semicolon")
        count = len(statements[0].named_parameters)
        if count % 2:
            raise QueryError(f"an odd number of `?` ({count}); expected pairs: the first day asked for, and the last")
        return self._connection.execute(statements[0], [span.first_day, span.last_delivery] * (count // 2))


@contextmanager
def opened(place: Place, sql: str, span: Span) -> Iterator[Database]:
    """Open the tables that `sql` names. Rows that do not fit into memory go to a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="query-") as spill, duckdb.connect() as connection:
        connection.execute(f"SET temp_directory = '{spill}'")
        place.open(connection)
        named = [table for table in tables.TABLES if _names(sql, table.name)]
        absent = []
        for table in tables.TABLES:
            patterns = place.patterns(table, span) if table in named else []
            if table in named and not patterns:
                absent.append(table)
            connection.execute(f"CREATE VIEW {table.name} AS {_reading(table, patterns, span)}")
        connection.execute(f"CREATE VIEW windows AS {tables.windows_view()}")
        is_empty = named != [] and absent == named
        yield Database(
            connection,
            absent,
            is_empty=is_empty and not any(place.patterns(table, span) for table in tables.TABLES if table not in named),
        )


def _names(sql: str, table: str) -> bool:
    words = set(re.findall(r"\w+", re.sub(r"(?m)^\s*--.*$", "", sql).lower()))
    return table in words or any(base == table and view in words for view, base in _VIEWS.items())


def _reading(table: Table, patterns: Sequence[str], span: Span) -> str:
    """Return the SELECT that is the table, with the partitions' columns, cut to the span."""
    columns = [f'CAST("{column.name}" AS {_type(column.type)}) AS "{column.name}"' for column in table.columns]
    names = [f'"{name}"' for name in table.partitions]
    extra = ['"$path"'] if table.format == "json" else []
    if not patterns:
        types = [*(f'CAST(NULL AS {_type(one.type)}) AS "{one.name}"' for one in table.columns)]
        types += [f"CAST(NULL AS VARCHAR) AS {name}" for name in (*names, *extra)]
        return f"SELECT {', '.join(types)} WHERE false"
    listed = ", ".join(f"'{pattern.replace("'", "''")}'" for pattern in patterns)
    hive = f"hive_partitioning = true, hive_types = {{{', '.join(f'{name}: VARCHAR' for name in names)}}}"
    if table.format == "parquet":
        source = f"read_parquet([{listed}], {hive}, union_by_name = true)"
    else:
        kinds = ", ".join(f"'{column.name}': '{column.type}'" for column in table.columns)
        source = (
            f"read_json([{listed}], {hive}, format = 'newline_delimited', columns = {{{kinds}}}, filename = '$path')"
        )
    return f"SELECT {', '.join([*columns, *names, *extra])} FROM {source}{_cut(table, span)}"  # noqa: S608 - of our own schemas alone


def _type(name: str) -> str:
    return "VARCHAR" if name == "JSON" else name


def _cut(table: Table, span: Span) -> str:
    """Return the condition that cuts a table to a span within days, whose folders the patterns choose already."""
    if not span.cuts_days:
        return ""
    conditions = []
    if span.begin is not None:
        conditions.append(f"{table.moment} >= TIMESTAMP '{span.begin.isoformat(sep=' ')}'")
    if span.end is not None:
        conditions.append(f"{table.moment} < TIMESTAMP '{span.end.isoformat(sep=' ')}'")
    return f" WHERE {' AND '.join(conditions)}"
