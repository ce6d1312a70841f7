"""Reading a mapping's settings, and refusing what Lambda refuses."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from local.event_source_mapping.mapping import ListedShard, startable
from local.event_source_mapping.settings import MappingSettings, SettingsError


def test_lambdas_defaults_hold_for_what_is_not_set(settings):
    """The defaults are those of the API reference."""
    defaults = settings()
    assert (
        defaults.batch_size,
        defaults.batching_window,
        defaults.parallelization_factor,
        defaults.tumbling_window,
        defaults.maximum_retries,
        defaults.maximum_record_age,
        defaults.bisect,
        defaults.report_batch_item_failures,
        defaults.record_filter,
        defaults.on_failure,
        defaults.enabled,
    ) == (100, 0, 1, 0, -1, -1, False, False, None, None, True)


def test_the_answer_of_the_api_is_read():
    """ListEventSourceMappings gives the id, the function and empty structures for what is not set."""
    settings = MappingSettings.from_properties(
        {
            "UUID": "the-id",
            "FunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:f",
            "EventSourceArn": "arn:aws:kinesis:us-east-1:123456789012:stream/s",
            "StartingPosition": "AT_TIMESTAMP",
            "StartingPositionTimestamp": datetime(2024, 3, 4, tzinfo=UTC),
            "BatchSize": 10_000,
            "MaximumBatchingWindowInSeconds": 5,
            "ParallelizationFactor": 1,
            "TumblingWindowInSeconds": 60,
            "BisectBatchOnFunctionError": True,
            "MaximumRetryAttempts": 3,
            "MaximumRecordAgeInSeconds": 3600,
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
            "DestinationConfig": {"OnSuccess": {}, "OnFailure": {"Destination": "arn:aws:s3:::failures"}},
            "FilterCriteria": {"Filters": [{"Pattern": '{"data": {"a": [1]}}'}]},
            "State": "Enabled",
        },
        role_arn="arn:aws:iam::123456789012:role/r",
    )
    assert settings.uuid == "the-id"
    assert settings.starting_timestamp == datetime(2024, 3, 4, tzinfo=UTC).timestamp()
    assert (settings.bisect, settings.report_batch_item_failures, settings.on_failure) == (
        True,
        True,
        "arn:aws:s3:::failures",
    )
    assert settings.record_filter is not None
    assert (settings.stream_name, settings.region) == ("s", "us-east-1")


def test_numbers_and_flags_written_as_text_are_read(settings):
    """CloudFormation hands parameters on as strings."""
    read = settings(BatchSize="500", BisectBatchOnFunctionError="true", Enabled="false")
    assert (read.batch_size, read.bisect, read.enabled) == (500, True, False)


def test_a_disabled_mapping_is_known_by_its_state(settings):
    """The API says `State: Disabled` where CloudFormation says `Enabled: false`."""
    assert not settings(State="Disabled").enabled


@pytest.mark.parametrize(
    ("properties", "complaint"),
    [
        ({"ParallelizationFactor": 2, "TumblingWindowInSeconds": 60}, "with a tumbling window the factor must be 1"),
        ({"ParallelizationFactor": 0}, "from 1 to 10"),
        ({"ParallelizationFactor": 11}, "from 1 to 10"),
        ({"BatchSize": 0}, "from 1 to 10000"),
        ({"BatchSize": 10_001}, "from 1 to 10000"),
        ({"BatchSize": "many"}, "whole number"),
        ({"BatchSize": True}, "whole number"),
        ({"MaximumBatchingWindowInSeconds": 301}, "from 0 to 300"),
        ({"TumblingWindowInSeconds": 901}, "from 0 to 900"),
        ({"MaximumRetryAttempts": -2}, "from -1 to 10000"),
        ({"MaximumRetryAttempts": 10_001}, "from -1 to 10000"),
        ({"MaximumRecordAgeInSeconds": 59}, "-1 or from 60"),
        ({"MaximumRecordAgeInSeconds": 604_801}, "from -1 to 604800"),
        ({"StartingPosition": "NOW"}, "TRIM_HORIZON, LATEST or AT_TIMESTAMP"),
        ({"StartingPosition": None}, "TRIM_HORIZON, LATEST or AT_TIMESTAMP"),
        ({"StartingPosition": "AT_TIMESTAMP"}, "StartingPositionTimestamp must be given"),
        ({"StartingPosition": "AT_TIMESTAMP", "StartingPositionTimestamp": "noon"}, "seconds since 1970"),
        ({"StartingPosition": "LATEST", "StartingPositionTimestamp": 5}, "goes with AT_TIMESTAMP only"),
        ({"EventSourceArn": "arn:aws:sqs:us-east-1:123456789012:q"}, "only Kinesis streams"),
        ({"EventSourceArn": "arn:aws:kinesis:us-east-1:123456789012:stream/s/consumer/c:1"}, "enhanced fan-out"),
        ({"FunctionResponseTypes": ["Report"]}, "ReportBatchItemFailures and nothing else"),
        ({"BisectBatchOnFunctionError": "maybe"}, "true or false"),
        ({"DestinationConfig": {"OnSuccess": {"Destination": "arn:aws:sqs:x:1:q"}}}, "takes OnFailure only"),
        ({"DestinationConfig": {"OnFailure": {"Destination": "arn:aws:lambda:x:1:f"}}}, "a bucket, a queue or a topic"),
        ({"FilterCriteria": {"Filters": [{"Pattern": "{}"}] * 6}}, "holds 6 filters"),
        ({"FilterCriteria": {"Filters": [{"Pattern": "nonsense"}]}}, "FilterCriteria: the pattern"),
    ],
)
def test_what_lambda_refuses_is_refused_with_the_reason(settings, properties, complaint):
    """The message names the property and what it may be."""
    with pytest.raises(SettingsError, match=complaint):
        settings(**properties)


def test_a_mapping_without_its_id_is_refused():
    """A template's properties hold neither id nor ARN, so the caller gives them."""
    with pytest.raises(SettingsError, match="UUID"):
        MappingSettings.from_properties({"StartingPosition": "LATEST"}, role_arn="r")


def shard(number, *parents, closed=False):
    """A listed shard, by numbers."""
    return ListedShard(f"s{number}", tuple(f"s{parent}" for parent in parents), closed)


def test_children_start_after_both_their_parents():
    """A merged shard waits for the last of its two parents."""
    listed = [shard(0, closed=True), shard(1, closed=True), shard(2, 0, 1)]
    assert startable(listed, [], []) == ["s0", "s1"]
    assert startable(listed, ["s0", "s1"], ["s0"]) == []
    assert startable(listed, ["s0", "s1"], ["s0", "s1"]) == ["s2"]


def test_a_child_whose_parent_is_gone_starts_at_once():
    """A parent beyond retention is no longer listed, and nothing of it can be read."""
    assert startable([shard(5, 1)], [], []) == ["s5"]


def test_a_child_waits_for_a_parent_that_left_the_list_while_it_was_read():
    """What was started is waited for even if it is listed no more."""
    assert startable([shard(5, 1)], ["s1"], []) == []
