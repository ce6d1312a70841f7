"""Runbooks that put updates into the stream by hand: records as the consumer writes them, line ends included."""

from __future__ import annotations

import base64
import json
import re
import shlex
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from consumer.checkpoint.rejected_lines import RejectedLine
from feeds import simulator
from tests.integration.consumer.conftest import STREAM

PAGES = ("alerts-unlogged", "destination-failures", "rejected-lines")
UPDATE = (
    b'{"icao_address":"78121E","timestamp":"2024-03-04T23:23:59Z","ingestion_time":"2024-03-04T23:24:01Z",'
    b'"squawk":"7700","remark":"\xc3\xa9"}'
)
OTHER = UPDATE.replace(b"78121E", b"A4F0AB")


@pytest.fixture
def page(repository, tmp_path, monkeypatch):
    """A function that gives a runbook's text, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return lambda name: (repository / f"docs/operations/{name}.md").read_text()


def follow(text, content):
    """Run the page's command on a file of this content, with the test's stream for the stack's."""
    [command] = re.findall(r"^ *pipenv run simulator (.+)$", text, re.MULTILINE)
    options = shlex.split(command.replace('"$(output UpdatesStreamName)"', STREAM))
    Path(options[options.index("--replay") + 1]).write_bytes(content)
    assert simulator.main(options) == 0


@pytest.mark.parametrize("end", [b"", b"\n"], ids=["without a line end", "with one"])
@pytest.mark.parametrize("name", PAGES)
def test_an_update_goes_back_as_the_consumer_writes_it(state, page, name, end):
    """Keyed by its aircraft, with the line end that Firehose leaves records apart by, whatever the editor left."""
    follow(page(name), UPDATE + end)
    assert state.records == [("78121E", UPDATE + b"\n")]


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed")
def test_rejected_lines_go_back_as_they_were_received(state, page):
    """Through the page's own `jq`, from text and from base64."""
    first, second = (b'{"target":' + update + b"}" for update in (UPDATE, OTHER))
    kept = RejectedLine(first, len(first), "no readable timestamp", datetime(2024, 3, 4, tzinfo=UTC)).as_json()
    in_base64 = json.dumps({"reason": "the same", "line_base64": base64.b64encode(second).decode()}).encode()
    text = page("rejected-lines")
    [program] = re.findall(r"jq -r '(.+?)'", text)
    extracted = subprocess.run(["jq", "-r", program], input=kept + b"\n" + in_base64, capture_output=True, check=True)
    follow(text, extracted.stdout)
    assert sorted(state.records) == [("78121E", UPDATE + b"\n"), ("A4F0AB", OTHER + b"\n")]


def test_no_page_has_a_shell_put_a_record_together(repository):
    """`"$(cat FILE)"` has no line end: its record and the next one are one invalid line of the raw archive."""
    for path in (repository / "docs").rglob("*.md"):
        assert "aws kinesis put-record" not in path.read_text(), path
