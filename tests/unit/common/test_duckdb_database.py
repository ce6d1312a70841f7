"""The database as functions use it keeps to its memory, its folder, and to what is in the package."""

from __future__ import annotations

from common.duckdb_database import connected


def test_it_has_what_it_is_given(tmp_path):
    """One thread, so much memory, the folder for the rest, and no extension from anywhere."""
    names = ("threads", "memory_limit", "temp_directory", "autoinstall_known_extensions", "autoload_known_extensions")
    with connected(tmp_path, 64) as connection:
        settings = [connection.execute("SELECT current_setting(?)", [name]).fetchone()[0] for name in names]
    assert settings == [1, "61.0 MiB", str(tmp_path), False, False]
