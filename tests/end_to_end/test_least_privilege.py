"""Least privilege: the whole system runs on what its roles allow, each role is refused the rest, and nothing is spare.

Firehose's own two roles are not among this: it writes to S3 inside the local AWS, where no call of its is seen.
"""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from flights import days
from flights.airports import Airports
from flights.making import Making
from flights.parts import planned
from flights.row_groups import RowGroup
from flights.store import Store
from local.function_names import AGGREGATOR, ALERTS, API, ARCHIVE, CONSUMER, FLIGHTS

REFUSALS = {"AccessDenied", "AccessDeniedException", "AuthorizationError"}


@pytest.fixture(params=["authorised_run", "authorised_envelope_run"])
def either_run(request):
    """Each of the two runs."""
    return request.getfixturevalue(request.param)


def test_no_call_of_the_run_was_denied(either_run):
    """A denied call that a retry or a fallback hides would still be a permission that is missing."""
    assert [one for one in either_run.calls_of_the_run if one.outcome == "denied"] == []


def test_the_whole_system_runs_on_what_its_roles_allow(either_run):
    """With every call authorised nothing is lost, windows are written, alerts sent, a bad line kept."""
    report = either_run.report
    assert report.losses() == []
    assert report.stream.updates == report.rows.updates > 300
    assert report.notified >= 1
    assert report.rejected == 1
    assert {one.caller for one in either_run.calls_of_the_run} == {CONSUMER, AGGREGATOR, ALERTS, ARCHIVE, FLIGHTS}
    assert report.archive.updates == report.stream.updates


@pytest.fixture(scope="module")
def api_answers(authorised_run):
    """What the API's function answers after the run, under the real runtime and by its own role."""
    questions = ("targets", "windows", "alerts", "flights", "health", "openapi.json")
    return {name: authorised_run.ask(f"/api/{name}") for name in questions}


def test_the_api_answers_on_what_its_role_allows(authorised_run, api_answers):
    """Aircraft, rows and alerts of the run itself; no call was denied."""
    assert len(api_answers["targets"]["targets"]) > 50
    assert {row["kind"] for row in api_answers["windows"]["rows"]} == {"aircraft", "totals"}
    assert "emergency_squawk" in {alert["rule"] for alert in api_answers["alerts"]["alerts"]}
    assert len(api_answers["flights"]["flights"]) > 50
    assert api_answers["health"]
    calls = [one for one in authorised_run.proxy.calls if one.caller == API]
    assert {one.operation for one in calls} == {"GetObject", "ListObjectsV2"}
    assert [one for one in calls if one.outcome == "denied"] == []


