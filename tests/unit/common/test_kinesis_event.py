"""A Lambda Kinesis event is read as records, updates and a window."""

from __future__ import annotations

import base64

import pytest

from common import kinesis_event

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


def test_records_keep_their_order_number_bytes_and_arrival():
    """Each record comes out once, in shard order, with its bytes untouched."""
    event = {"Records": [record(1, b'{"a":1}\n'), record(2, b"\xff")]}
    assert list(kinesis_event.records(event)) == [
        kinesis_event.KinesisRecord("1", b'{"a":1}\n', 1709594641.9),
        kinesis_event.KinesisRecord("2", b"\xff", 1709594641.9),
    ]


@pytest.mark.parametrize("event", [{"Records": []}, {}, {"Records": None}])
def test_an_event_without_records_gives_none(event):
    """The final event of a window may be empty."""
    assert list(kinesis_event.records(event)) == []


def test_a_record_is_one_update():
    """The bytes of the record are the bytes of its only update."""
    (only,) = kinesis_event.records({"Records": [record(1, b'{"a":1}\n')]})
    assert list(kinesis_event.update_payloads(only)) == [b'{"a":1}\n']


def test_the_window_fields_are_typed():
    """What the mapping adds to the event comes out as one value."""
    window = kinesis_event.tumbling_window(WINDOW | {"Records": []})
    assert (window.start, window.end) == ("2024-03-04T23:24:00Z", "2024-03-04T23:25:00Z")
    assert (window.shard_id, window.state) == ("shardId-000000000000", {"v": 1})
    assert (window.is_final, window.is_terminated_early) == (True, False)


def test_an_event_without_a_window_says_what_to_set():
    """A mapping without a tumbling window is named as the cause."""
    with pytest.raises(ValueError, match=r"missing 'window'.*Set TumblingWindowInSeconds"):
        kinesis_event.tumbling_window({"Records": []})
