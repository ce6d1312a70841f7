"""Reading records of either format outside of our functions: the tool, and what the page tells others to write."""

from __future__ import annotations

import base64
import gzip
import json
import re
import shutil
import subprocess

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


def test_what_cannot_be_opened_is_told_and_the_rest_printed(archive, capfdbinary):
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


@pytest.mark.skipif(not all(map(shutil.which, ("zcat", "jq", "zstd", "base64"))), reason="the tools are not installed")
def test_the_page_s_commands_print_every_update(archive, page):
    """Copied from the page as they stand there."""
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
