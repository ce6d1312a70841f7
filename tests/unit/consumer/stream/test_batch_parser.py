"""The fast way from lines to messages gives what the plain one gives, in the same order, whatever the lines are."""

from __future__ import annotations

import json
from datetime import datetime
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from consumer.stream.batch_parser import BatchParser
from consumer.stream.line_decoder import LineDecoder, OversizedLine
from consumer.stream.messages import MessageParser, PositionToken, Rejected, StreamUpdate

OBJECT = b'{"icao_address":"040172","timestamp":"2024-03-04T23:23:59Z","ingestion_time":"2024-03-04T23:24:01.900Z"}'
USUAL = b'{"target":' + OBJECT + b"}"
TOKEN = b'{"position_token":"a"}'
LINES = [
    USUAL,
    b'{"target":{"icao_address":"78121E","timestamp":"2024-03-04T23:23:59+02:00"}}',
    b'{"target":{"icao_address":"78121E","timestamp":"2024-03-04T23:23:59Z","x":"\xc3\xa9\\n\xe2\x80\xa8"}}',
    TOKEN,
    b'{"status":{"level":"WARN","message":"slow","code":300}}',
    b'{"target": ' + OBJECT + b"}",
    b'{"target":' + OBJECT + b" }",
    b'{"target":' + OBJECT + b"}\r",
    b'{"target":' + OBJECT + b"} ",
    b'{"target":' + OBJECT + b"}}",
    b'{"target":' + OBJECT,
    b'{"target":' + OBJECT + b"x",
    b'{"target":' + OBJECT + b',"x":{}}',
    b'{"target":' + OBJECT + b',"position_token":"a","x":{}}',
    b'{"target":{},"target":' + OBJECT + b"}",
    b'{"target":' + OBJECT + b',"target":' + OBJECT + b"}",
    b"\xef\xbb\xbf" + USUAL,
    b"\xef\xbb\xbf",
    b'{"target":{"v":2,"n":1,' + OBJECT[1:] + b"}",
    b'{"target":{"w":2,' + OBJECT[1:] + b"}",
    b'{"target":{"icao_address":" \t","timestamp":"2024-03-04T23:23:59Z"}}',
    b'{"target":{"icao_address":"A","timestamp":"2024-03-04T23:23:59","ingestion_time":""}}',
    b'{"target":{"icao_address":"A","timestamp":"2024-03-04T23:23:59Z","x":1e309,"(as received)":7}}',
    b'{"target":{}}',
    b'{"target":{',
    b"}}",
    b'{"target":{"icao_address":"","timestamp":"2024-03-04T23:23:59Z"}}',
    b'{"target":{"icao_address":"A","timestamp":"9999-12-31T23:59:59-01:00"}}',
    b'{"target":{"icao_address":"A","timestamp":"2024-03-04T23:23:59Z","ingestion_time":"0001-01-01T00:00:00Z"}}',
    b'{"target":{"icao_address":"A","timestamp":"2024-03-04T23:23:59Z","x":"\xff"}}',
    b'{"target":{"icao_address":"\xff","timestamp":"2024-03-04T23:23:59Z"}}',
    b'{"target":{"icao_address":"A","timestamp":"2024-03-04T23:23:59Z","x":"\xc3',
    b'\xa9"}}',
    b'{"target":{"icao_address":"A","timestamp":"2024-03-04T23:23:59Z","x":' + b"[" * 3000 + b"]" * 3000 + b"}}",
    b'{"target":{"icao_address":"A","timestamp":"2024-03-04T23:23:59Z","x":NaN}}',
    b'{"target":{"icao_address":"A","timestamp":"2024-03-04T23:23:59Z","x":' + b"[" * 100_000 + b"}}",
    b"",
    b" \t\r",
    b"\xff",
]
bodies = st.lists(st.just(USUAL) | st.sampled_from(LINES) | st.binary(max_size=12), max_size=12).map(
    lambda lines: b"".join(line + b"\n" for line in lines)
)
cuts = st.lists(st.integers(0, 2000), max_size=6)
changes = st.lists(st.tuples(st.integers(0, 2000), st.binary(max_size=3)), max_size=3)


