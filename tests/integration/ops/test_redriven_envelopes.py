"""Redriving envelopes: their updates go back one by one, as a consumer would put them."""

from __future__ import annotations

import base64
import json

import msgspec
import pytest
from backports import zstd

from consumer.publish.envelope_writer import HeaderedUpdate, pack
from tests.support.failed_batches import failure, in_stream, left, put, run, updates


def enveloped(singles, shard):
    """The updates as the consumer would have put them, in one envelope."""
    made = []
    for key, data in singles:
        whole = json.dumps({"icao_address": key, "timestamp": "2024-03-04T23:23:59Z"} | json.loads(data)).encode()
        made.append(msgspec.json.decode(whole, type=HeaderedUpdate))
        made[-1].data = whole
    ((record, *_),) = pack(made, shard, 1_000_000)
    return (shard, record), [(update.icao_address, update.data + b"\n") for update in made]


def test_the_updates_of_an_envelope_go_back_one_by_one(s3, kinesis):
    """Put back whole, it might come into a shard that it does not name, where every reader skips it."""
    envelope, singles = enveloped(updates(3), "shardId-000000000000")
    put(s3, "one", failure([*updates(1), envelope, *updates(1)]))
    assert run("--confirm") == 0
    assert in_stream(kinesis) == [*updates(1), *singles, *updates(1)]


def test_a_misplaced_envelope_does_not_go_back(s3, kinesis):
    """Whoever wrote it has sent its updates again already."""
    misplaced, _ = enveloped(updates(3), "shardId-000000000009")
    put(s3, "one", failure([misplaced]))
    assert run("--confirm") == 0
    assert in_stream(kinesis) == []


def test_a_damaged_envelope_goes_back_as_it_is(s3, kinesis):
    """The consumers count it; there is nothing to take out of it."""
    (key, data), _ = enveloped(updates(3), "shardId-000000000000")
    put(s3, "one", failure([(key, data[:-20])]))
    assert run("--confirm") == 0
    assert in_stream(kinesis) == [(key, data[:-20])]


@pytest.mark.usefixtures("kinesis")
def test_an_envelope_of_a_later_version_stays_where_it_is(s3, capsys):
    """Older tools must not take it for nothing, and remove it."""
    (key, data), _ = enveloped(updates(3), "shardId-000000000000")
    put(s3, "later", failure([(key, data.replace(b'"v":1', b'"v":2'))]))
    assert run("--confirm", "--delete") == 1
    assert "later: a record holds an envelope of version 2" in capsys.readouterr().err
    assert left(s3) == 1


def lines_in_an_envelope(*lines):
    """One record that holds these lines, as an envelope of the shard does."""
    text = b"".join(line + b"\n" for line in lines)
    packed = base64.b64encode(zstd.compress(text))
    return "shardId-000000000000", b'{"v":1,"n":%d,"shard":"shardId-000000000000","z":"%b"}\n' % (len(lines), packed)


def line(**fields):
    """An update's line."""
    return json.dumps({"icao_address": "A4F0AB", "timestamp": "2024-03-04T23:23:59Z"} | fields).encode()


def test_a_line_with_a_number_that_python_does_not_read_goes_back(s3, kinesis):
    """Only the address is read of a line: what else is in it is not this tool's business."""
    odd = line()[:-1] + b',"n":' + b"9" * 5000 + b',"m":1e999}'
    put(s3, "one", failure([lines_in_an_envelope(line(), odd)]))
    assert run("--confirm", "--delete") == 0
    assert in_stream(kinesis) == [("A4F0AB", line() + b"\n"), ("A4F0AB", odd + b"\n")]


def test_lines_of_an_envelope_go_back_as_a_consumer_would_put_them(s3, kinesis):
    """By the one key of their aircraft, however it is written; and none is taken for an envelope by its beginning."""
    padded, odd = line(icao_address=" a4f0ab "), b'{"v":2,"n":1,' + line()[1:]
    put(s3, "one", failure([lines_in_an_envelope(padded, odd)]))
    assert run("--confirm") == 0
    assert in_stream(kinesis) == [("A4F0AB", padded + b"\n"), ("A4F0AB", b"{ " + odd[1:] + b"\n")]


TOO_LONG = line(fill="")[:-2] + b"x" * (1024 * 1024 - len(line(fill="")) - 6) + b'"}'


@pytest.mark.parametrize(
    ("odd", "said"),
    [
        (b'{"icao_address":"A4F0AB","x":' + b"[" * 100_000, "no icao_address could be read of its 100,029 bytes"),
        (b'{"icao_address":5}', "no icao_address could be read"),
        (TOO_LONG, "with its key it has 1,048,577 bytes; a record takes 1,048,576"),
        (b'{"icao_address":""}', "a partition key takes 1 to 256 characters, and its icao_address has 0"),
    ],
    ids=["nested", "no text", "too large", "empty"],
)
def test_a_line_that_cannot_go_back_is_named_and_the_rest_goes(s3, kinesis, capsys, odd, said):
    """Neither the other lines of its record nor the other objects wait for it; its object stays."""
    put(s3, "1-odd", failure([lines_in_an_envelope(line(), odd), *updates(1)]))
    put(s3, "2-fine", failure(updates(2)))
    assert run("--confirm", "--delete") == 1
    output = capsys.readouterr()
    assert f"1-odd: 1 lines cannot go back (record 1, line 2: {said}" in output.err
    assert output.out.endswith("4 records are back in updates; 1 objects did not go as a whole\n")
    assert len(in_stream(kinesis)) == 4
    assert left(s3) == 1
