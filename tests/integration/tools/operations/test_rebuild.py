"""`rebuild` makes lost windows good: the same rows as the aggregator's, and once each."""

from __future__ import annotations

import gzip
import json
import shutil

import duckdb
import pytest

from local.simulator.flights import GeneratedTraffic
from tests.support import data_folder
from tools.operations.rebuild import main
from tools.query import catalog, database, places, span


@pytest.fixture
def folder(tmp_path):
    """Ten minutes of traffic around midnight, archive and window rows."""
    source = GeneratedTraffic(rate=2, aircraft=30, seed=4, start=1_709_596_500)  # 23:55
    lines = []
    for moment, line in source.updates():
        if moment >= source.start + 600:
            break
        lines.append(line)
    data_folder.write_archive(tmp_path, lines)
    data_folder.write_windows(tmp_path, lines)
    return tmp_path


def ask(path, sql):
    """The rows that a query answers with."""
    with database.opened(places.place(str(path)), sql, span.Span()) as data:
        return data.ask(sql, span.Span()).fetchall()


def rows_of(files):
    """The rows of objects, without what says that they were rebuilt, in one order."""
    rows = [json.loads(line) for file in files for line in gzip.decompress(file.read_bytes()).splitlines()]
    plain = [{name: value for name, value in row.items() if not name.startswith("rebuilt_")} for row in rows]
    return sorted(plain, key=lambda row: (row["window_start"], row["shard_id"], row.get("icao_address", "~")))


def objects(path, minute):
    """The objects of the window that begins at a minute of the traffic."""
    return sorted(path.glob(f"windows/*/*/{1_709_596_500 + 60 * minute}-*"))


def test_a_lost_window_is_the_same_again(folder, capsys):
    """Row for row, in the shards that the aircraft had around it; a second run changes nothing but the time."""
    lost = objects(folder, 3)
    expected = rows_of(lost)
    for file in lost:
        file.unlink()
    span_of_it = ["--on", str(folder), "--from", "2024-03-04T23:58", "--to", "2024-03-04T23:59"]
    assert main(span_of_it) == 0
    assert not list(folder.glob("windows/*/*/rebuilt-*"))  # it has only said what it would do
    for _ in range(2):
        assert main([*span_of_it, "--confirm"]) == 0
        (rebuilt,) = folder.glob("windows/*/*/rebuilt-*")
        assert rows_of([rebuilt]) == expected
    assert len(ask(folder, catalog.find("window-totals").sql)) == 2
    assert "1 window is rebuilt" in capsys.readouterr().out
    assert ask(folder, "SELECT DISTINCT rebuilt_by FROM windows WHERE rebuilt_at IS NOT NULL") == [("arrival",)]


def test_what_it_replaces_counts_no_more_wherever_it_lies(folder):
    """Rows of a window before midnight that were delivered after it, in the next day's folder."""
    late = folder / "windows/date=2024-03-05/hour=00"
    for file in objects(folder, 2):
        shutil.move(file, late / file.name)
    assert main(["--on", str(folder), "--from", "2024-03-04T23:56", "--to", "2024-03-05T00:00", "--confirm"]) == 0
    assert len(ask(folder, catalog.find("window-totals").sql)) == 2
    assert ask(folder, "SELECT count(*) FROM windows WHERE kind NOT IN ('aircraft', 'totals')") == [(0,)]


def test_what_is_not_in_the_archive_yet_is_waited_for(folder, capsys):
    """A window of a part of its updates would take the place of a good one: nothing is written."""
    raw = folder / "raw/date=2024-03-05/hour=00/late.ndjson.gz"
    raw.parent.mkdir(parents=True)
    raw.write_bytes(gzip.compress(b"{}\n"))
    span_of_it = ["--on", str(folder), "--from", "2024-03-04T23:58", "--to", "2024-03-05T00:00"]
    assert main([*span_of_it, "--confirm"]) == 1
    assert "lacks raw objects that arrived in 2024-03-05T00" in capsys.readouterr().err
    assert not list(folder.glob("windows/*/*/rebuilt-*"))
    assert main(span_of_it) == 0


