"""Query results as Parquet: DuckDB writes a temporary file, which is then copied to the output."""

from __future__ import annotations

import errno
import os
import shutil
import sys
import tempfile
from typing import TYPE_CHECKING

from tools.query.errors import QueryError

if TYPE_CHECKING:
    from tools.query.database import Database
    from tools.query.span import Span


def write(data: Database, sql: str, span: Span) -> None:
    """Write the answer to standard output.

    Raises
    ------
    QueryError
        Standard output does not take it; a reader that has gone is no error.
    """
    with tempfile.TemporaryDirectory(prefix="query-") as folder:
        path = f"{folder}/answer.parquet"
        data.ask(f"COPY ({sql.strip().removesuffix(';')}\n) TO '{path}' (FORMAT parquet, COMPRESSION zstd)", span)
        with open(path, "rb") as file:  # noqa: PTH123 - a name, not a path that is worked with
            try:
                shutil.copyfileobj(file, sys.stdout.buffer)
                sys.stdout.buffer.flush()
            except OSError as error:
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left is written to nowhere
                if error.errno != errno.EPIPE:
                    raise QueryError(f"standard output: {error.strerror}; the answer is lost") from None
