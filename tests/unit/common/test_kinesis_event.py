"""A Lambda Kinesis event is read as records, updates and a window."""

from __future__ import annotations

import base64
import json

import pytest
from backports import zstd

from common import envelope, kinesis_event
from tests.support.kinesis_updates import updates

WINDOW = {
    "window": {"start": "2024-03-04T23:24:00Z", "end": "2024-03-04T23:25:00Z"},
    "state": {"v": 1},
    "shardId": "shardId-000000000000",
    "isFinalInvokeForWindow": True,
    "isWindowTerminatedEarly": False,
}


def record(number, data):
    """A record as Lambda passes it."""
    return {
        "eventID": f"shardId-000000000000:{number}",
        "kinesis": {
            "sequenceNumber": str(number),
            "partitionKey": "040172",
            "data": base64.b64encode(data).decode(),
            "approximateArrivalTimestamp": 1709594641.9,
        },
    }


def enveloped(*updates, shard_id="shardId-000000000000"):
    """An envelope as the consumer writes it."""
    text = base64.b64encode(zstd.compress(b"".join(update + b"\n" for update in updates))).decode()
    return json.dumps({"v": 1, "n": len(updates), "shard": shard_id, "z": text}, separators=(",", ":")).encode() + b"\n"


def test_records_keep_their_order_number_bytes_and_arrival():
    """Each record comes out once, in shard order, with its bytes untouched."""
    event = {"Records": [record(1, b'{"a":1}\n'), record(2, b"\xff")]}
    assert list(kinesis_event.records(event)) == [
        kinesis_event.KinesisRecord("1", b'{"a":1}\n', 1709594641.9, "shardId-000000000000"),
        kinesis_event.KinesisRecord("2", b"\xff", 1709594641.9, "shardId-000000000000"),
    ]


@pytest.mark.parametrize("event", [{"Records": []}, {}, {"Records": None}])
def test_an_event_without_records_gives_none(event):
    """The final event of a window may be empty."""
    assert list(kinesis_event.records(event)) == []


def test_a_record_is_one_update():
    """The bytes of the record are the bytes of its only update."""
    (only,) = kinesis_event.records({"Records": [record(1, b'{"a":1}\n')]})
    assert kinesis_event.update_payloads(only) == [b'{"a":1}\n']


def test_both_formats_may_stand_in_one_event():
    """While the format is changed, a batch holds records of one update beside envelopes of several."""
    event = {
        "Records": [record(1, b'{"a":1}\n'), record(2, enveloped(b'{"a":2}', b'{"a":3}')), record(3, b'{"a":4}\n')]
    }
    assert updates(event) == [
        ("1", b'{"a":1}\n'),
        ("2", b'{"a":2}'),
        ("2", b'{"a":3}'),
        ("3", b'{"a":4}\n'),
    ]
    assert list(kinesis_event.blocks(event["Records"])) == [
        ("1", b'{"a":1}\n', 1),
        ("2", b'{"a":2}\n{"a":3}\n', 2),
        ("3", b'{"a":4}\n', 1),
    ]


def test_only_records_of_one_update_each_are_taken_together():
    """An envelope counts in its shard alone, and a record that is not one is known by its place among the others."""
    singles = [record(1, b'{"a":1}\n'), record(2, b"")]
    assert kinesis_event.single_updates(singles) == [b'{"a":1}\n', b""]
    assert kinesis_event.single_updates([*singles, record(3, enveloped(b'{"a":2}'))]) is None
    for damaged in ({}, {"kinesis": {}}, {"kinesis": {"data": "?"}}, {"kinesis": {"data": 1}}, "text", None):
        assert kinesis_event.single_updates([*singles, damaged]) is None


def test_records_come_in_batches():
    """As Lambda sent them, and at most so many at a time."""
    assert list(kinesis_event.batches({"Records": [1, 2, 3]}, 2)) == [(1, 2), (3,)]
    assert list(kinesis_event.batches({}, 2)) == list(kinesis_event.batches({"Records": None}, 2)) == []
    with pytest.raises(kinesis_event.MalformedEventError):
        list(kinesis_event.batches({"Records": 5}, 2))


