"""`pipenv run query` as people use it: formats, places, and what it says when it cannot answer."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import subprocess
import sys

import boto3
import duckdb
import pytest

from tests.support import recount
from tools.query.__main__ import main


@pytest.fixture
def ask(capfd):
    """Run the command; return its exit code, output and error output."""

    def run(*arguments):
        capfd.readouterr()
        return main([*map(str, arguments)]), *capfd.readouterr()

    return run


def test_the_list_names_each_query_and_what_it_answers(ask):
    """From the files' first lines."""
    code, out, _ = ask("--list")
    assert code == 0
    assert re.search(r"^busiest +Busiest aircraft: ", out, re.MULTILINE)


def test_formats_say_the_same(ask, generated):
    """A table for people, CSV with a header, an object a line."""
    expected = recount.busiest(recount.updates(generated.lines))
    addresses = [row[0] for row in expected]
    _, table, _ = ask("busiest", "--on", generated.path)
    assert re.findall(r"^[0-9A-F]{6}", table, re.MULTILINE) == addresses
    _, text, _ = ask("busiest", "--on", generated.path, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["icao_address"], int(row["updates"])) for row in rows] == [(row[0], row[3]) for row in expected]
    _, lines, _ = ask("busiest", "--on", generated.path, "--format", "json")
    first = json.loads(lines.splitlines()[0])
    assert first["icao_address"] == addresses[0]
    assert recount.moment(first["first_timestamp"]) == expected[0][5]
    assert first["first_timestamp"].endswith("Z")


def test_parquet_can_be_read_again(generated, tmp_path, monkeypatch):
    """What is written to standard output is a whole file."""
    path = tmp_path / "answer.parquet"
    with path.open("w") as file:
        monkeypatch.setattr(sys, "stdout", file)
        assert main(["busiest", "--on", str(generated.path), "--format", "parquet"]) == 0
    with duckdb.connect() as connection:
        rows = connection.execute("SELECT icao_address, updates FROM read_parquet(?)", [str(path)]).fetchall()
    assert rows == [(row[0], row[3]) for row in recount.busiest(recount.updates(generated.lines))]


