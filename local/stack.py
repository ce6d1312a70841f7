"""The stack on the local AWS, as CloudFormation made it and as it is read back."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local.aws.template import DELIVERY_STREAM, EVENT_INVOKE_CONFIG, LocalTemplate, TemplateError
from local.event_source_mapping import MappingSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.aws.moto import Cloud

FROM_KINESIS = "KinesisStreamSourceConfiguration.KinesisStreamARN"
"""The property that a delivery stream has which reads a stream by itself."""

_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_TO_S3 = "ExtendedS3DestinationConfiguration."
_UNIT_SECONDS = {"minute": 60, "hour": 3600, "day": 86_400}


@dataclass(frozen=True, slots=True)
class FunctionSettings:
    """A Lambda function as it was made; `timeout` in seconds, `memory` in megabytes."""

    logical_id: str
    name: str
    arn: str
    role_arn: str
    handler: str
    timeout: int
    memory: int
    environment: dict[str, str]
    reserved_concurrency: int | None


@dataclass(frozen=True, slots=True)
class ScheduleSettings:
    """A rule that invokes a function asynchronously; durations in seconds.

    `maximum_event_age` and `maximum_retries` are the function's for asynchronous invocations.
    """

    rule_arn: str
    function_arn: str
    every: float
    enabled: bool
    maximum_event_age: float
    maximum_retries: int


@dataclass(frozen=True, slots=True)
class DeliverySettings:
    """A delivery stream that reads a Kinesis stream into a bucket, in buffers of so many seconds or megabytes.

    `prefix` is the objects', with what Firehose evaluates in it (`!{timestamp:yyyy-MM-dd}`).
    """

    name: str
    stream_arn: str
    bucket: str
    prefix: str
    extension: str
    interval: float
    megabytes: int


@dataclass(frozen=True, slots=True)
class Stack:
    """What was made. `resources` maps logical ids to what `Ref` gives; `left_out` to why they are not here."""

    functions: dict[str, FunctionSettings]
    mappings: tuple[MappingSettings, ...]
    schedules: tuple[ScheduleSettings, ...]
    resources: dict[str, str]
    left_out: dict[str, str]
    deliveries: tuple[DeliverySettings, ...] = ()

    def function(self, arn: str) -> FunctionSettings:
        """Return the function with this ARN."""
        return next(one for one in self.functions.values() if one.arn == arn)


def read_back(cloud: Cloud, local: LocalTemplate, outputs: Mapping[str, str], name: str) -> Stack:
    """Return what the stack of this name consists of; `outputs` are the stack's.

    Raises
    ------
    TemplateError
        A rule has a schedule that is no rate.
    """
    summaries = [
        one
        for page in cloud.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=name)
        for one in page["StackResourceSummaries"]
    ]
    resources = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in summaries}
    functions = _functions(
        cloud,
        {one["LogicalResourceId"] for one in summaries if one["ResourceType"] == "AWS::Lambda::Function"},
        resources,
    )
    roles = {function.arn: function.role_arn for function in functions.values()}
    resources |= {one.logical_id: one.stands_in for one in local.taken_over if one.properties(outputs)}
    return Stack(
        functions,
        tuple(_mapping(one, roles) for one in _event_source_mappings(cloud)),
        tuple(_schedules(cloud, local, outputs)),
        resources,
        {one.logical_id: one.reason for one in local.left_out},
        tuple(_deliveries(local, outputs)),
    )


def _deliveries(local: LocalTemplate, outputs: Mapping[str, str]) -> list[DeliverySettings]:
    found = []
    for one in local.of_type(DELIVERY_STREAM):
        properties = one.properties(outputs)
        if properties is None or FROM_KINESIS not in properties:
            continue
        of = {path.partition(".")[2]: value for path, value in properties.items() if path.startswith(_TO_S3)}
        found.append(
            DeliverySettings(
                one.stands_in,
                properties[FROM_KINESIS],
                of["BucketARN"].rpartition(":")[2],
                of.get("Prefix", ""),
                of.get("FileExtension", ""),
                float(of.get("BufferingHints.IntervalInSeconds", 300)),
                int(of.get("BufferingHints.SizeInMBs", 5)),
            )
        )
    return found


def _functions(cloud: Cloud, ids: set[str], resources: Mapping[str, str]) -> dict[str, FunctionSettings]:
    client = cloud.client("lambda")
    functions = {}
    for logical_id in sorted(ids):
        one = client.get_function_configuration(FunctionName=resources[logical_id])
        reserved = client.get_function_concurrency(FunctionName=resources[logical_id])
        functions[logical_id] = FunctionSettings(
            logical_id,
            one["FunctionName"],
            one["FunctionArn"],
            one["Role"],
            one["Handler"],
            int(one["Timeout"]),
            int(one["MemorySize"]),
            {key: str(value) for key, value in one.get("Environment", {}).get("Variables", {}).items()},
            reserved.get("ReservedConcurrentExecutions"),
        )
    return functions


def _event_source_mappings(cloud: Cloud) -> list[dict[str, Any]]:
    pages = cloud.client("lambda").get_paginator("list_event_source_mappings").paginate()
    return [one for page in pages for one in page["EventSourceMappings"]]


def _mapping(listed: dict[str, Any], roles: Mapping[str, str]) -> MappingSettings:
    filters = listed.get("FilterCriteria", {}).get("Filters")
    if filters:
        # moto leaves a hole where AWS::NoValue was in a list.
        listed = listed | {"FilterCriteria": {"Filters": [one for one in filters if one]}}
    return MappingSettings.from_properties(listed, role_arn=roles[listed["FunctionArn"]])


def _schedules(cloud: Cloud, local: LocalTemplate, outputs: Mapping[str, str]) -> list[ScheduleSettings]:
    configured = [
        properties for one in local.of_type(EVENT_INVOKE_CONFIG) if (properties := one.properties(outputs)) is not None
    ]
    client = cloud.client("events")
    schedules = []
    for rule in client.list_rules()["Rules"]:
        expression = rule.get("ScheduleExpression", "")
        rate = _RATE.fullmatch(expression)
        if rate is None:
            raise TemplateError(f"rule {rule['Name']}: got {expression!r}; the local stack takes rate(N minutes) alone")
        for target in client.list_targets_by_rule(Rule=rule["Name"])["Targets"]:
            if ":lambda:" not in target["Arn"]:
                continue  # the flights', by the state machine: `flights_run` has them made
            name = target["Arn"].rpartition(":")[2]
            settings = next((one for one in configured if one.get("FunctionName") == name), {})
            schedules.append(
                ScheduleSettings(
                    rule["Arn"],
                    target["Arn"],
                    int(rate[1]) * _UNIT_SECONDS[rate[2]],
                    rule["State"] == "ENABLED",
                    float(settings.get("MaximumEventAgeInSeconds", 21_600)),  # Lambda's defaults: 6 hours,
                    int(settings.get("MaximumRetryAttempts", 2)),  # and two more attempts
                )
            )
    return schedules
