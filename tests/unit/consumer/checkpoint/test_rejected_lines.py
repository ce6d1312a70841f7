"""A rejected line is kept whole in JSON, whatever bytes it is made of."""

from __future__ import annotations

import base64
import json
import threading
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.checkpoint.rejected_lines import RejectedLine, RejectedStore
from consumer.deadline import Deadline
from consumer.errors import CheckpointError
from consumer.stream.redaction import Redactor

NOW = datetime(2024, 3, 4, 23, 24, 1, 900_000, tzinfo=UTC)


def test_a_rejected_line_has_its_reason_time_and_length():
    """The four fields of the design, the length being that of the whole line where only its beginning is kept."""
    assert json.loads(RejectedLine(b'{"a":1}', 5_000_000, "too long", NOW).as_json()) == {
        "reason": "too long",
        "received_at": "2024-03-04T23:24:01.900Z",
        "bytes": 5_000_000,
        "line": '{"a":1}',
    }


@given((st.binary(max_size=3) | st.text(max_size=3).map(str.encode)).map(lambda part: part * 1000))
def test_a_line_takes_at_most_twice_in_the_object_what_it_is_charged_in_memory(line):
    """Whatever it is made of: so the bound on lines in memory is one on the object, too."""
    rejected = RejectedLine(line, len(line), "r" * 300, NOW)
    assert len(rejected.as_json()) + 1 <= 2 * rejected.held_bytes


@given(st.binary() | st.text().map(str.encode))
def test_the_bytes_of_a_rejected_line_can_be_had_back(line):
    """As text where it is UTF-8, otherwise in Base64: in one line of JSON, and exact."""
    written = RejectedLine(line, len(line), "not valid JSON", NOW).as_json()
    assert b"\n" not in written
    read = json.loads(written)
    assert ("line" in read) != ("line_base64" in read)
    assert (read["line"].encode() if "line" in read else base64.b64decode(read["line_base64"])) == line


class Clock:
    """Stands still until it is moved on."""

    def __init__(self):
        self.seconds = 0.0

    def now(self):
        return NOW + timedelta(seconds=self.seconds)

    def monotonic(self):
        return self.seconds


class S3:
    """Keeps what is put."""

    def __init__(self):
        self.bodies = []

    def put_object(self, *, Body, **_):  # noqa: N803 -- S3's name
        self.bodies.append(Body)
        return {"ETag": '"1"'}


def test_what_is_written_is_without_the_api_token():
    """Neither in the line, nor in the words for what is wrong with it, which may quote it."""
    s3, token = S3(), "s3cr3t-api-token-0123456789abcdef"
    lines = [RejectedLine(token.encode(), 33, f"no such thing: {token}", NOW), RejectedLine(b"x", 1, "odd", NOW)]
    RejectedStore(s3, "state", "run-1", Clock(), redactor=Redactor(token)).write(lines)
    first, second = map(json.loads, s3.bodies[0].splitlines())
    assert (first["line"], first["reason"], first["bytes"]) == ("***", "no such thing: ***", 33)
    assert (second["line"], second["reason"]) == ("x", "odd")


def test_looking_for_the_token_takes_of_the_writes_time():
    """A line of megabytes may be made so that it takes long: the run ends in time all the same, and commits nothing."""
    clock, ends = Clock(), threading.Event()

    class Slow:
        def line(self, _line):
            clock.seconds += 10
            assert ends.wait(60)

    store = RejectedStore(S3(), "state", "run-1", clock, redactor=Slow(), deadline=Deadline(clock, 5))
    with pytest.raises(CheckpointError, match="no answer within the time of the run"):
        store.write([RejectedLine(b"x", 1, "odd", NOW)])
    ends.set()
