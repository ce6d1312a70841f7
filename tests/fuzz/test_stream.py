"""Whatever comes over the connection: lines, messages and rejected lines with a reason, or an interruption."""

from __future__ import annotations

import itertools
import json
import zlib
from types import SimpleNamespace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from consumer.stream.chunked_body import ChunkedBody, ChunkedBodyError
from consumer.stream.line_decoder import MAX_LINE_BYTES, OversizedLine
from consumer.stream.messages import Rejected, without_mark
from tests.fuzz import targets

UPDATE = (
    b'{"target":{"icao_address":"040172","timestamp":"2024-03-04T23:23:59Z",'
    b'"ingestion_time":"2024-03-04T23:24:01.900Z","callsign":"ETH701","on_ground":false}}\n'
)
LINES = [
    UPDATE,
    b'{"position_token":"opaque"}\n',
    b'{"status":{"timestamp":"2024-03-04T23:24:02Z","level":"INFO","message":"welcome","code":100}}\n',
    b"\n",
    b"\r\n",
    b'{"unknown":1}\n',
    b"\xff\xfe\n",
]
real_lines = st.lists(st.sampled_from(LINES) | st.binary(max_size=40), max_size=8)
cuts = st.lists(st.integers(0, 900), max_size=8)
mutations = st.lists(st.tuples(st.integers(0, 900), st.sampled_from(["put", "set", "cut"]), st.binary(max_size=4)))


def gzipped(parts):
    """The parts as the API sends them, flushed after each."""
    compressor = zlib.compressobj(wbits=31)
    return [compressor.compress(part) + compressor.flush(zlib.Z_SYNC_FLUSH) for part in parts] + [compressor.flush()]


def chunked(parts):
    """The parts as HTTP chunks."""
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts if part) + b"0\r\n\r\n"


def mutated(data, changes):
    """The bytes with some put in, replaced or left out."""
    for at, how, what in changes:
        place = min(at, len(data))
        end = {"put": place, "set": place + len(what), "cut": place + max(1, len(what))}[how]
        data = data[:place] + (b"" if how == "cut" else what) + data[end:]
    return data


@settings(max_examples=80)
@given(data=st.binary(max_size=600), places=cuts, is_chunked=st.booleans())
@example(data=b"0\r\n" + b"a: b\r\n" * 100, places=[], is_chunked=True)
@example(data=b"ffffffffffffffff\r\n" + b"x" * 50, places=[], is_chunked=True)
@example(data=b"5;" + b"x" * 9000, places=[5000], is_chunked=True)
@example(data=b"\x1f\x8b\x08\x1c" + b"\xff" * 90, places=[2], is_chunked=False)
def test_arbitrary_bytes_give_messages_or_an_interruption(data, places, is_chunked):
    """Bytes that are no HTTP, no gzip and no JSON raise nothing but the two errors that open a connection again."""
    targets.stream_body(data, places, is_chunked=is_chunked)


@settings(max_examples=120)
@given(parts=real_lines, changes=mutations, places=cuts, compressed=st.booleans(), inside=st.booleans())
def test_real_bytes_with_damage_give_messages_or_an_interruption(parts, changes, places, compressed, inside):
    """A real body damaged on the wire, or inside its intact chunks, is read as far as it is whole and never raises."""
    body = gzipped(parts) if compressed else parts
    wire = chunked([mutated(b"".join(body), changes)]) if inside else mutated(chunked(body), changes)
    targets.stream_body(wire, places)


@settings(max_examples=100)
@given(parts=real_lines, places=cuts, compressed=st.booleans())
def test_an_undamaged_body_gives_every_line_once(parts, places, compressed):
    """Through framing, gzip and lines, each line comes out as it went in, whatever the reads were cut to."""
    content = b"".join(parts)
    body = gzipped(parts) if compressed else [content[:2], content[2:7], content[7:]]
    lines = [line for line, _ in targets.stream_body(chunked(body), places)]
    if compressed or not content.startswith(b"\x1f\x8b"):
        assert lines == [line for line in content.split(b"\n")[:-1] if without_mark(line).strip()]


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from([10**400, -0.0]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
moments = st.sampled_from(
    ["2024-03-04T23:23:59Z", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2024-02-30T00:00:00Z", ""]
)
targets_fields = st.fixed_dictionaries(
    {"icao_address": st.text(max_size=300) | values, "timestamp": moments | values},
    optional={"ingestion_time": moments | values, "latitude": values, "callsign": values, "on_ground": values},
)
documents = st.fixed_dictionaries(
    {}, optional={"target": targets_fields | values, "position_token": values, "status": values, "other": values}
)


@settings(max_examples=120)
@given(document=documents, separators=st.sampled_from([(",", ":"), (", ", ": ")]), ascii_only=st.booleans())
def test_a_line_of_any_shape_is_a_message_or_is_kept_with_a_reason(document, separators, ascii_only):
    """JSON of other types, huge numbers, odd times and texts: what is rejected can be read back with its reason."""
    text = json.dumps(document, separators=separators, ensure_ascii=ascii_only)
    targets.message(text.encode("utf-8", "surrogatepass"))


def test_nesting_without_end_is_rejected():
    """Objects and arrays nested by the hundred thousand are rejected with a reason, in every place of a line."""
    for deep in (b"[" * 200_000, b'{"a":' * 200_000, b"[" * 200_000 + b"]" * 200_000):
        head = b'{"target":{"icao_address":"040172","timestamp":"2024-03-04T23:23:59Z","x":'
        for line in (deep, head + deep + b"}}", b'{"status":' + deep + b"}", b'{"x":' + deep + b"}"):
            assert isinstance(targets.message(line), Rejected)
            assert targets.update(line) is None


def test_a_chunked_gzip_bomb_is_cut_to_one_line():
    """30 KB of chunks that inflate to 30 MB without a line end give the beginning of one line, in bounded steps."""
    bomb = gzipped([bytes(1024 * 1024)] * 30 + [b"\n" + UPDATE])
    (line, _), (last, _) = targets.stream_body(chunked(bomb))
    assert isinstance(line, OversizedLine)
    assert (len(line.beginning), line.length) == (MAX_LINE_BYTES, 30 * 1024 * 1024)
    assert last == UPDATE.strip()


def test_a_trailer_without_end_is_broken_framing():
    """Trailer fields that never stop would be read without a line ever coming: the connection is opened again."""
    endless = itertools.chain([b"0\r\n"], itertools.repeat(b"a: b\r\n"))
    source = SimpleNamespace(read1=lambda _size: next(endless))
    with pytest.raises(ChunkedBodyError, match="trailer"):
        list(ChunkedBody(source))
