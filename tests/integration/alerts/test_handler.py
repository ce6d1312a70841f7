"""The entry point, as Lambda calls it: event in, partial batch response out, metrics on the way."""

from __future__ import annotations

import base64
import json
from types import SimpleNamespace
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]

from alerts import handler as entry_point
from alerts import wiring
from common.environment import ConfigurationError
from common.observability import logger
from common.update_log import update_id


@pytest.fixture
def context():
    """What the runtime hands to a handler, as far as it is read."""
    return SimpleNamespace(
        function_name="alerts",
        memory_limit_in_mb=256,
        invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:alerts",
        aws_request_id="8e8b4d0d-0d9e-4a5e-9a6e-1f1f1f1f1f1f",
        get_remaining_time_in_millis=lambda: 60_000,
    )


@pytest.fixture
def environment(world, monkeypatch):
    """The function's environment; the alerter is made again, as in a new process."""
    monkeypatch.setenv("SUPPRESSION_TABLE_NAME", "suppression")
    monkeypatch.setenv("SUPPRESSION_SECONDS", "900")
    monkeypatch.setenv("ALERTS_TOPIC_ARN", world.topic_arn)
    monkeypatch.setenv("DATA_BUCKET", "data")
    wiring.alerter.cache_clear()
    yield monkeypatch
    wiring.alerter.cache_clear()


def event(*records):
    """The event of an event source mapping for these records."""
    return {
        "Records": [
            {
                "eventID": f"{record.shard_id}:{record.sequence_number}",
                "eventSource": "aws:kinesis",
                "kinesis": {
                    "sequenceNumber": record.sequence_number,
                    "partitionKey": "78121E",
                    "data": base64.b64encode(record.data).decode(),
                    "approximateArrivalTimestamp": record.arrival,
                },
            }
            for record in records
        ]
    }


@pytest.mark.usefixtures("environment")
def test_a_batch_that_went_well_reports_no_failures(world, record, context, capsys):
    """The answer is an empty list of failures and nothing besides; the metrics say what happened, and no more."""
    batch = event(record(squawk="7700"), record(seconds=5, squawk="7700"), record()._replace(data=b"no update"))

    assert entry_point.handler(batch, context) == {"batchItemFailures": []}

    assert world.notified().total() == 1
    (metrics,) = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    assert {name: value for name, value in metrics.items() if isinstance(value, list)} == {
        "AlertsNotified": [1.0],
        "AlertsSuppressed": [1.0],
        "RecordsUndecodable": [1.0],
    }
    (directive,) = metrics["_aws"]["CloudWatchMetrics"]
    assert directive["Dimensions"] == [["service"]]


@pytest.mark.usefixtures("environment")
def test_the_sample_event_alerts(world, context, repository):
    """The event that `sam local invoke` uses is one this function has something to say about."""
    sample = json.loads((repository / "events" / "alerts.json").read_bytes())

    assert entry_point.handler(sample, context) == {"batchItemFailures": []}

    assert "Squawk 7700, general emergency: ETH701 (040172)" in {message["Subject"] for message in world.messages()}


@pytest.fixture
def default_patterns(repository):
    """`ALERT_PATTERNS` as the template sets it when no parameter is given."""
    parameters = yaml_parse((repository / "template.yaml").read_text())["Parameters"]
    return "\n".join(parameters[f"AlertPattern{number}"]["Default"] for number in range(1, 6))


def test_the_sample_envelopes_alert_as_the_single_records_do(environment, default_patterns, world, context, repository):
    """Two of many updates are what the patterns ask for, and only these are alerted on."""
    environment.setenv("ALERT_PATTERNS", default_patterns)
    notified = []
    for name in ("alerts-envelope.json", "alerts.json"):
        sample = json.loads((repository / "events" / name).read_bytes())
        assert entry_point.handler(sample, context) == {"batchItemFailures": []}
        notified.append(sorted(rule_and_aircraft[:2] for rule_and_aircraft in world.notified()))

    # The second time, they are known to be sent.
    assert notified == [[("emergency_squawk", "040172"), ("steep_descent", "C0173F")], []]


