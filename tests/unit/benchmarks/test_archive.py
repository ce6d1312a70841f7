"""What is measured of the archive is what the archive does."""

from __future__ import annotations

import pytest

from benchmarks.archive import raw_hour, runs

UPDATES = 3_000


@pytest.fixture(scope="module")
def hour(tmp_path_factory):
    """An hour's raw objects."""
    folder = tmp_path_factory.mktemp("hour")
    raw_hour.write(folder, UPDATES)
    return folder


def test_each_way_reads_all_updates(hour, tmp_path):
    """None is rejected, none is a duplicate; DuckDB's recipe finds as many."""
    assert runs.archived(tmp_path, hour, 256) == {"updates": UPDATES, "rows": UPDATES}
    assert runs.archived_again(tmp_path, hour, 256) == {"updates": UPDATES, "rows": 0}
    runs.recipe(tmp_path, hour, 256)
    assert duckdb_count(hour / "recipe.parquet") == UPDATES


def test_each_step_is_timed(hour, tmp_path):
    """And leaves nothing behind."""
    seconds = runs.steps(tmp_path, hour, 256)
    assert len(seconds) == 6
    assert all(one >= 0 for one in seconds.values())
    assert list(tmp_path.iterdir()) == []


def duckdb_count(path):
    """Return how many rows a Parquet file has."""
    import duckdb

    return duckdb.sql(f"SELECT count(*) FROM '{path}'").fetchone()[0]
