"""Bad lines among good ones, through whole runs: the good ones reach Kinesis, the bad ones S3, each with its reason."""

from __future__ import annotations

import base64
import json

import pytest

from consumer.publish.limits import MAX_RECORD_BYTES
from consumer.stream.line_decoder import MAX_LINE_BYTES
from tests.integration.consumer.conftest import API_TOKEN, message, target, token
from tests.support.conditions import wait_until
from tests.support.scripted_stream import ScriptedStream

HEAD = b'{"icao_address":"A1","timestamp":"2024-03-04T12:00:00Z"'
BAD = {
    "malformed": (b'{"target":{"icao_address":', "not valid JSON"),
    "no JSON at all": (b"<html>502</html>", "not valid JSON"),
    "an array": (b"[1,2,3]", "not a message"),
    "an unknown message": (b'{"weather":{}}', "none of the keys"),
    "NaN": (message(HEAD + b',"speed":NaN}'), "not valid JSON"),
    "no address": (message(b'{"timestamp":"2024-03-04T12:00:00Z"}'), "icao_address"),
    "an empty address": (message(b'{"icao_address":"","timestamp":"2024-03-04T12:00:00Z"}'), "icao_address"),
    "an address of the wrong type": (message(b'{"icao_address":7,"timestamp":"2024-03-04T12:00:00Z"}'), "icao_address"),
    "no timestamp": (message(b'{"icao_address":"A1"}'), "timestamp"),
    "no time": (message(b'{"icao_address":"A1","timestamp":"yesterday"}'), "timestamp"),
    "a time beyond the calendar": (
        message(b'{"icao_address":"A1","timestamp":"0001-01-01T00:00:00+10:00"}'),
        "timestamp",
    ),
    "nested without end": (message(HEAD + b',"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"), "recursion"),
    "bytes that are no UTF-8": (message(HEAD + b',"x":"\xff\xfe"}'), "not valid UTF-8"),
    "an address that is no UTF-8": (message(b'{"icao_address":"\xff","timestamp":"2024-03-04T12:00:00Z"}'), "UTF-8"),
    "half a character": (message(b'{"icao_address":"\\ud800","timestamp":"2024-03-04T12:00:00Z"}'), "half a surrogate"),
}


@pytest.mark.parametrize("compression", ["gzip", "none"])
def test_bad_lines_are_kept_and_cost_no_good_one(consume, state, clock, compression):
    """Whatever stands between good updates, all good ones must be in Kinesis and all bad lines in S3, with reasons."""
    good = [message(target(number, clock.now())) for number in range(len(BAD) + 1)]
    lines = [good[0]]
    for number, (line, _) in enumerate(BAD.values(), start=1):
        lines += [line, b"  ", good[number]]

    def mixed(exchange):
        exchange.begin(gzip=compression == "gzip")
        exchange.send(b"\n".join([*lines, token("t1")]))
        exchange.stay()

    with ScriptedStream(mixed) as server:
        run = consume(server.url, compression=compression)
        wait_until(lambda: run.committed is not None)
        run.stop_request.by_signal = True
        server._stopping.set()
        summary = run.wait()
    assert state.numbers == list(range(len(good)))
    [kept] = state.rejected
    for entry, (line, reason) in zip(kept, BAD.values(), strict=True):
        assert reason in entry["reason"]
        assert entry["bytes"] == len(line)
        as_bytes = entry["line"].encode() if "line" in entry else base64.b64decode(entry["line_base64"])
        assert as_bytes == line
    assert summary.rejected == len(BAD)
    assert summary.updates == len(good)
    assert state.checkpoint["position_token"] == "t1"


def test_the_api_token_is_in_no_rejected_line(consume, state, clock):
    """Why ever it was rejected: no message, too long for a line, or an update too large for a record."""
    said = b"Bearer " + API_TOKEN.encode()
    update = target(0, clock.now())[:-1] + b',"echo":"' + said + b'","x":"' + b"y" * MAX_RECORD_BYTES + b'"}'
    lines = [said, message(update), said + b"z" * MAX_LINE_BYTES, b'{"target":{"icao_address":"' + said + b'"}}']

    def echo(exchange):
        exchange.begin()
        exchange.send(b"\n".join([*lines, token("t1")]))
        exchange.stay()

    with ScriptedStream(echo) as server:
        run = consume(server.url)
        wait_until(lambda: run.committed is not None)
        run.stop_request.by_signal = True
        server._stopping.set()
        assert run.wait().rejected == len(lines)
    kept = json.dumps(state.rejected)
    assert API_TOKEN not in kept
    assert kept.count("***") >= len(lines)


def test_huge_lines_are_kept_in_part_and_cost_nothing_else(consume, state, clock):
    """An update over Kinesis' bound, and a line longer than is ever held, must be rejected; what follows must not."""
    too_large = target(0, clock.now())[:-1] + b',"x":"' + b"y" * MAX_RECORD_BYTES + b'"}'
    endless = b"z" * (MAX_LINE_BYTES + 5_000_000)
    largest_that_fits = target(1, clock.now())[:-1] + b',"x":"'
    largest_that_fits += b"y" * (MAX_RECORD_BYTES - len(largest_that_fits) - len('"}\n') - len("A00001")) + b'"}'

    def huge(exchange):
        exchange.begin(gzip=True)
        for line in (message(too_large), endless, message(largest_that_fits), message(target(2, clock.now()))):
            exchange.send(line + b"\n")
        exchange.send(token("t1"))
        exchange.stay()

    with ScriptedStream(huge) as server:
        run = consume(server.url)
        wait_until(lambda: run.committed is not None)
        run.stop_request.by_signal = True
        server._stopping.set()
        summary = run.wait()
    assert state.numbers == [1, 2]
    kept = sorted((entry for entries in state.rejected for entry in entries), key=lambda entry: entry["bytes"])
    assert [entry["bytes"] for entry in kept] == [len(too_large), len(endless)]
    assert "1 MiB" in kept[0]["reason"]
    assert kept[0]["line"].encode() == too_large
    assert "too long" in kept[1]["reason"]
    assert kept[1]["line"] == "z" * MAX_LINE_BYTES
    assert summary.rejected == 2


def test_bad_lines_are_kept_before_a_run_that_sees_no_token_ends(consume, state):
    """Lines whose token never came must not be lost: the position stays, so the next run reads them again."""

    def no_token(exchange):
        exchange.begin()
        exchange.send(b"bad\n")
        exchange.stay()

    with ScriptedStream(no_token) as server:
        summary = consume(server.url, seconds=1.8).wait()
    assert summary.rejected == 1
    assert state.checkpoint["position_token"] is None