@pytest.mark.usefixtures("environment")
@pytest.mark.filterwarnings("ignore:No application metrics to publish")
def test_envelopes_without_patterns_fail_the_invocation(context, repository):
    """Nobody knows then what to tell of: the error names the setting, and the batch waits."""
    sample = json.loads((repository / "events" / "alerts-envelope.json").read_bytes())

    with pytest.raises(ConfigurationError, match="ALERT_PATTERNS: not set"):
        entry_point.handler(sample, context)


@pytest.mark.usefixtures("environment")
def test_a_batch_without_records_is_a_success(context):
    """An event without records has nothing to fail at."""
    assert entry_point.handler({"Records": []}, context) == {"batchItemFailures": []}


@pytest.mark.usefixtures("environment")
def test_who_sends_nothing_makes_no_client_for_the_log(record, context):
    """Most batches are suppressed, and a client costs a cold start tens of milliseconds."""
    lazy: Any = wiring.alerter()._log._client
    entry_point.handler(event(record()._replace(data=b"no update")), context)
    assert lazy._client is None

    entry_point.handler(event(record(squawk="7700")), context)
    assert lazy._client is not None


def test_a_failure_names_the_first_record_to_send_again(environment, world, record, context, capsys):
    """A topic that is not there fails the first alert: its record alone is named, and the claim waits for the retry."""
    environment.setenv("ALERTS_TOPIC_ARN", world.topic_arn + "-gone")
    first, second = record(squawk="7700"), record("040172", squawk="7700")

    answer = entry_point.handler(event(first, second), context)

    assert answer == {"batchItemFailures": [{"itemIdentifier": first.sequence_number}]}
    (window,) = world.item("emergency_squawk:7700#78121E")["windows"]["M"].values()
    assert window["M"]["notification_state"] == {"S": "PENDING"}
    assert world.item("emergency_squawk:7700#040172") is None
    (metrics,) = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    assert metrics["RecordsFailed"] == [1.0]  # the alarm hears of it by this alone


@pytest.mark.usefixtures("environment")
def test_no_line_of_the_log_holds_an_update(record, context, caplog):
    """Logs name the rule, the aircraft and the update's key, but never carry the update."""
    batch = event(record(squawk="7700", flight_id="a854ae1e"), record()._replace(data=b'{"flight_id": "a854ae1e"}'))

    entry_point.handler(batch, context)

    logged = [entry.__dict__ for entry in caplog.records if entry.name == "tests"]
    assert [entry["message"] for entry in logged] == ["alert sent", "record holds no target update: skipped"]
    assert "a854ae1e" not in str(logged)


@pytest.mark.filterwarnings("ignore:No application metrics to publish")
def test_a_setting_that_is_missing_fails_the_whole_batch(environment, record, context):
    """Without a topic nothing can be sent: the invocation fails, by name, and the batch waits."""
    environment.delenv("ALERTS_TOPIC_ARN")

    with pytest.raises(ConfigurationError, match="ALERTS_TOPIC_ARN: not set"):
        entry_point.handler(event(record(squawk="7700")), context)


@pytest.mark.usefixtures("environment")
def test_an_alert_is_joined_to_its_update_and_its_batch(world, record, context, caplog, monkeypatch):
    """The line of a sent alert names the update as the other functions' lines do; decisions are shown at DEBUG."""
    ids = []
    monkeypatch.setattr(logger, "set_correlation_id", ids.append)
    logger.setLevel("DEBUG")
    first, second = record(squawk="7700"), record(seconds=5, squawk="7700")
    entry_point.handler(event(first, second), context)
    logger.setLevel("INFO")
    assert world.notified().total() == 1
    assert ids == [f"{first.shard_id}:{first.sequence_number}"]
    [sent] = [line for line in caplog.records if line.getMessage() == "alert sent"]
    assert sent.update_id == update_id(first.data)
    decided = [(line.decision, line.update_id) for line in caplog.records if line.getMessage() == "update"]
    assert decided == [("notify", update_id(first.data)), ("suppressed", update_id(second.data))]