def test_an_envelope_counts_only_in_the_shard_it_names():
    """One that a reshard misplaced holds nothing: its updates come again in the right shard."""
    event = {"Records": [record(1, enveloped(b'{"a":1}', b'{"a":2}', shard_id="shardId-000000000007"))]}
    (misplaced,) = kinesis_event.records(event)
    assert kinesis_event.update_payloads(misplaced) == []
    assert list(kinesis_event.blocks(event["Records"])) == [("1", b"", 0)]


def test_a_damaged_envelope_is_given_as_it_is():
    """So it is counted and logged as a record that holds no update, and holds up nothing."""
    damaged = enveloped(b'{"a":1}', b'{"a":2}').replace(b'"n":2', b'"n":3')
    event = {"Records": [record(1, damaged)]}
    (only,) = kinesis_event.records(event)
    assert kinesis_event.update_payloads(only) == [damaged]
    assert list(kinesis_event.blocks(event["Records"])) == [("1", damaged, 1)]


def test_an_envelope_of_a_later_version_is_never_passed_over():
    """A function that is older than the consumer fails: its records are tried again, and in the end kept."""
    later = enveloped(b'{"a":1}').replace(b'"v":1', b'"v":2')
    (only,) = kinesis_event.records({"Records": [record(1, later)]})
    with pytest.raises(envelope.UnknownVersionError, match=r"version 2.*on-failure bucket: redrive"):
        kinesis_event.update_payloads(only)
    with pytest.raises(envelope.UnknownVersionError, match="version 2"):
        list(kinesis_event.blocks([record(1, later)]))


UPDATE = b'"icao_address":"040172","timestamp":"2024-03-04T23:23:59Z","squawk":"7700"}\n'


@pytest.mark.parametrize(
    "begins", [b'{"v":2,"n":1,', b'{"v":1,"n":1,"shard":"x",', b'{"v":1,"n":1,"shard":"x","z":"",']
)
def test_an_update_that_begins_as_an_envelope_is_an_update(begins):
    """It stalls no shard, and is skipped by nobody: an update has a text for its address."""
    event = {"Records": [record(1, begins + UPDATE)]}
    (only,) = kinesis_event.records(event)
    assert not envelope.is_envelope(begins + UPDATE)
    assert kinesis_event.update_payloads(only) == [begins + UPDATE]
    assert list(kinesis_event.blocks(event["Records"])) == [("1", begins + UPDATE, 1)]


@pytest.mark.parametrize("count", [0, -1, envelope.MAX_LINES + 1, 4 * 1024 * 1024])
def test_an_envelope_of_more_updates_than_fit_is_damaged(count):
    """A few hundred bytes may inflate to millions of line ends: they are one record that cannot be read."""
    compressed = base64.b64encode(zstd.compress(b"\n" * count)).decode()
    assert len(compressed) < 600
    data = json.dumps({"v": 1, "n": count, "shard": "shardId-000000000000", "z": compressed}, separators=(",", ":"))
    with pytest.raises(envelope.BrokenEnvelopeError, match="damaged"):
        envelope.lines(data.encode(), "shardId-000000000000")


def test_the_window_fields_are_typed():
    """What the mapping adds to the event comes out as one value."""
    window = kinesis_event.tumbling_window(WINDOW | {"Records": []})
    assert (window.start, window.end) == ("2024-03-04T23:24:00Z", "2024-03-04T23:25:00Z")
    assert (window.shard_id, window.state) == ("shardId-000000000000", {"v": 1})
    assert (window.is_final, window.is_terminated_early) == (True, False)


@pytest.mark.parametrize("final", [False, True])
def test_a_window_that_is_ended_early_goes_on(final):
    """Lambda sets both flags when it ends a window early; what follows belongs to the same window."""
    window = kinesis_event.tumbling_window(WINDOW | {"isFinalInvokeForWindow": final, "isWindowTerminatedEarly": True})
    assert (window.is_final, window.is_terminated_early) == (False, True)


def test_an_event_without_a_window_says_what_to_set():
    """A mapping without a tumbling window is named as the cause."""
    with pytest.raises(ValueError, match=r"missing 'window'.*Set TumblingWindowInSeconds"):
        kinesis_event.tumbling_window({"Records": []})
