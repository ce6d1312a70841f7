"""Reading records of either format outside of our functions: the tool, and what the page tells others to write."""

from __future__ import annotations

import base64
import gzip
import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from tests.support import kinesis_updates
from tools.operations import updates

EVENTS = ["aggregator", "aggregator-envelope", "alerts", "alerts-envelope"]


@pytest.fixture(params=EVENTS)
def event(request, repository):
    """Each sample event."""
    return json.loads((repository / "events" / f"{request.param}.json").read_text())


@pytest.fixture
def archive(repository, tmp_path):
    """A file as Firehose writes it, with records of both formats, and the updates in it."""
    records, expected = [], []
    for name in EVENTS:
        event = json.loads((repository / "events" / f"{name}.json").read_text())
        records += [base64.b64decode(record["kinesis"]["data"]) for record in event["Records"]]
        expected += [data.rstrip(b"\n") for _, data in kinesis_updates.updates(event)]
    path = tmp_path / "raw.ndjson.gz"
    path.write_bytes(gzip.compress(b"".join(records)))
    return path, expected


@pytest.fixture
def page(repository):
    """The page that says how to read envelopes."""
    return (repository / "docs" / "decisions" / "record-format.md").read_text()


def test_the_tool_prints_every_update_in_its_order(archive, capfdbinary):
    """Whatever the records' format."""
    path, expected = archive
    assert updates.main([str(path)]) == 0
    assert capfdbinary.readouterr().out.splitlines() == expected


def test_what_cannot_be_opened_is_reported_and_the_rest_printed(archive, capfdbinary):
    """One damaged envelope, or one of a later version, hides neither itself nor the others."""
    path, expected = archive
    text = gzip.decompress(path.read_bytes())
    path.write_bytes(gzip.compress(b'{"v":2,"n":1,"shard":"x","z":""}\n{"v":1,"n":1}\n{"v":1,"n":1\n' + text))
    assert updates.main([str(path)]) == 1
    captured = capfdbinary.readouterr()
    assert captured.out.splitlines() == expected
    assert re.findall(rb"line (\d+): ([\w ]+)", captured.err) == [
        (b"1", b"a record holds an envelope of version 2"),
        (b"2", b"a damaged envelope"),
        (b"3", b"a damaged envelope"),
    ]


def test_a_file_that_cannot_be_read_is_reported_in_a_sentence_and_the_rest_printed(archive, tmp_path, capfdbinary):
    """Missing, a folder, not gzipped, cut, damaged: each is named, and costs no other file."""
    path, expected = archive
    plain, cut, damaged = (tmp_path / name for name in ("plain.gz", "cut.gz", "damaged.gz"))
    plain.write_bytes(b'{"icao_address":"78121E"}\n')
    cut.write_bytes(path.read_bytes()[:-20])
    damaged.write_bytes(path.read_bytes()[:40] + b"\xff" * 200)
    given = [tmp_path / "missing.gz", tmp_path, plain, cut, damaged, path]

    assert updates.main([str(each) for each in given]) == 1

    captured = capfdbinary.readouterr()
    assert captured.out.splitlines()[-len(expected) :] == expected
    complaints = captured.err.decode().splitlines()
    said = ["No such file", "Is a directory", "Not a gzipped file", "cut or damaged", "cut or damaged"]
    assert len(complaints) == len(said)
    for each, words, sentence in zip(given, said, complaints, strict=False):
        assert sentence.startswith(f"updates: {each}: ")
        assert words in sentence


@pytest.mark.parametrize("reader", ["full", "gone"])
def test_an_output_that_cannot_be_written_is_no_traceback(archive, repository, reader):
    """A full disk is an error and says so; a reader that has seen enough, as `head` has, is none."""
    path, _ = archive
    if reader == "full":
        stdout = os.open("/dev/full", os.O_WRONLY)
    else:
        left_open, stdout = os.pipe()
        os.close(left_open)
    command = [sys.executable, "-m", "tools.operations.updates", *[str(path)] * 20]
    done = subprocess.run(command, cwd=repository, stdout=stdout, stderr=subprocess.PIPE, text=True, check=False)
    os.close(stdout)
    assert done.returncode == (1 if reader == "full" else 0)
    assert done.stderr == ("updates: standard output: [Errno 28] No space left on device\n" if reader == "full" else "")


@pytest.mark.skipif(not all(map(shutil.which, ("zcat", "jq", "zstd", "base64"))), reason="the tools are not installed")
def test_the_page_s_commands_print_every_update(archive, page):
    """Copied from the page as they are there."""
    path, expected = archive
    [commands] = re.findall(r"```sh\n(zcat.*?)```", page, re.DOTALL)
    printed = subprocess.run(["bash", "-ec", commands], cwd=path.parent, capture_output=True, check=True).stdout
    assert sorted(printed.splitlines()) == sorted(expected)


def test_the_page_s_function_reads_both_formats(event, page):
    """Copied from the page, it gives what our own functions read."""
    [source] = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    scope = {}
    exec("\n".join(line.removeprefix("  ") for line in source.splitlines()), scope)
    found = [update for record in event["Records"] for update in scope["updates"](record)]
    assert found == [json.loads(data) for _, data in kinesis_updates.updates(event)]
    for record in event["Records"]:
        record["eventID"] = "shardId-000000000009:1"
    read_elsewhere = [update for record in event["Records"] for update in scope["updates"](record)]
    assert read_elsewhere == [json.loads(data) for _, data in kinesis_updates.updates(event)]
