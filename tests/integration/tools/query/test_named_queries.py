"""Each named query against a recount in plain Python, on real updates and on generated ones."""

from __future__ import annotations

import gzip
import json

import pytest

from tests.support import data_folder, recount
from tools.query import catalog, database, places, span


def answer(path, name, begin=None, end=None):
    """The rows that a named query answers with."""
    sql, asked = catalog.find(name).sql, span.parse(begin, end)
    with database.opened(places.place(str(path)), sql, asked) as data:
        return data.ask(sql, asked).fetchall()


def delivered(path):
    """The window rows of a folder, as delivered."""
    return [row for file in path.glob("windows/*/*/*") for row in rows_of(file)]


def rows_of(file):
    """The rows of one object."""
    return [json.loads(line) for line in gzip.decompress(file.read_bytes()).splitlines()]


@pytest.mark.parametrize("name", ["busiest", "airport-movements", "coverage-gaps"])
def test_a_question_about_updates_is_answered_as_a_recount_says(folder, name):
    """To the last digit."""
    expected = getattr(recount, name.replace("-", "_"))(recount.updates(folder.lines))
    assert expected
    assert answer(folder.path, name) == expected


def test_the_slowest_regions_are_those_of_a_recount(folder):
    """Means are rounded to a millisecond."""
    expected = recount.slowest_regions(recount.updates(folder.lines))
    found = answer(folder.path, "slowest-regions")
    assert [row[:3] for row in found] == [row[:3] for row in expected]
    assert [row[3:] for row in found] == [pytest.approx(row[3:], abs=0.0006) for row in expected]


@pytest.mark.parametrize("name", ["busiest", "airport-movements"])
@pytest.mark.parametrize(("begin", "end"), [("2024-03-04", "2024-03-04"), ("2024-03-05", None)])
def test_days_that_are_asked_for_are_the_only_ones_that_count(generated, name, begin, end):
    """The traffic goes across midnight."""
    found = recount.updates(generated.lines, begin, end or "9999-12-31")
    assert 0 < len(found) < len(generated.lines)
    assert answer(generated.path, name, begin, end) == getattr(recount, name.replace("-", "_"))(found)


def test_a_time_cuts_within_a_day(generated):
    """From a time on, until before another."""
    begin, end = "2024-03-04T23:10", "2024-03-05T00:20:30"
    found = [one for one in recount.updates(generated.lines) if begin <= one["ingestion_time"] < end]
    assert answer(generated.path, "busiest", begin, end) == recount.busiest(found)


def test_the_check_for_duplicates_finds_those_that_were_delivered(folder):
    """The view `windows` has each row once, what was delivered has some twice."""
    rows = delivered(folder.path)
    keys = {
        tuple(row.get(name) for name in ("kind", "window_start", "shard_id", "part", "icao_address")) for row in rows
    }
    expected = recount.duplicates(recount.updates(folder.lines), len(keys), len(rows) - len(keys))
    assert answer(folder.path, "duplicates") == expected


def test_the_windows_count_what_the_archive_holds(folder):
    """With nothing lost, no aircraft is listed."""
    total = len(folder.lines)
    assert answer(folder.path, "window-totals") == [
        ("all, by aircraft rows", total, total, 0),
        ("all, by totals rows", total, total, 0),
    ]


def test_a_table_that_a_comment_speaks_of_is_not_missed(generated):
    """Nothing is said of what the query does not read."""
    sql = catalog.find("coverage-gaps").sql
    assert "flights" in sql
    with database.opened(places.place(str(generated.path)), sql, span.Span()) as data:
        assert data.absent == []


def test_a_lost_window_shows_in_the_totals_and_by_aircraft(generated, tmp_path):
    """Each aircraft of it by its own number of updates."""
    for name in ("archive", "windows"):
        (tmp_path / name).symlink_to(generated.path / name)
    lost = sorted((generated.path / "windows").glob("*/*/*[01].ndjson.gz"))[7]
    (tmp_path / "windows").unlink()
    for file in (generated.path / "windows").glob("*/*/*"):
        if not file.name.startswith(lost.name.partition(".")[0]):
            copy = tmp_path / file.relative_to(generated.path)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(file.read_bytes())
    rows = rows_of(lost)
    missing = {row["icao_address"]: -row["updates"] for row in rows if row["kind"] == "aircraft"}
    total, *others = answer(tmp_path, "window-totals")
    assert total[3] == others[0][3] == sum(missing.values()) < 0
    assert {row[0]: row[3] for row in others[1:]} == missing


def test_alerts_by_kind_are_those_of_the_log(generated):
    """Emergency codes are kinds of their own."""
    found = [json.loads(file.read_bytes()) for file in generated.path.glob("alerts/*/*/*.json")]
    expected = recount.alerts_by_kind(found)
    assert any(row[1] == "7700" for row in expected)
    assert answer(generated.path, "alerts-by-kind") == expected


def test_flights_are_those_of_the_days_in_order(tmp_path):
    """By take-off, or by the first position where no take-off is known."""
    legs = [
        {"id": "B", "icao_address": "78121E", "takeoff_time": "2024-03-04T20:00:00", "distance_nm": 512.26, "gaps": 1},
        {"id": "C", "icao_address": "78121E", "first_time": "2024-03-04T19:00:00", "distance_nm": 1.0, "gaps": 0},
        {"id": "A", "icao_address": "040172", "takeoff_time": "2024-03-05T00:00:01", "distance_nm": 2.0, "gaps": 0},
    ]
    for leg in legs:
        day = (leg.get("takeoff_time") or leg["first_time"])[:10]
        data_folder.write_flights(tmp_path, day, [one for one in legs if day in str(one)])
    assert [row[0] for row in answer(tmp_path, "flights")] == ["C", "B", "A"]
    (first, *rest) = answer(tmp_path, "flights", "2024-03-04T19:30", "2024-03-04")
    assert not rest
    assert (first[4], first[9], first[11]) == (recount.moment("2024-03-04T20:00:00"), 512.3, 1)


def test_every_named_query_is_recounted_here():
    """A query that nobody counts again is not one."""
    assert {one.name for one in catalog.read_all()} == {
        "busiest",
        "airport-movements",
        "coverage-gaps",
        "slowest-regions",
        "duplicates",
        "window-totals",
        "alerts-by-kind",
        "flights",
    }


def test_of_a_rebuilt_window_only_the_newest_rebuild_counts(tmp_path):
    """Rows of before it are skipped whole, those that it does not have included."""
    row = {"kind": "aircraft", "window_start": "2024-03-04T23:24:00Z", "shard_id": "shardId-000000000000", "part": 0}
    start = recount.moment("2024-03-04T23:25:00")

    def put(name, *aircraft, **fields):
        rows = [json.dumps(row | fields | {"icao_address": one, "updates": 1}).encode() + b"\n" for one in aircraft]
        data_folder.put_rows(tmp_path, start, name, rows)

    put("z", "A00001", "A00002")
    put("y", "A00009", shard_id="shardId-000000000001")
    put("x", "A00010", window_start="2024-03-04T23:25:00Z")
    put("b", "A00001", "A00003", rebuilt_at="2024-03-05T10:00:00Z", rebuilt_by="arrival")
    put("a", "A00001", "A00004", rebuilt_at="2024-03-05T11:00:00Z", rebuilt_by="arrival")
    sql, asked = "SELECT icao_address FROM windows ORDER BY icao_address", span.Span()
    with database.opened(places.place(str(tmp_path)), sql, asked) as data:
        assert data.ask(sql, asked).fetchall() == [("A00001",), ("A00004",), ("A00010",)]
