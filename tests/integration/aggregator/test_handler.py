"""The aggregator's handler, invoked as Lambda invokes it, with its sinks in a moto server."""

from __future__ import annotations

import gzip
import json
import time

import pytest

from aggregator import handler as module
from aggregator import wiring
from common.environment import ConfigurationError
from common.observability import logger
from common.update_log import UpdateLog, update_id
from live import reader
from tests.integration.aggregator.conftest import CLOSED, Context
from tests.support.kinesis_updates import updates


@pytest.fixture
def invoke(environment):  # noqa: ARG001 - what is invoked runs in it
    """A function that invokes the handler in a fresh execution environment."""
    return lambda event: json.loads(json.dumps(module.handler(json.loads(json.dumps(event)), Context())))


def update(second, address="040172", **fields):
    """A target update as the consumer puts it into Kinesis."""
    at = f"2024-03-04T23:24:{second:02}"
    return {"icao_address": address, "timestamp": f"{at}Z", "ingestion_time": f"{at}.900Z"} | fields


def emitted(captured):
    """The values of the metrics that were written."""
    metrics = {}
    for line in captured.out.splitlines():
        document = json.loads(line)
        for group in document.get("_aws", {}).get("CloudWatchMetrics", []):
            assert group["Dimensions"] == [["service"]]
            for metric in group["Metrics"]:
                metrics[metric["Name"]] = metrics.get(metric["Name"], 0) + sum(document[metric["Name"]])
    return metrics


def test_a_window_of_three_invocations(invoke, make_event, bucket, table):
    """State goes from one invocation to the next; the final one, without records, fills both sinks."""
    first = invoke(make_event([update(1, callsign="ETH701"), update(6), b"\xff"]))
    assert first["batchItemFailures"] == []
    assert bucket.rows() == []
    second = invoke(make_event([update(6), update(11, speed=500)], first["state"]))
    last = invoke(make_event([], second["state"], final=True))
    assert last == {"state": {}, "batchItemFailures": []}
    aircraft, totals = sorted(bucket.rows(), key=lambda row: row["kind"])
    assert (aircraft["updates"], aircraft["callsigns"]) == (3, ["ETH701"])
    assert (totals["duplicates_ignored"], totals["records_undecodable"]) == (1, 1)
    assert [item["timestamp"] for item in table.scan()["Items"]] == ["2024-03-04T23:24:11.000000Z"]


def test_each_invocation_writes_its_metrics_and_names_what_it_passed_over(invoke, make_event, capsys, caplog):
    """They are flushed each time, zeros left out; what is no update is in the log by its sequence number."""
    state = invoke(make_event([update(1), b"\xff", update(1)]))["state"]
    metrics = emitted(capsys.readouterr())
    assert metrics.pop("UpdateAge") > 0
    assert metrics == {
        "UpdatesCounted": 1,
        "DuplicatesIgnored": 1,
        "RecordsUndecodable": 1,
    }
    warnings = [record for record in caplog.records if record.levelname == "WARNING"]
    assert [record.sequence_number for record in warnings] == ["2"]
    invoke(make_event([], state, final=True))
    last = emitted(capsys.readouterr())
    assert (last["WindowsClosed"], last["WindowRowsWritten"], last["UpdatesCounted"]) == (1, 2, 0)


def test_envelopes_of_another_shard_are_in_the_metrics(invoke, make_event, capsys):
    """The runbook on updates that get into no window asks for them."""
    event = make_event([update(1), b'{"v":1,"n":1,"shard":"shardId-000000000007","z":""}\n'])
    for record in event["Records"]:
        record["eventID"] = f"{event['shardId']}:{record['kinesis']['sequenceNumber']}"
    invoke(event)
    metrics = emitted(capsys.readouterr())
    assert (metrics["UpdatesCounted"], metrics["EnvelopesMisplaced"]) == (1, 1)
    assert "RecordsUndecodable" not in metrics


def test_an_aircraft_that_no_column_can_hold_is_counted_once_its_window_has_closed(invoke, make_event, s3, capsys):
    """One whose clock is months off is on no map: the metric says so, and the others are shown."""
    odd = update(2, "ABC123") | {"timestamp": "2023-03-04T23:24:02Z", "ingestion_time": "2023-03-04T23:24:02Z"}
    state = invoke(make_event([update(1), update(1, "DEF456"), odd]))["state"]
    assert "AircraftLeftOut" not in emitted(capsys.readouterr())
    invoke(make_event([], state, final=True))
    assert emitted(capsys.readouterr())["AircraftLeftOut"] == 1
    _, found = reader.read(s3.get_object(Bucket="data", Key=CLOSED)["Body"].read())
    assert {target.icao_address for target in found} == {"040172", "DEF456"}


