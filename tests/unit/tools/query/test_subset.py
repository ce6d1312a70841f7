"""The named queries keep to what Trino and DuckDB both know, as docs/queries.md has it."""

from __future__ import annotations

import re

import pytest

from tools.query import catalog, tables

QUERIES = [*((one.name, one.sql) for one in catalog.read_all()), ("views/windows", tables.VIEW.read_text())]


@pytest.fixture(scope="session")
def page(repository):
    """The page that describes the subset."""
    return (repository / "docs" / "queries.md").read_text()


def code(sql):
    """The SQL without comments, texts and quoted names."""
    return re.sub(r"--[^\n]*|'[^']*'|\"[^\"]*\"", " ", sql)


@pytest.mark.parametrize(("name", "sql"), QUERIES, ids=[name for name, _ in QUERIES])
def test_functions_are_those_of_the_page(page, name, sql):
    """A function that is not on the page has not been looked up in both."""
    listed = set(re.findall(r"`(\w+)\(", page))
    called = {one.lower() for one in re.findall(r"\b(\w+)\s*\(", code(sql))}
    words = {"and", "as", "by", "from", "in", "over", "select", "union", "where", "with"}
    assert called - words <= listed, name


@pytest.mark.parametrize(("name", "sql"), QUERIES, ids=[name for name, _ in QUERIES])
def test_what_differs_between_the_two_is_not_used(name, sql):
    """Each of these means one thing to Trino and another, or nothing, to DuckDB; the page says why."""
    text = code(sql)
    for pattern in (
        r"GROUP BY (ALL|\d)|ORDER BY (ALL|\d)",
        r"::",
        r"\bWINDOW\s+\w+\s+AS\b",  # Athena's guide to SELECT has no such clause
        r"\b(QUALIFY|EXCLUDE|REPLACE|PIVOT|ASOF|USING SAMPLE|FILTER)\b",
        r"\b\d+\.\d*\b",  # a decimal to Trino
        r"/\s*\d+(?!e|\d)",  # an integer's quotient is one, to Trino
        r"\b(greatest|least)\(",
        r"(?<![\w\"])(date|timestamp|hour|at)(?![\w\"])(?!\s*\))",
        r"\[",
    ):
        assert not re.search(pattern, text, re.IGNORECASE), f"{name}: {pattern}"


@pytest.mark.parametrize(("name", "sql"), QUERIES, ids=[name for name, _ in QUERIES])
def test_days_are_asked_for_in_pairs_by_the_partition(name, sql):
    """So that Athena and DuckDB read these days' objects and no others."""
    text = re.sub(r"--[^\n]*", "", sql)
    pairs = re.findall(r'"date" BETWEEN \? AND \?', text)
    assert text.count("?") == 2 * len(pairs)
    tables_read = re.findall(r"\bFROM (updates|windows|windows_delivered|alerts|flights)\b", text)
    assert name.startswith("views/") or len(pairs) == len(tables_read) > 0


def test_each_query_is_on_the_page(page):
    """By its name, in the table of what is answered."""
    listed = page.partition("## The named queries")[2].partition("## The tables")[0]
    assert re.findall(r"^\| `([\w-]+)` \|", listed, re.MULTILINE) == [one.name for one in catalog.read_all()]