def test_a_bucket_is_asked_as_a_folder_is(ask, generated, moto_server, monkeypatch):
    """By the endpoint of AWS's settings, under a prefix."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_server)
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="asked")
    for file in generated.path.glob("archive/*/*/*/*"):
        s3.put_object(Bucket="asked", Key=f"some/{file.relative_to(generated.path)}", Body=file.read_bytes())
    for place, code in (("s3://asked/some", 0), ("s3://asked", 1)):
        arguments = ("--format", "csv", "--from", "2024-03-05")
        assert ask("busiest", "--on", place, *arguments)[0] == code
    assert ask("busiest", "--on", "s3://asked/some", *arguments) == ask("busiest", "--on", generated.path, *arguments)


def test_days_that_are_not_asked_for_are_not_read(ask, generated, tmp_path):
    """A broken object of another day does no harm."""
    for file in generated.path.glob("archive/*/*/*/*"):
        copy = tmp_path / file.relative_to(generated.path)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(file.read_bytes() if "2024-03-05" in str(file) else b"no Parquet")
    assert ask("busiest", "--on", tmp_path, "--from", "2024-03-05")[0] == 0
    code, _, errors = ask("busiest", "--on", tmp_path)
    assert code == 1
    assert "2024-03-04" in errors


def test_windows_up_to_midnight_are_there_though_delivered_after_it(ask, generated):
    """Those that a span within days ends with; a query with days as parameters has them, too."""
    span = ("--on", generated.path, "--from", "2024-03-04T23:00", "--to", "2024-03-05T00:00", "--format", "json")
    sql = "SELECT count(DISTINCT window_start) AS windows, max(window_start) AS last FROM windows"
    expected = {"windows": 60, "last": "2024-03-04T23:59:00.000Z"}
    for condition in ("", ' WHERE "date" BETWEEN ? AND ?'):
        _, out, _ = ask("--sql", sql + condition, *span)
        assert json.loads(out) == expected
    _, out, _ = ask("window-totals", *span)
    assert [json.loads(line)["difference"] for line in out.splitlines()] == [0, 0]


def test_a_folder_may_have_any_name(ask, generated, tmp_path):
    """Names that a pattern or SQL would take for something else."""
    place = tmp_path / "it's [a] d*ta"
    place.symlink_to(generated.path)
    assert ask("busiest", "--on", place) == ask("busiest", "--on", generated.path)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["busyest"], "there is no query 'busyest'; did you mean busiest?"),
        (["xyz"], "there is no query 'xyz'; --list shows them"),
        (["../README"], "there is no query"),
        (["--sql", "SELECT nothing FROM updates"], r'"nothing" not found[\s\S]+LINE 1: SELECT nothing[\s\S]+\^'),
        (["--sql", "SELECT * FROM update"], 'Did you mean "updates"'),
        (["--sql", "SELECT 1; SELECT 2"], "2 statements; expected one"),
        (["--sql", "SELECT ?"], "an odd number of `\\?` \\(1\\); expected pairs"),
        (["busiest", "--from", "yesterday"], "--from: got 'yesterday'; expected a day or a time"),
        (["busiest", "--from", "2024-03-05", "--to", "2024-03-04"], "nothing lies between"),
        (["busiest", "--from", "2031-01-01"], "nothing is under archive/updates/ in that span of time"),
    ],
)
def test_errors_say_what_to_do(ask, generated, arguments, expected):
    """Exit code 1, and nothing on standard output."""
    code, out, errors = ask(*arguments, "--on", generated.path)
    assert (code, out) == (1, "")
    assert re.search(expected, errors), errors


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (["--on", "/nowhere"], "/nowhere: is not there; expected the folder"),
        (["--on", "s3://"], "not a bucket; expected s3://BUCKET"),
        ([], "where are the data\\? --on DIR"),
    ],
)
def test_places_that_are_none(ask, place, expected):
    """The message says what is expected instead."""
    code, _, errors = ask("busiest", *place)
    assert code == 1
    assert re.search(expected, errors)


def test_what_is_absent_beside_what_is_there_is_said(ask, recorded):
    """The recording's folder has no alerts."""
    sql = "SELECT count(*) FROM updates UNION ALL SELECT count(*) FROM alerts ORDER BY 1"
    code, out, errors = ask("--sql", sql, "--on", recorded.path, "--format", "csv")
    assert (code, out.splitlines()[1:]) == (0, ["0", "5680"])
    assert "nothing is under alerts/; the query goes on without" in errors


def test_no_alerts_are_an_answer(ask, recorded):
    """Where there are updates: a stack may well have sent none."""
    code, out, errors = ask("alerts-by-kind", "--on", recorded.path, "--format", "csv")
    assert (code, out) == (0, "rule,squawk,alerts,aircraft,first_at,last_at\n")
    assert "nothing is under alerts/; the query goes on without" in errors


def test_the_tables_can_be_listed(ask, recorded):
    """With none of them named, and with none of their objects read."""
    code, out, errors = ask("--sql", "SHOW TABLES", "--on", recorded.path, "--format", "csv")
    assert (code, out.split(), errors) == (
        0,
        ["name", "alerts", "flights", "updates", "windows", "windows_delivered"],
        "",
    )


def test_two_dashes_in_a_text_are_no_comment(ask, recorded):
    """The table behind them is asked."""
    assert ask("--sql", "SELECT '--', count(*) FROM updates", "--on", recorded.path, "--format", "csv")[1].endswith(
        ",5680\n"
    )


def test_an_endless_answer_ends_with_its_reader(tmp_path):
    """A billion rows are neither kept nor written: as with `| head`, and without an error."""
    (tmp_path / "windows").mkdir()
    command = [sys.executable, "-m", "tools.query", "--on", str(tmp_path), "--format", "csv"]
    command += ["--sql", "SELECT range FROM range(1000000000)"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"range\n"
        process.stdout.close()
        assert process.wait(60) == 0
        assert process.stderr.read() == b""


def test_window_rows_may_lie_plain_or_gzipped(ask, generated, tmp_path):
    """Firehose compresses them; its local counterpart does not."""
    expected = ask("--sql", "SELECT count(*) FROM windows", "--on", generated.path)
    for file in generated.path.glob("windows/*/*/*"):
        copy = tmp_path / file.relative_to(generated.path).with_name(file.name.partition(".ndjson")[0])
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(gzip.decompress(file.read_bytes()))
    assert ask("--sql", "SELECT count(*) FROM windows", "--on", tmp_path)[1] == expected[1]