def blocks_of(body, places, max_line_bytes):
    """The blocks that come of a body that arrives cut at these places."""
    ends = sorted({min(place, len(body)) for place in places} | {0, len(body)})
    decoder = LineDecoder(max_line_bytes)
    return [block for start, end in pairwise(ends) for block in decoder.feed(body[start:end])]


def plainly(body, max_line_bytes):
    """What comes of a body by its definition: cut into lines, each parsed by itself."""
    messages = []
    for line in body.split(b"\n")[:-1]:
        if len(line) > max_line_bytes:
            messages.append(Rejected("too long; only its beginning is kept", line[:max_line_bytes], len(line)))
        elif (text := line.removeprefix(b"\xef\xbb\xbf")) and not text.isspace():
            messages.append(MessageParser().parse(text))
    return messages


def flat(runs):
    """The messages one by one; no run is empty, and a list holds updates alone."""
    messages = []
    for run in runs:
        assert not isinstance(run, StreamUpdate)
        if isinstance(run, list):
            assert run
            assert all(isinstance(update, StreamUpdate) for update in run)
        messages += run if isinstance(run, list) else [run]
    return messages


@settings(max_examples=300)
@given(body=bodies, places=cuts, damage=changes, max_line_bytes=st.sampled_from([4096, 120]))
@example(body=b"\n" + USUAL + b"\n", places=[], damage=[], max_line_bytes=4096)
@example(body=b'{"target":' + OBJECT + b"x\n" + USUAL + b"\n", places=[], damage=[], max_line_bytes=4096)
def test_the_fast_way_equals_the_plain_one(body, places, damage, max_line_bytes):
    """Whatever the lines, the damage and the cuts are: the same messages, bytes and reasons, in the same order."""
    for place, what in damage:
        body = body[:place] + what + body[place + len(what) :]
    blocks = blocks_of(body, places, max_line_bytes)
    assert flat(BatchParser().runs(blocks)) == plainly(body, max_line_bytes)


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("before", [b"", USUAL + b"\n", TOKEN + b"\n"])
@pytest.mark.parametrize("after", [b"", USUAL + b"\n", TOKEN + b"\n"])
def test_each_kind_of_line_is_parsed_alike_among_others(line, before, after):
    """A line gives the same message and bytes between updates, between tokens and by itself."""
    body = before + line + b"\n" + after
    assert flat(BatchParser().runs([body])) == plainly(body, 1 << 20)


def test_updates_that_follow_one_another_come_together():
    """Between other messages the updates of a block are one run, so that they can be handed on together."""
    usual, spaced = USUAL + b"\n", USUAL.replace(b":", b": ", 1) + b"\n"
    runs = list(BatchParser().runs([usual * 3 + TOKEN + b"\n" + usual * 2 + b"{}\n" + spaced * 2 + b"\n" + spaced]))
    assert [len(run) if isinstance(run, list) else type(run) for run in runs] == [3, PositionToken, 2, Rejected, 3]


def test_a_line_is_not_parsed_before_those_before_it_were_acted_on():
    """A reader that stops at a token has done nothing with what follows it."""
    runs: Any = BatchParser().runs(iter([TOKEN + b"\n", OversizedLine(b"x", 5)]))
    assert next(runs) == PositionToken("a")
    runs.close()


def test_a_larger_update_type_brings_its_fields():
    """Given a decoder of a type with more fields, both ways fill them in, None where they are left out."""

    class Larger(StreamUpdate, gc=False):
        squawk: Any = None
        on_ground: Any = None

    line = {"target": json.loads(OBJECT) | {"squawk": "7700"}}
    usual, spaced = json.dumps(line, separators=(",", ":")).encode(), json.dumps(line).encode()
    decode = msgspec.json.Decoder(Larger).decode
    updates: Any
    others: Any
    (updates,) = BatchParser(decode, decode).runs([usual + b"\n"])
    (others,) = BatchParser(decode, decode).runs([spaced + b"\n"])
    for update in (*updates, *others):
        assert type(update) is Larger
        assert (update.squawk, update.on_ground, update.icao_address) == ("7700", None, "040172")
        assert update.timestamp == datetime.fromisoformat("2024-03-04T23:23:59Z")
        assert json.loads(update.data) == line["target"]
