"""events/: a real event for every function."""

from __future__ import annotations

import base64
import json

import pytest


@pytest.fixture(scope="session")
def event(repository):
    """Reads a sample event by its function."""
    return lambda name: json.loads((repository / "events" / f"{name}.json").read_text())


def updates(event):
    """The target updates in an event."""
    return [json.loads(base64.b64decode(record["kinesis"]["data"])) for record in event["Records"]]


def test_every_function_has_its_event(folder, repository):
    """`sam local invoke` has something to send."""
    assert (repository / "events" / f"{folder}.json").is_file()


def test_the_consumer_is_started_by_the_schedule(event):
    """EventBridge's own shape, with a run short enough to wait for."""
    tick = event("consumer")
    assert (tick["source"], tick["detail-type"]) == ("aws.events", "Scheduled Event")
    assert tick["detail"] == {"run_seconds": 20}


@pytest.mark.parametrize("name", ["aggregator", "alerts"])
def test_records_are_updates_as_the_consumer_puts_them(event, name):
    """One JSON object and a line end, partitioned by aircraft, in the order of their sequence numbers."""
    records = event(name)["Records"]
    for record, update in zip(records, updates(event(name)), strict=True):
        data = base64.b64decode(record["kinesis"]["data"])
        assert data.endswith(b"}\n")
        assert data.count(b"\n") == 1
        assert record["kinesis"]["partitionKey"] == update["icao_address"]
        assert {"timestamp", "ingestion_time"} <= update.keys()
    numbers = [int(record["kinesis"]["sequenceNumber"]) for record in records]
    assert numbers == sorted(set(numbers))


def test_the_window_event_has_every_field_of_a_window(event):
    """Several aircraft, one with values left out, one seen late by satellite, all arrived within the window."""
    window = event("aggregator")
    assert window["state"] == {}
    assert {"start", "end"} == window["window"].keys()
    assert window["shardId"].startswith("shardId-")
    assert window["isFinalInvokeForWindow"] is False
    assert window["isWindowTerminatedEarly"] is False
    assert len({update["icao_address"] for update in updates(window)}) >= 3
    assert any("altitude_baro" not in update for update in updates(window))
    assert any(update["collection_type"] == "satellite" for update in updates(window))


def test_the_alerts_event_has_one_of_each_rule(event):
    """An emergency squawk, and a steep descent in flight."""
    emergency, descent = updates(event("alerts"))
    assert emergency["squawk"] == "7700"
    assert descent["vertical_rate"] < -6000
    assert descent["on_ground"] is False
