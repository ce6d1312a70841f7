"""DuckDB as functions use it: one thread, so much memory, and a folder for what does not fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    from pathlib import Path


def connected(folder: Path, memory_megabytes: int) -> duckdb.DuckDBPyConnection:
    """Return a database of its own; `folder` has to be there."""
    connection = duckdb.connect(
        ":memory:",
        config={
            "threads": 1,  # a processor is what a function has; and rows stay in their order
            "memory_limit": f"{memory_megabytes}MB",
            "temp_directory": str(folder),
            "home_directory": str(folder),  # Lambda has none
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        },
    )
    connection.execute("SET enable_progress_bar = false")  # a worker process would print one
    return connection
