"""The local stack's reader of both record formats, beside the functions' own."""

from __future__ import annotations

import base64
import json

import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from common.kinesis_event import KinesisRecord, update_payloads
from consumer.publish.envelope_writer import HeaderedUpdate, pack
from local.audit import envelope
from local.audit.envelope import StoredRecord

HERE, ELSEWHERE = "shardId-000000000000", "shardId-000000000007"
LINES = [b'{"icao_address":"78121E","squawk":"7700"}', b'{"icao_address":"040172"}']


def made(lines=LINES, **changes):
    """An envelope of these lines, with something changed."""
    text = b"".join(line + b"\n" for line in lines)
    fields = {"v": 1, "n": len(lines), "shard": HERE, "z": base64.b64encode(zstd.compress(text)).decode()}
    return json.dumps(fields | changes, separators=(",", ":")).encode() + b"\n"


def test_an_update_of_its_own_comes_out_without_its_line_end():
    """A record of the format `single` is one update."""
    assert envelope.updates(LINES[0] + b"\n", HERE) == [LINES[0]]
    assert envelope.count(LINES[0] + b"\n", HERE) == 1


def test_an_envelope_in_its_own_shard_holds_its_updates_in_order():
    """Byte for byte, as they were packed."""
    assert envelope.updates(made(), HERE) == LINES
    assert envelope.count(made(), HERE) == 2


def test_an_envelope_in_another_shard_counts_for_nothing():
    """A reshard put it there; its updates were sent again."""
    assert envelope.updates(made(), ELSEWHERE) is None
    assert envelope.count(made(), ELSEWHERE) == 0


@pytest.mark.parametrize(
    "damage",
    [{"n": 3}, {"z": "no base64"}, {"z": base64.b64encode(b"no frame").decode()}, {"v": 2}],
    ids=["another count", "no base64", "no frame", "another version"],
)
def test_a_damaged_envelope_is_an_update_that_nobody_sent(damage):
    """It must not pass for an empty one: the ledger has to see that something is wrong."""
    assert envelope.updates(made(**damage), HERE) == [made(**damage)]


def test_the_content_of_a_stream_is_counted_by_record_and_update():
    """Updates keep shard and arrival of the record they came in; a misplaced envelope is counted and skipped."""
    records = [StoredRecord(HERE, 1.5, made()), StoredRecord(ELSEWHERE, 2.5, made()), StoredRecord(HERE, 3.5, LINES[0])]
    content = envelope.read(records)
    assert (content.records, content.misplaced) == (3, 1)
    assert content.updates == [
        StoredRecord(HERE, 1.5, LINES[0]),
        StoredRecord(HERE, 1.5, LINES[1]),
        StoredRecord(HERE, 3.5, LINES[0]),
    ]


lines_of_updates = st.lists(
    st.fixed_dictionaries(
        {
            "icao_address": st.text("0123456789ABCDEF", min_size=6, max_size=6),
            "timestamp": st.just("2024-03-04T23:23:59Z"),
        },
        optional={"callsign": st.text(max_size=8), "squawk": st.text("01234567", min_size=4, max_size=4)},
    ).map(lambda update: json.dumps(update).encode()),
    min_size=1,
    max_size=20,
)


@given(lines_of_updates, st.sampled_from([HERE, ELSEWHERE]), st.integers(200, 4000))
def test_both_readers_agree_on_what_the_consumer_packs(lines, found_in, most_bytes):
    """The functions and the ledger take the same updates out of the same records, misplaced ones included."""
    packed = pack([_headered(line) for line in lines], HERE, most_bytes)
    for data, number, *_ in packed:
        theirs = [line.rstrip(b"\n") for line in update_payloads(KinesisRecord("1", data, 0.0, found_in))]
        assert (envelope.updates(data, found_in) or []) == theirs
        assert envelope.count(data, found_in) in {number, 0}


@given(st.binary(max_size=60) | st.sampled_from([made(), made(n=3), made(z="!"), made(shard=5), made()[:-9]]))
def test_both_readers_agree_on_what_nobody_packed(data):
    """Damage of every sort is to both a record that is no update, and to neither nothing."""
    theirs = [line.rstrip(b"\n") for line in update_payloads(KinesisRecord("1", data, 0.0, HERE))]
    assert [line.rstrip(b"\n") for line in envelope.updates(data, HERE) or []] == theirs


def _headered(line):
    fields = json.loads(line)
    return HeaderedUpdate(**fields | {"ingestion_time": None, "data": line})
