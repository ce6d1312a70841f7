"""The database as functions use it keeps to its memory, its folder, and to what is in the package."""

from __future__ import annotations

import subprocess
import sys

from common.duckdb_database import connected


def test_it_has_what_it_is_given(tmp_path):
    """One thread, so much memory, the folder for the rest, and no extension from anywhere."""
    names = ("threads", "memory_limit", "temp_directory", "autoinstall_known_extensions", "autoload_known_extensions")
    with connected(tmp_path, 64) as connection:
        settings = [connection.execute("SELECT current_setting(?)", [name]).fetchone()[0] for name in names]
    assert settings == [1, "61.0 MiB", str(tmp_path), False, False]


def test_it_prints_nothing_in_a_worker_process(repository, tmp_path):
    """DuckDB takes a process whose main module has no file for a notebook, and draws a bar after two seconds."""
    program = """
import pathlib, sys
from common.duckdb_database import connected
with connected(pathlib.Path(sys.argv[1]), 64) as connection:
    print(connection.execute("SELECT current_setting('enable_progress_bar')").fetchone())
"""
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path],
        env={"PYTHONPATH": str(repository / "src")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "(False,)\n"
