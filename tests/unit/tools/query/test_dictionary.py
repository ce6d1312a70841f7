"""The page of columns is what the tables have."""

from __future__ import annotations

import pytest

from tools.query import dictionary, tables


def test_the_page_shows_all_columns(repository):
    """Whoever changes one prints them again: `python -m tools.query.dictionary`."""
    assert (repository / "docs/tables.md").read_text().endswith("\n\n" + dictionary.written())


@pytest.mark.parametrize("table", tables.TABLES, ids=lambda table: table.name)
def test_each_column_has_a_meaning(table):
    """In its table's section, by its name and its type."""
    title = f"## {table.name.removesuffix('_delivered')}\n"
    section = dictionary.written().partition(title)[2].partition("\n## ")[0]
    rows = {cells[0].strip("`"): cells[1:] for cells in _cells(section)}
    for name in (*(column.name for column in table.columns), *table.partitions):
        assert rows[name][-1], name
    for column in table.columns:
        assert column.type.startswith(rows[column.name][0].removesuffix("[]")), column


def _cells(section):
    for line in section.splitlines():
        if line.startswith("| `"):
            yield [cell.strip() for cell in line.strip("|").split("|")]


@pytest.mark.parametrize(
    ("column", "unit"),
    [
        ("speed_mean_kt", "knots"),
        ("vertical_rate_min_ft_min", "feet per minute"),
        ("altitude_min_ft", "feet"),
        ("distance_nm", "nautical miles"),
        ("first_latitude", "degrees"),
        ("window_end", "UTC"),
        ("updates", ""),
    ],
)
def test_units_of_window_rows_are_those_of_their_names(column, unit):
    """A name's ending is its unit."""
    assert {cells[2] for cells in _cells(dictionary.written()) if cells[0] == f"`{column}`"} == {unit}
