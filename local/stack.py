"""The stack on the local AWS: created from `template.yaml` through CloudFormation, and read back as it was made."""

from __future__ import annotations

import io
import json
import re
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from local.event_source_mapping import MappingSettings
from local.translation import (
    CODE_BUCKET,
    CODE_KEY,
    DELIVERY_STREAM,
    EVENT_INVOKE_CONFIG,
    SECRET,
    SUBSCRIPTION,
    LocalTemplate,
    TakenOut,
    TemplateError,
    localise,
    logical_ids,
    translate,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from local.cloud import Cloud

_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
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
class Stack:
    """What was made. `resources` maps logical ids to what `Ref` gives; `left_out` to why they are not here."""

    functions: dict[str, FunctionSettings]
    mappings: tuple[MappingSettings, ...]
    schedules: tuple[ScheduleSettings, ...]
    resources: dict[str, str]
    left_out: dict[str, str]

    def function(self, arn: str) -> FunctionSettings:
        """Return the function with this ARN."""
        return next(one for one in self.functions.values() if one.arn == arn)


def create(  # noqa: PLR0913 -- each is one setting of a stack
    cloud: Cloud,
    template: Path,
    *,
    name: str,
    parameters: Mapping[str, str],
    secret_value: str,
    timeouts: Mapping[str, int] | None = None,
) -> Stack:
    """Create the stack; every secret gets `secret_value`, and `timeouts` (seconds) replace those of functions.

    Raises
    ------
    TemplateError
        The template does not translate, or CloudFormation refuses it.
    """
    translated = translate(template)
    for logical_id, timeout in (timeouts or {}).items():
        translated["Resources"][logical_id]["Properties"]["Timeout"] = timeout
    secrets = _create_secrets(cloud, logical_ids(translated, SECRET), name, secret_value)
    local = localise(translated, cloud.resource_types, name, secrets)
    try:
        _put_code(cloud)
        outputs = _create_stack(cloud, local, name, parameters)
        _create_delivery_streams(cloud, local, outputs)
        _subscribe(cloud, local, outputs)
    except (ClientError, BotoCoreError) as error:
        raise TemplateError(f"{template}: the local stack cannot be created: {error}") from error
    return _read_back(cloud, local, outputs, name)


def _create_secrets(cloud: Cloud, ids: list[str], stack_name: str, value: str) -> dict[str, str]:
    client = cloud.client("secretsmanager") if ids else None
    return {one: client.create_secret(Name=f"{stack_name}-{one}", SecretString=value)["ARN"] for one in ids if client}


def _put_code(cloud: Cloud) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as content:
        content.writestr("README", "The functions run from src.\n")
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=CODE_BUCKET)
    s3.put_object(Bucket=CODE_BUCKET, Key=CODE_KEY, Body=archive.getvalue())


def _create_stack(cloud: Cloud, local: LocalTemplate, name: str, parameters: Mapping[str, str]) -> dict[str, str]:
    """Create the stack and return its outputs."""
    client = cloud.client("cloudformation")
    client.create_stack(
        StackName=name,
        TemplateBody=json.dumps(local.body),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        Capabilities=["CAPABILITY_IAM"],
    )
    stack = client.describe_stacks(StackName=name)["Stacks"][0]
    if stack["StackStatus"] != "CREATE_COMPLETE":
        raise TemplateError(
            f"stack {name}: {stack['StackStatus']}: {stack.get('StackStatusReason', 'no reason given')}"
        )
    return {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", [])}


def _properties(one: TakenOut, outputs: Mapping[str, str]) -> dict[str, str] | None:
    """Return the resolved properties of a resource that was taken out, or None if its condition is false."""
    if not any(name in outputs for name in one.outputs.values()):
        return None
    return {path: outputs[name] for path, name in one.outputs.items() if name in outputs}


def _create_delivery_streams(cloud: Cloud, local: LocalTemplate, outputs: Mapping[str, str]) -> None:
    for one in local.of_type(DELIVERY_STREAM):
        properties = _properties(one, outputs)
        if properties is None:
            continue
        kind = next(path.split(".")[0] for path in properties if path.endswith(".BucketARN"))
        destination = {key: properties[f"{kind}.{key}"] for key in ("BucketARN", "RoleARN")}
        # moto takes a prefix as it stands: what Firehose would evaluate (dates) is cut off. It does not compress.
        destination["Prefix"] = properties.get(f"{kind}.Prefix", "").partition("!{")[0]
        cloud.client("firehose").create_delivery_stream(
            DeliveryStreamName=one.stands_in, DeliveryStreamType="DirectPut", **{kind: destination}
        )


def _subscribe(cloud: Cloud, local: LocalTemplate, outputs: Mapping[str, str]) -> None:
    for one in local.of_type(SUBSCRIPTION):
        if properties := _properties(one, outputs):
            cloud.client("sns").subscribe(
                **{key: value for key, value in properties.items() if key in {"TopicArn", "Protocol", "Endpoint"}}
            )


def _read_back(cloud: Cloud, local: LocalTemplate, outputs: Mapping[str, str], name: str) -> Stack:
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
    resources |= {one.logical_id: one.stands_in for one in local.taken_over if _properties(one, outputs)}
    return Stack(
        functions,
        tuple(_mapping(one, roles) for one in _event_source_mappings(cloud)),
        tuple(_schedules(cloud, local, outputs)),
        resources,
        {one.logical_id: one.reason for one in local.left_out},
    )


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
        # moto leaves a hole where AWS::NoValue stood in a list.
        listed = listed | {"FilterCriteria": {"Filters": [one for one in filters if one]}}
    return MappingSettings.from_properties(listed, role_arn=roles[listed["FunctionArn"]])


def _schedules(cloud: Cloud, local: LocalTemplate, outputs: Mapping[str, str]) -> list[ScheduleSettings]:
    configured = [
        properties
        for one in local.of_type(EVENT_INVOKE_CONFIG)
        if (properties := _properties(one, outputs)) is not None
    ]
    client = cloud.client("events")
    schedules = []
    for rule in client.list_rules()["Rules"]:
        expression = rule.get("ScheduleExpression", "")
        rate = _RATE.fullmatch(expression)
        if rate is None:
            raise TemplateError(f"rule {rule['Name']}: got {expression!r}; the local stack takes rate(N minutes) alone")
        for target in client.list_targets_by_rule(Rule=rule["Name"])["Targets"]:
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
