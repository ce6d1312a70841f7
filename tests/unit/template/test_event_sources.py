"""The event source mappings: what is polled, what is filtered, and what becomes of what fails."""

from __future__ import annotations

import base64
import json

import pytest

from alerts.pattern_matcher import AlertPatterns
from alerts.rules import findings
from common.target_update import decode
from consumer.publish.envelope_writer import decode_leniently
from local.event_source_mapping.filter import RecordFilter
from tests.support.headers import header


def test_it_polls_the_updates_from_the_oldest(mapping):
    """A new mapping misses nothing that is in the stream; the alerts may have their own reader."""
    stream = {"Fn::GetAtt": ["UpdatesStream", "Arn"]}
    assert mapping["Stream"] in (stream, {"Fn::If": ["FansOutAlerts", {"Ref": "AlertsReader"}, stream]})
    assert mapping["StartingPosition"] == "TRIM_HORIZON"


def test_what_fails_is_bounded_halved_and_kept(mapping):
    """Neither a bad record nor a long outage blocks a shard for ever, and what is given up lies in the bucket."""
    assert mapping["BisectBatchOnFunctionError"] is True
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert 0 < mapping["MaximumRetryAttempts"] <= 100
    assert mapping["DestinationConfig"]["OnFailure"]["Destination"] == {"Fn::GetAtt": ["FailuresBucket", "Arn"]}