def test_a_window_that_counts_far_more_than_the_archive_has_stays(folder, capsys):
    """It is named; --fewer rebuilds it as well."""
    lost = folder / "archive/updates/date=2024-03-04/hour=23"
    (archived,) = lost.glob("*.parquet")
    with duckdb.connect() as connection:
        rows = f"SELECT * FROM '{archived}' WHERE minute(ingestion_time) <> 58 OR second(ingestion_time) < 30"
        connection.execute(f"COPY ({rows}) TO '{archived}.part' (FORMAT parquet)")
    archived.with_name(f"{archived.name}.part").replace(archived)
    span_of_it = ["--on", str(folder), "--from", "2024-03-04T23:57", "--to", "2024-03-04T23:59", "--confirm"]
    assert main(span_of_it) == 1
    said = capsys.readouterr()
    assert "1 window is rebuilt" in said.out
    assert "the first of them 2024-03-04T23:58:00Z" in said.err
    assert len(list(folder.glob("windows/*/*/rebuilt-*"))) == 1
    assert main([*span_of_it, "--fewer"]) == 0
    assert len(list(folder.glob("windows/*/*/rebuilt-*"))) == 2


def test_by_event_time_each_update_is_in_the_window_of_its_timestamp(folder):
    """However late it came; the rows say so."""
    arguments = ["--on", str(folder), "--from", "2024-03-04T23:57", "--to", "2024-03-04T23:59", "--by", "event_time"]
    assert main([*arguments, "--confirm"]) == 0
    counted = ask(folder, "SELECT sum(updates) FROM windows WHERE rebuilt_by = 'event_time' AND kind = 'totals'")
    minutes = "\"timestamp\" >= TIMESTAMP '2024-03-04 23:57:00' AND \"timestamp\" < TIMESTAMP '2024-03-04 23:59:00'"
    assert counted == ask(folder, f"SELECT count(*) FROM updates WHERE {minutes}")
    assert counted != [(None,)]


def test_a_span_of_which_the_archive_has_nothing_is_said(folder, capsys):
    """Rather than that no window would be rebuilt."""
    assert main(["--on", str(folder), "--from", "2031-03-04T23:57", "--to", "2031-03-04T23:58"]) == 1
    said = capsys.readouterr()
    assert (said.out, "no updates from 2031-03-04T23:57 to 2031-03-04T23:58 by arrival" in said.err) == ("", True)


@pytest.mark.parametrize("bound", ["2024-03-04T23:58:30", "2024-03-04T23:58:00.5"])
def test_a_span_ends_with_windows(folder, bound, capsys):
    """A part of a window would take the place of the whole."""
    assert main(["--on", str(folder), "--from", "2024-03-04T23:57", "--to", bound]) == 1
    assert "expected an edge of one" in capsys.readouterr().err


@pytest.mark.parametrize("length", ["0", "-5", "901", "99999999999999", "6e1", "\u0661"])
def test_a_windows_length_is_one_that_lambda_has(folder, length, capsys):
    """What is no length is refused with what is expected."""
    with pytest.raises(SystemExit):
        main(["--on", str(folder), "--from", "2024-03-04", "--to", "2024-03-05", f"--window-seconds={length}"])
    assert "expected whole seconds from 1 to 900" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("begin", "end"), [("0001-01-01T00:00", "0001-01-01T01:00"), ("9999-12-31", "9999-12-31T23:59")]
)
def test_a_span_out_of_all_times_is_named(folder, begin, end, capsys):
    """The days around it are none."""
    assert main(["--on", str(folder), "--from", begin, "--to", end]) == 1
    assert "expected one of the years 1970 to 9997" in capsys.readouterr().err
