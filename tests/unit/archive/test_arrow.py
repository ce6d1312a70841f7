"""Columns of Python values arrive in DuckDB as they are: every kind, NULL, text that is not ASCII."""

from __future__ import annotations

import duckdb
import pytest

from archive.arrow import Table

COLUMNS = {
    "text": ("text", ["78121E", None, "", "\u00c5land \u2708", "x" * 1_000]),
    "int32": ("int32", [0, -1, 2**31 - 1, None, 7]),
    "int64": ("int64", [2**62, None, -1, 0, 5]),
    "double": ("double", [0.1, -2.5, None, 1e300, 3.0]),
    "bool": ("bool", [True, False, None, True, False]),
}


def select(columns):
    """What DuckDB reads of a table."""
    given = Table(columns)
    with duckdb.connect() as connection:
        connection.register("given", given)
        return [connection.execute("SELECT * FROM given").fetchall() for _ in range(2)]


@pytest.mark.parametrize("repeat", [1, 2_000])
def test_values_come_as_they_are_and_again(repeat):
    """In their order, whatever the validity bits and however many: a table can be read twice."""
    columns = {name: (kind, values * repeat) for name, (kind, values) in COLUMNS.items()}
    expected = list(zip(*(values for _, values in columns.values()), strict=True))
    assert select(columns) == [expected, expected]


def test_a_column_without_a_value_and_one_without_null():
    """Both ways in which validity may be left out or be all there is."""
    columns = {"none": ("text", [None, None]), "all": ("int32", [1, 2])}
    assert select(columns)[0] == [(None, 1), (None, 2)]