def test_records_are_given_up_while_the_stream_still_has_them(mapping, resources, template):
    """A redrive from the stream itself is possible for three quarters of its retention, whatever that is."""
    assert resources["UpdatesStream"]["Properties"]["RetentionPeriodHours"] == {"Ref": "RetentionHours"}
    follows = {"Fn::FindInMap": ["Retention", {"Ref": "RetentionHours"}, "GiveUpSeconds"]}
    assert mapping["MaximumRecordAgeInSeconds"] == follows
    for hours in template["Parameters"]["RetentionHours"]["AllowedValues"]:
        bounds = template["Mappings"]["Retention"][hours]
        assert bounds["Milliseconds"] == int(hours) * 3_600_000
        assert bounds["GiveUpSeconds"] == min(int(hours) * 3_600 // 4, 604_800)


def test_the_alarm_sounds_before_records_are_given_up(template):
    """The highest threshold of the iterator age alarm lies below the age limit, up to Lambda's bound of 7 days."""
    highest = template["Parameters"]["IteratorAgeAlarmPercent"]["MaxValue"] / 100
    for hours, bounds in template["Mappings"]["Retention"].items():
        if bounds["GiveUpSeconds"] < 604_800:
            assert highest * int(hours) * 3_600 < bounds["GiveUpSeconds"]


def test_each_mapping_counts_its_events(mapping):
    """What was polled, filtered out, failed, dropped and kept is said by Lambda itself."""
    assert mapping["MetricsConfig"] == {"Metrics": {"Fn::If": ["WatchesFully", ["EventCount"], []]}}


def test_the_aggregator_has_a_tumbling_window(resources):
    """Its length is a parameter, and parallelization is 1, as a window demands."""
    mapping = resources["AggregatorFunction"]["Properties"]["Events"]["Updates"]["Properties"]
    assert mapping["TumblingWindowInSeconds"] == {"Ref": "WindowSeconds"}
    assert mapping["ParallelizationFactor"] == 1
    assert "FilterCriteria" not in mapping


def test_an_alert_waits_for_no_batch(resources):
    """The alerts function is invoked as soon as a record matches."""
    mapping = resources["AlertsFunction"]["Properties"]["Events"]["Updates"]["Properties"]
    assert mapping["MaximumBatchingWindowInSeconds"] == 0
    assert mapping["ParallelizationFactor"] == {"Ref": "AlertsParallelization"}


def test_an_empty_pattern_is_left_out(resources):
    """Up to five patterns, each a parameter; an empty one takes no part."""
    filters = resources["AlertsFunction"]["Properties"]["Events"]["Updates"]["Properties"]["FilterCriteria"]["Filters"]
    assert filters[0] == {"Pattern": {"Ref": "AlertPattern1"}}
    assert filters[1:] == [
        {"Fn::If": [f"HasAlertPattern{n}", {"Pattern": {"Ref": f"AlertPattern{n}"}}, {"Ref": "AWS::NoValue"}]}
        for n in range(2, 6)
    ]


@pytest.mark.parametrize("function", ["ConsumerFunction", "AlertsFunction"])
def test_the_functions_know_the_patterns_that_the_filter_has(resources, function):
    """The consumer checks them, and the alerts function asks them again: each parameter once, one a line."""
    variables = resources[function]["Properties"]["Environment"]["Variables"]
    assert variables["ALERT_PATTERNS"] == {
        "Fn::Join": ["\n", [{"Ref": f"AlertPattern{number}"} for number in range(1, 6)]]
    }


@pytest.fixture(scope="session")
def default_patterns(template):
    """`ALERT_PATTERNS` as the template sets it when no parameter is given."""
    return "\n".join(template["Parameters"][f"AlertPattern{n}"]["Default"] for n in range(1, 6))


@pytest.fixture(scope="session")
def default_filter(default_patterns):
    """The filter that the patterns' defaults make."""
    return RecordFilter([pattern for pattern in default_patterns.splitlines() if pattern])


@pytest.mark.parametrize(
    "update",
    [
        {"squawk": "7500"},
        {"squawk": "7600", "on_ground": True},
        {"squawk": "7700"},
        {"vertical_rate": -6001, "on_ground": False},
        {"vertical_rate": -7424},
        {"vertical_rate": -6000.5},
        {"vertical_rate": -12000, "on_ground": None},
        {"vertical_rate": -12000, "on_ground": True, "speed": 400.0},
        {"vertical_rate": -12000, "on_ground": True, "speed": None, "altitude_baro": 31000},
        {"vertical_rate": -12000, "on_ground": None, "speed": None, "altitude_baro": None},
        {"squawk": 7700, "vertical_rate": None},
    ],
)
def test_default_patterns_pick(default_filter, default_patterns, update):
    """Emergency squawks anywhere; descents steeper than 6,000 feet per minute unless known to be on the ground.

    By itself, by its envelope's header among others, and then in the function.
    """
    data = json.dumps(update).encode()
    quiet = {"squawk": "1200", "on_ground": True, "speed": 0, "altitude_baro": 0, "vertical_rate": 0}
    key = {"icao_address": "78121E", "timestamp": "2024-03-04T23:23:59Z"}
    header_of_both = header([decode_leniently(json.dumps(key | each).encode()) for each in (update, quiet)])

    assert default_filter(data)
    assert default_filter(json.dumps(header_of_both).encode())
    assert AlertPatterns(default_patterns).match(data)
    assert findings(decode(json.dumps(key | update).encode()))[0].rule != "pattern"


@pytest.mark.parametrize(
    "update",
    [
        {},
        {"squawk": "7000"},
        {"squawk": 1200},
        {"squawk": None, "vertical_rate": None, "on_ground": None},
        {"vertical_rate": -6001, "on_ground": True, "speed": 12.0, "altitude_baro": 13325},
        {"vertical_rate": "-6001"},
        {"vertical_rate": -6000, "on_ground": False},
        {"vertical_rate": -6001, "on_ground": True},
        {"vertical_rate": 6001, "on_ground": False},
        {"on_ground": False},
    ],
)
def test_default_patterns_leave(default_filter, default_patterns, update):
    """Everything else does not invoke the function."""
    assert not default_filter(json.dumps(update).encode())
    assert not AlertPatterns(default_patterns).match(json.dumps(update).encode())


def test_the_sample_alerts_match_and_the_sample_window_does_not(default_filter, repository):
    """events/ shows records as the mappings would deliver them."""

    def matching(name):
        event = json.loads((repository / "events" / name).read_text())
        return [default_filter(base64.b64decode(record["kinesis"]["data"])) for record in event["Records"]]

    assert set(matching("alerts.json")) == set(matching("alerts-envelope.json")) == {True}
    assert set(matching("aggregator.json")) == set(matching("aggregator-envelope.json")) == {False}
