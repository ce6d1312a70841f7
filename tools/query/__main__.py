"""The command line: `pipenv run query`."""

from __future__ import annotations

import argparse
import errno
import sys
from typing import TYPE_CHECKING

import duckdb
from botocore.exceptions import BotoCoreError, ClientError

from local.command import run_command
from local.standard_output import surviving
from tools.query import catalog, database, output, parquet, places, span
from tools.query.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from local.standard_output import SurvivingOutput
    from tools.query.database import Database

_ROWS = 1_000
"""Fetched at a time."""

_INTERRUPTED = 130


def main(arguments: list[str] | None = None) -> int:
    """Answer as the command line says; return the exit code."""
    options = _parser().parse_args(arguments)
    with surviving() as out:
        try:
            code = _run(options, out)
        except QueryError as error:
            code = _tell(str(error))
        except duckdb.Error as error:
            code = _tell(f"{options.name or 'the SQL'}: {error}")
        except (BotoCoreError, ClientError) as error:
            code = _tell(f"AWS: {error}. Region and credentials are by its usual settings (AWS_REGION, AWS_PROFILE)")
        except KeyboardInterrupt:
            code = _INTERRUPTED
    if out.lost is not None and out.lost.errno != errno.EPIPE:
        return _tell(f"standard output: {out.lost.strerror}; the rest of the answer is lost")
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="query", description="Asks the archive in SQL: docs/queries.md has the tables and what is answered."
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("name", nargs="?", metavar="NAME", help="a named query")
    what.add_argument("--sql", metavar="SQL", help="one of your own, in DuckDB's SQL")
    what.add_argument("--list", action="store_true", help="name the named queries, and what each answers")
    parser.add_argument("--on", metavar="PLACE", help="the folder of `local --out`, or s3://BUCKET[/PREFIX]")
    parser.add_argument("--from", dest="begin", metavar="TIME", help="from that day or time on, UTC (default: all)")
    parser.add_argument("--to", dest="end", metavar="TIME", help="to the end of that day, or before that time, UTC")
    parser.add_argument(
        "--format",
        choices=(*output.FORMATS, "parquet"),
        default="table",
        help="json is an object a line (default: %(default)s)",
    )
    return parser


def _run(options: argparse.Namespace, out: SurvivingOutput) -> int:
    if options.list:
        named = catalog.read_all()
        width = max(len(one.name) for one in named)
        for one in named:
            out.write(f"{one.name:{width}}  {one.answers}\n")
        return 0
    sql = options.sql if options.name is None else catalog.find(options.name).sql
    asked = span.parse(options.begin, options.end)
    if options.on is None:
        raise QueryError("where are the data? --on DIR (of `pipenv run local --out DIR`) or --on s3://BUCKET")
    if options.format == "parquet" and sys.stdout.isatty():
        raise QueryError("Parquet is no text for a terminal; write it to a file: > answer.parquet")
    with database.opened(places.place(options.on), sql, asked) as data:
        _judge(data, options)
        if options.format == "parquet":
            parquet.write(data, sql, asked)
            return 0
        answer = data.ask(sql, asked)
        names = [column[0] for column in answer.description or ()]
        output.FORMATS[options.format](names, _rows(answer), out)
    return 0


def _judge(data: Database, options: argparse.Namespace) -> None:
    """Say of which tables there is nothing; refuse to answer out of nothing at all."""
    if not data.absent:
        return
    what = ", ".join(table.prefix for table in data.absent)
    within = "" if options.begin is None and options.end is None else " in that span of time"
    if data.is_empty:
        raise QueryError(
            f"{options.on}: nothing is under {what}{within}; expected what `pipenv run local --out DIR` leaves, "
            "or a data bucket. The archive of an hour is written after its end"
        )
    _tell(f"{options.on}: nothing is under {what}{within}; the query goes on without")


def _rows(answer: duckdb.DuckDBPyConnection) -> Iterator[tuple[Any, ...]]:
    while batch := answer.fetchmany(_ROWS):
        yield from batch


def _tell(text: str) -> int:
    print(f"query: {text}", file=sys.stderr)  # noqa: T201 - a command line talks
    return 1


if __name__ == "__main__":
    run_command("query", main)
