"""`reprocess` over a folder: by any number of processes the same bytes, and what was interrupted goes on."""

from __future__ import annotations

import argparse
import gzip
import json
import shutil

import duckdb
import pytest
from botocore.exceptions import ClientError

from archive.schema import COLUMNS
from flights import parts
from local.aws.folder_bucket import OURS, FolderBucket
from tools.query import database, places, span
from tools.reprocess import items, one_machine
from tools.reprocess.__main__ import main


def _run(folder, *options):
    return main(["--on", str(folder), "--from", "2024-03-04", "--to", "2024-03-05", *options])


def _made(folder):
    return {path.relative_to(folder): path.read_bytes() for path in (folder / "archive").rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def one_worker(received, tmp_path_factory):
    """What one process makes of it: the folder, and the report."""
    folder = tmp_path_factory.mktemp("made") / "one"
    shutil.copytree(received, folder)
    assert _run(folder, "--workers", "1", "--report", str(folder / "report.json")) == 0
    return folder, json.loads((folder / "report.json").read_text())


def test_every_update_is_archived_once_and_flights_are_made(one_worker, received):
    """By the functions' own code: the archive has what the raw objects have, without duplicates."""
    folder, report = one_worker
    lines = [line for path in received.rglob("*.gz") for line in gzip.decompress(path.read_bytes()).splitlines()]
    assert report["updates"] == len(lines)
    with database.opened(places.place(str(folder)), "SELECT count(*) FROM updates", span.parse(None, None)) as data:
        assert data.ask("SELECT count(*) FROM updates", span.parse(None, None)).fetchall() == [(len(set(lines)),)]
    assert list(report["hours"]) == ["2024-03-04T22", "2024-03-04T23", "2024-03-05T00"]
    assert sum(day["flights"] for day in report["flights"].values()) > 0
    assert report["failed"] == {}


def test_two_workers_write_the_same_bytes_and_so_does_another_run(one_worker, received, tmp_path):
    """Neighbouring hours share objects of the archive: whoever comes second takes the other's updates in."""
    folder = tmp_path / "two"
    shutil.copytree(received, folder)
    for _ in range(2):
        assert _run(folder, "--workers", "2") == 0
        assert _made(folder) == _made(one_worker[0])


def test_an_interrupted_run_goes_on_where_it_ended(one_worker, received, tmp_path, capsys):
    """Hours that are done are not done again; one that fails leaves the others be, and is tried again."""
    folder = tmp_path / "interrupted"
    shutil.copytree(received, folder)
    there = folder / "archive/updates/date=2024-03-05/hour=00/updates.parquet"
    there.parent.mkdir(parents=True)
    there.write_bytes(b"not Parquet")
    assert _run(folder, "--workers", "1") == 1
    assert "2024-03-05T00 failed: BrokenObjectError" in capsys.readouterr().out
    there.unlink()
    assert _run(folder, "--workers", "1", "--report", str(tmp_path / "report.json")) == 0
    assert "1 hour archived, 2 done before: " in capsys.readouterr().out
    report = json.loads((tmp_path / "report.json").read_text())
    assert (report["hours_done_before"], list(report["hours"])) == (2, ["2024-03-05T00"])
    assert _made(folder) == _made(one_worker[0])
    assert list((folder / OURS).glob("*.done")) == []


def _archive_flights(folder):
    """Write two hours of an archive, each of other aircraft, all of which fly north."""
    with duckdb.connect(":memory:", config={"threads": 1}) as connection:
        for hour, first in ((10, 0), (11, 10)):
            path = folder / f"archive/updates/date=2024-03-04/hour={hour}/updates.parquet"
            path.parent.mkdir(parents=True)
            times = {
                "timestamp": f"TIMESTAMP '2024-03-04 {hour}:00' + INTERVAL (i) MINUTE",
                "latitude": f"{hour} + i / 9",
            }
            values = times | {
                "icao_address": "printf('%06X', a)",
                "longitude": "a",
                "altitude_baro": "9000",
                "speed": "400",
            }
            row = ", ".join(f"CAST({values.get(one.name, 'NULL')} AS {one.type}) AS {one.name}" for one in COLUMNS)
            rows = f"SELECT {row} FROM range({first}, {first + 20}) t(a), range(60) u(i) ORDER BY a, i"
            connection.execute(f"COPY ({rows}) TO '{path}' (FORMAT parquet)")


def test_a_day_in_parts_is_the_same_day(tmp_path, monkeypatch):
    """The parts are made by processes of their own, joined, and gone; an interrupted run's are not made again."""
    whole, folder = tmp_path / "whole", tmp_path / "parts"
    for one in (whole, folder):
        _archive_flights(one)
    assert items.make_flights(whole, 256, "2024-03-04")["flights"] == 30
    monkeypatch.setattr(parts, "MOST_ROWS", 1_000)
    planned = items.make_flights(folder, 256, "2024-03-04")
    assert len(planned["plan"].parts) == 2
    items.make_part(folder, 256, planned["plan"].parts[0])
    flights, failed = {}, {}
    options = argparse.Namespace(on=folder, memory=256)
    one_machine._make_parts(options, 1, [planned["plan"]], flights, failed)
    assert (flights, failed) == ({"2024-03-04": {"updates": 2_400, "flights": 30}}, {})
    assert _made(folder) == _made(whole)
    assert [path.name for path in folder.glob("flight-parts/*")] == []
    assert items.make_flights(folder, 256, "2024-03-04") == {"updates": 0, "flights": None}


def test_a_report_that_cannot_be_written_is_known_before_the_work(received, tmp_path, capsys):
    """Nothing is archived then."""
    folder = tmp_path / "untouched"
    shutil.copytree(received, folder)
    assert _run(folder, "--report", str(tmp_path / "absent" / "report.json")) == 2
    assert "--report" in capsys.readouterr().err
    assert _made(folder) == {}


def test_a_time_in_which_nothing_arrived_is_said(received, capsys):
    """Rather than a run over nothing that looks well."""
    assert main(["--on", str(received), "--from", "2031-01-01", "--to", "2031-01-02"]) == 1
    said = capsys.readouterr().err
    assert (
        "no raw objects from 2031-01-01 to 2031-01-02; what is there arrived from 2024-03-04T22 to 2024-03-05T00"
        in said
    )


def test_a_folder_writes_on_condition(tmp_path):
    """As S3 does: what was there when it was read, or nothing."""
    bucket = FolderBucket(tmp_path)
    tag = bucket.put_object(Key="a/b", Body=b"first", IfNoneMatch="*")["ETag"]
    for condition in ({"IfNoneMatch": "*"}, {"IfMatch": '"another"'}):
        with pytest.raises(Exception, match="PreconditionFailed"):
            bucket.put_object(Key="a/b", Body=b"second", **condition)
    assert bucket.get_object(Key="a/b")["Body"].read() == b"first"
    bucket.put_object(Key="a/b", Body=b"second", IfMatch=tag, Metadata={"made-of": "x"})
    assert bucket.head_object(Key="a/b")["Metadata"] == {"made-of": "x"}
    assert bucket.get_object(Key="a/b", Range="bytes=-4")["ContentRange"] == "bytes 2-5/6"
    assert bucket.get_object(Key="a/b", Range="bytes=1-99")["Body"].read() == b"econd"
    for refused in ({"Range": "bytes=6-9"}, {"IfMatch": tag}):
        with pytest.raises(ClientError):
            bucket.get_object(Key="a/b", **refused)
    (tmp_path / "a/b").write_bytes(b"by another hand")
    assert bucket.head_object(Key="a/b")["Metadata"] == {}