FORBIDDEN: dict[str, dict[str, tuple[str, str, dict[str, Any]]]] = {
    CONSUMER: {
        "delete the checkpoint": ("s3", "delete_object", {"Bucket": "StateBucket", "Key": "checkpoint.json"}),
        "write elsewhere in its bucket": ("s3", "put_object", {"Bucket": "StateBucket", "Key": "other/x"}),
        "read what it rejected": ("s3", "get_object", {"Bucket": "StateBucket", "Key": "rejected/x"}),
        "write raw updates": ("s3", "put_object", {"Bucket": "DataBucket", "Key": "raw/x"}),
        "write window rows": ("s3", "put_object", {"Bucket": "DataBucket", "Key": "windows/x"}),
        "find its way around the data": ("s3", "list_objects_v2", {"Bucket": "DataBucket"}),
        "read the status": ("s3", "get_object", {"Bucket": "DataBucket", "Key": "live/status.json"}),
        "write a snapshot": ("s3", "put_object", {"Bucket": "DataBucket", "Key": "live/shardId-000000000000/open"}),
        "read the stream": (
            "kinesis",
            "get_shard_iterator",
            {"StreamName": "UpdatesStream", "ShardId": "shardId-000000000000", "ShardIteratorType": "LATEST"},
        ),
        "list the shards where it writes no envelopes": ("kinesis", "list_shards", {"StreamName": "UpdatesStream"}),
        "change the token": ("secretsmanager", "put_secret_value", {"SecretId": "ApiTokenSecret", "SecretString": "x"}),
        "suppress alerts": (
            "dynamodb",
            "put_item",
            {"TableName": "SuppressionTable", "Item": {"rule_and_aircraft": {"S": "x"}}},
        ),
        "send alerts": ("sns", "publish", {"TopicArn": "AlertsTopic", "Message": "x"}),
    },
    AGGREGATOR: {
        "read the checkpoint": ("s3", "get_object", {"Bucket": "StateBucket", "Key": "checkpoint.json"}),
        "write the rows itself": ("s3", "put_object", {"Bucket": "DataBucket", "Key": "windows/x"}),
        "put into the stream": (
            "kinesis",
            "put_records",
            {"StreamName": "UpdatesStream", "Records": [{"Data": b"", "PartitionKey": "x"}]},
        ),
        "read the suppression": (
            "dynamodb",
            "get_item",
            {"TableName": "SuppressionTable", "Key": {"rule_and_aircraft": {"S": "x"}}},
        ),
        "delete a state": (
            "dynamodb",
            "delete_item",
            {"TableName": "AircraftTable", "Key": {"icao_address": {"S": "x"}}},
        ),
        "scan the states": ("dynamodb", "scan", {"TableName": "AircraftTable"}),
        "read the token": ("secretsmanager", "get_secret_value", {"SecretId": "ApiTokenSecret"}),
        "send alerts": ("sns", "publish", {"TopicArn": "AlertsTopic", "Message": "x"}),
        "read what failed": ("s3", "get_object", {"Bucket": "FailuresBucket", "Key": "aws/lambda/x"}),
        "write elsewhere among the failures": ("s3", "put_object", {"Bucket": "FailuresBucket", "Key": "x"}),
    },
    ALERTS: {
        "delete the checkpoint": ("s3", "delete_object", {"Bucket": "StateBucket", "Key": "checkpoint.json"}),
        "write an aircraft's state": (
            "dynamodb",
            "put_item",
            {"TableName": "AircraftTable", "Item": {"icao_address": {"S": "x"}}},
        ),
        "read the suppression": (
            "dynamodb",
            "get_item",
            {"TableName": "SuppressionTable", "Key": {"rule_and_aircraft": {"S": "x"}}},
        ),
        "delete a suppression": (
            "dynamodb",
            "delete_item",
            {"TableName": "SuppressionTable", "Key": {"rule_and_aircraft": {"S": "x"}}},
        ),
        "write window rows": (
            "firehose",
            "put_record_batch",
            {"DeliveryStreamName": "WindowRows", "Records": [{"Data": b"x"}]},
        ),
        "write the status": ("s3", "put_object", {"Bucket": "DataBucket", "Key": "live/status.json"}),
        "read the alert log": ("s3", "get_object", {"Bucket": "DataBucket", "Key": "alerts/x"}),
        "find its way around the data": ("s3", "list_objects_v2", {"Bucket": "DataBucket"}),
        "raise an alarm": ("sns", "publish", {"TopicArn": "OperationsTopic", "Message": "x"}),
        "read the token": ("secretsmanager", "get_secret_value", {"SecretId": "ApiTokenSecret"}),
        "put into the stream": (
            "kinesis",
            "put_records",
            {"StreamName": "UpdatesStream", "Records": [{"Data": b"", "PartitionKey": "x"}]},
        ),
    },
    ARCHIVE: {
        "delete a raw object": ("s3", "delete_object", {"Bucket": "DataBucket", "Key": "raw/x"}),
        "write a raw object": ("s3", "put_object", {"Bucket": "DataBucket", "Key": "raw/x"}),
        "delete an hour": ("s3", "delete_object", {"Bucket": "DataBucket", "Key": "archive/updates/x"}),
        "write elsewhere in the archive": ("s3", "put_object", {"Bucket": "DataBucket", "Key": "archive/x"}),
        "read the window rows": ("s3", "get_object", {"Bucket": "DataBucket", "Key": "windows/x"}),
        "read the checkpoint": ("s3", "get_object", {"Bucket": "StateBucket", "Key": "checkpoint.json"}),
        "read the stream": (
            "kinesis",
            "get_shard_iterator",
            {"StreamName": "UpdatesStream", "ShardId": "shardId-000000000000", "ShardIteratorType": "LATEST"},
        ),
        "send alerts": ("sns", "publish", {"TopicArn": "AlertsTopic", "Message": "x"}),
    },
    FLIGHTS: {
        "delete a day": ("s3", "delete_object", {"Bucket": "DataBucket", "Key": "archive/flights/x"}),
        "write an hour of the archive": ("s3", "put_object", {"Bucket": "DataBucket", "Key": "archive/updates/x"}),
        "read a raw object": ("s3", "get_object", {"Bucket": "DataBucket", "Key": "raw/x"}),
        "write a snapshot": ("s3", "put_object", {"Bucket": "DataBucket", "Key": "live/x"}),
        "read the checkpoint": ("s3", "get_object", {"Bucket": "StateBucket", "Key": "checkpoint.json"}),
    },
}

FORBIDDEN[API] = {
    "read the checkpoint": ("s3", "get_object", {"Bucket": "StateBucket", "Key": "checkpoint.json"}),
    "read raw updates": ("s3", "get_object", {"Bucket": "DataBucket", "Key": "raw/x"}),
    "write a snapshot": ("s3", "put_object", {"Bucket": "DataBucket", "Key": "live/shardId-000000000000/open"}),
    "delete an alert": ("s3", "delete_object", {"Bucket": "DataBucket", "Key": "alerts/x"}),
    "read what failed": ("s3", "get_object", {"Bucket": "FailuresBucket", "Key": "aws/lambda/x"}),
    "read an aircraft's state": (
        "dynamodb",
        "get_item",
        {"TableName": "AircraftTable", "Key": {"icao_address": {"S": "x"}}},
    ),
    "read the token": ("secretsmanager", "get_secret_value", {"SecretId": "ApiTokenSecret"}),
    "put into the stream": (
        "kinesis",
        "put_records",
        {"StreamName": "UpdatesStream", "Records": [{"Data": b"", "PartitionKey": "x"}]},
    ),
    "send alerts": ("sns", "publish", {"TopicArn": "AlertsTopic", "Message": "x"}),
}


