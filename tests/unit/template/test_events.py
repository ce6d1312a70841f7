"""events/: a real event for every function."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

import pytest

from archive.handler import hours
from common import envelope
from tests.support import kinesis_updates


@pytest.fixture(scope="session")
def event(repository):
    """Reads a sample event by its function."""
    return lambda name: json.loads((repository / "events" / f"{name}.json").read_text())


def updates(event):
    """The target updates in an event of either format."""
    return [json.loads(data) for _, data in kinesis_updates.updates(event)]


def test_every_function_has_its_event(folder, repository):
    """`sam local invoke` has something to send."""
    assert (repository / "events" / f"{folder}.json").is_file()


def test_the_page_names_every_event(repository):
    """Who debugs a function finds its event on the page that says how."""
    page = (repository / "docs/debugging.md").read_text()
    assert {path.name for path in (repository / "events").glob("*.json") if path.name not in page} == set()


def test_the_archive_reads_the_event_as_hours(event):
    """As the handler does: hours of arrival."""
    assert hours(event("archive")) == [datetime(2024, 3, 4, 23, tzinfo=UTC)]


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


@pytest.mark.parametrize("name", ["aggregator-envelope", "alerts-envelope"])
def test_envelopes_are_as_the_consumer_puts_them(event, name):
    """Several updates each, addressed to the shard they were read from, which is their partition key."""
    records = event(name)["Records"]
    for record in records:
        data = base64.b64decode(record["kinesis"]["data"])
        shard = record["eventID"].partition(":")[0]
        assert record["kinesis"]["partitionKey"] == shard == json.loads(data)["shard"]
        assert data.endswith(b"}\n")
        assert envelope.lines(data, shard)[1] > 1
    numbers = [int(record["kinesis"]["sequenceNumber"]) for record in records]
    assert numbers == sorted(set(numbers))


def test_the_window_is_the_same_in_both_formats(event):
    """What the aggregator makes of the two sample events has to be the same."""
    single, enveloped = event("aggregator"), event("aggregator-envelope")
    assert updates(single) == updates(enveloped)
    assert {name: value for name, value in single.items() if name != "Records"} == {
        name: value for name, value in enveloped.items() if name != "Records"
    }


@pytest.mark.parametrize("name", ["aggregator", "aggregator-envelope"])
def test_the_window_event_has_every_field_of_a_window(event, name):
    """Several aircraft, one with values left out, one seen late by satellite, all arrived within the window."""
    window = event(name)
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


def test_the_alerts_envelopes_hold_the_same_two_among_many_that_do_not_alert(event):
    """What the header let through is looked at again, update by update."""
    enveloped = updates(event("alerts-envelope"))
    assert [update for update in updates(event("alerts")) if update in enveloped] == updates(event("alerts"))
    quiet = [update for update in enveloped if update not in updates(event("alerts"))]
    assert len(quiet) > 20
    assert not [update for update in quiet if update.get("squawk") in {"7500", "7600", "7700"}]
    assert not [update for update in quiet if update.get("vertical_rate", 0) < -6000]


def test_the_sample_variables_name_what_a_deployed_stack_has(repository, resources, template):
    """`sam local invoke --env-vars` takes what the template sets; each sample names the output it comes from."""
    sample = json.loads((repository / "events" / "env-vars.json").read_text())
    for function_id, variables in sample.items():
        known = resources[function_id]["Properties"]["Environment"]["Variables"]
        assert variables.keys() <= known.keys()
        of_this_stack = {name for name, value in known.items() if references(value) & template["Resources"].keys()}
        assert variables.keys() == of_this_stack, function_id
        for name, value in variables.items():
            output = template["Outputs"][value.removeprefix("<").removesuffix(">")]["Value"]
            assert output == known[name]


def references(value):
    """The logical ids that a value refers to by Ref, however deep."""
    if isinstance(value, dict):
        return ({value["Ref"]} if "Ref" in value else set()).union(*map(references, value.values()))
    return set().union(*map(references, value)) if isinstance(value, list) else set()
