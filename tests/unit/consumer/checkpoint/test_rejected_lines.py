"""A rejected line is kept whole in JSON, whatever bytes it is made of."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from consumer.checkpoint.rejected_lines import RejectedLine

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