@pytest.mark.parametrize("name", ["aggregator", "aggregator-envelope"])
def test_the_sample_events_are_ones_the_function_takes(invoke, repository, bucket, name):
    """Every update of the events that `sam local invoke` passes is counted, and known again the second time."""
    event = json.loads((repository / "events" / f"{name}.json").read_text())
    state = invoke(event)["state"]
    invoke(event | {"state": state, "isFinalInvokeForWindow": True})
    (totals,) = [row for row in bucket.rows() if row["kind"] == "totals"]
    counted = len(updates(event))
    assert counted >= 7
    assert (totals["updates"], totals["duplicates_ignored"], totals["records_undecodable"]) == (counted, counted, 0)


def test_an_empty_final_invocation(invoke, make_event, bucket, table):
    """A window that closes without anything writes nothing and still answers with a state."""
    assert invoke(make_event([], final=True)) == {"state": {}, "batchItemFailures": []}
    assert bucket.rows() == []
    assert table.scan()["Count"] == 0


def test_a_failing_sink_fails_the_invocation_and_the_retry_mends_it(invoke, make_event, bucket, table):
    """With the table gone the invocation raises and sends no row; with the table back, the same event goes through."""
    event = make_event([update(1)], final=True)
    recreate = {
        "TableName": table.name,
        "KeySchema": table.key_schema,
        "AttributeDefinitions": table.attribute_definitions,
        "BillingMode": "PAY_PER_REQUEST",
    }
    table.delete()
    with pytest.raises(Exception, match="ResourceNotFoundException"):
        invoke(event)
    assert bucket.rows() == []
    table.meta.client.create_table(**recreate)
    assert invoke(event)["batchItemFailures"] == []
    assert invoke(event)["batchItemFailures"] == []
    assert len(table.scan()["Items"]) == 1
    keys = {tuple(row.get(name) for name in ("kind", "part", "icao_address")) for row in bucket.rows()}
    assert keys == {("aircraft", 0, "040172"), ("totals", 0, None)}


@pytest.mark.parametrize("name", ["WINDOW_ROWS_STREAM_NAME", "AIRCRAFT_TABLE_NAME"])
def test_a_missing_setting_is_named(invoke, make_event, monkeypatch, name):
    """A variable that is not set fails the invocation with a text that names it."""
    monkeypatch.delenv(name)
    with pytest.raises(ConfigurationError, match=name):
        invoke(make_event([]))


def test_the_recording_arrives_whole(invoke, make_event, recording, bucket, table):
    """All real updates, in batches as a mapping brings them, are in the rows; the table has every aircraft's newest."""
    with gzip.open(recording) as lines:
        feed = [message["target"] for message in map(json.loads, lines) if "target" in message]
    state = {}
    for at in range(0, len(feed), 1_000):
        state = invoke(make_event(feed[at : at + 1_000], state))["state"]
    invoke(make_event([], state, final=True))
    rows = [row for row in bucket.rows() if row["kind"] == "aircraft"]
    assert sum(row["updates"] for row in rows) == 5_680
    items = {item["icao_address"]: item for item in table.scan()["Items"]}
    assert set(items) == {row["icao_address"] for row in rows} == {target["icao_address"] for target in feed}
    for address, item in items.items():
        newest = max(target["timestamp"] for target in feed if target["icao_address"] == address)
        assert item["timestamp"] == newest.replace("Z", ".000000Z")


def test_a_table_of_latest_states_that_is_switched_off_stays_empty(invoke, make_event, bucket, table, monkeypatch):
    """The rows are written all the same."""
    monkeypatch.setenv("LATEST_STATE_TABLE", "off")
    invoke(make_event([update(1)], final=True))
    assert table.scan()["Count"] == 0
    assert len(bucket.rows()) == 2


def test_the_invocations_of_a_window_have_one_correlation_id_and_at_debug_show_updates(
    invoke, make_event, caplog, monkeypatch
):
    """By shard and window, a state apart; an update's line has the name that other functions give it."""
    ids = []
    monkeypatch.setattr(logger, "set_correlation_id", ids.append)
    monkeypatch.setattr(wiring, "update_log", lambda: UpdateLog(logger, time.monotonic))
    with caplog.at_level("DEBUG"):
        logger.setLevel("DEBUG")
        state = invoke(make_event([update(1), b"\xff"]))["state"]
        invoke(make_event([], state, final=True))
        logger.setLevel("INFO")
    assert ids == ["shardId-000000000000/2024-03-04T23:24:00Z"] * 2
    folded = [line for line in caplog.records if line.getMessage() == "batch folded"]
    assert [(line.records, line.counted, line.undecodable) for line in folded] == [(2, 1, 1), (0, 0, 0)]
    [shown, _odd] = [line for line in caplog.records if line.getMessage() == "update"]
    assert shown.update["icao_address"] == "040172"
    assert shown.update_id == update_id(json.dumps(update(1)).encode())