@pytest.mark.parametrize(
    ("function", "what"), [(function, what) for function, calls in FORBIDDEN.items() for what in calls]
)
def test_a_function_is_refused_what_is_not_its_business(authorised_run, function, what):
    """With the function's own credentials, on the very resource of the stack, the call is refused."""
    service, operation, arguments = FORBIDDEN[function][what]
    resources = authorised_run.stack.resources
    arguments = {
        name: resources.get(value, value) if isinstance(value, str) else value for name, value in arguments.items()
    }
    with pytest.raises(ClientError) as error:
        getattr(authorised_run.client(service, function), operation)(**arguments)
    assert error.value.response["Error"]["Code"] in REFUSALS
    assert "no identity-based policy allows the" in error.value.response["Error"]["Message"]


def test_who_writes_envelopes_may_list_the_shards(authorised_envelope_run):
    """The one permission more, and only in that format; the run that was authorised has used it."""
    used = {one.operation for one in authorised_envelope_run.calls_of_the_run if one.caller == CONSUMER}
    assert "ListShards" in used


def test_a_role_s_credentials_do_what_the_role_may(authorised_run):
    """The same clients are not refused everything: the consumer keeps a rejected line where it may."""
    s3 = authorised_run.client("s3", CONSUMER)
    bucket = authorised_run.stack.resources["StateBucket"]
    assert "ETag" in s3.put_object(Bucket=bucket, Key="rejected/1970/01/01/000000-x-1.ndjson", Body=b"")


UNUSED = {
    # The runtime writes the log: no call of the function's, and the emulator hands its output on itself.
    CONSUMER: {"logs:CreateLogStream", "logs:PutLogEvents"},
    # Lambda's service asks for these of a role that polls a stream (AWSLambdaKinesisExecutionRole) and that keeps
    # what failed in a bucket (developer guide, on-failure destinations); our own pollers get by without.
    AGGREGATOR: {
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "kinesis:DescribeStream",
        "kinesis:DescribeStreamSummary",
        "s3:ListBucket",
    },
    ARCHIVE: {"logs:CreateLogStream", "logs:PutLogEvents"},
    FLIGHTS: {"logs:CreateLogStream", "logs:PutLogEvents"},
    ALERTS: {
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "kinesis:DescribeStream",
        "kinesis:DescribeStreamSummary",
        "s3:ListBucket",
    },
}
"""What no call needs here, and why it stays. Without your own key nobody has `kms:Decrypt`."""


def _make_in_parts(run, folder):
    """Make the run's day as one that is too large is made, by the role of the flights function."""
    s3, bucket = run.client("s3", FLIGHTS), run.stack.resources["DataBucket"]
    key = s3.list_objects_v2(Bucket=bucket, Prefix="archive/updates/")["Contents"][0]["Key"]
    day = days.parsed(key.partition("date=")[2][: len("2024-03-04")])
    latest = round(days.span(day)[1].timestamp() * 1_000)
    plan = planned(day, "ab", [RowGroup("", None, 1, 0, 1, latest)], latest, 1)
    making = Making(Store(s3, bucket), Airports.shipped(), folder, 256)
    made = [making.part(part) for part in plan.parts]
    assert making.join(plan).flights == sum(one.flights for one in made) > 0


@pytest.mark.parametrize("function", [CONSUMER, AGGREGATOR, ALERTS, ARCHIVE, FLIGHTS])
def test_no_role_has_more_than_was_used(either_run, function, tmp_path):
    """Whatever a statement grants was needed by some call of the run, or is in the list above with its reason."""
    if function == FLIGHTS:
        _make_in_parts(either_run, tmp_path)
    elif function not in {CONSUMER, ARCHIVE}:
        either_run.give_up_a_record(function)
    unused = either_run.authoriser.unused(function)
    assert {one.action for one in unused} == UNUSED[function]
    assert len(unused) == len(UNUSED[function]), "one of these actions is granted on several resources"


@pytest.mark.usefixtures("api_answers")
def test_the_api_has_no_more_than_was_used(authorised_run):
    """Of its role too: live objects, rows and alerts, each of which it was asked for."""
    unused = authorised_run.authoriser.unused(API)
    assert sorted(one.action for one in unused) == ["logs:CreateLogStream", "logs:PutLogEvents"]
