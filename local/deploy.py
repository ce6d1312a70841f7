"""Creates the stack of `template.yaml` on the local AWS: by CloudFormation, or by API calls where moto lacks a type."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from local.aws.template import (
    CODE_BUCKET,
    CODE_KEY,
    DELIVERY_STREAM,
    SECRET,
    SUBSCRIPTION,
    TemplateError,
    localise,
    logical_ids,
    translate,
)
from local.running import leave_note
from local.stack import FROM_KINESIS, read_back

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from local.aws.moto import Cloud
    from local.aws.template import LocalTemplate
    from local.stack import Stack


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
    stack = read_back(cloud, local, outputs, name)
    leave_note(cloud, stack, name)
    return stack


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


def _create_delivery_streams(cloud: Cloud, local: LocalTemplate, outputs: Mapping[str, str]) -> None:
    for one in local.of_type(DELIVERY_STREAM):
        properties = one.properties(outputs)
        if properties is None or FROM_KINESIS in properties:
            continue  # moto's Firehose does not read from Kinesis: `local.aws.raw_delivery` does
        kind = next(path.split(".")[0] for path in properties if path.endswith(".BucketARN"))
        destination = {key: properties[f"{kind}.{key}"] for key in ("BucketARN", "RoleARN")}
        destination["Prefix"] = properties.get(f"{kind}.Prefix", "")  # `moto_firehose` evaluates it; nobody compresses
        cloud.client("firehose").create_delivery_stream(
            DeliveryStreamName=one.stands_in, DeliveryStreamType="DirectPut", **{kind: destination}
        )


def _subscribe(cloud: Cloud, local: LocalTemplate, outputs: Mapping[str, str]) -> None:
    for one in local.of_type(SUBSCRIPTION):
        if properties := one.properties(outputs):
            cloud.client("sns").subscribe(
                **{key: value for key, value in properties.items() if key in {"TopicArn", "Protocol", "Endpoint"}}
            )
